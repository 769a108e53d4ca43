#pragma once

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {

inline constexpr RemoteAs kExternal{RemoteAs::Kind::External, 0};
inline constexpr RemoteAs kInternal{RemoteAs::Kind::Internal, 0};

struct PeerGroup : testing::Test {
    void SetUp() override {
        wanted = settings();
        wanted.groups = {group("nodes", kExternal)};
        wanted.ranges = {{prefix("10.99.0.0/16"), "nodes", 0}};
        world.speaker->apply(wanted);
        ASSERT_TRUE(world.speaker->start());
    }
    std::vector<AppliedChange> apply() {
        auto changes = world.speaker->apply(wanted);
        world.settle();
        return changes;
    }
    PeerSettings& nodes() { return wanted.groups[0].peer; }
    static int cease_of(const RawPeer& peer) {
        return peer.notification && peer.notification->code == ErrorCode::Cease
                   ? peer.notification->subcode
                   : -1;
    }
    World world;
    SpeakerSettings wanted;
};

}  // namespace torii::bgp::test
