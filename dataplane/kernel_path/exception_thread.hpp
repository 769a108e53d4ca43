#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/system_error.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// Carries frames between the workers' rings and the kernel's netdevs. A thread of
// its own, so that a flood costs neither workers nor control a system call. It
// sleeps in epoll; workers ring the bell only then.
class ExceptionThread {
public:
    static Result<std::unique_ptr<ExceptionThread>, SystemError> start(
        std::span<const std::unique_ptr<Worker>> workers, rte_mempool* pool);
    ~ExceptionThread();  // joins
    ExceptionThread(const ExceptionThread&) = delete;
    ExceptionThread& operator=(const ExceptionThread&) = delete;

    Doorbell& bell() { return bell_; }

    // Control thread. The descriptors stay the caller's; add before traffic needs them.
    void add_twin(PortIndex port, int fd);
    void add_tun(int fd);
    void forget_twin(PortIndex port);  // its netdev is gone

    std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
    void stop();

private:
    ExceptionThread() = default;
    void loop();
    unsigned to_kernel();
    unsigned from_kernel(PortIndex source, int fd);
    void watch(PortIndex source, int fd);
    bool inject(rte_mbuf* m);

    std::span<const std::unique_ptr<Worker>> workers_;
    rte_mempool* pool_ = nullptr;
    int epoll_ = -1;
    Doorbell bell_;
    std::array<std::atomic<int>, kMaxPorts + 1> fds_;  // by port; the last is the TUN
    std::atomic<std::uint64_t> lost_{0};               // the kernel's, for want of buffers
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace torii::dataplane
