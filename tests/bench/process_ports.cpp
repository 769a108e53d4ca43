// Emulated NIC queues behind the net_null devices of a process that was not built for them:
// toriid, or the loop that it is compared with. Preloaded, it takes the place of
// rte_eth_dev_start() and of what comes before. Port 0 is the source: it receives as much as it
// is asked for and measures how long that takes. By the environment:
//
//   PROCESS_FLOWS   file with headers of 64 octets, which port 0 receives in turn
//   PROCESS_LENGTH  of the frames
//   PROCESS_RESULT  file that the result is written to, as JSON, once all packets that are
//                   received are sent and PROCESS_SLICES (1,000) slices are measured
#include <dlfcn.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "tests/support/emulated_port.hpp"

namespace {

using torii::support::EmulatedPort;

constexpr std::uint64_t kSlice = 20'000;  // packets of one timing
constexpr unsigned kSteady = 100;         // slices without a loss, before the first that counts

template <class F>
F* next(const char* name) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

// Written before the workers start, then by the one that polls port 0.
std::unique_ptr<EmulatedPort> ports[RTE_MAX_ETHPORTS];
rte_mempool* pools[RTE_MAX_ETHPORTS];
eth_rx_burst_t receive_from;

std::uint64_t all_sent() {
    std::uint64_t sent = 0;
    for (const auto& port : ports)
        if (port != nullptr) sent += port->sent();
    return sent;
}

class Measurement {
public:
    void count(unsigned n) {
        packets_ += n;
        if (packets_ - began_at_ >= kSlice && !done_) end_slice();
    }

private:
    void end_slice() {
        const auto now = rte_rdtsc_precise();
        rusage usage{};
        ::getrusage(RUSAGE_THREAD, &usage);
        const auto sent = all_sent();
        if (began_ != 0) {
            const auto received = packets_ - began_at_;
            // A burst may wait in the router.
            const bool lossless = sent - sent_at_ + 64 * RTE_MAX_ETHPORTS >= received;
            steady_ = lossless ? steady_ + 1 : 0;
            if (steady_ == kSteady) measured_from_ = packets_, sent_from_ = sent;
            if (steady_ > kSteady) {
                if (usage.ru_nivcsw == switches_)
                    slices_.push_back(static_cast<double>(now - began_) /
                                      static_cast<double>(received));
                else
                    ++rejected_;
            } else {
                slices_.clear();
            }
            if (slices_.size() >= wanted_) report(sent);
        }
        sent_at_ = sent;
        switches_ = usage.ru_nivcsw;
        began_at_ = packets_;
        began_ = rte_rdtsc_precise();
    }
    void report(std::uint64_t sent) {
        done_ = true;
        std::ranges::sort(slices_);
        const auto at = [&](std::size_t percent) {
            return slices_[slices_.size() * percent / 100];
        };
        std::ofstream{std::getenv("PROCESS_RESULT")}
            << "{\"quiet\":" << at(5) << ",\"median\":" << at(50) << ",\"rejected\":" << rejected_
            << ",\"received\":" << packets_ - measured_from_ << ",\"sent\":" << sent - sent_from_
            << "}\n";
    }

    const std::size_t wanted_ = std::getenv("PROCESS_SLICES") != nullptr
                                    ? std::strtoul(std::getenv("PROCESS_SLICES"), nullptr, 10)
                                    : 1000;
    std::uint64_t packets_ = 0, began_ = 0, began_at_ = 0, sent_at_ = 0;
    std::uint64_t measured_from_ = 0, sent_from_ = 0;
    long switches_ = 0;
    unsigned steady_ = 0, rejected_ = 0;
    bool done_ = false;
    std::vector<double> slices_;
};
Measurement measurement;

std::uint16_t receive(void* queue, rte_mbuf** packets, std::uint16_t n) {
    const auto got = receive_from(queue, packets, n);
    measurement.count(got);
    return got;
}

std::vector<EmulatedPort::Template> flows() {
    std::ifstream file{std::getenv("PROCESS_FLOWS"), std::ios::binary};
    const std::vector<char> octets{std::istreambuf_iterator<char>{file}, {}};
    std::vector<EmulatedPort::Template> out;
    for (std::size_t at = 0; at + 64 <= octets.size(); at += 64)
        out.emplace_back(octets.begin() + static_cast<std::ptrdiff_t>(at),
                         octets.begin() + static_cast<std::ptrdiff_t>(at) + 64);
    return out;
}

}  // namespace

extern "C" {

int rte_eth_dev_info_get(std::uint16_t device, rte_eth_dev_info* info) {
    const int error = next<decltype(rte_eth_dev_info_get)>("rte_eth_dev_info_get")(device, info);
    info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    return error;
}

int rte_eth_rx_queue_setup(std::uint16_t device, std::uint16_t queue, std::uint16_t descriptors,
                           unsigned socket, const rte_eth_rxconf* conf, rte_mempool* pool) {
    pools[device] = pool;
    return next<decltype(rte_eth_rx_queue_setup)>("rte_eth_rx_queue_setup")(
        device, queue, descriptors, socket, conf, pool);
}

int rte_eth_dev_start(std::uint16_t device) {
    const int error = next<decltype(rte_eth_dev_start)>("rte_eth_dev_start")(device);
    if (error != 0) return error;
    ports[device] = std::make_unique<EmulatedPort>(device, pools[device]);
    if (device != 0) return 0;
    ports[0]->source(flows(), static_cast<std::uint16_t>(std::atoi(std::getenv("PROCESS_LENGTH"))));
    auto& ops = rte_eth_fp_ops[0];
    receive_from = ops.rx_pkt_burst;
    ops.rx_pkt_burst = receive;
    return 0;
}

int rte_eth_dev_stop(std::uint16_t device) {
    ports[device].reset();
    return next<decltype(rte_eth_dev_stop)>("rte_eth_dev_stop")(device);
}

}  // extern "C"
