#include "dataplane/fib/prover.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "publisher_world.hpp"
#include "rib/table.hpp"
#include "tests/support/sanitized.hpp"

namespace torii::dataplane {
namespace {

using Random = std::mt19937_64;

// A table of routes, the tables of the workers, and the prover between them.
struct ProvedWorld {
    explicit ProvedWorld(std::uint64_t seed) : random(seed) {
        const auto attach = [this](const char* prefix, rib::PortIndex port) {
            const rib::NextHop there{Prefix::parse(prefix)->address(), port, 1};
            table.put(*Prefix::parse(prefix), {.source = rib::Source::Connected,
                                               .distance = rib::kDistanceConnected,
                                               .kind = rib::RouteKind::Attached,
                                               .next_hops = {&there, 1}});
        };
        attach("10.1.0.0/16", 1);
        attach("fd01::/64", 1);
        pump();
        for (unsigned i = 1; i <= 40; ++i) revive(i);
    }

    IpAddress node(unsigned i) { return ip(("10.1.0." + std::to_string(i)).c_str()); }
    Hop forward(unsigned i) {
        return Hop::forward({{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}}, {}, 1, 1500);
    }
    void revive(unsigned i) {
        auto* n = world.neighbors.get(1, node(i));
        n->state = NeighborState::Reachable;
        n->mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}};
        world.publisher.neighbor_changed(*n, forward(i));
        if (n->host_hop == 0) world.publisher.set_host(node(i), n->host_hop = n->hop);
    }
    void kill(unsigned i) {
        auto* n = world.neighbors.get(1, node(i));
        n->state = NeighborState::Failed;
        world.publisher.neighbor_changed(*n, Hop::of(HopKind::Unreachable));
        if (n->host_hop != 0) world.publisher.erase_host(node(i), n->host_hop);
        n->host_hop = 0;
    }
    unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }

    Prefix prefix() {
        if (below(3) != 0) {
            // Few enough that they nest.
            const auto a = IpAddress::v4(0x0a000000u | (below(4) + 1) << 20 | below(1u << 20));
            return {a, static_cast<std::uint8_t>(below(20) == 0 ? 0 : 8 + below(25))};
        }
        std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
        for (const auto at : {std::size_t{5}, std::size_t{7}, std::size_t{8}, std::size_t{15}})
            bytes[at] = static_cast<std::uint8_t>(below(4) << (at % 2 != 0 ? 0 : 6));
        constexpr std::uint8_t kLengths[] = {0, 29, 32, 40, 48, 52, 56, 64, 64, 64, 80, 96, 128};
        return {IpAddress::v6(bytes), kLengths[below(std::size(kLengths))]};
    }
    void change() {
        const auto p = prefix();
        if (p.contains(node(1))) return;
        const auto source = below(2) != 0 ? rib::Source::Bgp : rib::Source::Static;
        if (below(3) == 0) return table.remove(p, source);
        rib::RouteSpec route{
            .source = source, .distance = 1, .kind = rib::RouteKind::Forward, .next_hops = {}};
        if (below(8) == 0) {
            route.kind = rib::RouteKind::Discard;
            return table.put(p, route);
        }
        std::set<rib::NextHop> hops;
        for (auto n = 1 + below(6); n > 0; --n) hops.insert({node(1 + below(40)), 1, 1});
        const std::vector<rib::NextHop> list(hops.begin(), hops.end());
        route.next_hops = list;
        table.put(p, route);
    }
    rib::FibDelta delta() {
        while (table.settle()) {
        }
        return table.take_delta();
    }
    void pump() { world.publisher.apply(delta()); }
    void refill() {
        while (world.publisher.refill(1000)) {
        }
        world.publisher.reclaim();
    }
    // A whole pass, in steps of about `budget`, and what it healed applied.
    std::vector<FibFault> prove(std::size_t budget = 1'000'000) {
        faults.clear();
        prover.restart();
        while (!prover.step(table, budget)) pump();
        pump();
        return faults;
    }
    std::string seen() const {
        std::string out;
        for (const auto& f : faults)
            out += std::string(to_text(f.kind)) + " " + f.where + ": wanted " + f.wanted +
                   ", found " + f.found + "\n";
        return out;
    }
    // What packets to an address should meet, by the RIB alone and slowly.
    std::string wanted(const IpAddress& a) {
        std::optional<rib::FibAction> action;
        table.walk_published_covering(a, [&](const Prefix&, const auto& there) {
            if (there) action = there;
            return true;
        });
        if (!action) return "nothing";
        if (action->kind != rib::RouteKind::Forward) return std::string(to_text(action->kind));
        std::set<std::string> members;
        const auto group = table.published_group(action->group);
        for (const auto& m : group->members)
            if (world.neighbors.find(1, m.neighbor)->usable())
                members.insert(m.neighbor.to_string());
        return members.empty() ? "dead" : text_of(members);
    }
    std::string found(const IpAddress& a) {
        const auto id = a.is_v4() ? world.fib4.lookup(a.v4()) : world.fib6.lookup(Ip6::of(a));
        const auto hop = world.hops.read(id);
        std::set<std::string> members;
        switch (hop.kind()) {
            case HopKind::NoRoute:
                return "nothing";
            case HopKind::Discard:
                return std::string(to_text(rib::RouteKind::Discard));
            case HopKind::Attached:
                return std::string(to_text(rib::RouteKind::Attached));
            case HopKind::Unreachable:
                return "dead";
            case HopKind::Forward:
                return text_of({node(hop.macs[5]).to_string()});
            case HopKind::Group:
                break;
            default:
                return "?";
        }
        for (std::uint32_t b = 0; b < hop.buckets()->size(); ++b) {
            const auto to = world.hops.read(hop.buckets()->buckets[b].hop);
            members.insert(to.kind() == HopKind::Forward ? node(to.macs[5]).to_string() : "?");
        }
        return text_of(members);
    }
    static std::string text_of(const std::set<std::string>& members) {
        std::string out;
        for (const auto& m : members) out += m + " ";
        return out;
    }
    static std::string_view to_text(rib::RouteKind kind) {
        return kind == rib::RouteKind::Discard ? "discard" : "attached";
    }
    static const char* to_text(FaultKind kind) { return dataplane::to_text(kind); }

    Random random;
    rib::Table table;
    PublisherWorld world{100'000, 1000, 4000};
    std::vector<FibFault> faults;
    Prover prover{world.publisher,
                  [](const Neighbor& n) -> std::optional<Hop> {
                      if (n.usable()) return Hop::forward(n.mac, {}, 1, 1500);
                      if (n.state == NeighborState::Failed) return Hop::of(HopKind::Unreachable);
                      return Hop::of(HopKind::Hold, n.number, n.port);
                  },
                  [this](const FibFault& f) { faults.push_back(f); }};
};

// Under a sanitizer each takes ten times as long.
constexpr int kRounds = kSanitized ? 4 : 40, kSteps = kSanitized ? 500 : 5000,
              kFaults = kSanitized ? 8 : 80;

TEST(Prover, FindsNothingWrongWhateverChanges) {
    ProvedWorld w{1};
    for (int round = 0; round < kRounds; ++round) {
        for (int i = 0; i < 40; ++i) w.change();
        w.pump();
        const auto i = 1 + w.below(40);
        w.below(2) != 0 ? w.kill(i) : w.revive(i);
        // Groups that wait for their turn are none of its business.
        if (w.below(3) != 0) w.refill();
        w.world.publisher.settle(static_cast<std::uint32_t>(round * 100));
        ASSERT_TRUE(w.prove(1 + w.below(400'000)).empty()) << "round " << round << "\n" << w.seen();
    }
    EXPECT_GT(w.prover.counters().prefixes, 1000u);
    EXPECT_GT(w.prover.counters().groups, 100u);
}

TEST(Prover, ComparesWhileTheRibChanges) {
    ProvedWorld w{2};
    for (int i = 0; i < 2000; ++i) w.change();
    w.pump();
    w.refill();
    for (int i = 0; i < kSteps; ++i) {
        if (w.below(4) == 0) w.change();
        if (w.below(2) == 0) w.pump();
        if (w.below(50) == 0) w.below(2) != 0 ? w.kill(1 + w.below(40)) : w.revive(1 + w.below(40));
        w.prover.step(w.table, 1 + w.below(100'000));
    }
    EXPECT_GT(w.prover.counters().prefixes, 1000u);
    EXPECT_TRUE(w.faults.empty()) << w.seen();
}

// One thing goes wrong, in one of the ways that there are. False: it was no change.
class Saboteur {
public:
    explicit Saboteur(ProvedWorld& w) : w_(w) {}

    bool strike() {
        const auto way = w_.below(6);
        did = "way " + std::to_string(way);
        switch (way) {
            case 0:
                return lose_delta();
            case 1:
                return flip(const_cast<std::uint32_t*>(view4().root), std::size_t{1} << 24);
            case 2:
                return flip_used_block();
            case 3:
                return flip_trie6();
            case 4:
                return flip_hash6();
            default:
                return stale_hop();
        }
    }

    std::string did;

private:
    Fib4View view4() { return w_.world.fib4.view(); }
    Fib6View view6() { return w_.world.fib6.view(); }

    // Changes on their way, of which one gets lost.
    bool lose_delta() {
        for (int i = 0; i < 3; ++i) w_.change();
        auto delta = w_.delta();
        const auto groups = delta.groups.size(), prefixes = delta.prefixes.size();
        if (groups + prefixes == 0) return false;
        const auto lost = w_.below(static_cast<unsigned>(groups + prefixes));
        std::string before;
        bool matters = true;
        if (lost < groups) {
            delta.groups.erase(delta.groups.begin() + lost);
        } else {
            const auto at = delta.prefixes.begin() + static_cast<std::ptrdiff_t>(lost - groups);
            // A prefix that came and went meanwhile.
            const auto& p = at->prefix;
            const auto rule = p.address().is_v4()
                                  ? w_.world.fib4.rule(p.address().v4(), p.length())
                                  : w_.world.fib6.rule(Ip6::of(p.address()), p.length());
            matters = at->action.has_value() || rule != 0;
            if (matters && at->action && rule != 0) {
                // The same as before.
                w_.world.publisher.apply({delta.groups, {}, {}});
                w_.world.publisher.apply({{}, {*at}, {}});
                const auto now = p.address().is_v4()
                                     ? w_.world.fib4.rule(p.address().v4(), p.length())
                                     : w_.world.fib6.rule(Ip6::of(p.address()), p.length());
                matters = now != rule;
                if (!matters) {
                    w_.world.publisher.apply(delta);
                    return false;
                }
                p.address().is_v4() ? w_.world.fib4.set(p.address().v4(), p.length(), rule)
                                    : w_.world.fib6.set(Ip6::of(p.address()), p.length(), rule);
            }
            delta.prefixes.erase(at);
        }
        w_.world.publisher.apply(delta);
        return matters;
    }
    bool flip_bit(std::uint32_t& word, std::uint32_t among) {
        word ^= among & (1u << w_.below(32));
        return true;
    }
    bool flip(std::uint32_t* words, std::size_t count) {
        // Where prefixes are, mostly.
        const auto at = w_.below(4) == 0
                            ? w_.random() % count
                            : 0x0a0000u + (w_.below(4) + 1) * 0x1000u + w_.below(0x1000);
        const auto bit = 1u << w_.below(32);
        did += " root " + std::to_string(at) + " from " + std::to_string(words[at]);
        words[at] ^= bit;
        return true;
    }
    bool flip_used_block() {
        auto* root = view4().root;
        for (int tries = 0; tries < 20'000; ++tries) {
            const auto slot = 0x0a0000u + (w_.below(4) + 1) * 0x1000u + w_.below(0x1000);
            if (!value::is_child(root[slot])) continue;
            auto* blocks = const_cast<std::uint32_t*>(view4().blocks);
            blocks[value::payload(root[slot]) * 256 + w_.below(256)] ^= 1u << w_.below(32);
            return true;
        }
        return false;
    }
    bool flip_trie6() {
        auto p = w_.prefix();
        while (p.address().is_v4()) p = w_.prefix();
        const auto high = Ip6::of(p.address()).high;
        auto* word = const_cast<std::uint32_t*>(&view6().root[high >> 40]);
        for (unsigned shift = 32; value::is_child(*word) && w_.below(4) != 0; shift -= 8)
            word = const_cast<std::uint32_t*>(
                &view6().nodes[value::payload(*word) * 256 + (high >> shift & 0xff)]);
        // That the hash is to be asked, for nothing, is no fault.
        auto bit = 1u << w_.below(32);
        if (bit == value::kLonger && !value::is_child(*word) && (*word & value::kLonger) == 0)
            bit <<= 1;
        did += " trie6 " + p.to_string() + " from " + std::to_string(*word) + " bit " +
               std::to_string(bit);
        *word ^= bit;
        return true;
    }
    bool flip_hash6() {
        const auto& table = *view6().by_64->load();
        for (int tries = 0; tries < 10'000; ++tries) {
            auto& line = const_cast<Line64&>(table.lines[w_.below(table.mask + 1)]);
            const auto slot = w_.below(Line64::kSlots);
            if (line.keys[slot] == 0 || line.values[slot] == 0) continue;
            const auto v = line.values[slot];
            if ((v & site::kSite) != 0 && w_.below(2) == 0) {
                auto& s = const_cast<Site&>(view6().sites[value::payload(v)]);
                if (w_.below(2) == 0)
                    s.lengths ^= s.lengths & (~s.lengths + 1);  // one length less
                else if (s.own != 0)
                    s.own ^= 1u << w_.below(20);
                else
                    return false;
                return true;
            }
            line.values[slot] ^= 1u << w_.below(32);
            return true;
        }
        return false;
    }
    bool stale_hop() {
        auto& hops = w_.world.hops;
        const auto id = 1 + w_.below(hops.pool().used());
        const auto before = hops.read(id);
        const auto other =
            w_.below(2) == 0 ? hops.read(1 + w_.below(hops.pool().used())) : w_.forward(200);
        bool in_use = id < HopTable::kFirstPort + kMaxPorts;
        w_.world.neighbors.each([&](Neighbor& n) { in_use |= n.hop == id; });
        w_.world.publisher.each_group([&](const Group& g) {
            if (g.hop == id || g.guarded == id) {
                in_use = true;
                // One of its members as well as another.
                if (other.kind() == HopKind::Forward && g.buckets == nullptr)
                    in_use = other.macs[5] == 200;
            }
        });
        if (!in_use || std::memcmp(&before, &other, sizeof before) == 0) return false;
        hops.write(id, other);
        return true;
    }

    ProvedWorld& w_;
};

TEST(Prover, NamesAndHealsWhateverGoesWrong) {
    const char* wanted = std::getenv("TORII_FIB_FAULTS");
    const int count = wanted != nullptr ? std::atoi(wanted) : kFaults;
    ProvedWorld w{3};
    for (int i = 0; i < 600; ++i) w.change();
    w.pump();
    w.refill();
    ASSERT_TRUE(w.prove().empty()) << w.seen();
    Saboteur saboteur{w};
    for (int fault = 0; fault < count;) {
        if (!saboteur.strike()) {
            w.prove();
            continue;
        }
        ++fault;
        ASSERT_FALSE(w.prove().empty()) << "fault " << fault << " was not seen: " << saboteur.did;
        // What hung together shows itself one after the other.
        for (int pass = 0; pass < 3 && !w.prove().empty(); ++pass) {
        }
        ASSERT_TRUE(w.prove().empty()) << "fault " << fault << "\n" << w.seen();
        for (int i = 0; i < 20; ++i) {
            auto a = w.prefix().address();
            if (w.world.publisher.refused() != 0 || Prefix::parse("10.1.0.0/16")->contains(a))
                continue;
            ASSERT_EQ(w.found(a), w.wanted(a)) << a.to_string() << " after fault " << fault;
        }
        w.refill();
    }
}

}  // namespace
}  // namespace torii::dataplane
