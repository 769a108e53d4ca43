#pragma once

#include <rte_ethdev.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/event.hpp"
#include "dataplane/fib/publisher.hpp"
#include "dataplane/kernel_path/exception_thread.hpp"
#include "dataplane/liveness/detector.hpp"
#include "dataplane/liveness/monitor.hpp"
#include "dataplane/worker/worker.hpp"
#include "tests/threads/world.hpp"

// Two workers that run, the exception thread, and the test's own thread as control.
//
//      device 0 --- worker 0 ---+           10.1.0.0/24, 2001:db8:1::/64 on port 0
//                               +--- any device's queue of that worker
//      device 1 --- worker 1 ---+           10.2.0.0/24, 2001:db8:2::/64 on port 1
namespace torii::threads {

using Frame = std::vector<std::uint8_t>;

// A device whose receive queue repeats some frames, and whose transmit queues (one a
// worker) count and free what they are given.
class SourceAndSink {
public:
    SourceAndSink(std::uint16_t device, rte_mempool* pool, std::vector<Frame> frames);
    ~SourceAndSink();
    SourceAndSink(const SourceAndSink&) = delete;
    SourceAndSink& operator=(const SourceAndSink&) = delete;

    std::uint64_t sent() const;

private:
    struct alignas(64) Queue {
        std::atomic<std::uint64_t> packets{0};
    };
    static std::uint16_t receive(void* self, rte_mbuf** packets, std::uint16_t n);
    static std::uint16_t send(void* queue, rte_mbuf** packets, std::uint16_t n);

    std::uint16_t device_;
    rte_mempool* pool_;
    std::vector<Frame> frames_;
    std::size_t next_ = 0;
    Queue sent_[2];
    void* rx_queues_[1];
    void* tx_queues_[2];
    struct rte_eth_fp_ops before_;
};

struct GatewayWorld {
    static constexpr unsigned kWorkers = 2;

    GatewayWorld();
    ~GatewayWorld();

    void start();  // workers and exception thread
    void stop();

    // What control does each turn besides what a test asks for: takes what workers hand
    // over, reads their counters, frees what nobody sees.
    void control_turn();

    void publish_port(dataplane::PortIndex port, std::uint16_t mtu);
    void publish_queues();

    struct Silent : EventSink {
        void emit(Event) override {}
    } events;
    rte_mempool* pool = make_pool(16'383);
    dataplane::Quiescence quiescence{kWorkers};
    dataplane::Fib4 fib4{10'000, 1'000, quiescence};
    dataplane::Fib6 fib6{10'000, 1'000, quiescence};
    dataplane::HopTable hops{4096, quiescence};
    dataplane::Neighbors neighbors{hops, 500};
    dataplane::Publisher publisher{fib4, fib6, hops, neighbors, quiescence, events, 512};
    dataplane::Retired<std::shared_ptr<const void>> retired{quiescence};
    dataplane::Tables tables;
    std::vector<std::unique_ptr<dataplane::Worker>> workers;
    std::unique_ptr<dataplane::liveness::Monitor> monitor;
    std::vector<std::unique_ptr<dataplane::liveness::Detector>> detectors;
    std::unique_ptr<dataplane::ExceptionThread> exception;
    std::unique_ptr<SourceAndSink> devices[2];
    int kernel[2] = {-1, -1};  // the far ends of the twins
    std::uint64_t held = 0, punted = 0;

private:
    std::vector<RingPtr> rings_;
    std::shared_ptr<const dataplane::PortState> ports_[2];
    std::shared_ptr<const std::vector<dataplane::ReceiveQueue>> queues_[kWorkers];
    std::shared_ptr<const dataplane::OwnFilter> own_;
    dataplane::Doorbell bell_;
    int twins_[2] = {-1, -1};
    std::vector<std::thread> threads_;
};

}  // namespace torii::threads
