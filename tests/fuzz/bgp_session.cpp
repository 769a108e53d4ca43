// A session as a whole: whatever bytes arrive in whatever state, the speaker
// lives and the other peer keeps its session.
#include <cstdlib>

#include "tests/unit/bgp/raw_peer.hpp"

using namespace torii::bgp;
using namespace torii::bgp::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    World world;
    auto s = settings();
    s.groups = {group("nodes", {RemoteAs::Kind::External, 0})};
    s.ranges = {{prefix("10.99.0.0/16"), "nodes", 0}};
    world.speaker->apply(s);
    if (!world.speaker->start()) std::abort();
    const auto good = world.up("10.99.0.1", 65001);
    const auto bad = data[0] & 1 ? world.up("10.99.0.2", 65002) : world.connect("10.99.0.2");
    // In pieces: messages arrive as TCP likes.
    const std::size_t step = 1 + (data[0] >> 1) * 8u;
    for (std::size_t at = 1; at < size; at += step) {
        bad->send({data + at, std::min(step, size - at)});
        world.settle();
    }
    if (world.view("10.99.0.1").state != "Established") std::abort();
    return 0;
}
