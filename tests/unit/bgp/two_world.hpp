#pragma once

#include <array>
#include <functional>

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {

// Two external neighbors, and an internal one that is not up.
struct Two : testing::Test {
    void SetUp() override {
        wanted = settings();
        wanted.neighbors = {neighbor("10.99.0.1", 65001), neighbor("10.99.0.2", 65002),
                            neighbor("10.99.0.3", 65000)};
    }
    PeerSettings& of(std::size_t i) { return wanted.neighbors[i].peer; }
    void start(Capabilities of_b = World::defaults(), Capabilities of_a = World::defaults()) {
        world.speaker->apply(wanted);
        ASSERT_TRUE(world.speaker->start());
        a = world.up("10.99.0.1", 65001, of_a);
        b = world.up("10.99.0.2", 65002, of_b);
    }
    void apply() {
        world.speaker->apply(wanted);
        world.settle();
    }
    void teach(std::string_view p, std::vector<std::uint32_t> path = {65001},
               std::function<void(Attributes&)> more = {}) {
        a->send(announce({p}, std::move(path), "10.99.0.1", std::move(more)));
        world.settle();
    }
    static std::function<void(Attributes&)> community(std::uint32_t value) {
        return [value](Attributes& attributes) {
            static std::array<std::uint8_t, 4> bytes;
            for (std::size_t i = 0; i < 4; ++i)
                bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
            attributes.set(Attribute::Communities);
            attributes.communities = bytes;
        };
    }
    Bytes path_told(std::string_view p) { return b->routes.at(prefix(p)).attributes.at(2); }
    World world;
    SpeakerSettings wanted;
    std::shared_ptr<RawPeer> a, b;
};

}  // namespace torii::bgp::test
