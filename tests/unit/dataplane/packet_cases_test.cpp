// All frames of tests/vectors/packets_bad.json through the real nodes, once in each
// instruction set, alone and amid a burst of ordinary packets; and once more behind the
// tag of a sub-port, in the frames and in the hands of the device.
#include <gtest/gtest.h>

#include <sstream>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_cases.hpp"
#include "tests/support/sanitized.hpp"

namespace torii::dataplane {
namespace {

namespace json = boost::json;
using support::Bytes;
using support::frame_of;
using support::from_hex;
using support::packet_cases;
using support::PacketWorld;

std::string text(const json::object& o, std::string_view key) {
    const auto* v = o.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->as_string()) : std::string();
}

std::uint32_t packet_length(const Bytes& f) {
    return read16(&f[12]) == kEtherIp4 ? read16(&f[16]) : kIp6Header + read16(&f[18]);
}

void expect_icmp(const json::object& c, const json::object& emit, const PacketWorld::Sent& sent) {
    const bool ip4 = emit.contains("icmp4");
    const auto& want = emit.at(ip4 ? "icmp4" : "icmp6").as_object();
    const auto& f = sent.frame;
    EXPECT_EQ(sent.port, 0);
    EXPECT_EQ(Bytes(f.begin(), f.begin() + 6), (Bytes{2, 0, 0, 0, 1, 1}));
    const auto* ip = &f[kEtherHeader];
    const auto* icmp = ip + (ip4 ? kIp4Header : kIp6Header);
    EXPECT_EQ(icmp[0], want.at("type").as_int64());
    EXPECT_EQ(icmp[1], want.at("code").as_int64());
    if (ip4) {
        EXPECT_EQ(checksum(ip, kIp4Header), 0);
        EXPECT_EQ(checksum(icmp, read16(ip + 2) - kIp4Header), 0);
        EXPECT_EQ(read32(ip + 12), 0x0a010001u);
        EXPECT_LE(read16(ip + 2), 576);
        EXPECT_EQ(std::memcmp(icmp + 8, &frame_of(c)[kEtherHeader], 8), 0);  // quoted as it came
    } else {
        const std::uint32_t length = read16(ip + 4);
        EXPECT_EQ(fold16(sum16(icmp, length, pseudo6(ip, length, kIcmp6))), 0xffff);
        EXPECT_LE(length + kIp6Header, 1280u);
        EXPECT_EQ(Bytes(ip + 8, ip + 24), from_hex("20010db8000100000000000000000001"));
    }
    for (const char* key : {"next_hop_mtu", "pointer"})
        if (const auto* rest = want.if_contains(key)) {
            EXPECT_EQ(read32(icmp + 4), rest->as_int64());
        }
}

bool any_of_names(const std::string& alternatives,
                  const std::map<std::string, std::uint64_t>& exits) {
    std::stringstream names{alternatives};
    for (std::string name; std::getline(names, name, '|');)
        if (const auto found = exits.find(name); found != exits.end() && found->second == 1)
            return true;
    return false;
}

void check(const json::object& c, PacketWorld& world) {
    const auto& expected = c.at("expected").as_object();
    const auto action = text(expected, "action"), counter = text(expected, "counter");
    const json::object none;
    const auto& emit = expected.contains("emit") ? expected.at("emit").as_object() : none;
    const auto frame = frame_of(c);
    world.receive(frame);
    const auto setup = text(c, "setup");

    if (counter == "ip4_arp_timeout") {
        EXPECT_EQ(world.time_out_held(), 1u);
    }
    const auto sent = world.take_sent();
    const auto punted = world.take_punted();
    const auto exits = world.exits();
    std::uint64_t left = 0;
    for (const auto& [name, n] : exits) left += n;

    if (action == "forward") {
        ASSERT_EQ(sent.size(), 1u) << testing::PrintToString(exits);
        EXPECT_TRUE(exits.empty());
        if (const auto hex = text(emit, "hex_out"); !hex.empty()) {
            auto want = from_hex(hex);
            const auto length = kEtherHeader + packet_length(want);
            want.resize(length);
            EXPECT_EQ(sent[0].frame, want);
        }
    } else if (action == "fragment") {
        ASSERT_EQ(sent.size(), 2u);
        Bytes payload;
        for (const auto& s : sent) {
            EXPECT_LE(packet_length(s.frame), 1400u);
            EXPECT_EQ(checksum(&s.frame[14], 20), 0);
            EXPECT_EQ(s.frame[22], 63);
            EXPECT_EQ((read16(&s.frame[20]) & kFragmentOffset) * 8u, payload.size());
            payload.insert(payload.end(), s.frame.begin() + 34, s.frame.end());
        }
        EXPECT_EQ(payload, Bytes(frame.begin() + 34, frame.end()));
    } else if (action == "punt" || action == "reply") {
        // The kernel's twin of the port answers.
        EXPECT_EQ(punted.size(), 1u) << testing::PrintToString(exits);
        EXPECT_EQ(left, 1u);
        EXPECT_TRUE(sent.empty());
    } else if (counter == "ip4_reass_fail" && action == "queue then drop") {
        // Fragments for us wait in the kernel, whose memory for them is bounded too.
        EXPECT_EQ(punted.size(), 1u);
    } else {
        EXPECT_TRUE(counter.empty() || any_of_names(counter, exits))
            << testing::PrintToString(exits);
        EXPECT_EQ(left, 1u);
        EXPECT_TRUE(punted.empty());
        if (emit.contains("icmp4") || emit.contains("icmp6")) {
            ASSERT_EQ(sent.size(), 1u) << "no ICMP error";
            expect_icmp(c, emit, sent[0]);
        } else {
            EXPECT_TRUE(sent.empty());
        }
    }
}

void set_up(const json::object& c, PacketWorld& world) {
    const auto setup = text(c, "setup");
    if (setup == "out interface MTU 1400") world.set_mtu(1, 1400);
    if (setup == "uRPF strict on") world.set_strict_rpf(0, true);
}

using Tags = PacketWorld::Tags;

// A frame's own tag is a second one behind that of a sub-port.
void check_tagged(const json::object& c, PacketWorld& world) {
    const auto frame = frame_of(c);
    if (frame.size() >= kEtherHeader && read16(&frame[12]) == kEtherVlan) {
        world.receive(frame);
        EXPECT_EQ(world.exits(), (std::map<std::string, std::uint64_t>{{"l2_double_tag", 1}}));
        EXPECT_TRUE(world.take_sent().empty());
        return;
    }
    check(c, world);
}

struct PacketCase : testing::TestWithParam<LookupKind> {
    void account(Tags tags);
};

Bytes tagged(Bytes frame, std::uint16_t tag) {
    const Bytes octets{0x81, 0x00, static_cast<std::uint8_t>(tag >> 8),
                       static_cast<std::uint8_t>(tag)};
    frame.insert(frame.begin() + 12, octets.begin(), octets.end());
    return frame;
}

TEST_P(PacketCase, LeavesByItsExit) {
    const auto& cases = packet_cases();
    EXPECT_EQ(cases.size(), 91u);
    for (const auto& value : cases) {
        const auto& c = value.as_object();
        SCOPED_TRACE(text(c, "id") + ": " + text(c, "description"));
        PacketWorld world{GetParam()};
        const auto before = world.buffers_in_use();
        set_up(c, world);
        check(c, world);
        EXPECT_EQ(world.buffers_in_use(), before);
    }
}

Bytes good4() {
    for (const auto& value : packet_cases())
        if (text(value.as_object(), "id") == "P4-001") return frame_of(value.as_object());
    return {};
}
Bytes good6() {
    for (const auto& value : packet_cases())
        if (text(value.as_object(), "id") == "P6-031") return frame_of(value.as_object());
    return {};
}

TEST_P(PacketCase, LeavesASubPortByTheSameExit) {
    for (const auto tags : {Tags::InFrames, Tags::ByDevice})
        for (const auto& value : packet_cases()) {
            const auto& c = value.as_object();
            SCOPED_TRACE(text(c, "id") + (tags == Tags::ByDevice ? " by device" : " in frame"));
            PacketWorld world{GetParam(), tags};
            const auto before = world.buffers_in_use();
            set_up(c, world);
            check_tagged(c, world);
            EXPECT_EQ(world.buffers_in_use(), before);
        }
}

TEST_P(PacketCase, DisturbsNoOrdinaryPacketBesideIt) {
    const auto v4 = good4(), v6 = good6();
    for (const auto& value : packet_cases()) {
        const auto& c = value.as_object();
        SCOPED_TRACE(text(c, "id"));
        PacketWorld alone{GetParam()}, amid{GetParam()};
        set_up(c, alone);
        set_up(c, amid);
        const auto frame = frame_of(c);
        alone.receive(frame);
        const auto alone_sent = alone.take_sent().size();
        const std::vector<Bytes> burst{v4, v6, v4, frame, v6, v6, v4};
        amid.receive(burst);
        EXPECT_EQ(amid.take_sent().size(), alone_sent + 6);
        EXPECT_EQ(amid.exits(), alone.exits());
    }
}

// 10^6 frames in all three instruction sets where a sanitizer watches.
// A third of them in each way of tagging.
constexpr unsigned kRandomBursts = kSanitized ? 1800 : 700;

TEST_P(PacketCase, AccountsForEveryRandomFrame) {
    for (const auto tags : {Tags::None, Tags::InFrames, Tags::ByDevice}) account(tags);
}

void PacketCase::account(Tags tags) {
    PacketWorld world{GetParam(), tags};
    const auto before = world.buffers_in_use();
    support::MutantFrames mutants{{good4(), good6(), tagged(good4(), 200)}, 11};
    std::vector<Bytes> burst(64);
    std::uint64_t frames = 0, held = 0;
    for (unsigned round = 0; round < kRandomBursts; ++round) {
        for (auto& frame : burst) mutants.next(frame);
        frames += burst.size();
        world.set_hardware_checksum(round % 2 != 0);
        // Some with tags of their own.
        const bool any = tags != Tags::None && round % 3 == 0;
        world.receive(burst, any ? PacketWorld::kTrunk : PortIndex{0});
        held += world.worker->counters.held;
        world.worker->counters.held = 0;
        world.drop_held();
        world.take_sent();
        world.take_punted();
    }
    std::uint64_t left = held + world.transmitted();
    for (const auto& [name, n] : world.exits()) left += n;
    EXPECT_EQ(world.received(), frames);
    EXPECT_EQ(frames + world.worker->counters.generated, left);
    EXPECT_EQ(world.buffers_in_use(), before);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, PacketCase,
                         testing::Values(LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512));

}  // namespace
}  // namespace torii::dataplane
