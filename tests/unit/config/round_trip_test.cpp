#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>

#include "config/config.hpp"

namespace torii::config {
namespace {

template <class T>
rc::Gen<std::optional<T>> maybe(rc::Gen<T> gen) {
    return rc::gen::oneOf(rc::gen::just(std::optional<T>{}),
                          rc::gen::map(std::move(gen), [](T v) { return std::optional<T>{v}; }));
}

rc::Gen<std::string> text() {
    return rc::gen::map(rc::gen::arbitrary<std::vector<std::uint8_t>>(), [](const auto& bytes) {
        std::string out;
        for (const auto byte : bytes)
            if (byte != 0 && out.size() < 60) out += static_cast<char>(byte);
        return out;
    });
}

rc::Gen<seconds> time(int least, int most) {
    return rc::gen::map(rc::gen::inRange(least, most), [](int n) { return seconds{n}; });
}

PeerSettings peer() {
    PeerSettings s;
    s.description = *maybe(text());
    s.remote_as = RemoteAs{RemoteAs::Kind::Number,
                           {*rc::gen::inRange<std::uint32_t>(4200000000u, 4294967294u)}};
    s.passive = *maybe(rc::gen::arbitrary<bool>());
    s.families =
        *maybe(rc::gen::element(std::vector{Family::Ip4}, std::vector{Family::Ip6, Family::Ip4}));
    s.passwords = *maybe(rc::gen::map(text(), [](const std::string& t) {
        return std::vector<std::string>{'x' + t, "old"};
    }));
    s.hold_time = *maybe(time(90, 65535));
    s.connect_retry = *maybe(time(1, 65535));
    s.import_lists = *maybe(
        rc::gen::element(std::vector<std::string>{"any"}, std::vector<std::string>{"one", "two"}));
    s.import_policies =
        *maybe(rc::gen::element(std::vector<std::string>{"p"}, std::vector<std::string>{}));
    s.role = *maybe(rc::gen::element(PeerRole::Customer, PeerRole::RouteServer));
    s.max_prefix = *maybe(rc::gen::map(rc::gen::inRange<std::uint32_t>(1, 4000000000u), [](auto n) {
        return MaxPrefix{n, MaxPrefixAction::Drop, 75, seconds{n % 2}};
    }));
    s.send_community = *maybe(rc::gen::element(SendCommunity::None, SendCommunity::All));
    s.graceful_restart = *maybe(rc::gen::element(GracefulRestart::Off, GracefulRestart::Full));
    s.weight = *maybe(rc::gen::inRange<std::uint32_t>(1, 256));
    s.guarded = *maybe(rc::gen::arbitrary<bool>());
    return s;
}

Model arbitrary_model() {
    Model m;
    m.router.hostname = *maybe(rc::gen::map(text(), [](const std::string& t) { return 'h' + t; }));
    m.dataplane.eal_arguments = *rc::gen::container<std::vector<std::string>>(text());
    m.dataplane.poll = *rc::gen::element(PollMode::Adaptive, PollMode::Busy);
    const auto ports = *rc::gen::inRange<std::uint32_t>(1, 5);
    for (std::uint32_t i = 0; i < ports; ++i) {
        Port p;
        p.name = "port-" + std::to_string(i);
        p.device = {*rc::gen::element(DeviceKind::Pci, DeviceKind::Vdev, DeviceKind::Netdev),
                    "dev" + std::to_string(i)};
        p.addresses = {{IpAddress::v4(0x0a000001 + (i << 16)), 24}};
        p.mtu = *rc::gen::inRange<std::uint16_t>(1280, 9000);
        p.promiscuous = *rc::gen::arbitrary<bool>();
        if (*rc::gen::arbitrary<bool>())
            p.mac = MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}};
        if (i != 0 && *rc::gen::arbitrary<bool>()) {
            const auto name = p.name;
            p = {};
            p.name = name;
            p.parent = "port-0";
            p.vlan = static_cast<std::uint16_t>(i * 1000);
        }
        m.ports.push_back(p);
    }
    const auto routes = *rc::gen::inRange<std::uint32_t>(0, 20);
    for (std::uint32_t i = 0; i < routes; ++i) {
        StaticRoute r;
        r.prefix = Prefix{IpAddress::v4(0x14000000 + (i << 8)), 24};
        r.kind =
            *rc::gen::element(StaticKind::Forward, StaticKind::Discard, StaticKind::Unreachable);
        if (r.kind == StaticKind::Forward)
            r.via = {
                {IpAddress::v4(0x0a000002), std::nullopt, *rc::gen::inRange<std::uint16_t>(1, 9)},
                {*IpAddress::parse("fe80::1"), "port-0", 1}};
        r.distance = *rc::gen::inRange<std::uint8_t>(1, 255);
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
    first.match.from = *maybe(rc::gen::element(RouteFrom::Own, RouteFrom::Internal));
    first.set.local_pref = *maybe(rc::gen::arbitrary<std::uint32_t>());
    first.set.med = *maybe(
        rc::gen::element(*MedEdit::parse("+10"), *MedEdit::parse("100"), *MedEdit::parse("none")));
    first.set.community = *maybe(rc::gen::element(
        std::vector<CommunityPattern>{},
        std::vector{*CommunityPattern::parse("rt:65000:1"), *CommunityPattern::parse("1:2")}));
    first.set.next_hop =
        *maybe(rc::gen::element(*NextHopEdit::parse("unchanged"), *NextHopEdit::parse("10.0.0.9")));
    first.set.prepend_as = {{4200000000u}, {1}};
    first.action = *rc::gen::element(TermAction::Accept, TermAction::Next);
    second.name = *maybe(rc::gen::map(text(), [](const std::string& t) { return 't' + t; }));
    second.action = TermAction::Reject;
    m.policies = {{"p", {first, second}}, {"empty", {}}};
    Bgp bgp;
    bgp.asn = {*rc::gen::inRange<std::uint32_t>(64512, 65534)};
    bgp.guard.mode = *rc::gen::element(GuardMode::Off, GuardMode::Alert, GuardMode::Enforce);
    if (*rc::gen::arbitrary<bool>()) bgp.guard.pods = {*Prefix::parse("10.244.0.0/16")};
    if (*rc::gen::arbitrary<bool>())
        bgp.guard.shared = {*Prefix::parse("198.18.0.0/24"), *Prefix::parse("fd00:1::/112")};
    bgp.guard.lease = *time(0, 86400);
    bgp.defaults = peer();
    const auto groups = *rc::gen::inRange(1, 5);
    for (int i = 0; i < groups; ++i) {
        PeerGroup g{"g" + std::to_string(i), {}, peer()};
        if (i > 0) g.inherits = "g" + std::to_string(i - 1);
        bgp.groups.push_back(g);
    }
    bgp.listen = {
        {*Prefix::parse("10.0.0.0/24"), "g0", *maybe(rc::gen::inRange<std::uint32_t>(1, 9))}};
    const auto neighbors = *rc::gen::inRange<std::uint32_t>(0, 10);
    for (std::uint32_t i = 0; i < neighbors; ++i) {
        Neighbor n;
        n.address = IpAddress::v4(0x0a000010 + i);
        n.settings = peer();
        bgp.neighbors.push_back(n);
    }
    bgp.neighbors.push_back({*IpAddress::parse("fe80::2"), "port-0", {}, peer()});
    m.bgp = bgp;
    m.management.socket_mode = *rc::gen::element<std::uint16_t>(0600, 0660, 0666);
    if (*rc::gen::arbitrary<bool>()) m.management.http.clear();
    m.log.file = *maybe(text());
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
