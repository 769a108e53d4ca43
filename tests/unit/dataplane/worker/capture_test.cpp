// Looking at packets: as they leave (captures), and as they would (traces).
#include "dataplane/worker/capture.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/tracer.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

// UDP without payload, from the neighbor of port 0.
Bytes packet(const char* from, const char* to, std::uint8_t ttl = 64) {
    Bytes f(42, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45};
    std::copy(std::begin(head), std::end(head), f.begin());
    f[17] = 28;
    f[22] = ttl;
    f[23] = kUdp;
    write32(&f[26], ip(from).v4());
    write32(&f[30], ip(to).v4());
    write16(&f[24], checksum(&f[14], 20));
    f[39] = 8;
    return f;
}

struct CaptureTest : testing::Test {
    void look(const CaptureFilter& filter) {
        ring = std::make_unique<CaptureRing>(filter);
        world.worker->capture = ring.get();
    }
    std::vector<std::string> seen() {
        std::vector<std::string> out;
        CapturedFrame frame;
        while (ring->take(frame)) {
            out.emplace_back(capture_point_name(frame.point));
            last = frame;
        }
        return out;
    }
    static CaptureFilter all() {
        CaptureFilter filter;
        filter.points.set();
        return filter;
    }
    using Names = std::vector<std::string>;

    PacketWorld world;
    std::unique_ptr<CaptureRing> ring;
    CapturedFrame last;
};

TEST_F(CaptureTest, ShowsEachPacketAtItsExit) {
    look(all());
    world.receive(packet("10.1.0.2", "10.2.0.2"));
    world.take_sent();
    EXPECT_EQ(seen(), Names{"transmit"});
    EXPECT_EQ(last.port, 1);
    EXPECT_EQ(last.length, 42u);
    EXPECT_EQ(last.bytes[22], 63);  // as it leaves: one hop less to live

    world.receive(packet("10.1.0.2", "203.0.113.1"));
    const auto two = seen();
    EXPECT_NE(std::ranges::find(two, "ip4_no_route"), two.end());
    world.receive(packet("10.1.0.2", "10.1.0.1"));
    EXPECT_FALSE(seen().empty());
    world.take_punted();
    world.worker->capture = nullptr;
    world.receive(packet("10.1.0.2", "10.2.0.2"));
    world.take_sent();
    EXPECT_TRUE(seen().empty());
}

TEST_F(CaptureTest, TakesWhatTheFilterSays) {
    auto filter = all();
    filter.points.reset();
    filter.points.set(*capture_point("ip4_ttl_exceeded"));
    filter.prefix = *Prefix::parse("10.2.0.0/24");
    filter.ports.set(0);
    filter.snap = 34;
    look(filter);
    world.receive(packet("10.1.0.2", "10.2.0.2"));     // another exit
    world.receive(packet("10.1.0.2", "10.1.0.3", 1));  // another prefix
    world.receive(packet("10.1.0.2", "10.2.0.2", 1));  // this one
    const Bytes elsewhere = packet("10.2.0.2", "10.1.0.2", 1);
    world.receive({&elsewhere, 1}, 1);  // another port
    world.take_sent();
    EXPECT_EQ(seen(), Names{"ip4_ttl_exceeded"});
    EXPECT_EQ(last.bytes.size(), 34u);
    EXPECT_EQ(last.length, 42u);
}

TEST_F(CaptureTest, TakesASample) {
    auto filter = all();
    filter.points.reset();
    filter.points.set(kTransmitted);
    filter.one_in = 10;
    look(filter);
    for (int i = 0; i < 100; ++i) world.receive(packet("10.1.0.2", "10.2.0.2"));
    world.take_sent();
    EXPECT_EQ(seen().size(), 10u);
}

TEST_F(CaptureTest, LosesAndCountsWhatFindsNoRoom) {
    look(all());
    for (std::size_t i = 0; i < CaptureRing::kSlots + 7; ++i)
        world.receive(packet("10.1.0.2", "10.2.0.2"));
    world.take_sent();
    EXPECT_EQ(ring->lost(), 7u);
    EXPECT_EQ(seen().size(), CaptureRing::kSlots);
}

TEST_F(CaptureTest, IsReadWhileItIsWritten) {
    look(all());
    std::atomic<bool> over{false};
    std::uint64_t taken = 0;
    std::thread reader{[&] {
        CapturedFrame frame;
        for (bool last_look = false;;) {
            while (ring->take(frame)) {
                ++taken;
                EXPECT_EQ(frame.length, 42u);
                EXPECT_EQ(frame.bytes.size(), 42u);
            }
            if (last_look) return;
            last_look = over;
        }
    }};
    constexpr std::uint64_t kSent = 20'000;
    for (std::uint64_t i = 0; i < kSent; ++i) {
        world.receive(packet("10.1.0.2", "10.2.0.2"));
        if (i % 64 == 0) world.take_sent();
    }
    world.take_sent();
    over = true;
    reader.join();
    EXPECT_EQ(taken + ring->lost(), kSent);
}

TEST_F(CaptureTest, KnowsItsPointsByName) {
    for (std::size_t point = 0; point <= kTransmitted; ++point)
        EXPECT_EQ(capture_point(capture_point_name(point)), point);
    EXPECT_FALSE(capture_point("nowhere"));
}

struct TraceTest : testing::Test {
    TraceView trace(const char* from, const char* to, std::uint8_t ttl = 64,
                    std::uint16_t source_port = 1000) {
        TracePacket p;
        p.source = ip(from);
        p.destination = ip(to);
        p.ttl = ttl;
        p.source_port = source_port;
        p.destination_port = 80;
        const auto out = tracer.trace(p);
        EXPECT_TRUE(out);
        return out.value_or(TraceView{});
    }
    PacketWorld world;
    Tracer tracer{*world.worker, 4096};
};

TEST_F(TraceTest, SaysWhereAPacketWouldLeave) {
    const auto out = trace("10.1.0.2", "10.2.0.2");
    EXPECT_EQ(out.exit, "transmit");
    EXPECT_EQ(out.out, PortIndex{1});
    EXPECT_EQ(out.mac.to_string(), "02:00:00:00:02:01");
    EXPECT_EQ(trace("2001:db8:1::2", "2001:db8:2::2").out, PortIndex{1});
    EXPECT_EQ(trace("10.1.0.2", "203.0.113.1").exit, "ip4_no_route");
    EXPECT_TRUE(trace("10.1.0.2", "203.0.113.1").answered);
    EXPECT_EQ(trace("10.1.0.2", "10.2.0.2", 1).exit, "ip4_ttl_exceeded");
    EXPECT_EQ(trace("10.1.0.1", "10.2.0.2").exit, "ip4_martian_src");
    EXPECT_EQ(trace("10.1.0.2", "10.2.0.255").exit, "ip4_directed_broadcast");
    EXPECT_EQ(trace("10.1.0.2", "10.2.0.77").exit, "hold");
    EXPECT_EQ(trace("10.1.0.2", "127.0.0.1").exit, "ip4_martian_dst");
}

TEST_F(TraceTest, LeavesNoTrace) {
    const auto buffers = world.buffers_in_use();
    for (int i = 0; i < 100; ++i) {
        trace("10.1.0.2", "10.2.0.2");
        trace("10.1.0.2", "203.0.113.1");
        trace("10.1.0.2", "10.2.0.77");
        trace("10.1.0.2", "10.1.0.1");
    }
    EXPECT_EQ(world.buffers_in_use(), buffers);
    EXPECT_TRUE(world.exits().empty());
    EXPECT_TRUE(world.take_sent().empty());
}

TEST_F(TraceTest, AFlowsBucketIsThatOfItsPackets) {
    constexpr HopId kGroup = 100, kOne = 101, kOther = 102;
    auto buckets = make_buckets(64);
    for (std::uint32_t i = 0; i < 64; ++i) buckets->buckets[i].hop = i % 2 == 0 ? kOne : kOther;
    world.hop(kOne, Hop::forward({{2, 0, 0, 0, 9, 1}}, {{2, 0, 0, 0, 0, 2}}, 1, 1500));
    world.hop(kOther, Hop::forward({{2, 0, 0, 0, 9, 2}}, {{2, 0, 0, 0, 0, 2}}, 1, 1500));
    world.hop(kGroup, Hop::group(buckets.get()));
    world.fib4.set(ip("198.51.100.1").v4(), 32, kGroup);
    bool other = false;
    for (std::uint16_t port = 1; port < 50; ++port) {
        const auto out = trace("10.1.0.2", "198.51.100.1", 64, port);
        EXPECT_EQ(out.buckets, 64u);
        const auto member = buckets->buckets[out.bucket].hop;
        EXPECT_EQ(out.mac.to_string(), member == kOne ? "02:00:00:00:09:01" : "02:00:00:00:09:02");
        other |= member == kOther;
        EXPECT_EQ(buckets->buckets[out.bucket].epoch, 0u);  // only asked about
    }
    EXPECT_TRUE(other);
}

}  // namespace
}  // namespace torii::dataplane
