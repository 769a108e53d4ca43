// What liveness costs a worker, how fast it finds deaths, and what a death costs control.
//
//   liveness cost     cycles a packet and share of a core at 1,000 and 5,000 neighbors
//                     every 50 ms, by echo and by BFD; forwarding with and without
//   liveness detect   1,000 induced deaths at 3 x 50 ms, by echo and by BFD
//   liveness forged   BFD sessions beside a million forged packets a second
//   liveness prune    10,000 service addresses on 100 nodes, one of which dies
//
// One JSON line each. Neighbors are a port in memory that answers as they would.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <string>

#include "dataplane/fib/publisher.hpp"
#include "dataplane/liveness/detector.hpp"
#include "dataplane/liveness/frames.hpp"
#include "dataplane/node/isa.hpp"
#include "dataplane/node/transmit.hpp"
#include "tests/bench/frames.hpp"
#include "tests/bench/hugepages.hpp"

namespace torii::bench {
namespace {

using namespace dataplane::liveness;
using dataplane::Publisher;

constexpr std::uint32_t kInterval = 50'000;
constexpr IpAddress kUs = IpAddress::v4(0x0a0a0001);

IpAddress neighbor_of(std::uint32_t slot) {
    return IpAddress::v4(0x0a0a0100 + slot);
}

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

struct Node {  // one worker and its sessions; port 1 leads to the neighbors
    Quiescence quiescence{1};
    Fib4 fib4{100'000, 1'000, quiescence};
    Fib6 fib6{1'000, 1'000, quiescence};
    HopTable hops{65'536, quiescence};
    Tables tables;
    OwnFilter own;
    Doorbell bell;
    PortState states[3];
    Roster roster{65'535};
    std::unique_ptr<Worker> worker = std::make_unique<Worker>(0, 65'536);
    rte_ring *orders, *reports;
    std::unique_ptr<Detector> detector;
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<std::unique_ptr<Plan>> plans;
    std::unique_ptr<Directory> directory;
    std::vector<ReceiveQueue> queues{{0, 0, 0}, {1, 1, 0}};
    MicroClock clock{rte_get_tsc_hz()};
    std::uint64_t liveness_cycles = 0;

    explicit Node(rte_mempool* pool) {
        tables.fib4 = fib4.view();
        tables.fib6 = fib6.view();
        tables.hops = hops.data();
        own.add(kUs.v4());
        tables.own = &own;
        for (unsigned p = 0; p < 3; ++p) {
            states[p].mac = port_mac(p);
            std::memcpy(&states[p].mac_bits, states[p].mac.bytes.data(), 6);
            states[p].device = static_cast<std::uint16_t>(p);
            states[p].addresses = {{kUs, 16}};
            tables.ports[p] = &states[p];
        }
        states[0].software_checksum = false;
        worker->tables = &tables;
        worker->forward = choose_isa(LookupKind::Auto).forward;
        worker->pool = pool;
        worker->port_count = 3;
        bell.asleep = false;
        worker->control = worker->exception = &bell;
        worker->inject = rte_ring_create("inject", 64, 0, 0);
        orders = rte_ring_create("orders", 131'072, 0, 0);
        reports = rte_ring_create("reports", 131'072, 0, 0);
        fib4.set(kUs.v4(), 32, HopTable::kLocal);
        detector = std::make_unique<Detector>(roster, rte_get_tsc_hz(), 1, orders, reports);
        worker->liveness = detector.get();
        worker->now = rte_rdtsc();
    }

    void watch(std::uint32_t neighbors, bool by_bfd) {
        std::vector<Session*> all;
        for (std::uint32_t i = 0; i < neighbors; ++i) {
            auto& session = sessions.emplace_back(
                std::make_unique<Session>(i, 0x10000 | i, 42 + i, 1, neighbor_of(i), 0));
            auto& plan = plans.emplace_back(std::make_unique<Plan>());
            plan->watch = {by_bfd ? Detect::Off : Detect::Echo, kInterval, 3};
            plan->port = 1;
            const Wire wire{{{2, 9, 0, 0, 0, 1}}, port_mac(1), neighbor_of(i), kUs};
            plan->echo = echo_frame(wire, *session, plan->watch);
            plan->control = control_headers(wire, bfd::kSourcePort, bfd::kControlPort);
            plan->bfd = by_bfd;
            plan->bfd_settings.desired_min_tx = plan->bfd_settings.required_min_rx = kInterval;
            session->wanted = plan.get();
            roster.by_slot[i] = session.get();
            all.push_back(session.get());
            rte_ring_enqueue(orders, session.get());
        }
        directory = std::make_unique<Directory>(all);
        roster.directory = directory.get();
    }

    // As the worker's loop has it.
    unsigned loop() {
        worker->now = rte_rdtsc();
        const auto seen = turn(*worker, queues);
        if (worker->now >= worker->liveness_due) {
            const auto begin = rte_rdtsc();
            detector->turn(*worker);
            liveness_cycles += rte_rdtsc() - begin;
        }
        flush_from(*worker, 1);
        return seen;
    }
    void run(double seconds) {
        const auto end = rte_rdtsc() + static_cast<std::uint64_t>(seconds * rte_get_tsc_hz());
        while (rte_rdtsc() < end) loop();
    }
    bool is_up(const Session& s, bool by_bfd) const {
        const auto status = s.read();
        return by_bfd ? status.bfd == bfd::State::Up : status.watch == Watch::State::Up;
    }
    std::size_t up(bool by_bfd) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(sessions, [&](const auto& s) { return is_up(*s, by_bfd); }));
    }
    void settle(bool by_bfd) {
        for (int i = 0; i < 100 && up(by_bfd) != sessions.size(); ++i) run(0.1);
    }
};

void cost(rte_mempool* pool, std::uint32_t neighbors, bool by_bfd) {
    AnsweringPort link{1, 65'536};
    Node node{pool};
    node.queues = {{1, 1, 0}};
    node.watch(neighbors, by_bfd);
    node.settle(by_bfd);
    const auto before = link.sent;
    // Cycles of loops that did something, less the port's own.
    std::uint64_t busy = 0;
    link.cycles = 0;
    const auto begin = rte_rdtsc();
    const auto end = begin + 3 * rte_get_tsc_hz();
    for (auto now = begin; now < end;) {
        const auto sent = link.sent;
        const auto seen = node.loop();
        const auto after = rte_rdtsc();
        if (seen != 0 || link.sent != sent) busy += after - now;
        now = after;
    }
    const auto pairs = link.sent - before;
    const auto spent = busy > link.cycles ? busy - link.cycles : 0;
    std::printf(
        "{\"name\":\"liveness-cost\",\"by\":\"%s\",\"neighbors\":%u,\"interval_ms\":50,"
        "\"packets_per_second\":%.0f,\"cycles_per_exchange\":%.0f,\"core_share\":%.4f,"
        "\"up\":%zu}\n",
        by_bfd ? "bfd" : "echo", neighbors, double(pairs) / 3,
        double(spent) / double(std::max<std::uint64_t>(pairs, 1)),
        double(spent) / double(end - begin), node.up(by_bfd));
}

void forwarding(rte_mempool* pool, std::uint32_t neighbors) {
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
    if (neighbors != 0) node.watch(neighbors, false);
    node.settle(false);
    node.run(0.5);
    const auto before = out.sent();
    link.cycles = 0;
    const auto begin = rte_rdtsc();
    node.run(3);
    const auto cycles = rte_rdtsc() - begin - link.cycles;
    const auto packets = out.sent() - before;
    std::printf(
        "{\"name\":\"liveness-forwarding\",\"neighbors\":%u,\"mpps\":%.2f,"
        "\"cycles_per_packet\":%.1f,\"up\":%zu}\n",
        neighbors, double(packets) / (double(cycles) / double(rte_get_tsc_hz())) / 1e6,
        double(cycles) / double(packets), node.up(false));
}

void detect(rte_mempool* pool, bool by_bfd) {
    constexpr std::uint32_t kNeighbors = 1000;
    AnsweringPort link{1, 65'536};
    Node node{pool};
    node.queues = {{1, 1, 0}};
    node.watch(kNeighbors, by_bfd);
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
    unsigned false_alarms = 0;
    for (std::uint32_t i = 0; i < kNeighbors; ++i) {
        if (died[i] == 0 || found[i] < died[i])
            ++false_alarms;
        else
            took.push_back(double(found[i] - died[i]) / 1000);
    }
    std::ranges::sort(took);
    const auto at = [&](double q) { return took[std::size_t(q * double(took.size() - 1))]; };
    std::printf(
        "{\"name\":\"liveness-detect\",\"by\":\"%s\",\"deaths\":%zu,\"interval_ms\":50,"
        "\"multiplier\":3,\"min_ms\":%.1f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,"
        "\"false_alarms\":%u}\n",
        by_bfd ? "bfd" : "echo", took.size(), took.front(), at(0.5), at(0.99), took.back(),
        false_alarms);
}

void forged(rte_mempool* pool) {
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
    node.watch(kNeighbors, true);
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
    std::printf(
        "{\"name\":\"liveness-forged\",\"sessions\":%u,\"forged_per_second\":%.0f,"
        "\"sessions_lost\":%u,\"up\":%zu,\"exits\":{%s}}\n",
        kNeighbors, double(in.received() - before) / seconds, down, node.up(true), exits.c_str());
}

struct Silent final : EventSink {
    void emit(Event) override {}
};

// Every address on nodes of its own choice: the worst case, as many groups as addresses.
void prune(std::uint32_t members, bool same) {
    constexpr std::uint32_t kAddresses = 10'000, kNodes = 100;
    Quiescence quiescence{1};
    Fib4 fib4{100'000, 1'000, quiescence};
    Fib6 fib6{1'000, 1'000, quiescence};
    HopTable hops{65'536, quiescence};
    Neighbors neighbors{hops, 1000};
    Silent events;
    Publisher publisher{fib4, fib6, hops, neighbors, quiescence, events, 512};
    for (std::uint32_t n = 0; n < kNodes; ++n) {
        auto* neighbor = neighbors.get(1, neighbor_of(n));
        neighbor->state = NeighborState::Reachable;
        publisher.neighbor_changed(
            *neighbor, Hop::forward({{2, 9, 0, 0, 0, std::uint8_t(n)}}, port_mac(1), 1, 1500));
    }
    rib::FibDelta delta;
    for (std::uint32_t v = 0; v < kAddresses; ++v) {
        const auto group = same ? 1 : v + 1;
        if (!same || v == 0) {
            rib::GroupChange change{group, {}};
            // Node 0 is in all of them.
            for (std::uint32_t k = 0; k < members; ++k)
                change.members.push_back(
                    {neighbor_of(k == 0 ? 0 : 1 + (v + (k - 1) * 7) % (kNodes - 1)), 1, 1});
            std::ranges::sort(change.members);
            change.members.erase(std::ranges::unique(change.members).begin(), change.members.end());
            delta.groups.push_back(change);
        }
        delta.prefixes.push_back({Prefix::host(IpAddress::v4(0xc6120000 + v)),
                                  rib::FibAction{rib::RouteKind::Forward, 0, group}});
    }
    publisher.apply(delta);
    auto* victim = neighbors.get(1, neighbor_of(0));
    std::uint32_t wrong = 0;
    const auto micros = [](std::uint64_t cycles) {
        return double(cycles) * 1e6 / double(rte_get_tsc_hz());
    };
    const auto begin = rte_rdtsc();
    victim->state = NeighborState::Failed;
    publisher.neighbor_changed(*victim, Hop::of(HopKind::Unreachable));
    const auto stored = rte_rdtsc();  // from here on no packet goes there
    while (publisher.refill(16)) {
    }
    const auto dealt = rte_rdtsc();
    publisher.each_group([&](const Group& group) {
        for (std::uint32_t b = 0; b < group.buckets->size(); ++b)
            wrong += group.buckets->buckets[b].hop == victim->hop;
    });
    std::printf(
        "{\"name\":\"liveness-prune\",\"addresses\":%u,\"nodes\":%u,\"groups\":%u,"
        "\"members\":%u,\"no_packet_goes_there_after_us\":%.1f,"
        "\"every_group_dealt_out_after_us\":%.0f,\"buckets_left\":%u}\n",
        kAddresses, kNodes, same ? 1 : kAddresses, members, micros(stored - begin),
        micros(dealt - begin), wrong);
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
    if (what == "cost-echo-1000") cost(pool, 1000, false);
    if (what == "cost-echo-5000") cost(pool, 5000, false);
    if (what == "cost-bfd-1000") cost(pool, 1000, true);
    if (what == "cost-bfd-5000") cost(pool, 5000, true);
    if (what == "forwarding-0") forwarding(pool, 0);
    if (what == "forwarding-1000") forwarding(pool, 1000);
    if (what == "forwarding-5000") forwarding(pool, 5000);
    if (what == "detect-echo") detect(pool, false);
    if (what == "detect-bfd") detect(pool, true);
    if (what == "forged") forged(pool);
    if (what == "prune-same") prune(100, true);
    if (what == "prune-10") prune(10, false);
    if (what == "prune-100") prune(100, false);
    std::fflush(stdout);
    ::_exit(0);
}

}  // namespace
}  // namespace torii::bench

int main(int argc, char** argv) {
    const std::map<std::string, std::vector<std::string>> kParts{
        {"cost",
         {"cost-echo-1000", "cost-echo-5000", "cost-bfd-1000", "cost-bfd-5000", "forwarding-0",
          "forwarding-1000", "forwarding-5000"}},
        {"detect", {"detect-echo", "detect-bfd"}},
        {"forged", {"forged"}},
        {"prune", {"prune-same", "prune-10", "prune-100"}}};
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
