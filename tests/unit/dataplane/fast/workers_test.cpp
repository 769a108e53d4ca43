// Workers beside each other: what one writes as it forwards is in cache lines of its own.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

constexpr std::size_t kLine = 64;
constexpr std::uint32_t kHops = 4096, kService = 0x0a600001;

static_assert(sizeof(Worker) % kLine == 0 && alignof(Worker) % kLine == 0);
static_assert(sizeof(rte_rcu_qsbr_cnt) % kLine == 0);  // where each says that it is quiescent

template <class T>
std::size_t offset_in_line(const T* at) {
    return reinterpret_cast<std::uintptr_t>(at) % kLine;
}

// Memory, and what was in it.
class Picture {
public:
    Picture(const char* name, const void* at, std::size_t bytes)
        : name_(name), at_(static_cast<const std::uint8_t*>(at)), before_(at_, at_ + bytes) {}
    bool holds() const { return std::memcmp(at_, before_.data(), before_.size()) == 0; }
    const char* name() const { return name_; }

private:
    const char* name_;
    const std::uint8_t* at_;
    std::vector<std::uint8_t> before_;
};

std::vector<Bytes> burst() {
    std::vector<Bytes> frames;
    for (std::uint16_t flow = 0; flow < 64; ++flow) {
        Bytes f{2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 0x11, 8, 0};
        f.resize(60);
        auto* ip = &f[kEtherHeader];
        ip[0] = 0x45;
        write16(ip + 2, 46);
        // To a neighbor, to a service, and what is dropped, punted or answered.
        ip[8] = flow % 16 == 7 ? 1 : 64;
        ip[9] = kTcp;
        write32(ip + 12, 0x0a010100u + flow);
        write32(ip + 16, flow % 2 ? kService : flow % 16 == 4 ? 0x0a010001 : 0x0a020002);
        write16(ip + 20, static_cast<std::uint16_t>(1024 + flow));
        write16(ip + 22, 443);
        write16(ip + 10, checksum(ip, kIp4Header));
        frames.push_back(std::move(f));
    }
    return frames;
}

TEST(Workers, ForwardWithoutAWriteToWhatOthersRead) {
    PacketWorld world;
    const auto other = std::make_unique<Worker>(1, kHops);
    for (const auto* worker : {world.worker.get(), other.get()}) {
        EXPECT_EQ(offset_in_line(worker), 0u);
        EXPECT_EQ(offset_in_line(worker->counters.hops.data()), 0u);
        EXPECT_EQ(worker->counters.hops.bytes() % kLine, 0u);
    }
    EXPECT_EQ(offset_in_line(world.hops.data()), 0u);

    std::vector<BucketPlan::Member> members;
    for (std::uint8_t i = 0; i < 5; ++i) {
        const auto id = world.hops.take();
        world.hop(id, Hop::forward({{2, 0xaa, 0, 0, 0, i}}, {{2, 0, 0, 0, 0, 2}}, 1, 1500));
        members.push_back({id, 1});
    }
    const auto table = make_buckets(BucketPlan::wanted_size(members));
    BucketPlan::settle(*table, members, 1);
    const auto group = world.hops.take();
    world.hop(group, Hop::group(table.get()));
    world.fib4.set(kService, 32, group);
    world.worker->epoch = 77;

    // A bucket's time of use is the one thing that workers share: a store a tick.
    const auto frames = burst();
    world.receive(frames);
    const auto first = world.transmitted();
    EXPECT_GT(first, 40u);

    const auto& tables = *world.worker->tables;
    const auto fib4 = world.fib4.view();
    const auto root = [&](std::uint32_t address) { return fib4.root + (address >> 8 & ~0xfffu); };
    constexpr std::size_t kSlots = 4096 * sizeof(std::uint32_t);
    const Picture pictures[] = {
        {"the other worker", other.get(), sizeof(Worker)},
        {"its counts", other->counters.hops.data(), other->counters.hops.bytes()},
        {"the tables", &tables, sizeof tables},
        {"a port", tables.ports[0].load(), sizeof(PortState)},
        {"the other port", tables.ports[1].load(), sizeof(PortState)},
        {"the hops", world.hops.data(), kHops * sizeof(Hop)},
        {"routes to services", root(kService), kSlots},
        {"routes to neighbors", root(0x0a020002), kSlots},
        {"longer routes", fib4.blocks, 1000 * 256 * sizeof(std::uint32_t)},
        {"the group", table.get(), sizeof(BucketTable)},
        {"its buckets", table->buckets, table->size() * sizeof(Bucket)},
    };
    world.receive(frames);
    EXPECT_EQ(world.transmitted(), 2 * first);
    for (const auto& picture : pictures) EXPECT_TRUE(picture.holds()) << picture.name();
    world.drop_sent();
    world.take_punted();
}

}  // namespace
}  // namespace torii::dataplane
