#include "rib/table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace torii::rib {
namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
Prefix net(const char* text) {
    return *Prefix::parse(text);
}

// A data plane that only remembers what it was told.
class Fib {
public:
    void drain(Table& table) {
        while (table.settle(3)) {
        }
        const auto delta = table.take_delta();
        for (const auto& group : delta.groups) groups_[group.id] = group;
        for (const auto& change : delta.prefixes) {
            if (change.action)
                actions_[change.prefix] = *change.action;
            else
                actions_.erase(change.prefix);
        }
        for (const auto id : delta.removed_groups) {
            EXPECT_EQ(groups_.erase(id), 1u);
            for (const auto& [prefix, action] : actions_)
                EXPECT_FALSE(action.kind == RouteKind::Forward && action.group == id)
                    << prefix.to_string();
        }
    }
    // "port:neighbor" of each member, or the kind when there is none.
    std::string at(const char* prefix) const {
        const auto found = actions_.find(net(prefix));
        if (found == actions_.end()) return "nothing";
        if (found->second.kind == RouteKind::Attached)
            return "attached " + std::to_string(found->second.port);
        if (found->second.kind != RouteKind::Forward) return "other";
        return text_of(groups_.at(found->second.group).members);
    }
    std::string backup(const char* prefix) const {
        return text_of(groups_.at(actions_.at(net(prefix)).group).backup);
    }
    std::size_t groups() const { return groups_.size(); }

private:
    static std::string text_of(const std::vector<FibNextHop>& hops) {
        std::string text;
        for (const auto& m : hops)
            text +=
                (text.empty() ? "" : " ") + std::to_string(m.port) + ':' + m.neighbor.to_string();
        return text;
    }
    std::map<GroupId, GroupChange> groups_;
    std::map<Prefix, FibAction> actions_;
};

void attach(Table& table, const char* prefix, PortIndex port) {
    const NextHop hop{net(prefix).address(), port, 1};
    table.put(net(prefix), {Source::Connected, kDistanceConnected, RouteKind::Attached, {&hop, 1}});
}

void route(Table& table, const char* prefix, std::vector<NextHop> hops,
           Source source = Source::Static, std::uint8_t distance = kDistanceStatic) {
    table.put(net(prefix), {source, distance, RouteKind::Forward, hops});
}

TEST(Table, ResolvesANextHopToThePortItIsAttachedTo) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 3);
    route(table, "10.244.1.0/24", {{ip("10.0.0.11")}}, Source::Bgp, kDistanceEbgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.0.0.0/24"), "attached 3");
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.11");
}

TEST(Table, LeavesOutWhoIsDeadAndTakesItBack) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 3);
    route(table, "198.18.0.1/32", {{ip("10.0.0.11")}, {ip("10.0.0.12")}}, Source::Bgp,
          kDistanceEbgp);
    route(table, "10.244.1.0/24", {{ip("10.0.0.11")}}, Source::Bgp, kDistanceEbgp);
    route(table, "10.244.1.0/24", {{ip("10.0.0.9")}}, Source::Static, 250);
    route(table, "fd00::/64", {{ip("fe80::1"), 4}});  // names its port itself
    fib.drain(table);
    table.set_liveness(ip("10.0.0.11"), 3, false);
    table.set_liveness(ip("10.0.0.12"), 7, false);  // another link's
    table.set_liveness(ip("fe80::1"), 4, false);
    fib.drain(table);
    EXPECT_EQ(fib.at("198.18.0.1/32"), "3:10.0.0.12");
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.9");
    EXPECT_EQ(fib.at("fd00::/64"), "nothing");
    table.set_liveness(ip("10.0.0.11"), 3, true);
    table.set_liveness(ip("fe80::1"), 4, true);
    fib.drain(table);
    EXPECT_EQ(fib.at("198.18.0.1/32"), "3:10.0.0.11 3:10.0.0.12");
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.11");
    EXPECT_EQ(fib.at("fd00::/64"), "4:fe80::1");
}

void bgp_route(Table& table, const char* prefix, const char* best, const char* second) {
    const NextHop hop{ip(best)}, backup{ip(second)};
    table.put(net(prefix),
              {Source::Bgp, kDistanceEbgp, RouteKind::Forward, {&hop, 1}, {&backup, 1}});
}

TEST(Table, NamesWhatComesNextAsTheBackup) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 3);
    route(table, "10.244.1.0/24", {{ip("10.0.0.11")}}, Source::Bgp, kDistanceEbgp);
    route(table, "10.244.2.0/24", {{ip("10.0.0.11")}}, Source::Bgp, kDistanceEbgp);
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "");
    EXPECT_EQ(fib.groups(), 1u);
    // A source that is asked later, and what the source itself has.
    route(table, "10.244.1.0/24", {{ip("10.0.0.8")}, {ip("10.0.0.9")}}, Source::Static, 250);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.11");
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "3:10.0.0.8 3:10.0.0.9");
    EXPECT_EQ(fib.backup("10.244.2.0/24"), "");
    EXPECT_EQ(fib.groups(), 2u);
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.12");
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "3:10.0.0.12");
    ASSERT_EQ(table.candidates(net("10.244.1.0/24")).at(0).backup.size(), 1u);
    table.set_liveness(ip("10.0.0.12"), 3, false);
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "3:10.0.0.8 3:10.0.0.9");
    // Behind what leads nowhere by intention nothing comes.
    table.put(net("10.244.1.0/24"), {Source::Connected, 30, RouteKind::Discard, {}});
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "");
}

TEST(Table, UsesTheBackupUntilItsSourceHasDecidedAnew) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 3);
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.12");
    route(table, "10.244.1.0/24", {{ip("10.0.0.9")}}, Source::Static, 250);
    route(table, "10.99.0.0/24", {{ip("10.244.1.1")}});  // through it
    fib.drain(table);
    table.set_liveness(ip("10.0.0.11"), 3, false);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.12");
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "3:10.0.0.9");
    EXPECT_EQ(fib.at("10.99.0.0/24"), "3:10.0.0.12");
    table.set_liveness(ip("10.0.0.12"), 3, false);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.9");
    table.set_liveness(ip("10.0.0.11"), 3, true);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.1.0/24"), "3:10.0.0.11");
    EXPECT_EQ(fib.at("10.99.0.0/24"), "3:10.0.0.11");
}

TEST(Table, GivesBackupsToNoMoreGroupsThanItMay) {
    Table table;
    table.limit_backups(1);
    Fib fib;
    attach(table, "10.0.0.0/24", 3);
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.12");
    bgp_route(table, "10.244.2.0/24", "10.0.0.12", "10.0.0.11");
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.1.0/24"), "3:10.0.0.12");
    EXPECT_EQ(fib.at("10.244.2.0/24"), "3:10.0.0.12");
    EXPECT_EQ(fib.backup("10.244.2.0/24"), "");
    table.remove(net("10.244.1.0/24"), Source::Bgp);
    fib.drain(table);
    table.repeat(net("10.244.2.0/24"));
    fib.drain(table);
    EXPECT_EQ(fib.backup("10.244.2.0/24"), "3:10.0.0.11");
}

TEST(Table, TakesARouteThatIsAsItWasForNoNews) {
    Table table;
    attach(table, "10.0.0.0/24", 3);
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.12");
    Fib{}.drain(table);
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.12");
    table.settle();
    EXPECT_FALSE(table.has_delta());
    bgp_route(table, "10.244.1.0/24", "10.0.0.11", "10.0.0.13");
    EXPECT_TRUE(table.has_delta());
}

TEST(Table, PrefersTheLowerDistanceAndFallsBack) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 0);
    route(table, "10.1.0.0/16", {{ip("10.0.0.1")}}, Source::Bgp, kDistanceEbgp);
    route(table, "10.1.0.0/16", {{ip("10.0.0.2")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "0:10.0.0.2");
    table.remove(net("10.1.0.0/16"), Source::Static);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "0:10.0.0.1");
    table.remove(net("10.1.0.0/16"), Source::Bgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "nothing");
    EXPECT_EQ(fib.groups(), 0u);
}

TEST(Table, KeepsARouteOutWhileItsNextHopIsUnreachable) {
    Table table;
    Fib fib;
    route(table, "10.1.0.0/16", {{ip("10.0.0.1")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "nothing");
    attach(table, "10.0.0.0/24", 1);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "1:10.0.0.1");
    table.remove(net("10.0.0.0/24"), Source::Connected);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "nothing");
}

TEST(Table, ResolvesThroughOtherRoutesAndFollowsThem) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 1);
    attach(table, "10.0.1.0/24", 2);
    route(table, "192.168.0.0/16", {{ip("10.0.0.9")}});
    route(table, "172.16.0.0/12", {{ip("192.168.5.5")}}, Source::Bgp, kDistanceIbgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("172.16.0.0/12"), "1:10.0.0.9");
    route(table, "192.168.5.0/24", {{ip("10.0.1.7")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("172.16.0.0/12"), "2:10.0.1.7");
    table.remove(net("192.168.5.0/24"), Source::Static);
    route(table, "192.168.0.0/16", {{ip("10.0.0.9")}, {ip("10.0.1.9")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("172.16.0.0/12"), "1:10.0.0.9 2:10.0.1.9");
}

// A peer that announces the address of another node would draw what that one announces.
TEST(Table, ReachesWhatIsOnALinkThereWhateverPeersAnnounce) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 1);
    route(table, "10.244.2.0/24", {{ip("10.0.0.13")}}, Source::Bgp, kDistanceEbgp);
    route(table, "10.0.0.13/32", {{ip("10.0.0.12")}}, Source::Bgp, kDistanceEbgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.2.0/24"), "1:10.0.0.13");
    route(table, "10.0.0.13/32", {{ip("10.0.0.14")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.2.0/24"), "1:10.0.0.14") << "an operator may";
}

TEST(Table, CountsNoNextHopOnAPortThatIsDown) {
    Table table;
    Fib fib;
    std::vector<PortIndex> changed;
    table.listen_ports([&](PortIndex port) { changed.push_back(port); });
    route(table, "10.1.0.0/16", {{ip("fe80::1"), 4, 1}, {ip("fe80::1"), 5, 1}});
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "4:fe80::1 5:fe80::1");
    table.set_port(4, false);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "5:fe80::1");
    EXPECT_EQ(changed, std::vector<PortIndex>{4});
    EXPECT_FALSE(table.reaches(ip("fe80::1"), 4));
    EXPECT_TRUE(table.reaches(ip("fe80::1"), 5));
    table.set_port(4, true);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.1.0.0/16"), "4:fe80::1 5:fe80::1");
}

TEST(Table, ComesToTheEndOfItsPrefixesWhileANextHopFlaps) {
    Table table;
    attach(table, "10.0.0.0/24", 1);
    for (unsigned n = 0; n < 2000; ++n)
        table.put({IpAddress::v4(0x0b000000 + n * 256), 24},
                  {Source::Static, kDistanceStatic, RouteKind::Unreachable, {}});
    route(table, "172.16.0.0/16", {{ip("10.0.0.8")}});
    route(table, "10.1.0.0/16", {{ip("10.0.0.9")}});
    Fib fib;
    fib.drain(table);
    table.set_liveness(ip("10.0.0.8"), 1, false);
    for (int flap = 0; flap < 10; ++flap) {
        table.set_liveness(ip("10.0.0.9"), 1, flap % 2 == 0 ? false : true);
        table.settle(500);
    }
    const auto delta = table.take_delta();
    EXPECT_TRUE(std::ranges::any_of(
        delta.prefixes, [](const auto& change) { return change.prefix == net("172.16.0.0/16"); }));
}

TEST(Table, NeverResolvesANextHopThroughADefaultRouteOrItself) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 1);
    route(table, "0.0.0.0/0", {{ip("10.0.0.1")}});
    route(table, "20.0.0.0/8", {{ip("20.0.0.1")}}, Source::Bgp, kDistanceEbgp);
    route(table, "30.0.0.0/8", {{ip("40.0.0.1")}}, Source::Bgp, kDistanceEbgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("0.0.0.0/0"), "1:10.0.0.1");
    EXPECT_EQ(fib.at("20.0.0.0/8"), "nothing");
    EXPECT_EQ(fib.at("30.0.0.0/8"), "nothing");
}

TEST(Table, TakesALoopOfRecursiveRoutesApart) {
    Table table;
    Fib fib;
    attach(table, "10.0.0.0/24", 1);
    route(table, "20.0.0.0/8", {{ip("30.0.0.1")}}, Source::Bgp, kDistanceIbgp);
    route(table, "30.0.0.0/8", {{ip("20.0.0.1")}}, Source::Bgp, kDistanceIbgp);
    route(table, "20.0.0.1/32", {{ip("10.0.0.1")}});
    fib.drain(table);
    EXPECT_EQ(fib.at("20.0.0.0/8"), "1:10.0.0.1");
    table.remove(net("20.0.0.1/32"), Source::Static);
    fib.drain(table);
    EXPECT_EQ(fib.at("20.0.0.0/8"), "nothing");
    EXPECT_EQ(fib.at("30.0.0.0/8"), "nothing");
}

TEST(Table, AcceptsAnIpv6NextHopForAnIpv4Prefix) {
    Table table;
    Fib fib;
    attach(table, "fd00::/64", 4);
    route(table, "10.244.7.0/24", {{ip("fd00::7")}}, Source::Bgp, kDistanceEbgp);
    route(table, "10.244.8.0/24", {{ip("fe80::8"), 2}}, Source::Bgp, kDistanceEbgp);
    fib.drain(table);
    EXPECT_EQ(fib.at("10.244.7.0/24"), "4:fd00::7");
    EXPECT_EQ(fib.at("10.244.8.0/24"), "2:fe80::8");
}

TEST(Table, ChangesAGroupInsteadOfItsPrefixesWhenAPathMoves) {
    Table table;
    attach(table, "10.0.0.0/24", 1);
    route(table, "20.0.0.0/24", {{ip("10.0.0.1")}});
    for (std::uint32_t i = 0; i < 100; ++i) {
        const std::array hops{NextHop{ip("20.0.0.9")}};
        table.put(Prefix{IpAddress::v4(0x32000000 + (i << 8)), 24},
                  {Source::Bgp, kDistanceIbgp, RouteKind::Forward, hops});
    }
    Fib{}.drain(table);
    route(table, "20.0.0.0/24", {{ip("10.0.0.2")}});
    while (table.settle()) {
    }
    const auto delta = table.take_delta();
    EXPECT_EQ(delta.prefixes.size(), 1u);
    EXPECT_EQ(delta.groups.size(), 2u);
    EXPECT_EQ(delta.removed_groups.size(), 1u);
}

TEST(Table, TellsWatchersOnceWhenANextHopComesAndGoes) {
    Table table;
    std::vector<std::string> heard;
    table.listen([&](const IpAddress& a, Reachability r) {
        heard.push_back(a.to_string() + (r.reachable ? " up" : " down"));
    });
    EXPECT_FALSE(table.track(ip("10.0.0.1")).reachable);
    attach(table, "10.0.0.0/24", 0);
    EXPECT_TRUE(heard.empty());
    table.settle();
    table.settle();
    EXPECT_EQ(heard, std::vector<std::string>{"10.0.0.1 up"});
    table.remove(net("10.0.0.0/24"), Source::Connected);
    table.settle();
    EXPECT_EQ(heard.back(), "10.0.0.1 down");
    table.untrack(ip("10.0.0.1"));
    attach(table, "10.0.0.0/24", 0);
    table.settle();
    EXPECT_EQ(heard.size(), 2u);
}

TEST(Table, FindsTheLongestRouteInUse) {
    Table table;
    attach(table, "10.0.0.0/24", 0);
    route(table, "20.0.0.0/8", {{ip("10.0.0.1")}});
    route(table, "20.1.0.0/16", {{ip("99.0.0.1")}});
    EXPECT_EQ(table.longest_match(ip("20.1.2.3")), net("20.0.0.0/8"));
    EXPECT_FALSE(table.longest_match(ip("50.0.0.1")));
}

// Whatever the order of events, attached routes win where they should, and
// when all routes are gone so are the groups.
TEST(Table, LeavesNothingBehindAfterAnyHistory) {
    std::mt19937 random{11};
    auto draw = [&](unsigned n) { return static_cast<std::uint32_t>(random() % n); };
    for (int run = 0; run < 20; ++run) {
        Table table;
        Fib fib;
        std::map<std::pair<std::string, Source>, std::pair<bool, std::vector<NextHop>>> wanted;
        for (int step = 0; step < 400; ++step) {
            const auto source =
                draw(3) == 0 ? Source::Connected : (draw(2) == 0 ? Source::Static : Source::Bgp);
            const auto prefix = std::to_string(1 + draw(6)) + "." + std::to_string(draw(2)) +
                                ".0.0/" + (draw(2) == 0 ? "8" : "16");
            const std::pair key{net(prefix.c_str()).to_string(), source};
            if (draw(3) == 0) {
                table.remove(net(prefix.c_str()), source);
                wanted.erase(key);
            } else if (source == Source::Connected) {
                const auto port = static_cast<PortIndex>(draw(3));
                attach(table, key.first.c_str(), port);
                wanted[key] = {true, {{IpAddress{}, port, 1}}};
            } else {
                const auto hop =
                    std::to_string(1 + draw(6)) + "." + std::to_string(draw(2)) + ".0.1";
                const auto distance = source == Source::Static ? kDistanceStatic : kDistanceEbgp;
                if (source == Source::Bgp && draw(2) == 0)
                    bgp_route(table, key.first.c_str(), hop.c_str(), "1.0.0.1");
                else
                    route(table, key.first.c_str(), {{ip(hop.c_str())}}, source, distance);
                wanted[key] = {false, {{ip(hop.c_str())}}};
            }
            if (draw(5) == 0) fib.drain(table);
        }
        fib.drain(table);

        for (const auto& [key, value] : wanted) {
            if (!value.first) continue;
            EXPECT_EQ(fib.at(key.first.c_str()),
                      "attached " + std::to_string(value.second[0].port));
        }
        table.put(net("99.0.0.0/8"), {Source::Static, 1, RouteKind::Discard, {}});
        for (const auto& [key, value] : wanted) table.remove(net(key.first.c_str()), key.second);
        fib.drain(table);
        EXPECT_EQ(fib.groups(), 0u);
        EXPECT_EQ(table.prefixes(), 1u);
        EXPECT_EQ(table.next_hop_sets(), 0u);
    }
}

}  // namespace
}  // namespace torii::rib
