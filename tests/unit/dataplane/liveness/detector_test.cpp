// Liveness in a worker, through its own frames: a neighbor on port 0 that answers them.
#include "dataplane/liveness/detector.hpp"

#include <gtest/gtest.h>
#include <rte_cycles.h>
#include <rte_ring.h>

#include "dataplane/liveness/frames.hpp"
#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane::liveness {
namespace {

using support::Bytes;
using support::PacketWorld;

constexpr Micros kMs = 1000;
const MacAddress kOurs{{2, 0, 0, 0, 0, 1}}, kTheirs{{2, 0, 0, 0, 1, 1}};

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

// What the neighbor's kernel and its BFD daemon do with what they receive.
struct Lab : testing::Test {
    PacketWorld world;
    Roster roster{64};
    rte_ring* orders = rte_ring_create("orders", 64, 0, 0);
    rte_ring* reports = rte_ring_create("reports", 64, 0, 0);
    std::uint64_t hz = rte_get_tsc_hz();
    Detector detector{roster, hz, 1, orders, reports};
    Plan plan;
    std::unique_ptr<Session> session;
    std::unique_ptr<Directory> directory;
    bool forwards = true, answers = true, speaks_bfd = false;
    bfd::Session peer;
    bfd::Key key;
    bfd::Sequence peer_received;
    std::uint32_t peer_sequence = 100;
    Micros now = 1'000'000, peer_sends_at = 0;
    std::vector<Bytes> sent;  // by us, since the last look

    Lab() {
        world.worker->liveness = &detector;
        world.worker->now = tsc();
    }
    ~Lab() override {
        rte_ring_free(orders);
        rte_ring_free(reports);
    }

    std::uint64_t tsc() const { return static_cast<std::uint64_t>(double(now) / 1e6 * double(hz)); }

    void watch(const char* neighbor, const char* local, Detect detect,
               std::optional<bfd::SessionSettings> wanted = {}) {
        session = std::make_unique<Session>(5, 0xabcd0005, 0x1122334455667788, 0, ip(neighbor), 0);
        plan.watch = {detect, 100'000, 3};
        plan.port = 0;
        const Wire wire{kTheirs, kOurs, ip(neighbor), ip(local)};
        plan.echo = echo_frame(wire, *session, plan.watch);
        plan.probe = probe_frame(wire);
        if (wanted) {
            plan.bfd = true;
            plan.bfd_settings = *wanted;
            plan.control = control_headers(wire, bfd::kSourcePort, bfd::kControlPort);
        }
        session->wanted = &plan;
        roster.by_slot[5] = session.get();
        roster.inject[0] = world.worker->inject;
        directory = std::make_unique<Directory>(std::vector{session.get()});
        roster.directory = directory.get();
        rte_ring_enqueue(orders, session.get());
    }

    // Time goes by, a millisecond at a time.
    void pass(Micros time) {
        for (const auto end = now + time; now < end; now += kMs) {
            world.worker->now = tsc();
            detector.turn(*world.worker);
            for (auto& out : world.take_sent()) {
                sent.push_back(out.frame);
                if (auto back = answer(out.frame); !back.empty()) world.receive(back);
            }
            if (speaks_bfd && now >= peer_sends_at) {
                world.receive(from_peer(peer.compose(false)));
                peer_sends_at = now + std::max<Micros>(peer.transmit_interval(), 10 * kMs) * 9 / 10;
            }
        }
        for (auto& out : world.take_sent()) sent.push_back(out.frame);
        world.take_punted();
    }

    Bytes answer(Bytes f) {
        const auto type = read16(&f[12]);
        std::copy_n(f.begin() + 6, 6, f.begin());
        std::ranges::copy(kTheirs.bytes, f.begin() + 6);
        if (type == kEtherArp) {
            if (!answers) return {};
            f[21] = 2;
            std::swap_ranges(f.begin() + 22, f.begin() + 32, f.begin() + 32);
            std::ranges::copy(kTheirs.bytes, f.begin() + 22);
            return f;
        }
        const bool ip4 = type == kEtherIp4;
        if (!ip4 && f[20] == kIcmp6) return answers ? advertisement(std::move(f)) : Bytes{};
        const auto udp = read_udp(std::span{f}.subspan(14));
        EXPECT_TRUE(udp.good);
        EXPECT_EQ(udp.ttl, 255);
        if (udp.port == bfd::kEchoPort) {
            EXPECT_EQ(udp.source, udp.destination);
            if (!forwards) return {};
            --f[ip4 ? 22 : 21];
            if (ip4) refresh(f);
            return f;
        }
        if (!speaks_bfd) return {};
        const auto packet = bfd::decode(udp.payload);
        EXPECT_TRUE(packet);
        EXPECT_TRUE(bfd::authentic(udp.payload, *packet, key, peer_received));
        const auto outcome = peer.receive(*packet, now);
        return outcome.send_now ? from_peer(peer.compose(packet->poll)) : Bytes{};
    }

    static void refresh(Bytes& f) {
        write16(&f[24], 0);
        write16(&f[24], checksum(&f[14], 20));
    }

    static Bytes advertisement(Bytes f) {
        Bytes address(f.begin() + 62, f.begin() + 78);
        std::swap_ranges(f.begin() + 22, f.begin() + 38, f.begin() + 38);
        f[54] = 136;
        write32(&f[58], 0x60000000);
        f[78] = 2;
        std::ranges::copy(kTheirs.bytes, f.begin() + 80);
        write16(&f[56], 0);
        write16(&f[56], static_cast<std::uint16_t>(
                            ~fold16(sum16(&f[54], 32, pseudo6(&f[14], 32, kIcmp6)))));
        return f;
    }

    Bytes from_peer(const bfd::Packet& packet, std::uint8_t ttl = 255,
                    const char* source = "10.1.0.2") {
        const Wire wire{kOurs, kTheirs, ip("10.1.0.1"), ip(source)};
        const auto headers = control_headers(wire, 50'000, bfd::kControlPort);
        Bytes f(headers.bytes.begin(), headers.bytes.begin() + headers.length);
        f.resize(f.size() + bfd::kLongest);
        const auto length = bfd::seal(
            packet, key, ++peer_sequence,
            std::span<std::uint8_t, bfd::kLongest>{f.data() + headers.length, bfd::kLongest});
        f.resize(headers.length + std::size_t{length});
        finish_udp(f.data(), headers.length, length);
        f[22] = ttl;
        refresh(f);
        return f;
    }

    void expect_balance() {
        std::uint64_t left = world.transmitted();
        for (const auto& [name, n] : world.exits()) left += n;
        EXPECT_EQ(left, world.received() + world.worker->counters.generated);
    }
    std::uint64_t exit(const std::string& name) const {
        const auto all = world.exits();
        const auto at = all.find(name);
        return at == all.end() ? 0 : at->second;
    }
};

bfd::SessionSettings fast(bfd::Key key = {}) {
    bfd::SessionSettings s;
    s.desired_min_tx = s.required_min_rx = 50'000;
    s.key = key;
    return s;
}

TEST_F(Lab, EchoesComeBackAndTheirEndIsFoundInTime) {
    for (const auto& [neighbor, local] :
         {std::pair{"10.1.0.2", "10.1.0.1"}, {"2001:db8:1::2", "2001:db8:1::1"}}) {
        forwards = answers = true;
        watch(neighbor, local, Detect::Auto);
        pass(5000 * kMs);
        EXPECT_EQ(session->read().watch, Watch::State::Up) << neighbor;
        EXPECT_EQ(session->read().method, Watch::Method::Echo) << neighbor;
        EXPECT_GT(session->gauges.echoes_returned.load(), 20u);
        forwards = answers = false;
        pass(310 * kMs);
        EXPECT_EQ(session->read().watch, Watch::State::Down) << neighbor;
        EXPECT_EQ(session->read().deaths, 1);
        session->wanted = nullptr;
        rte_ring_enqueue(orders, session.get());
        pass(kMs);
    }
    expect_balance();
    EXPECT_EQ(exit("ip4_martian_src") + exit("ip6_martian_src"), 0u);
}

// The worker runs for a moment now and then, as on a machine that is busy with others.
TEST_F(Lab, PausesOfItsOwnCountForNobodysSilence) {
    watch("10.1.0.2", "10.1.0.1", Detect::Auto);
    pass(5000 * kMs);
    ASSERT_EQ(session->read().method, Watch::Method::Echo);
    for (const Micros pause : {60 * kMs, 95 * kMs, 250 * kMs}) {
        forwards = answers = false;
        for (Micros slept = 0; slept < 2000 * kMs; slept += pause) {
            now += pause;
            pass(3 * kMs);
        }
        forwards = answers = true;
        pass(300 * kMs);
        EXPECT_EQ(session->read().watch, Watch::State::Up) << pause;
    }
    EXPECT_EQ(session->read().deaths, 0);
    forwards = answers = false;
    pass(310 * kMs);
    EXPECT_EQ(session->read().watch, Watch::State::Down);
}

TEST_F(Lab, AnswersThatLieWithAnotherWorkerAreWaitedFor) {
    roster.workers = 2;
    auto& other = roster.pulses[1].at;
    watch("10.1.0.2", "10.1.0.1", Detect::Auto);
    const auto both = [&](Micros time) {
        for (const auto end = now + time; now < end;) {
            other = now;
            pass(kMs);
        }
    };
    both(5000 * kMs);
    ASSERT_EQ(session->read().method, Watch::Method::Echo);
    // It has them in its queue, and sleeps.
    forwards = answers = false;
    pass(800 * kMs);
    EXPECT_EQ(session->read().watch, Watch::State::Up);
    forwards = answers = true;
    both(300 * kMs);
    EXPECT_EQ(session->read().deaths, 0);
    forwards = answers = false;
    both(310 * kMs);
    EXPECT_EQ(session->read().watch, Watch::State::Down);
    forwards = answers = true;
    both(5000 * kMs);
    ASSERT_EQ(session->read().watch, Watch::State::Up);
    // Who hangs for good keeps nobody from being found dead.
    forwards = answers = false;
    pass(1310 * kMs);
    EXPECT_EQ(session->read().watch, Watch::State::Down);
}

TEST_F(Lab, EchoesAreSentAsSeldomAsTheBfdOfThePeerAsks) {
    auto wanted = fast();
    wanted.required_min_echo_rx = 400'000;
    peer = {7, wanted};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Auto, fast());
    pass(5000 * kMs);
    ASSERT_EQ(session->read().bfd, bfd::State::Up);
    ASSERT_EQ(session->read().method, Watch::Method::Echo);
    auto before = session->gauges.echoes_sent.load();
    pass(10'000 * kMs);
    EXPECT_LE(session->gauges.echoes_sent.load() - before, 34u);
    EXPECT_GE(session->gauges.echoes_sent.load() - before, 24u);
    // Without BFD the node was never asked.
    speaks_bfd = false;
    pass(1000 * kMs);
    EXPECT_EQ(session->read().watch, Watch::State::Up);
    before = session->gauges.echoes_sent.load();
    pass(10'000 * kMs);
    EXPECT_GE(session->gauges.echoes_sent.load() - before, 95u);
}

TEST_F(Lab, ProbesAreEnoughAndTheKernelGetsOneAnswerASecond) {
    for (const auto& [neighbor, local] :
         {std::pair{"10.1.0.2", "10.1.0.1"}, {"2001:db8:1::2", "2001:db8:1::1"}}) {
        forwards = false;
        const auto before = exit("punt_known_neighbor");
        watch(neighbor, local, Detect::Auto);
        pass(10'000 * kMs);
        EXPECT_EQ(session->read().method, Watch::Method::Probe) << neighbor;
        EXPECT_GE(exit("punt_known_neighbor") - before, 9u);
        EXPECT_LE(exit("punt_known_neighbor") - before, 11u);
        session->wanted = nullptr;
        rte_ring_enqueue(orders, session.get());
        pass(kMs);
    }
    EXPECT_GT(exit("liveness_probe"), 100u);
    expect_balance();
}

TEST_F(Lab, AnAnswerFromAnotherMacIsNoSignOfLife) {
    forwards = false;
    watch("10.1.0.2", "10.1.0.1", Detect::Auto);
    pass(2000 * kMs);
    ASSERT_EQ(session->watch.state(), Watch::State::Up);
    answers = false;
    Bytes reply(60, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0,  0, 0, 1, 7, 8, 6, 0, 1, 8, 0,  6, 4, 0,
                              2, 2, 0, 0, 0, 1, 7, 10, 1, 0, 2, 2, 0, 0, 0, 0, 1, 10, 1, 0, 1};
    std::ranges::copy(head, reply.begin());
    for (int i = 0; i < 40; ++i) {
        world.receive(reply);
        pass(25 * kMs);
    }
    EXPECT_EQ(session->watch.state(), Watch::State::Down);
}

TEST_F(Lab, AnEchoThatIsNotOursCountsAsNothing) {
    watch("10.1.0.2", "10.1.0.1", Detect::Auto);
    answers = forwards = false;
    pass(20 * kMs);
    const auto echo =
        std::ranges::find_if(sent, [](const Bytes& f) { return read16(&f[12]) == kEtherIp4; });
    ASSERT_NE(echo, sent.end());
    forwards = true;
    auto back = answer(*echo);
    auto guess = back;
    guess[70] ^= 1;  // the secret
    write16(&guess[40], 0);
    world.receive(guess);
    auto twice = back;  // through one router more
    --twice[22];
    refresh(twice);
    world.receive(twice);
    auto not_routed = back;
    ++not_routed[22];
    refresh(not_routed);
    world.receive(not_routed);
    world.receive({&back, 1}, 1);  // on another link
    EXPECT_EQ(session->echo_received.load(), 0u);
    EXPECT_EQ(exit("liveness_unknown"), 3u);
    world.receive(back);
    EXPECT_NE(session->echo_received.load(), 0u);
}

TEST_F(Lab, BfdComesUpNegotiatesAndFindsADeath) {
    peer = {7, fast()};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Off, fast());
    pass(4000 * kMs);
    EXPECT_EQ(session->read().bfd, bfd::State::Up);
    EXPECT_EQ(peer.state(), bfd::State::Up);
    EXPECT_FALSE(session->bfd.polling());
    EXPECT_FALSE(peer.polling());
    EXPECT_EQ(session->gauges.detection_time.load(), 150'000u);
    // 50 ms less up to a quarter.
    sent.clear();
    pass(5000 * kMs);
    EXPECT_GE(sent.size(), 95u);
    EXPECT_LE(sent.size(), 136u);
    speaks_bfd = false;
    pass(155 * kMs);
    EXPECT_EQ(session->read().bfd, bfd::State::Down);
    EXPECT_EQ(session->read().diagnostic, bfd::Diagnostic::DetectionTimeExpired);
    EXPECT_EQ(exit("bfd_control"), world.received());
    expect_balance();
}

TEST_F(Lab, BfdComesUpWithAKeyAndRefusesAnother) {
    key = bfd::make_key(bfd::AuthType::MeticulousSha1, 1, "open sesame");
    peer = {7, fast(key)};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Off, fast(key));
    pass(4000 * kMs);
    EXPECT_EQ(session->read().bfd, bfd::State::Up);
    const auto good = key;
    key = bfd::make_key(bfd::AuthType::MeticulousSha1, 1, "open barley");
    world.receive(from_peer(peer.compose(false)));
    key = good;
    EXPECT_EQ(exit("bfd_bad_auth"), 1u);
    EXPECT_EQ(session->read().bfd, bfd::State::Up);
}

TEST_F(Lab, ForgedBfdChangesNothingAndIsCounted) {
    peer = {7, fast()};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Off, fast());
    pass(4000 * kMs);
    auto down = peer.compose(false);
    down.state = bfd::State::Down;
    const auto forged = [&](auto change, std::uint8_t ttl = 255, const char* source = "10.1.0.2") {
        auto packet = down;
        change(packet);
        world.receive(from_peer(packet, ttl, source));
    };
    forged([](bfd::Packet&) {}, 254);
    EXPECT_EQ(exit("bfd_ttl"), 1u);
    forged([](bfd::Packet& p) { p.your_discriminator ^= 0x10000; });
    forged([](bfd::Packet& p) { p.your_discriminator ^= 1; });
    EXPECT_EQ(exit("bfd_no_session"), 2u);
    forged([](bfd::Packet&) {}, 255, "10.1.0.77");
    EXPECT_EQ(exit("bfd_wrong_source"), 1u);
    forged([](bfd::Packet& p) { p.multiplier = 0; });
    forged([](bfd::Packet& p) { p.my_discriminator = 0; });
    EXPECT_EQ(exit("bfd_malformed"), 2u);
    forged([](bfd::Packet& p) { p.authenticated = true; });
    EXPECT_EQ(session->read().bfd, bfd::State::Up);
    pass(1000 * kMs);
    EXPECT_EQ(session->read().bfd, bfd::State::Up);
    expect_balance();
}

TEST_F(Lab, TheEndOfASessionIsToldAsNoFailure) {
    peer = {7, fast()};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Auto, fast());
    pass(4000 * kMs);
    session->wanted = nullptr;
    rte_ring_enqueue(orders, session.get());
    pass(5 * kMs);
    EXPECT_EQ(peer.remote_state(), bfd::State::AdminDown);
    EXPECT_EQ(session->adopted.load(), nullptr);
    sent.clear();
    speaks_bfd = false;
    pass(3000 * kMs);
    EXPECT_TRUE(sent.empty());
}

TEST_F(Lab, TheEndOfBfdAloneIsToldAsNoFailure) {
    peer = {7, fast()};
    speaks_bfd = true;
    watch("10.1.0.2", "10.1.0.1", Detect::Auto, fast());
    pass(4000 * kMs);
    ASSERT_EQ(peer.remote_state(), bfd::State::Up);
    auto without = plan;
    without.bfd = false;
    without.bfd_settings = {};
    without.control = {};
    session->wanted = &without;
    rte_ring_enqueue(orders, session.get());
    pass(5 * kMs);
    EXPECT_EQ(peer.remote_state(), bfd::State::AdminDown);
    EXPECT_EQ(session->watch.state(), Watch::State::Up);
}

TEST_F(Lab, AFlowWhoseMemberDiedGoesToAnotherBeforeAnyGroupIsWritten) {
    auto buckets = make_buckets(64);
    HopId members[4];
    for (std::uint8_t i = 0; i < 4; ++i) {
        members[i] = world.hops.take();
        world.hop(members[i], Hop::forward({{2, 0, 0, 0, 9, i}}, kOurs, 1, 1500));
    }
    for (unsigned b = 0; b < 64; ++b) buckets->buckets[b] = {{members[b % 4]}, {0}};
    const auto group = world.hops.take();
    world.hop(group, Hop::group(buckets.get()));
    world.fib4.set(ip("198.18.0.1").v4(), 32, group);
    const auto packet = [&](std::uint16_t source_port) {
        const Wire wire{kOurs, kTheirs, ip("198.18.0.1"), ip("10.1.0.2")};
        const auto headers = control_headers(wire, source_port, 9000);
        Bytes f(headers.bytes.begin(), headers.bytes.begin() + headers.length);
        finish_udp(f.data(), headers.length, 0);
        return f;
    };
    const auto all = [&] {
        std::vector<Bytes> frames;
        for (std::uint16_t p = 1; p <= 256; ++p) frames.push_back(packet(p));
        world.receive(frames);
        std::map<std::uint16_t, std::uint8_t> out;
        for (const auto& s : world.take_sent())
            if (s.port == 1) out[read16(&s.frame[34])] = s.frame[5];
        return out;
    };
    const auto before = all();
    ASSERT_EQ(before.size(), 256u);
    world.hop(members[2], Hop::of(HopKind::Unreachable));
    const auto after = all();
    ASSERT_EQ(after.size(), 256u);  // none is lost
    std::set<std::uint8_t> heirs;
    for (const auto& [port, member] : before)
        if (member != 2)
            EXPECT_EQ(after.at(port), member);
        else
            heirs.insert(after.at(port));
    EXPECT_EQ(heirs, (std::set<std::uint8_t>{0, 1, 3}));
    EXPECT_EQ(all(), after);  // and each flow stays together
    for (const auto member : members) world.hop(member, Hop::of(HopKind::Unreachable));
    EXPECT_EQ(all().size(), 0u);
    EXPECT_EQ(exit("ip4_unreachable"), 256u);
    world.fib4.erase(ip("198.18.0.1").v4(), 32);
}

}  // namespace
}  // namespace torii::dataplane::liveness
