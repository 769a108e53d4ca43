// Groups of next hops on the fast path: whatever else is in a burst, a flow has one member.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

constexpr unsigned kMembers = 5;
constexpr std::uint32_t kService = 0x0a600001, kOther = 0x0a600002, kPlain = 0x0a600003;

struct Services {
    explicit Services(LookupKind kind, bool guarded) : world{kind} {
        std::vector<BucketPlan::Member> members;
        for (unsigned i = 0; i < kMembers; ++i) {
            const auto id = world.hops.take();
            world.hop(id, Hop::forward(member_mac(i), {{2, 0, 0, 0, 0, 2}}, 1, 1500));
            members.push_back({id, 1});
        }
        for (const auto service : {kService, kOther}) {
            auto& table = tables.emplace_back(make_buckets(BucketPlan::wanted_size(members)));
            BucketPlan::settle(*table, members, 1);
            groups.push_back(world.hops.take());
            world.hop(groups.back(), Hop::group(table.get(), guarded));
            world.fib4.set(service, 32, groups.back());
        }
        const auto plain = world.hops.take();
        world.hop(plain, Hop::forward(member_mac(kMembers), {{2, 0, 0, 0, 0, 2}}, 1, 1500));
        world.fib4.set(kPlain, 32, plain);
        world.worker->epoch = 77;
    }
    static MacAddress member_mac(unsigned i) {
        return {{2, 0xaa, 0, 0, 0, static_cast<std::uint8_t>(i)}};
    }
    // The last octet of the MAC that each frame left for, in the order they came.
    std::vector<unsigned> members_of(const std::vector<Bytes>& frames) {
        world.receive(frames);
        std::vector<unsigned> out;
        for (const auto& sent : world.take_sent()) {
            EXPECT_EQ(sent.frame[1], 0xaa);
            EXPECT_EQ(sent.frame[22], 63);
            EXPECT_EQ(checksum(&sent.frame[14], 20), 0);
            out.push_back(sent.frame[5]);
        }
        return out;
    }
    std::uint64_t counted(unsigned group) const {
        return world.worker->counters.hops[groups[group]].packets;
    }

    PacketWorld world;
    std::vector<BucketTablePtr> tables;
    std::vector<HopId> groups;
};

Bytes frame(std::uint32_t to, std::uint32_t flow, std::uint8_t from = 0x11) {
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, from, 8, 0};
    f.resize(60);
    auto* ip = &f[kEtherHeader];
    ip[0] = 0x45;
    write16(ip + 2, 46);
    ip[8] = 64;
    ip[9] = flow % 2 == 0 ? kTcp : kUdp;
    write32(ip + 12, 0xc6120000 + flow);
    write32(ip + 16, to);
    write16(ip + 20, 1024 + flow * 7 % 60'000);
    write16(ip + 22, 443);
    write16(ip + 10, checksum(ip, kIp4Header));
    return f;
}

class Groups : public testing::TestWithParam<LookupKind> {};

TEST_P(Groups, AFlowHasOneMemberAloneInARowAndAmongOthers) {
    for (const bool guarded : {false, true}) {
        Services services{GetParam(), guarded};
        std::vector<Bytes> row, mixed;
        std::vector<unsigned> alone;
        for (unsigned flow = 0; flow < 64; ++flow) {
            row.push_back(frame(kService, flow));
            alone.push_back(services.members_of({row.back()}).at(0));
        }
        EXPECT_EQ(services.members_of(row), alone);
        EXPECT_EQ(services.counted(0), 128u);
        // With a fragment among them nothing is plain; it goes by addresses alone.
        auto fragment = frame(kService, 3);
        write16(&fragment[20], kMoreFragments);
        write16(&fragment[24], 0);
        write16(&fragment[24], checksum(&fragment[14], kIp4Header));
        const auto of_fragment = services.members_of({fragment}).at(0);
        mixed = row;
        mixed[17] = fragment;
        auto expected = alone;
        expected[17] = of_fragment;
        EXPECT_EQ(services.members_of(mixed), expected);
        // Two services in one burst, by turns.
        mixed = row;
        for (unsigned flow = 1; flow < 64; flow += 2) mixed[flow] = frame(kOther, flow);
        const auto of_both = services.members_of(mixed);
        EXPECT_EQ(services.counted(1), 32u);
        for (unsigned flow = 0; flow < 64; ++flow)
            EXPECT_EQ(of_both[flow],
                      flow % 2 == 0 ? alone[flow] : services.members_of({mixed[flow]}).at(0));
        for (const auto group : services.groups) {
            const auto& count = services.world.worker->counters.hops[group];
            EXPECT_EQ(count.bytes, count.packets * 46);
        }
        // And one that is no service's, which goes its own way.
        mixed[40] = frame(kPlain, 40);
        auto with_plain = of_both;
        with_plain[40] = kMembers;
        EXPECT_EQ(services.members_of(mixed), with_plain);
        std::ranges::sort(alone);
        EXPECT_EQ(std::unique(alone.begin(), alone.end()) - alone.begin(), kMembers);
        EXPECT_TRUE(services.world.exits().empty());
    }
}

TEST_P(Groups, BucketsInUseSaySo) {
    Services services{GetParam(), false};
    std::vector<Bytes> row;
    for (unsigned flow = 0; flow < 64; ++flow) row.push_back(frame(kService, flow));
    services.members_of(row);
    const auto& table = *services.tables[0];
    const auto used = std::count_if(table.buckets, table.buckets + table.size(),
                                    [](const Bucket& b) { return b.epoch == 77; });
    EXPECT_GT(used, 48);
    EXPECT_LE(used, 64);
}

TEST_P(Groups, TheGuardKeepsBackWhatWouldReturnToItsSender) {
    Services services{GetParam(), true};
    std::vector<Bytes> row;
    for (unsigned flow = 0; flow < 64; ++flow) row.push_back(frame(kService, flow));
    const auto members = services.members_of(row);
    const auto come_back = [&](std::uint32_t service_of_first) {
        for (unsigned flow = 0; flow < 64; ++flow)
            row[flow] = frame(flow == 0 ? service_of_first : kService, flow,
                              static_cast<std::uint8_t>(flow < 60 ? 0x11 : members[flow]));
        return services.members_of(row);
    };
    EXPECT_EQ(come_back(kService), std::vector(members.begin(), members.begin() + 60));
    EXPECT_EQ(services.world.exits(), (std::map<std::string, std::uint64_t>{{"loop_guard", 4}}));
    const auto of_two = come_back(kOther);
    EXPECT_EQ(std::vector(of_two.begin() + 1, of_two.end()),
              std::vector(members.begin() + 1, members.begin() + 60));
    EXPECT_EQ(services.world.exits(), (std::map<std::string, std::uint64_t>{{"loop_guard", 8}}));
}

TEST_P(Groups, FlowsGoToTheBackupWhenNoMemberLives) {
    Services services{GetParam(), false};
    std::vector<Bytes> row;
    for (unsigned flow = 0; flow < 64; ++flow) row.push_back(frame(kService, flow));
    services.members_of(row);
    auto& table = *services.tables[0];
    const auto backup = services.world.hops.take();
    services.world.hop(backup,
                       Hop::forward(Services::member_mac(9), {{2, 0, 0, 0, 0, 2}}, 1, 1500));
    table.backup = backup;
    std::vector<HopId> members;
    for (std::uint32_t b = 0; b < table.size(); ++b) members.push_back(table.buckets[b].hop);
    std::ranges::sort(members);
    members.erase(std::ranges::unique(members).begin(), members.end());
    for (std::size_t i = 1; i < members.size(); ++i)
        services.world.hop(members[i], Hop::of(HopKind::Unreachable));
    // While one is left it has them all.
    const auto last = services.members_of(row);
    EXPECT_EQ(last, std::vector<unsigned>(64, last[0]));
    EXPECT_LT(last[0], kMembers);
    services.world.hop(members[0], Hop::of(HopKind::Unreachable));
    EXPECT_EQ(services.members_of(row), std::vector<unsigned>(64, 9));
    services.world.hop(backup, Hop::of(HopKind::Unreachable));
    services.world.receive(row);
    EXPECT_EQ(services.world.exits().at("ip4_unreachable"), 64u);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Groups,
                         testing::Values(LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512));

}  // namespace
}  // namespace torii::dataplane
