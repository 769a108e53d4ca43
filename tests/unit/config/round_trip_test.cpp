#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>

#include "config/config.hpp"

namespace torii::config {
namespace {

// Values drawn from RapidCheck. Few generators and plain code around them: each further
// one costs seconds of compile time.
std::int64_t number(std::int64_t least, std::int64_t end) {
    return *rc::gen::inRange(least, end);
}

template <class T>
T number_of(T least, T end) {
    return static_cast<T>(number(least, end));
}

bool coin() {
    return number(0, 2) == 1;
}

std::string text() {
    std::string out;
    for (auto left = number(0, 60); left > 0; --left) out += static_cast<char>(number(1, 256));
    return out;
}

seconds time(int least, int end) {
    return seconds{number(least, end)};
}

template <class T>
T pick(std::initializer_list<T> choices) {
    return choices.begin()[number(0, static_cast<std::int64_t>(choices.size()))];
}

template <class Make>
auto maybe(Make make) {
    return coin() ? std::optional{make()} : std::nullopt;
}

PeerSettings peer() {
    PeerSettings s;
    s.description = maybe(text);
    s.remote_as = RemoteAs{RemoteAs::Kind::Number, {number_of(4200000000u, 4294967294u)}};
    s.passive = maybe(coin);
    s.families = maybe([] {
        return pick({std::vector{Family::Ip4}, std::vector{Family::Ip6, Family::Ip4}});
    });
    s.passwords = maybe([] { return std::vector<std::string>{'x' + text(), "old"}; });
    s.hold_time = maybe([] { return time(90, 65535); });
    s.minimum_hold_time = maybe([] { return time(0, 65535); });
    s.receive_limit = maybe([] { return number_of(0u, 0xffffffffu); });
    s.receive_octets = maybe([] { return number_of(0u, 0xffffffffu); });
    s.connect_retry = maybe([] { return time(1, 65535); });
    s.import_lists = maybe([] {
        return pick({std::vector<std::string>{"any"}, std::vector<std::string>{"one", "two"}});
    });
    s.import_policies = maybe([] {
        return pick({std::vector<std::string>{"p"}, std::vector<std::string>{}});
    });
    s.role = maybe([] { return pick({PeerRole::Customer, PeerRole::RouteServer}); });
    s.max_prefix = maybe([] {
        const auto n = number_of(1u, 4000000000u);
        return MaxPrefix{n, MaxPrefixAction::Drop, 75, seconds{n % 2}};
    });
    s.send_community = maybe([] { return pick({SendCommunity::None, SendCommunity::All}); });
    s.graceful_restart = maybe([] { return pick({GracefulRestart::Off, GracefulRestart::Full}); });
    s.weight = maybe([] { return number_of(1u, 256u); });
    s.guarded = maybe(coin);
    return s;
}

Model arbitrary_model() {
    Model m;
    m.router.hostname = maybe([] { return 'h' + text(); });
    m.dataplane.eal_arguments = {};
    for (auto left = number(0, 4); left > 0; --left) m.dataplane.eal_arguments.push_back(text());
    m.dataplane.poll = pick({PollMode::Adaptive, PollMode::Busy});
    const auto ports = number_of<std::uint32_t>(1, 5);
    for (std::uint32_t i = 0; i < ports; ++i) {
        Port p;
        p.name = "port-" + std::to_string(i);
        p.device = {pick({DeviceKind::Pci, DeviceKind::Vdev, DeviceKind::Netdev}),
                    "dev" + std::to_string(i)};
        p.addresses = {{IpAddress::v4(0x0a000001 + (i << 16)), 24}};
        p.mtu = number_of<std::uint16_t>(1280, 9000);
        p.promiscuous = coin();
        if (coin()) p.mac = MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}};
        if (i != 0 && coin()) {
            const auto name = p.name;
            p = {};
            p.name = name;
            p.parent = "port-0";
            p.vlan = static_cast<std::uint16_t>(i * 1000);
        }
        m.ports.push_back(p);
    }
    const auto routes = number_of<std::uint32_t>(0, 20);
    for (std::uint32_t i = 0; i < routes; ++i) {
        StaticRoute r;
        r.prefix = Prefix{IpAddress::v4(0x14000000 + (i << 8)), 24};
        r.kind = pick({StaticKind::Forward, StaticKind::Discard, StaticKind::Unreachable});
        if (r.kind == StaticKind::Forward)
            r.via = {{IpAddress::v4(0x0a000002), std::nullopt, number_of<std::uint16_t>(1, 9)},
                     {*IpAddress::parse("fe80::1"), "port-0", 1}};
        r.distance = number_of<std::uint8_t>(1, 255);
        m.routes.push_back(r);
    }
    m.prefix_lists = {{"one", {*PrefixRule::parse("10.0.0.0/8 ge 24"), *PrefixRule::parse("any")}},
                      {"two", {}}};
    m.as_path_lists = {{"far", {*AsPathRule::parse("deny _64999_"), *AsPathRule::parse("empty")}}};
    m.community_lists = {{"tagged", {*CommunityRule::parse("65000:1 65000:1:2")}}};
    PolicyTerm first, second;
    first.match.prefix = std::vector<std::string>{"one"};
    first.match.as_path = {*AsPathRule::parse("far"), *AsPathRule::parse("length le 3")};
    first.match.community = {*CommunityRule::parse("deny no-export"),
                             *CommunityRule::parse("tagged")};
    first.match.from = maybe([] { return pick({RouteFrom::Own, RouteFrom::Internal}); });
    first.set.local_pref = maybe([] { return number_of(0u, 0xffffffffu); });
    first.set.med = maybe([] {
        return pick({*MedEdit::parse("+10"), *MedEdit::parse("100"), *MedEdit::parse("none")});
    });
    first.set.community = maybe([] {
        return pick(
            {std::vector<CommunityPattern>{},
             std::vector{*CommunityPattern::parse("rt:65000:1"), *CommunityPattern::parse("1:2")}});
    });
    first.set.next_hop = maybe([] {
        return pick({*NextHopEdit::parse("unchanged"), *NextHopEdit::parse("10.0.0.9")});
    });
    first.set.prepend_as = {{4200000000u}, {1}};
    first.action = pick({TermAction::Accept, TermAction::Next});
    second.name = maybe([] { return 't' + text(); });
    second.action = TermAction::Reject;
    m.policies = {{"p", {first, second}}, {"empty", {}}};
    Bgp bgp;
    bgp.asn = {number_of<std::uint32_t>(64512, 65534)};
    bgp.guard.mode = pick({GuardMode::Off, GuardMode::Alert, GuardMode::Enforce});
    if (coin()) bgp.guard.pods = {*Prefix::parse("10.244.0.0/16")};
    if (coin())
        bgp.guard.shared = {*Prefix::parse("198.18.0.0/24"), *Prefix::parse("fd00:1::/112")};
    bgp.guard.lease = time(0, 86400);
    bgp.defaults = peer();
    const auto groups = number_of(1, 5);
    for (int i = 0; i < groups; ++i) {
        PeerGroup g{"g" + std::to_string(i), {}, peer()};
        if (i > 0) g.inherits = "g" + std::to_string(i - 1);
        bgp.groups.push_back(g);
    }
    // The neighbors below are inside of the range.
    bgp.defaults.passwords.reset();
    bgp.groups[0].settings.passwords.reset();
    bgp.listen = {{*Prefix::parse("10.0.0.0/24"), "g0", maybe([] { return number_of(1u, 9u); })}};
    const auto neighbors = number_of<std::uint32_t>(0, 10);
    for (std::uint32_t i = 0; i < neighbors; ++i) {
        Neighbor n;
        n.address = IpAddress::v4(0x0a000010 + i);
        n.settings = peer();
        bgp.neighbors.push_back(n);
    }
    bgp.neighbors.push_back({*IpAddress::parse("fe80::2"), "port-0", {}, peer()});
    m.bgp = bgp;
    m.management.socket_mode = pick<std::uint16_t>({0600, 0660, 0666});
    if (coin()) m.management.http.clear();
    m.log.file = maybe(text);
    return m;
}

TEST(Print, LoadGivesTheSameModelAgain) {
    EXPECT_TRUE(rc::check([] {
        const Model wanted = arbitrary_model();
        const auto printed = print(wanted, Secrets::Shown);
        const auto loaded = load_text(printed, "printed.cfg");
        if (!loaded) RC_FAIL(loaded.error()[0].to_string() + "\n" + printed);
        RC_ASSERT(loaded->model == wanted);
    }));
}

TEST(Print, SaysNothingAboutDefaults) {
    EXPECT_EQ(print(Model{}), "");
}

TEST(Print, MasksSecretsUnlessAsked) {
    Model m;
    m.bgp.emplace().asn = {64512};
    m.bgp->defaults.passwords = std::vector<std::string>{"hush"};
    EXPECT_EQ(print(m).find("hush"), std::string::npos);
    EXPECT_NE(print(m, Secrets::Shown).find("hush"), std::string::npos);
}

TEST(Print, WithDefaultsLoadsToo) {
    for (const auto& entry :
         std::filesystem::directory_iterator{TORII_SOURCE_DIR "/config/examples"}) {
        const auto m = load(entry.path().string())->model;
        EXPECT_TRUE(load_text(print(m, Secrets::Shown, Defaults::Shown), "full.cfg"));
        EXPECT_TRUE(load_text(print(m, Secrets::Shown), "short.cfg")->model == m);
    }
}

}  // namespace
}  // namespace torii::config
