#include "dataplane/fib/prover.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace torii::dataplane {
namespace {

// Prefixes of a batch, which is longer when more begin at one address; and what one costs,
// in entries compared.
constexpr std::size_t kBatch = 128, kPrefixCost = 100;

// The upper 64 bits, as the tries of both families are asked.
std::uint64_t key_of(const IpAddress& a) {
    return a.is_v4() ? std::uint64_t{a.v4()} << 32 : Ip6::of(a).high;
}
std::uint64_t last_key(std::uint64_t key, unsigned length) {
    return length >= 64 ? key : key | (~std::uint64_t{0} >> length);
}
IpAddress address_at(Family family, std::uint64_t key) {
    if (family == Family::Ip4) return IpAddress::v4(static_cast<std::uint32_t>(key >> 32));
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(key >> (56 - 8 * i));
    return IpAddress::v6(bytes);
}
// The first prefix, in their order, that begins there or later.
Prefix first_at(const IpAddress& a) {
    std::uint8_t length = a.bits();
    while (length > 0 && a.masked(static_cast<std::uint8_t>(length - 1)) == a) --length;
    return {a, length};
}
// In the trie, and not beside it.
bool in_trie(const Prefix& prefix) {
    return prefix.length() > 0 && (prefix.family() == Family::Ip4 || prefix.length() < 64);
}

constexpr std::string_view kNothing = "nothing";

}  // namespace

const char* to_text(FaultKind kind) {
    constexpr const char* kNames[] = {"prefix", "entry", "group", "neighbor"};
    return kNames[static_cast<std::size_t>(kind)];
}

Prover::Prover(Publisher& publisher, HopOf hop_of, Report report)
    : publisher_(publisher), hop_of_(std::move(hop_of)), report_(std::move(report)) {
    batch_.reserve(4 * kBatch);
}

void Prover::restart() {
    stage_ = Stage::Hops;
    index_ = 0;
    at_ = {};
}

bool Prover::step(rib::Table& table, std::size_t budget) {
    if (!table.settled() || budget == 0) return false;
    const auto next = [this](Stage stage) {
        stage_ = stage;
        index_ = 0;
        at_ = stage == Stage::Ip6 ? IpAddress::v6({}) : IpAddress{};
    };
    switch (stage_) {
        case Stage::Hops:
            fixed_hops();
            next(Stage::Neighbors);
            return false;
        case Stage::Neighbors:
            if (neighbors(budget)) next(Stage::Groups);
            return false;
        case Stage::Groups:
            if (groups(table, budget)) next(Stage::Ip4);
            return false;
        case Stage::Ip4:
            while (stage_ == Stage::Ip4 && budget > 0)
                if (prefixes(table, Family::Ip4, budget)) next(Stage::Ip6);
            return false;
        case Stage::Ip6:
            while (stage_ == Stage::Ip6 && budget > 0)
                if (prefixes(table, Family::Ip6, budget)) next(Stage::Count);
            return false;
        case Stage::Count:
            rule4_.reset();
            rule6_ = {};
            next(counts_match(table) ? Stage::End : Stage::Extra);
            return false;
        case Stage::Extra:
            if (extras(table, budget)) next(Stage::End);
            return false;
        case Stage::End:
            break;
    }
    ++counters_.passes;
    next(Stage::Hops);
    return true;
}

void Prover::fault(FaultKind kind, std::string where, std::string wanted, std::string found) {
    ++counters_.faults[static_cast<std::size_t>(kind)];
    report_({kind, std::move(where), std::move(wanted), std::move(found)});
}

// ---- hops, neighbors, groups

void Prover::fixed_hops() {
    auto& hops = publisher_.hops_;
    const auto compare = [&](HopId id, const Hop& wanted) {
        const auto found = hops.read(id);
        if (std::memcmp(&found, &wanted, sizeof found) == 0) return;
        hops.write(id, wanted);
        fault(FaultKind::Entry, "hop " + std::to_string(id), describe(wanted), describe(found));
    };
    compare(HopTable::kNone, Hop::of(HopKind::NoRoute));
    compare(HopTable::kDiscard, Hop::of(HopKind::Discard));
    compare(HopTable::kUnreachable, Hop::of(HopKind::Unreachable));
    compare(HopTable::kLocal, Hop::of(HopKind::Local));
    compare(HopTable::kBroadcast, Hop::of(HopKind::Broadcast));
    for (PortIndex port = 0; port < kMaxPorts; ++port)
        compare(HopTable::attached(port), Hop::of(HopKind::Attached, 0, port));
}

bool Prover::neighbors(std::size_t budget) {
    auto& all = publisher_.neighbors_;
    for (; budget > 0 && index_ < all.numbers(); --budget, ++index_) {
        auto* n = all.by_number(index_);
        if (n == nullptr) continue;
        ++counters_.neighbors;
        const auto wanted = hop_of_(*n);
        const auto found = publisher_.hops_.read(n->hop);
        if (!wanted || std::memcmp(&found, &*wanted, sizeof found) == 0) continue;
        fault(FaultKind::Neighbor, n->address.to_string(), describe(*wanted), describe(found));
        publisher_.neighbor_changed(*n, *wanted);
    }
    return index_ >= all.numbers();
}

bool Prover::groups(rib::Table& table, std::size_t budget) {
    const auto limit = std::max(table.group_limit(), publisher_.groups_.size());
    while (budget > 0 && index_ < limit) {
        const auto* group =
            index_ < publisher_.groups_.size() ? publisher_.groups_[index_].get() : nullptr;
        // A large one is compared whole.
        budget -= std::min(budget, group != nullptr && group->buckets != nullptr
                                       ? std::size_t{group->buckets->size()}
                                       : std::size_t{1});
        compare_group(table, index_++);
    }
    return index_ >= limit;
}

void Prover::compare_group(rib::Table& table, rib::GroupId id) {
    const auto wanted = table.published_group(id);
    auto* group = id < publisher_.groups_.size() ? publisher_.groups_[id].get() : nullptr;
    const auto name = "group " + std::to_string(id);
    if (!wanted) {
        if (group == nullptr) return;
        fault(FaultKind::Group, name, std::string(kNothing), describe(group->hop));
        return publisher_.remove_group(id);
    }
    if (publisher_.waiting_groups_.contains(id)) return;
    if (group == nullptr) {
        fault(FaultKind::Group, name, std::to_string(wanted->members.size()) + " next hops",
              std::string(kNothing));
        return table.send_again(id);
    }
    ++counters_.groups;
    if (!members_match(*group, *wanted)) {
        fault(FaultKind::Group, name, std::to_string(wanted->members.size()) + " next hops",
              std::to_string(group->wanted.size()) + " next hops, or others");
        return table.send_again(id);
    }
    if (group->waits) return;
    const auto wrong = hop_fault(*group);
    if (wrong.empty()) return;
    fault(FaultKind::Group, name, "a hop of a next hop in use", wrong);
    publisher_.publish(*group);
}

bool Prover::members_match(const Group& group, const rib::GroupChange& wanted) const {
    // Some of its members wait for places.
    if (publisher_.short_groups_.contains(group.id)) return true;
    const auto same = [this](const std::vector<rib::FibNextHop>& have,
                             const std::vector<rib::FibNextHop>& want) {
        const auto count = std::min<std::size_t>(want.size(), publisher_.max_members_);
        return have.size() == count && std::equal(have.begin(), have.end(), want.begin());
    };
    return same(group.wanted, wanted.members) && same(group.wanted_backup, wanted.backup);
}

// What of the group's hops leads elsewhere; empty: nothing.
std::string Prover::hop_fault(const Group& group) const {
    const auto& hops = publisher_.hops_;
    std::vector<HopId> usable;
    const bool lives = group.lives();
    for (const auto* n : lives ? group.members : group.backup)
        if (n->state != NeighborState::Failed) usable.push_back(n->hop);
    if (usable.empty())
        for (const auto* n : group.members)
            if (n->suspect) usable.push_back(n->last_resort);
    if (usable.empty() && !group.members.empty()) usable.push_back(group.members.front()->hop);

    const auto same = [](const Hop& one, const Hop& other) {
        return std::memcmp(&one, &other, sizeof one) == 0;
    };
    const auto plain = hops.read(group.hop);
    const auto leads_to_member = [&](const Hop& hop) {
        if (usable.empty()) return same(hop, Hop::of(HopKind::Unreachable));
        return std::ranges::any_of(usable, [&](HopId id) { return same(hops.read(id), hop); });
    };
    const auto table_fault = [&](const BucketTable& table) -> std::string {
        std::ranges::sort(usable);
        for (std::uint32_t b = 0; b < table.size(); ++b)
            if (const HopId hop = table.buckets[b].hop; !std::ranges::binary_search(usable, hop))
                return "bucket " + std::to_string(b) + ": " + describe(hop);
        return {};
    };
    if (group.buckets != nullptr && !usable.empty()) {
        if (!same(plain, Hop::group(group.buckets.get()))) return describe(plain);
        if (auto wrong = table_fault(*group.buckets); !wrong.empty()) return wrong;
    } else if (!leads_to_member(plain)) {
        return describe(plain);
    }
    if (group.guarded == 0) return {};
    const auto guarded = hops.read(group.guarded);
    if (plain.kind() == HopKind::Group)
        return same(guarded, Hop::group(group.buckets.get(), true)) ? "" : describe(guarded);
    if (plain.kind() != HopKind::Forward) return same(guarded, plain) ? "" : describe(guarded);
    if (group.lone == nullptr || !same(guarded, Hop::group(group.lone.get(), true)))
        return describe(guarded);
    const HopId lone = group.lone->buckets[0].hop;
    return same(hops.read(lone), plain) ? "" : describe(lone);
}

// ---- prefixes

HopId Prover::rule(const Prefix& prefix) const {
    const auto& a = prefix.address();
    return a.is_v4() ? publisher_.fib4_.rule(a.v4(), prefix.length())
                     : publisher_.fib6_.rule(Ip6::of(a), prefix.length());
}

// By what a prefix of a group is known depends on the loop guard at the time it came.
std::optional<HopId> Prover::wanted_hop(const Prefix& prefix, const rib::FibAction& action,
                                        HopId have) const {
    if (action.kind != rib::RouteKind::Forward) return publisher_.hop_of(prefix, action);
    const auto& groups = publisher_.groups_;
    if (action.group >= groups.size() || groups[action.group] == nullptr) return std::nullopt;
    const auto& group = *groups[action.group];
    if (have == group.hop || (have != 0 && have == group.guarded)) return have;
    return publisher_.is_guarded(prefix, group) && group.guarded != 0 ? group.guarded : group.hop;
}

// The hop that the tables should have for a prefix of the RIB, by the writer's own rules once
// those are right; nothing: none.
std::optional<HopId> Prover::expected(rib::Table& table, const Prefix& prefix,
                                      const rib::FibAction& action) {
    if (publisher_.waiting_.contains(prefix)) return std::nullopt;
    ++counters_.prefixes;
    std::optional<HopId> wanted;
    const auto matches = [&](HopId have) {
        if (action.kind != rib::RouteKind::Forward || action.group != rib::Groups::kNone)
            wanted = wanted_hop(prefix, action, have);
        return have != 0 && wanted && *wanted == have;
    };
    // Where the table has the prefix's own entry at hand the rule behind it is not asked for.
    if (const auto& a = prefix.address();
        a.is_v4() && matches(publisher_.fib4_.own_entry(a.v4(), prefix.length())))
        return wanted;
    const auto have = rule(prefix);
    if (matches(have)) return wanted;
    // Of the long ones of IPv6 the tables are all the writer has.
    if (wanted && !in_trie(prefix) && prefix.length() != 0) {
        publisher_.fib6_.repair_long(Ip6::of(prefix.address()), prefix.length());
        if (rule(prefix) == *wanted) {
            fault(FaultKind::Entry, prefix.to_string(), describe(*wanted), describe(have));
            return wanted;
        }
    }
    fault(FaultKind::Prefix, prefix.to_string(),
          wanted ? describe(*wanted) : std::string("another group"),
          have != 0 ? describe(have) : std::string(kNothing));
    table.send_again(prefix);
    return have != 0 ? std::optional{have} : std::nullopt;
}

// Compares a batch from at_ on; true: the family is done.
bool Prover::prefixes(rib::Table& table, Family family, std::size_t& budget) {
    batch_.clear();
    const auto first = first_at(at_);
    std::optional<IpAddress> stop;  // the batch ends before it
    std::size_t visited = 0;
    IpAddress last = at_;
    table.walk_published(first, [&](const Prefix& prefix, const auto& action) {
        if (prefix.family() != family) return false;
        if (visited >= kBatch && prefix.address() != last) {
            stop = prefix.address();
            return false;
        }
        ++visited;
        last = prefix.address();
        if (!action) return true;
        if (const auto hop = expected(table, prefix, *action)) batch_.push_back({prefix, *hop});
        return true;
    });
    const auto routes = batch_.size();
    // Neighbors on attached networks, which no route names.
    publisher_.hosts_.walk_from(first, [&](const Prefix& prefix, const auto& host) {
        if (prefix.family() != family || (stop && prefix.address() >= *stop)) return false;
        if (++visited > kBatch + 2 * 129) {
            stop = prefix.address();
            return false;
        }
        if (host.host == 0 || publisher_.waiting_.contains(prefix) || table.published(prefix))
            return true;
        ++counters_.prefixes;
        batch_.push_back({prefix, host.host});
        if (rule(prefix) == host.host) return true;
        fault(FaultKind::Prefix, prefix.to_string(), describe(host.host), describe(rule(prefix)));
        publisher_.set(prefix, host.host);
        return true;
    });
    if (batch_.size() > routes) std::ranges::sort(batch_, {}, &Expected::prefix);
    if (stop) std::erase_if(batch_, [&](const auto& e) { return e.prefix.address() >= *stop; });
    budget -= std::min(budget, visited * kPrefixCost);
    // Enough for some of the entries between them.
    constexpr std::size_t kLeast = 16'384;
    auto entries = std::max(budget, kLeast);
    const auto before = entries;
    const bool done = sweep(table, family, stop, entries);
    budget -= std::min(budget, before - entries);
    return done;
}

// Walks the batch and, between its prefixes, the entries of the trie.
bool Prover::sweep(rib::Table& table, Family family, const std::optional<IpAddress>& stop,
                   std::size_t& budget) {
    struct Open {
        std::uint64_t last;
        std::uint32_t leaf;
    };
    std::vector<Open> open;  // those that contain the position, shortest first
    table.walk_published_covering(at_, [&](const Prefix& prefix, const auto& action) {
        if (!action || !in_trie(prefix) || prefix.address() >= at_) return true;
        if (publisher_.waiting_.contains(prefix)) return true;
        if (const auto have = rule(prefix); have != 0)
            open.push_back({last_key(key_of(prefix.address()), prefix.length()),
                            value::leaf(prefix.length(), have)});
        return true;
    });
    const bool is_v4 = family == Family::Ip4;
    const auto& fib4 = publisher_.fib4_;
    const auto& fib6 = publisher_.fib6_;
    const auto view4 = fib4.view();
    const auto view6 = fib6.view();
    const TrieSweep trie{
        is_v4 ? TrieView{view4.root, view4.blocks, fib4.blocks().limit(), 32, 0}
              : TrieView{view6.root, view6.nodes, fib6.nodes().limit(), 64, value::kLonger},
        [&](std::size_t from, std::size_t to) {
            return is_v4 ? fib4.next_slot(from, to) : fib6.next_slot(from, to);
        }};

    auto position = key_of(at_);
    // Up to `last`, which is compared too; false: the budget is spent, and the position
    // somewhere before.
    const auto compare = [&](std::uint64_t last, std::uint32_t leaf) {
        if (budget == 0) return false;
        const auto reached = trie.compare(
            position, last, leaf, budget,
            [&](std::uint64_t at, std::uint32_t found) { entry(table, family, at, leaf, found); });
        position = reached;
        return reached > last || reached == 0;
    };
    bool at_end = false;  // behind the last address
    const auto compare_to = [&](std::uint64_t last) {
        while (!open.empty() && open.back().last <= last) {
            const auto [end, leaf] = open.back();
            if (position <= end && !at_end) {
                if (!compare(end, leaf)) return false;
                at_end = position == 0;
            }
            open.pop_back();
        }
        if (at_end || position > last) return true;
        if (!compare(last, open.empty() ? 0 : open.back().leaf)) return false;
        at_end = position == 0;
        return true;
    };
    const auto rest = [&] {
        at_ = address_at(family, position);
        return false;
    };
    for (const auto& [prefix, hop] : batch_) {
        if (prefix.length() == 0) {
            compare_fallback(family, hop);
        } else if (!in_trie(prefix)) {
            compare_long(table, prefix, hop);
        } else {
            const auto start = key_of(prefix.address());
            if (start > position && !compare_to(start - 1)) return rest();
            open.push_back({last_key(start, prefix.length()), value::leaf(prefix.length(), hop)});
        }
    }
    if (at_.is_unspecified() && (batch_.empty() || batch_.front().prefix.length() != 0))
        compare_fallback(family, 0);
    if (stop) {
        const auto start = key_of(*stop);
        if (start > position && !compare_to(start - 1)) return rest();
        at_ = *stop;
        return false;
    }
    if (!compare_to(~std::uint64_t{0})) return rest();
    return true;
}

void Prover::compare_fallback(Family family, HopId hop) {
    const bool is_v4 = family == Family::Ip4;
    const auto found =
        is_v4 ? *publisher_.fib4_.view().fallback : *publisher_.fib6_.view().fallback;
    if (found == hop) return;
    const auto prefix = Prefix::default_route(family);
    fault(FaultKind::Entry, prefix.to_string(), describe(hop), describe(found));
    if (hop != 0)
        publisher_.set(prefix, hop);
    else
        is_v4 ? publisher_.fib4_.clear_fallback() : publisher_.fib6_.clear_fallback();
}

// IPv6 prefixes of 64 bits and more, which the hashes hold.
void Prover::compare_long(rib::Table& table, const Prefix& prefix, HopId hop) {
    auto& fib6 = publisher_.fib6_;
    const auto address = Ip6::of(prefix.address());
    const auto found = fib6.probe(address, prefix.length());
    if (found == hop) return;
    fault(FaultKind::Entry, prefix.to_string(), describe(hop), describe(found));
    fib6.repair_long(address, prefix.length());
    if (fib6.probe(address, prefix.length()) == hop) return;
    publisher_.set(prefix, hop);
    if (fib6.probe(address, prefix.length()) != hop) table.send_again(prefix);
}

// An entry that is not what the prefixes around it want: the rule behind it may be one too
// many, or the entry differs from its rule.
void Prover::entry(rib::Table& table, Family family, std::uint64_t at, std::uint32_t wanted,
                   std::uint32_t found) {
    const auto address = address_at(family, at);
    const auto length = static_cast<std::uint8_t>(value::depth(found));
    if (!value::is_child(found) && length > 0 && length <= address.bits()) {
        const Prefix prefix{address, length};
        const auto hop = rule(prefix);
        if (hop != 0 && hop == value::payload(found) && !is_wanted(table, prefix))
            return remove_extra(prefix);
    }
    fault(FaultKind::Entry, address.to_string(), describe(value::payload(wanted)),
          value::is_child(found) ? "a node" : describe(value::payload(found)));
    if (family == Family::Ip4)
        publisher_.fib4_.repair(address.v4());
    else
        publisher_.fib6_.repair(at);
}

// ---- prefixes that the tables have and should not

bool Prover::is_wanted(const rib::Table& table, const Prefix& prefix) const {
    if (publisher_.waiting_.contains(prefix)) return false;
    if (table.published(prefix)) return true;
    const auto* host = publisher_.hosts_.find(prefix);
    return host != nullptr && host->host != 0;
}

void Prover::remove_extra(const Prefix& prefix) {
    fault(FaultKind::Prefix, prefix.to_string(), std::string(kNothing), describe(rule(prefix)));
    publisher_.erase(prefix);
    if (auto* host = publisher_.hosts_.find(prefix); host != nullptr) {
        host->route = 0;
        if (host->host == 0) publisher_.hosts_.erase(prefix);
    }
}

// Those that longer ones hide show in the numbers alone.
bool Prover::counts_match(const rib::Table& table) const {
    if (!publisher_.waiting_.empty()) return false;
    std::array<std::size_t, 2> wanted{table.published(Family::Ip4), table.published(Family::Ip6)};
    publisher_.hosts_.walk([&](const Prefix& prefix, const auto& host) {
        if (host.route == 0) ++wanted[static_cast<std::size_t>(prefix.family())];
        return true;
    });
    return wanted[0] == publisher_.fib4_.prefixes() && wanted[1] == publisher_.fib6_.prefixes();
}

bool Prover::extras(rib::Table& table, std::size_t budget) {
    std::vector<Prefix> found;
    const auto look = [&](const Prefix& prefix) {
        if (!is_wanted(table, prefix)) found.push_back(prefix);
    };
    bool ended = false;
    if (index_ == 0) {
        if (publisher_.fib4_.walk_rules(
                rule4_, budget, [&](std::uint32_t address, unsigned length) {
                    look({IpAddress::v4(address), static_cast<std::uint8_t>(length)});
                }))
            index_ = 1;
    } else {
        ended = publisher_.fib6_.walk_rules(rule6_, budget, [&](const Ip6& a, unsigned length) {
            look({a.address(), static_cast<std::uint8_t>(length)});
        });
    }
    for (const auto& prefix : found) remove_extra(prefix);
    return ended;
}

// ---- words

std::string Prover::describe(HopId hop) const {
    if (hop == 0) return std::string(kNothing);
    if (const auto at = publisher_.by_hop_.find(hop); at != publisher_.by_hop_.end())
        return "group " + std::to_string(at->second->id);
    if (hop > value::kMaxHop) return "hop " + std::to_string(hop);
    return describe(publisher_.hops_.read(hop));
}

std::string Prover::describe(const Hop& hop) const {
    const auto port = [&] { return " of port " + std::to_string(hop.port); };
    switch (hop.kind()) {
        case HopKind::NoRoute:
            return "no route";
        case HopKind::Discard:
            return "discard";
        case HopKind::Unreachable:
            return "unreachable";
        case HopKind::Local:
            return "local";
        case HopKind::Broadcast:
            return "broadcast";
        case HopKind::Attached:
            return "the network" + port();
        case HopKind::Hold:
            return "unresolved neighbor " + std::to_string(hop.number());
        case HopKind::Group:
            return "buckets";
        case HopKind::Forward:
            break;
    }
    MacAddress mac;
    std::copy_n(hop.macs, mac.bytes.size(), mac.bytes.begin());
    return mac.to_string() + port();
}

}  // namespace torii::dataplane
