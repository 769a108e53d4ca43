// Sessions between control, which makes and frees them, and the rings to their worker.
#include "dataplane/liveness/monitor.hpp"

#include <gtest/gtest.h>
#include <rte_cycles.h>
#include <rte_ring.h>

#include "dataplane/liveness/detector.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane::liveness {
namespace {

IpAddress host(std::uint32_t n) {
    return IpAddress::v4(0x0a010000 + n);
}

struct MonitorWorld : testing::Test {
    support::PacketWorld world;
    rte_ring* orders = rte_ring_create("m_orders", 1024, 0, 0);
    rte_ring* reports = rte_ring_create("m_reports", 1024, 0, 0);
    std::vector<std::shared_ptr<const void>> retired;
    Monitor monitor{512, [this](std::shared_ptr<const void> thing) { retired.push_back(thing); },
                    [](Watched&, NeighborVerdict) {}};
    std::unique_ptr<Detector> detector;

    MonitorWorld() {
        monitor.add_lane(orders, reports);
        monitor.roster().inject[0] = world.worker->inject;
        detector =
            std::make_unique<Detector>(monitor.roster(), rte_get_tsc_hz(), 1, orders, reports);
        world.worker->liveness = detector.get();
        world.worker->now = rte_get_tsc_hz();
    }
    ~MonitorWorld() override {
        rte_ring_free(orders);
        rte_ring_free(reports);
    }
    Watched& open(std::uint32_t n) {
        LivenessProfile profile;
        auto* watched = monitor.open(0, host(n), profile, {0});
        monitor.locate(*watched, {{{2, 0, 0, 0, 1, 1}}, {{2, 0, 0, 0, 0, 1}}, host(n), host(1)});
        return *watched;
    }
    void turn() {
        world.worker->now += rte_get_tsc_hz() / 1000;
        detector->turn(*world.worker);
        world.drop_sent();
        monitor.poll();
    }
    bool is_retired(const void* session) const {
        for (const auto& thing : retired)
            if (thing.get() == session) return true;
        return false;
    }
};

TEST_F(MonitorWorld, FreesASessionWhenNoOrderNamesItAnyMore) {
    auto& watched = open(5);
    turn();
    // More orders than a worker takes in a turn, and two that name this session.
    LivenessProfile other;
    other.watch.interval = 50'000;
    monitor.change(watched, other);
    for (std::uint32_t n = 100; n < 300; ++n) open(n);
    const void* session = watched.session.get();
    monitor.close(watched);
    turn();
    EXPECT_FALSE(is_retired(session));
    for (int i = 0; i < 8; ++i) turn();
    monitor.tick();
    EXPECT_TRUE(is_retired(session));
    EXPECT_EQ(monitor.size(), 200u);
}

}  // namespace
}  // namespace torii::dataplane::liveness
