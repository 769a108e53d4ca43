#include "dataplane/kernel_path/exception_thread.hpp"

#include <pthread.h>
#include <rte_ring.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::dataplane {
namespace {

constexpr std::uint32_t kBell = 0xffff;
constexpr unsigned kReadBurst = 64;  // of one netdev in a turn
constexpr int kMaxSegments = 8;

// How many packets of each class a turn carries: the urgent ones first, and a
// flood of the others never for long.
constexpr unsigned kTurn[kPuntClasses] = {256, 64, 64, 64, 64, 32, 32, 16, 16};

void write_frame(int fd, const rte_mbuf* m) {
    iovec parts[kMaxSegments];
    int n = 0;
    for (; m != nullptr && n < kMaxSegments; m = m->next)
        parts[n++] = {rte_pktmbuf_mtod(m, void*), m->data_len};
    // A full netdev loses frames like any other.
    [[maybe_unused]] const auto written = ::writev(fd, parts, n);
}

}  // namespace

Result<std::unique_ptr<ExceptionThread>, SystemError> ExceptionThread::start(
    std::span<const std::unique_ptr<Worker>> workers, rte_mempool* pool) {
    std::unique_ptr<ExceptionThread> t{new ExceptionThread};
    t->workers_ = workers;
    t->pool_ = pool;
    for (auto& fd : t->fds_) fd.store(-1);
    t->epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    t->bell_.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (t->epoll_ < 0 || t->bell_.fd < 0) return Failure{last_system_error("exception path")};
    epoll_event event{EPOLLIN, {.u32 = kBell}};
    ::epoll_ctl(t->epoll_, EPOLL_CTL_ADD, t->bell_.fd, &event);
    t->thread_ = std::thread([p = t.get()] { p->loop(); });
    ::pthread_setname_np(t->thread_.native_handle(), "torii-exception");
    return t;
}

ExceptionThread::~ExceptionThread() {
    stop();
    if (epoll_ >= 0) ::close(epoll_);
    if (bell_.fd >= 0) ::close(bell_.fd);
}

void ExceptionThread::stop() {
    if (!thread_.joinable()) return;
    stop_.store(true);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(bell_.fd, &one, sizeof one);
    thread_.join();
}

void ExceptionThread::watch(PortIndex source, int fd) {
    fds_[source].store(fd, std::memory_order_release);
    epoll_event event{EPOLLIN, {.u32 = source}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}
void ExceptionThread::add_twin(PortIndex port, int fd) {
    watch(port, fd);
}
void ExceptionThread::add_tun(int fd) {
    watch(kFromKernel, fd);
}

// Its descriptor would be readable for ever, and give nothing but an error.
void ExceptionThread::forget_twin(PortIndex port) {
    const int fd = fds_[port].exchange(-1, std::memory_order_acq_rel);
    if (fd >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void ExceptionThread::loop() {
    epoll_event events[32];
    bool idle = false;
    while (!stop_.load(std::memory_order_relaxed)) {
        int timeout = 0;
        if (idle) {
            bell_.asleep.store(true);
            std::atomic_thread_fence(std::memory_order_seq_cst);
            if (to_kernel() == 0) timeout = 1000;
        }
        const int n = ::epoll_wait(epoll_, events, 32, timeout);
        if (idle) bell_.asleep.store(false);
        unsigned moved = to_kernel();
        for (int i = 0; i < n; ++i) {
            if (events[i].data.u32 == kBell) {
                std::uint64_t rings = 0;
                [[maybe_unused]] const auto got = ::read(bell_.fd, &rings, sizeof rings);
                ++moved;
                continue;
            }
            const auto source = static_cast<PortIndex>(events[i].data.u32);
            if (const int fd = fds_[source].load(std::memory_order_acquire); fd >= 0)
                moved += from_kernel(source, fd);
        }
        idle = moved == 0;
    }
}

unsigned ExceptionThread::to_kernel() {
    unsigned moved = 0;
    for (std::size_t c = 0; c < kPuntClasses; ++c)
        for (const auto& worker : workers_) {
            rte_mbuf* packets[256];
            const unsigned n = ring_take(worker->punt[c], packets, kTurn[c]);
            for (unsigned i = 0; i < n; ++i) {
                const int fd = fds_[note(packets[i]).port].load(std::memory_order_acquire);
                if (fd >= 0) write_frame(fd, packets[i]);
            }
            if (n != 0) rte_pktmbuf_free_bulk(packets, n);
            moved += n;
        }
    return moved;
}

bool ExceptionThread::inject(rte_mbuf* m) {
    // One flow of the kernel stays with one worker: they all come by the same netdev.
    auto& worker = *workers_[note(m).port % workers_.size()];
    if (ring_put(worker.inject, m)) return true;
    rte_pktmbuf_free(m);
    lost_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

unsigned ExceptionThread::from_kernel(PortIndex source, int fd) {
    unsigned n = 0;
    for (; n < kReadBurst; ++n) {
        auto* m = rte_pktmbuf_alloc(pool_);
        if (m == nullptr) {
            lost_.fetch_add(1, std::memory_order_relaxed);
            return n;
        }
        const bool packet = source == kFromKernel;
        auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
        const std::uint32_t offset = packet ? kEtherHeader : 0;
        const auto got = ::read(fd, frame + offset, rte_pktmbuf_tailroom(m) - offset);
        if (got <= 0 || (packet && got < static_cast<ssize_t>(kIp4Header)) ||
            (!packet && got < static_cast<ssize_t>(kEtherHeader))) {
            rte_pktmbuf_free(m);
            if (got > 0) continue;
            return n;
        }
        m->data_len = static_cast<std::uint16_t>(static_cast<std::uint32_t>(got) + offset);
        m->pkt_len = m->data_len;
        if (packet) write16(frame + 12, frame[14] >> 4 == 4 ? kEtherIp4 : kEtherIp6);
        note(m).kind = packet ? BufferNote::Kind::KernelPacket : BufferNote::Kind::KernelFrame;
        note(m).port = source;
        inject(m);
    }
    return n;
}

}  // namespace torii::dataplane
