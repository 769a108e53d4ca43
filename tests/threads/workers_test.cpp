// Workers that run while control changes all that they read.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/shared_word.hpp"
#include "dataplane/worker/capture.hpp"
#include "tests/threads/gateway_world.hpp"

namespace torii::threads {
namespace {

using namespace dataplane;

IpAddress ip(const std::string& text) {
    return *IpAddress::parse(text);
}

constexpr rib::GroupId kGroups = 6;
constexpr int kMembers = 8;

IpAddress member(int n) {
    return ip((n % 2 ? "10.1.0." : "10.2.0.") + std::to_string(100 + n));
}

// A random step of what routes, groups and neighbors do.
void change(GatewayWorld& world, std::mt19937& random) {
    const auto n = static_cast<int>(random() % kMembers);
    const auto port = static_cast<PortIndex>(n % 2 ? 0 : 1);
    const auto group = static_cast<rib::GroupId>(1 + random() % kGroups);
    rib::FibDelta delta;
    switch (random() % 6) {
        case 0: {
            rib::GroupChange wanted{group, {}};
            const auto size = 1 + random() % 4;
            for (std::size_t i = 0; i < size; ++i) {
                const auto m = static_cast<int>((n + static_cast<int>(i)) % kMembers);
                wanted.members.push_back({member(m), static_cast<PortIndex>(m % 2 ? 0 : 1), 1});
            }
            delta.groups.push_back(wanted);
            break;
        }
        case 1: {
            const auto prefix = "10.100." + std::to_string(random() % 16) + ".0/24";
            if (random() % 3)
                delta.prefixes.push_back(
                    {*Prefix::parse(prefix), rib::FibAction{rib::RouteKind::Forward, 0, group}});
            else
                delta.prefixes.push_back({*Prefix::parse(prefix), std::nullopt});
            break;
        }
        case 2: {
            const auto prefix = "fd00:64:" + std::to_string(random() % 8) + "::/64";
            if (random() % 3)
                delta.prefixes.push_back(
                    {*Prefix::parse(prefix), rib::FibAction{rib::RouteKind::Forward, 0, group}});
            else
                delta.prefixes.push_back({*Prefix::parse(prefix), std::nullopt});
            break;
        }
        case 3:
            delta.prefixes.push_back(
                {*Prefix::parse("10.96.0." + std::to_string(1 + random() % 4) + "/32"),
                 rib::FibAction{rib::RouteKind::Forward, 0, group}});
            break;
        case 4:
            if (auto* neighbor = world.neighbors.find(port, member(n))) {
                neighbor->state = NeighborState::Reachable;
                const MacAddress mac{{2, 0, 0, 0, 1, static_cast<std::uint8_t>(n)}};
                world.publisher.neighbor_changed(*neighbor, Hop::forward(mac, {}, port, 1500));
            }
            return;
        default:
            if (auto* neighbor = world.neighbors.find(port, member(n))) {
                neighbor->state = NeighborState::Failed;
                world.publisher.neighbor_changed(*neighbor, Hop::of(HopKind::Unreachable));
            }
            return;
    }
    world.publisher.apply(delta);
}

std::uint64_t total(const GatewayWorld& world) {
    std::uint64_t sum = 0;
    for (const auto& w : world.workers) {
        for (const auto& count : w->counters.rx) sum += read_shared(count.packets);
        for (const auto& row : w->counters.exits)
            for (const auto& exit : row) sum += read_shared(exit);
    }
    return sum;
}

TEST(WorkerThreads, ForwardWhileRoutesGroupsNeighborsPortsAndQueuesChange) {
    GatewayWorld world;
    std::mt19937 random{7};
    for (rib::GroupId group = 1; group <= kGroups; ++group) {
        rib::FibDelta delta;
        delta.groups.push_back({group, {{member(0), 1, 1}, {member(1), 0, 1}}});
        world.publisher.apply(delta);
    }
    world.start();
    CaptureFilter everything;
    everything.points.set();
    std::unique_ptr<CaptureRing> captures[GatewayWorld::kWorkers];
    std::uint64_t captured = 0, seen = 0;
    for (unsigned round = 0; round < 3000; ++round) {
        change(world, random);
        world.publisher.refill(4);
        if (round % 16 == 0) world.publisher.settle(round);
        if (round % 64 == 0) world.publish_port(round / 64 % 2, round % 128 ? 1500 : 1280);
        if (round % 100 == 0) world.publish_queues();
        if (round % 500 == 0)
            for (unsigned i = 0; i < GatewayWorld::kWorkers && !captures[i]; ++i) {
                captures[i] = std::make_unique<CaptureRing>(everything);
                world.workers[i]->capture.store(captures[i].get(), std::memory_order_release);
            }
        CapturedFrame frame;
        for (const auto& ring : captures)
            while (ring && ring->take(frame)) ++captured;
        // What the kernel sends goes out by a worker.
        if (round % 10 == 0) {
            const std::uint8_t from_kernel[60] = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1, 8, 6};
            ::send(world.kernel[round % 2], from_kernel, sizeof from_kernel, 0);
        }
        world.control_turn();
        if (round % 50 == 0) {
            const auto now = total(world);
            ASSERT_GE(now, seen);
            seen = now;
            std::this_thread::yield();
        }
    }
    for (int wait = 0; wait < 200 && (world.held == 0 || world.punted == 0); ++wait) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        world.control_turn();
    }
    world.stop();
    EXPECT_GT(world.devices[0]->sent() + world.devices[1]->sent(), 0u);
    EXPECT_GT(world.held, 0u);
    EXPECT_GT(world.punted, 0u);
    EXPECT_GT(captured, 0u);
    EXPECT_GT(seen, 0u);
}

TEST(WorkerThreads, WatchNeighborsWhileControlOpensChangesAndClosesSessions) {
    GatewayWorld world;
    world.start();
    std::mt19937 random{3};
    LivenessProfile profile;
    profile.watch = {Detect::Echo, 10'000, 3};
    for (unsigned round = 0; round < 1500; ++round) {
        const auto n = static_cast<int>(random() % kMembers);
        const auto port = static_cast<PortIndex>(n % 2 ? 0 : 1);
        auto* watched = world.monitor->find(port, member(n));
        if (watched == nullptr) {
            watched = world.monitor->open(port, member(n), profile, {0, 1});
            ASSERT_NE(watched, nullptr);
            const MacAddress theirs{{2, 0, 0, 0, 1, static_cast<std::uint8_t>(n)}};
            world.monitor->locate(
                *watched,
                {theirs, {{2, 0, 0, 0, 0, 1}}, member(n), ip(port == 0 ? "10.1.0.1" : "10.2.0.1")});
        } else if (random() % 4 == 0) {
            world.monitor->close(*watched);
        } else {
            auto other = profile;
            other.watch.interval = random() % 2 ? 10'000 : 15'000;
            world.monitor->change(*watched, other);
        }
        world.control_turn();
        if (round % 20 == 0) {
            world.monitor->tick();
            world.monitor->views();
            world.monitor->counters();
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }
    // Each session that is still open has sent echoes, which nobody answers.
    const auto silent = [&] {
        for (const auto& view : world.monitor->views())
            if (view.echoes_sent == 0) return true;
        return false;
    };
    for (int wait = 0; wait < 500 && silent(); ++wait) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        world.control_turn();
    }
    EXPECT_FALSE(silent());
    EXPECT_GT(world.monitor->size(), 0u);
    EXPECT_GT(world.devices[0]->sent() + world.devices[1]->sent(), 0u);
    world.stop();
}

}  // namespace
}  // namespace torii::threads
