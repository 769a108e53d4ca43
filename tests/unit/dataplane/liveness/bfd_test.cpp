#include "dataplane/liveness/bfd.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace torii::dataplane::bfd {
namespace {

constexpr Micros kMs = 1000;

SessionSettings settings(std::uint32_t tx = 50'000, std::uint32_t rx = 50'000,
                         std::uint8_t multiplier = 3) {
    SessionSettings s;
    s.desired_min_tx = tx;
    s.required_min_rx = rx;
    s.multiplier = multiplier;
    return s;
}

Packet said(State state, std::uint32_t my = 7, std::uint32_t your = 1) {
    Packet p;
    p.state = state;
    p.my_discriminator = my;
    p.your_discriminator = your;
    p.desired_min_tx = p.required_min_rx = 50'000;
    return p;
}

Session up(const SessionSettings& s = settings()) {
    Session session{1, s};
    session.receive(said(State::Down), 0);
    session.receive(said(State::Init), 0);
    auto answer = said(State::Up);
    answer.final = true;
    session.receive(answer, 0);
    return session;
}

// The table of RFC 5880 §6.2.
struct Arrow {
    State from;
    State heard;
    State to;
};
class Transitions : public testing::TestWithParam<Arrow> {};

Session in_state(State state) {
    Session session{1, settings()};
    if (state == State::AdminDown) session.set_admin_down(true);
    if (state == State::Init) session.receive(said(State::Down), 0);
    if (state == State::Up) session.receive(said(State::Init), 0);
    return session;
}

TEST_P(Transitions, FollowTheDiagram) {
    auto session = in_state(GetParam().from);
    ASSERT_EQ(session.state(), GetParam().from);
    const auto outcome = session.receive(said(GetParam().heard), 5 * kMs);
    EXPECT_EQ(session.state(), GetParam().to);
    EXPECT_EQ(outcome.changed, GetParam().from != GetParam().to);
    EXPECT_EQ(outcome.accepted, GetParam().from != State::AdminDown);
}
INSTANTIATE_TEST_SUITE_P(Rfc5880, Transitions,
                         testing::Values(Arrow{State::Down, State::AdminDown, State::Down},
                                         Arrow{State::Down, State::Down, State::Init},
                                         Arrow{State::Down, State::Init, State::Up},
                                         Arrow{State::Down, State::Up, State::Down},
                                         Arrow{State::Init, State::AdminDown, State::Down},
                                         Arrow{State::Init, State::Down, State::Init},
                                         Arrow{State::Init, State::Init, State::Up},
                                         Arrow{State::Init, State::Up, State::Up},
                                         Arrow{State::Up, State::AdminDown, State::Down},
                                         Arrow{State::Up, State::Down, State::Down},
                                         Arrow{State::Up, State::Init, State::Up},
                                         Arrow{State::Up, State::Up, State::Up},
                                         Arrow{State::AdminDown, State::Down, State::AdminDown},
                                         Arrow{State::AdminDown, State::Init, State::AdminDown},
                                         Arrow{State::AdminDown, State::Up, State::AdminDown}));

TEST(BfdSession, SaysWhyItWentDown) {
    auto told = up();
    told.receive(said(State::Down), 0);
    EXPECT_EQ(told.diagnostic(), Diagnostic::NeighborSignaledDown);
    auto silent = up();
    EXPECT_TRUE(silent.expire().changed);
    EXPECT_EQ(silent.diagnostic(), Diagnostic::DetectionTimeExpired);
    EXPECT_EQ(silent.compose(false).diagnostic, Diagnostic::DetectionTimeExpired);
}

TEST(BfdSession, ForgetsTheNumberOfWhoeverFellSilent) {
    auto session = up();
    EXPECT_EQ(session.remote_discriminator(), 7u);
    session.expire();
    EXPECT_EQ(session.remote_discriminator(), 0u);
    EXPECT_EQ(session.compose(false).your_discriminator, 0u);
    EXPECT_FALSE(session.expire().changed);
}

TEST(BfdSession, SendsOnceASecondUntilItIsUp) {
    Session session{1, settings()};
    EXPECT_EQ(session.transmit_interval(), Session::kSlow);
    EXPECT_EQ(session.compose(false).desired_min_tx, Session::kSlow);
    session.receive(said(State::Down), 0);
    EXPECT_EQ(session.transmit_interval(), Session::kSlow);
    session.receive(said(State::Init), 0);
    EXPECT_EQ(session.transmit_interval(), 50'000u);
    session.expire();
    EXPECT_EQ(session.transmit_interval(), Session::kSlow);
}

TEST(BfdSession, SendsNoFasterThanThePeerListens) {
    auto session = up();
    auto slow = said(State::Up);
    slow.required_min_rx = 300'000;
    session.receive(slow, 0);
    EXPECT_EQ(session.transmit_interval(), 300'000u);
    slow.required_min_rx = 0;  // RFC 5880 §6.8.7: it wants none
    session.receive(slow, 0);
    EXPECT_EQ(session.transmit_interval(), 0u);
}

TEST(BfdSession, DetectsByThePeersMultiplierAndTheSlowerPace) {
    auto session = up();
    auto peer = said(State::Up);
    peer.multiplier = 5;
    peer.desired_min_tx = 20'000;
    session.receive(peer, 0);
    EXPECT_EQ(session.detection_time(), 5 * 50 * kMs);
    peer.desired_min_tx = 80'000;
    session.receive(peer, 0);
    EXPECT_EQ(session.detection_time(), 5 * 80 * kMs);
}

TEST(BfdSession, PollsWhenItComesUpAndStopsAtTheAnswer) {
    Session session{1, settings()};
    session.receive(said(State::Down), 0);
    session.receive(said(State::Init), 0);
    EXPECT_TRUE(session.compose(false).poll);
    auto answer = said(State::Up);
    answer.final = true;
    session.receive(answer, 0);
    EXPECT_FALSE(session.compose(false).poll);
}

TEST(BfdSession, AnswersAPollAtOnceAndWithoutOneOfItsOwn) {
    auto session = up();
    auto poll = said(State::Up);
    poll.poll = true;
    EXPECT_TRUE(session.receive(poll, 0).send_now);
    session.change(settings(80'000));  // a poll of ours goes on
    EXPECT_TRUE(session.compose(false).poll);
    EXPECT_FALSE(session.compose(true).poll);
    EXPECT_TRUE(session.compose(true).final);
}

TEST(BfdSession, KeepsTheOldPaceUntilThePollEnds) {
    auto session = up();
    auto answer = said(State::Up);
    answer.final = true;
    session.change(settings(200'000, 20'000));
    EXPECT_EQ(session.compose(false).desired_min_tx, 200'000u);
    EXPECT_EQ(session.transmit_interval(), 50'000u);
    EXPECT_EQ(session.detection_time(), 3 * 50 * kMs);
    session.receive(answer, 0);
    EXPECT_EQ(session.transmit_interval(), 200'000u);
    EXPECT_EQ(session.detection_time(), 3 * 50 * kMs);  // the peer's 50 ms
    // The other way round holds at once: more often, and later to give up.
    session.change(settings(60'000, 90'000));
    EXPECT_EQ(session.transmit_interval(), 60'000u);
    EXPECT_EQ(session.detection_time(), 3 * 90 * kMs);
}

TEST(BfdSession, NeverAsksForDemandButObeysIt) {
    auto session = up();
    auto demand = said(State::Up);
    demand.demand = true;
    session.receive(demand, 0);
    EXPECT_FALSE(session.compose(false).demand);
    EXPECT_EQ(session.transmit_interval(), 0u);
    EXPECT_GT(session.detection_time(), 0u);  // it goes on sending to us
    session.change(settings(60'000));         // a poll is sent nevertheless
    EXPECT_EQ(session.transmit_interval(), 50'000u);
}

TEST(BfdSession, WaitsToBeSpokenToWhenPassive) {
    auto s = settings();
    s.passive = true;
    Session session{1, s};
    EXPECT_EQ(session.transmit_interval(), 0u);
    session.receive(said(State::Down, 7, 0), 0);
    EXPECT_EQ(session.transmit_interval(), Session::kSlow);
}

TEST(BfdSession, ShutsDownAndComesBackByConfiguration) {
    auto session = up();
    EXPECT_TRUE(session.set_admin_down(true).send_now);
    EXPECT_EQ(session.compose(false).state, State::AdminDown);
    EXPECT_EQ(session.compose(false).diagnostic, Diagnostic::AdministrativelyDown);
    EXPECT_EQ(session.detection_time(), 0u);
    EXPECT_TRUE(session.set_admin_down(false).changed);
    EXPECT_EQ(session.state(), State::Down);
}

TEST(BfdSession, JittersByWhatTheMultiplierAllows) {
    Session one{1, settings(50'000, 50'000, 1)}, three{1, settings()};
    EXPECT_LE(one.largest_share(), 256 * 90 / 100);
    EXPECT_EQ(three.largest_share(), 256u);
    EXPECT_EQ(three.least_share(), 192u);
}

// ---- packets

std::vector<std::uint8_t> bytes_of(const Packet& p) {
    std::vector<std::uint8_t> out(kMandatory);
    encode(p, kMandatory, out.data());
    return out;
}

TEST(BfdPacket, ComesBackAsItWent) {
    Packet p = said(State::Up);
    p.diagnostic = Diagnostic::PathDown;
    p.poll = p.control_plane_independent = p.demand = true;
    p.multiplier = 9;
    p.required_min_echo_rx = 12345;
    const auto back = decode(bytes_of(p));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, p);
}

TEST(BfdPacket, RefusesWhatIsNone) {
    const auto good = bytes_of(said(State::Up));
    const auto broken = [&](std::size_t at, std::uint8_t value) {
        auto bytes = good;
        bytes[at] = value;
        const auto result = decode(bytes);
        EXPECT_FALSE(result) << at;
        return result ? Malformed::Short : result.error();
    };
    EXPECT_EQ(broken(0, 0x40), Malformed::Version);
    EXPECT_EQ(broken(2, 0), Malformed::Multiplier);
    EXPECT_EQ(broken(3, 23), Malformed::Length);
    EXPECT_EQ(broken(3, 25), Malformed::Length);
    EXPECT_EQ(broken(1, 0xc1), Malformed::Multipoint);
    EXPECT_EQ(broken(1, 0xc4), Malformed::Length);  // no authentication section
    EXPECT_EQ(broken(7, 0), Malformed::NoDiscriminator);
    EXPECT_EQ(broken(11, 0), Malformed::NoYourDiscriminator);
    for (std::size_t n = 0; n < kMandatory; ++n)
        EXPECT_FALSE(decode(std::span{good}.first(n))) << n;
}

// ---- authentication

class Authentication : public testing::TestWithParam<AuthType> {
protected:
    Key key = make_key(GetParam(), 5, "open sesame");
    Packet packet = said(State::Up);
    std::array<std::uint8_t, kLongest> bytes{};

    Authentication() { packet.authenticated = true; }
    std::span<const std::uint8_t> sealed(std::uint32_t sequence) {
        return std::span{bytes}.first(seal(packet, key, sequence, bytes));
    }
};

TEST_P(Authentication, LetsWhatTheKeySignedIn) {
    Sequence sequence;
    const auto payload = sealed(100);
    ASSERT_TRUE(decode(payload));
    EXPECT_TRUE(authentic(payload, packet, key, sequence));
    EXPECT_EQ(sequence.last, 100u);
}

TEST_P(Authentication, RefusesEveryChangedOctet) {
    const auto payload = sealed(100);
    for (std::size_t at = 0; at < payload.size(); ++at) {
        std::vector<std::uint8_t> forged(payload.begin(), payload.end());
        forged[at] ^= 0x10;
        const auto decoded = decode(forged);
        if (!decoded) continue;
        Sequence sequence;
        EXPECT_FALSE(authentic(forged, *decoded, key, sequence)) << at;
        EXPECT_FALSE(sequence.known);
    }
}

TEST_P(Authentication, RefusesAnotherKeyOrNone) {
    const auto payload = sealed(100);
    Sequence sequence;
    EXPECT_FALSE(authentic(payload, packet, make_key(GetParam(), 5, "open barley"), sequence));
    EXPECT_FALSE(authentic(payload, packet, make_key(GetParam(), 6, "open sesame"), sequence));
    EXPECT_FALSE(authentic(payload, packet, Key{}, sequence));
    auto bare = packet;
    bare.authenticated = false;
    EXPECT_FALSE(authentic(bytes_of(bare), bare, key, sequence));
}

TEST_P(Authentication, RefusesRecordedPackets) {
    const bool meticulous = key.meticulous();
    const auto accepts = [&](std::uint32_t number, Sequence sequence) {
        return authentic(sealed(number), packet, key, sequence);
    };
    const Sequence at{0xfffffffe, true};
    EXPECT_EQ(accepts(0xfffffffe, at), !meticulous);
    EXPECT_FALSE(accepts(0xfffffffd, at));
    EXPECT_TRUE(accepts(0xffffffff, at));
    EXPECT_TRUE(accepts(3, at));  // it wraps
    EXPECT_TRUE(accepts(7, at));  // three times the multiplier
    EXPECT_FALSE(accepts(8, at));
}
INSTANTIATE_TEST_SUITE_P(Rfc5880, Authentication,
                         testing::Values(AuthType::KeyedMd5, AuthType::MeticulousMd5,
                                         AuthType::KeyedSha1, AuthType::MeticulousSha1));

}  // namespace
}  // namespace torii::dataplane::bfd
