// What liveness costs a worker, how fast it finds deaths, and what a death costs control.
//
//   liveness cost     cycles a packet and share of a core at 1,000 and 5,000 neighbors
//                     every 50 ms, by echo and by BFD; forwarding with and without
//   liveness detect   1,000 induced deaths at 3 x 50 ms, by echo and by BFD
//   liveness forged   BFD sessions beside a million forged packets a second
//   liveness prune    10,000 service addresses on 100 nodes, one of which dies
//
// One JSON line each, with the bars it must hold; 1 at the end when one was missed.
// Neighbors are a port in memory that answers as they would.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include "tests/bench/hugepages.hpp"
#include "tests/bench/liveness_node.hpp"

namespace torii::bench {
namespace {

constexpr std::uint32_t kInterval = 50'000;

// A link whose other end answers: echoes come back, BFD packets are answered by one.
class AnsweringPort {
public:
    AnsweringPort(std::uint16_t device, std::uint32_t neighbors) : dead(neighbors, 0) {
        rx_[0] = tx_[0] = this;
        auto& ops = rte_eth_fp_ops[device];
        ops.rxq.data = rx_;
        ops.txq.data = tx_;
        ops.rx_pkt_burst = receive;
        ops.tx_pkt_burst = send;
    }

    std::vector<char> dead;
    std::uint64_t cycles = 0;  // spent here, which no real link costs
    std::uint64_t sent = 0;

private:
    static std::uint16_t receive(void* self, rte_mbuf** packets, std::uint16_t n) {
        auto& port = *static_cast<AnsweringPort*>(self);
        const auto begin = rte_rdtsc();
        const auto take = std::min<std::size_t>(n, port.waiting_.size());
        std::copy_n(port.waiting_.begin(), take, packets);
        port.waiting_.erase(port.waiting_.begin(),
                            port.waiting_.begin() + static_cast<std::ptrdiff_t>(take));
        port.cycles += rte_rdtsc() - begin;
        return static_cast<std::uint16_t>(take);
    }
    static std::uint16_t send(void* self, rte_mbuf** packets, std::uint16_t n) {
        auto& port = *static_cast<AnsweringPort*>(self);
        const auto begin = rte_rdtsc();
        port.sent += n;
        for (unsigned i = 0; i < n; ++i) port.answer(packets[i]);
        port.cycles += rte_rdtsc() - begin;
        return n;
    }
    void answer(rte_mbuf* m) {
        auto* f = rte_pktmbuf_mtod(m, std::uint8_t*);
        auto* payload = f + 42;
        const auto ours = read32(payload + 4);
        if (read16(f + 12) != kEtherIp4 || dead[ours & 0xffff]) return rte_pktmbuf_free(m);
        std::memcpy(f, f + 6, 6);
        if (read16(f + 36) == bfd::kEchoPort) {
            --f[22];
        } else {
            const auto packet = bfd::decode({payload, bfd::kMandatory});
            bfd::Packet back = *packet;
            back.my_discriminator = 0x80000000 | ours;
            back.your_discriminator = ours;
            back.state = packet->state == bfd::State::Down ? bfd::State::Init : bfd::State::Up;
            back.poll = false;
            back.final = packet->poll;
            bfd::encode(back, bfd::kMandatory, payload);
            std::swap_ranges(f + 26, f + 30, f + 30);
            finish_udp(f, 42, bfd::kMandatory);
        }
        write16(f + 24, 0);
        write16(f + 24, checksum(f + 14, 20));
        waiting_.push_back(m);
    }

    std::deque<rte_mbuf*> waiting_;
    void* rx_[1];
    void* tx_[1];
};

bool cost(rte_mempool* pool, std::uint32_t neighbors, bool by_bfd) {
    AnsweringPort link{1, 65'536};
    Node node{pool};
    node.queues = {{1, 1, 0}};
    node.watch(neighbors, kInterval, by_bfd);
    node.settle(by_bfd);
    const auto before = link.sent;
    // Cycles of loops that did something, less the port's own in these.
    std::uint64_t spent = 0;
    const auto begin = rte_rdtsc();
    const auto end = begin + 3 * rte_get_tsc_hz();
    for (auto now = begin; now < end;) {
        const auto sent = link.sent, ports = link.cycles;
        const auto seen = node.loop();
        const auto after = rte_rdtsc();
        if (seen != 0 || link.sent != sent) spent += after - now - (link.cycles - ports);
        now = after;
    }
    const auto pairs = link.sent - before;
    std::printf(
        "{\"name\":\"liveness-cost\",\"by\":\"%s\",\"neighbors\":%u,\"interval_ms\":50,"
        "\"packets_per_second\":%.0f,\"cycles_per_exchange\":%.0f,\"core_share\":%.4f,"
        "\"up\":%zu",
        by_bfd ? "bfd" : "echo", neighbors, double(pairs) / 3,
        double(spent) / double(std::max<std::uint64_t>(pairs, 1)),
        double(spent) / double(end - begin), node.up(by_bfd));
    return end_line("liveness-cost",
                    {at_least("up", node.up(by_bfd), neighbors),
                     at_least("cycles_per_exchange",
                              double(spent) / double(std::max<std::uint64_t>(pairs, 1)), 1)});
}

// Packets a second through the gateway, as it is and beside that many neighbors.
bool forwarding(rte_mempool* pool, std::uint32_t neighbors) {
    EmulatedPort in{0, pool}, out{2, pool};
    AnsweringPort link{1, 65'536};
    Node node{pool};
    const auto hop = node.hops.take();
    node.hops.write(hop, Hop::forward({{2, 9, 0, 0, 0, 2}}, port_mac(2), 2, 1500));
    std::vector<EmulatedPort::Template> flows;
    for (std::uint32_t i = 0; i < 1024; ++i) {
        node.fib4.set(0x0b000000 + (i << 8), 24, hop);
        for (int k = 0; k < 4; ++k) flows.push_back(ip4_frame(0x0b000001 + (i << 8)));
    }
    in.source(flows);
    const auto cycles_per_packet = [&] {
        node.run(0.5);
        const auto before = out.sent();
        link.cycles = 0;
        const auto begin = rte_rdtsc();
        node.run(3);
        return double(rte_rdtsc() - begin - link.cycles) / double(out.sent() - before);
    };
    const auto without = cycles_per_packet();
    node.watch(neighbors, kInterval, false);
    node.settle(false);
    const auto with = cycles_per_packet();
    const auto mpps = [](double cycles) { return double(rte_get_tsc_hz()) / cycles / 1e6; };
    std::printf(
        "{\"name\":\"liveness-forwarding\",\"neighbors\":%u,\"mpps_without\":%.2f,\"mpps\":%.2f,"
        "\"cycles_per_packet_without\":%.1f,\"cycles_per_packet\":%.1f,\"ratio\":%.3f,\"up\":%zu",
        neighbors, mpps(without), mpps(with), without, with, without / with, node.up(false));
    return end_line("liveness-forwarding", {at_least("up", node.up(false), neighbors)});
}

bool detect(rte_mempool* pool, bool by_bfd) {
    constexpr std::uint32_t kNeighbors = 1000;
    AnsweringPort link{1, 65'536};
    Node node{pool};
    node.queues = {{1, 1, 0}};
    node.watch(kNeighbors, kInterval, by_bfd);
    node.settle(by_bfd);
    // One after the other, a millisecond apart: each at another point of its interval.
    std::vector<Micros> died(kNeighbors, 0), found(kNeighbors, 0);
    std::uint32_t next = 0, seen = 0;
    const auto began = node.clock.at(rte_rdtsc());
    void* report = nullptr;
    while (rte_ring_dequeue(node.reports, &report) == 0)
        static_cast<Session*>(report)->reported = false;
    while (seen < kNeighbors && node.clock.at(rte_rdtsc()) < began + 10'000'000) {
        node.loop();
        const auto now = node.clock.at(rte_rdtsc());
        if (next < kNeighbors && now >= began + next * 1000) {
            link.dead[next] = 1;
            died[next++] = now;
        }
        while (rte_ring_dequeue(node.reports, &report) == 0) {
            auto& session = *static_cast<Session*>(report);
            session.reported = false;
            if (node.is_up(session, by_bfd) || found[session.slot] != 0) continue;
            found[session.slot] = now;
            ++seen;
        }
    }
    std::vector<double> took;
    unsigned false_alarms = 0, missed = 0;
    for (std::uint32_t i = 0; i < kNeighbors; ++i) {
        if (found[i] == 0)
            ++missed;
        else if (died[i] == 0 || found[i] < died[i])
            ++false_alarms;
        else
            took.push_back(double(found[i] - died[i]) / 1000);
    }
    std::ranges::sort(took);
    const auto at = [&](double q) {
        return took.empty() ? 0 : took[std::size_t(q * double(took.size() - 1))];
    };
    std::printf(
        "{\"name\":\"liveness-detect\",\"by\":\"%s\",\"deaths\":%zu,\"interval_ms\":50,"
        "\"multiplier\":3,\"min_ms\":%.1f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,"
        "\"false_alarms\":%u,\"missed\":%u",
        by_bfd ? "bfd" : "echo", took.size(), at(0), at(0.5), at(0.99), at(1), false_alarms,
        missed);
    return end_line("liveness-detect",
                    {at_most("max_ms", at(1), 200), at_most("false_alarms", false_alarms, 0),
                     at_least("deaths", took.size(), kNeighbors)});
}

bool forged(rte_mempool* pool) {
    constexpr std::uint32_t kNeighbors = 1000;
    EmulatedPort in{0, pool};
    AnsweringPort link{1, 65'536};
    Node node{pool};
    // Valid in all but one thing: hops, discriminator, sender.
    std::vector<EmulatedPort::Template> frames;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const Wire wire{port_mac(0), {{2, 9, 0, 0, 0, 3}}, kUs, neighbor_of(i % kNeighbors)};
        const auto headers = control_headers(wire, bfd::kSourcePort, bfd::kControlPort);
        EmulatedPort::Template f(headers.bytes.begin(), headers.bytes.begin() + headers.length);
        f.resize(headers.length + bfd::kMandatory);
        bfd::Packet p;
        p.my_discriminator = 7;
        p.your_discriminator = (i % 3 == 1 ? 0x20000u : 0x10000u) | i % kNeighbors;
        bfd::encode(p, bfd::kMandatory, f.data() + headers.length);
        finish_udp(f.data(), headers.length, bfd::kMandatory);
        write16(&f[40], 0);  // RFC 768: none; the port below carries 64 octets of a frame
        if (i % 3 == 0) f[22] = 254;
        write16(&f[24], 0);
        write16(&f[24], checksum(&f[14], 20));
        frames.push_back(f);
    }
    in.source(frames, static_cast<std::uint16_t>(42 + bfd::kMandatory));
    node.queues = {{1, 1, 0}};
    node.watch(kNeighbors, kInterval, true);
    node.settle(true);
    node.queues = {{0, 0, 0}, {1, 1, 0}};
    const auto before = in.received();
    const auto begin = rte_rdtsc();
    node.run(5);
    const auto seconds = double(rte_rdtsc() - begin) / double(rte_get_tsc_hz());
    unsigned down = 0;
    for (const auto& s : node.sessions) down += s->read().deaths != 0;
    std::string exits;
    for (std::size_t e = 0; e < kExits; ++e)
        if (const auto n = node.worker->counters.exits[0][e])
            exits += (exits.empty() ? "\"" : ",\"") + std::string{to_string(Exit(e))} +
                     "\":" + std::to_string(n);
    const auto rate = double(in.received() - before) / seconds;
    std::printf(
        "{\"name\":\"liveness-forged\",\"sessions\":%u,\"forged_per_second\":%.0f,"
        "\"sessions_lost\":%u,\"up\":%zu,\"exits\":{%s}",
        kNeighbors, rate, down, node.up(true), exits.c_str());
    return end_line("liveness-forged",
                    {at_least("forged_per_second", rate, 1e6), at_most("sessions_lost", down, 0),
                     at_least("up", node.up(true), kNeighbors)});
}

int run(const std::string& what) {
    const char* words[] = {"bench",
                           "--no-huge",
                           "-m",
                           "1024",
                           "--lcores",
                           "0@1",
                           "--no-pci",
                           "--no-telemetry",
                           "--no-shconf",
                           "--log-level",
                           "lib.*:4",
                           "--vdev=net_null0",
                           "--vdev=net_null1",
                           "--vdev=net_null2"};
    std::vector<char*> args;
    for (const auto* w : words) args.push_back(const_cast<char*>(w));
    const auto prefix = "--file-prefix=live" + std::to_string(::getpid());
    args.push_back(const_cast<char*>(prefix.c_str()));
    if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) return 1;
    remove_runtime_directory();
    auto* pool = rte_pktmbuf_pool_create("p", 65'535, 256, 64, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) return 1;
    for (std::uint16_t p = 0; p < 3; ++p) {
        rte_eth_conf conf{};
        if (rte_eth_dev_configure(p, 1, 1, &conf) != 0 ||
            rte_eth_rx_queue_setup(p, 0, 1024, 0, nullptr, pool) != 0 ||
            rte_eth_tx_queue_setup(p, 0, 1024, 0, nullptr) != 0 || rte_eth_dev_start(p) != 0)
            return 1;
    }
    const std::map<std::string, std::function<bool()>> cases{
        {"cost-echo-1000", [&] { return cost(pool, 1000, false); }},
        {"cost-echo-5000", [&] { return cost(pool, 5000, false); }},
        {"cost-bfd-1000", [&] { return cost(pool, 1000, true); }},
        {"cost-bfd-5000", [&] { return cost(pool, 5000, true); }},
        {"forwarding-1000", [&] { return forwarding(pool, 1000); }},
        {"forwarding-5000", [&] { return forwarding(pool, 5000); }},
        {"detect-echo", [&] { return detect(pool, false); }},
        {"detect-bfd", [&] { return detect(pool, true); }},
        {"forged", [&] { return forged(pool); }},
        {"prune-same", [&] { return prune(pool, 100, Spread::OneGroup); }},
        {"prune-10", [&] { return prune(pool, 10, Spread::OneEach); }},
        {"prune-100", [&] { return prune(pool, 100, Spread::OneEach); }},
        {"prune-backup", [&] { return prune(pool, 1, Spread::Backups); }}};
    const auto one = cases.find(what);
    const bool good = one != cases.end() && one->second();
    std::fflush(stdout);
    ::_exit(good ? 0 : 1);
}

}  // namespace
}  // namespace torii::bench

int main(int argc, char** argv) {
    const std::map<std::string, std::vector<std::string>> kParts{
        {"cost",
         {"cost-echo-1000", "cost-echo-5000", "cost-bfd-1000", "cost-bfd-5000", "forwarding-1000",
          "forwarding-5000"}},
        {"detect", {"detect-echo", "detect-bfd"}},
        {"forged", {"forged"}},
        {"prune", {"prune-same", "prune-10", "prune-100", "prune-backup"}}};
    const std::string what = argc > 1 ? argv[1] : "--help";
    if (what == "--case" && argc > 2) return torii::bench::run(argv[2]);
    const auto part = kParts.find(what);
    if (part == kParts.end()) {
        std::printf("liveness cost | detect | forged | prune\n");
        return what == "--help" ? 0 : 2;
    }
    // Each in a process of its own: EAL starts once.
    int code = 0;
    for (const auto& one : part->second)
        code |= std::system((std::string{argv[0]} + " --case " + one).c_str());
    return code == 0 ? 0 : 1;
}
