#include "dataplane/liveness/receive.hpp"

#include <rte_ring.h>

#include <cstring>

#include "dataplane/liveness/detector.hpp"
#include "dataplane/liveness/frames.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane::liveness {
namespace {

constexpr std::uint8_t kFull = 255;
constexpr Micros kPassOn = 1'000'000;

void count(std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
}

Session* find(const Worker& w, PortIndex port, const IpAddress& address) {
    const auto* directory = w.liveness->roster().directory.load(std::memory_order_acquire);
    return directory != nullptr ? directory->find(port, address) : nullptr;
}

}  // namespace

bool is_control(std::span<const std::uint8_t> ip) {
    const auto port = udp_port(ip);
    return port == bfd::kControlPort || port == bfd::kMultihopPort || port == bfd::kEchoPort;
}

void take_control(Worker& w, PortIndex in, rte_mbuf* m, std::span<const std::uint8_t> ip) {
    const auto udp = read_udp(ip);
    if (!udp.good) return drop(w, in, m, Exit::PuntBadL4);
    if (w.liveness == nullptr) return drop(w, in, m, Exit::BfdNoSession);
    const bool single_hop = udp.port == bfd::kControlPort;
    if (!single_hop && udp.port != bfd::kMultihopPort)
        return drop(w, in, m, Exit::LivenessUnknown);  // an echo that we did not send
    // RFC 5881 §5: from further away than the link.
    if (single_hop && udp.ttl != kFull) return drop(w, in, m, Exit::BfdTtl);
    const auto packet = bfd::decode(udp.payload);
    if (!packet) return drop(w, in, m, Exit::BfdMalformed);
    const auto link = single_hop ? in : rib::kAnyPort;
    auto* session = packet->your_discriminator != 0
                        ? w.liveness->roster().find(packet->your_discriminator)
                        : find(w, link, udp.source);
    if (session == nullptr) return drop(w, in, m, Exit::BfdNoSession);
    if (session->address != udp.source || session->port != link)
        return drop(w, in, m, Exit::BfdWrongSource);
    if (session->owner != w.id) {
        note(m).kind = BufferNote::Kind::Bfd;
        note(m).port = in;
        if (!ring_put(w.liveness->roster().inject[session->owner], m))
            drop(w, in, m, Exit::PuntFull);
        return;
    }
    const auto exit = w.liveness->receive(w, *session, *packet, udp.payload, udp.ttl);
    drop(w, in, m, exit);
}

bool is_echo(std::span<const std::uint8_t> ip) {
    if (udp_port(ip) != bfd::kEchoPort) return false;
    return ip[0] >> 4 == 4 ? std::memcmp(&ip[12], &ip[16], 4) == 0
                           : std::memcmp(&ip[8], &ip[24], 16) == 0;
}

Exit take_echo(Worker& w, PortIndex in, std::span<const std::uint8_t> ip) {
    if (w.liveness == nullptr) return Exit::LivenessUnknown;
    const auto udp = read_udp(ip);
    // One hop there and back, no more and no less.
    if (!udp.good || udp.ttl != kFull - 1 || udp.payload.size() < kEchoPayload)
        return Exit::LivenessUnknown;
    auto* session = w.liveness->roster().find(read32(&udp.payload[4]));
    if (session == nullptr || session->port != in ||
        std::memcmp(&udp.payload[bfd::kMandatory], &session->cookie, 8) != 0)
        return Exit::LivenessUnknown;
    Micros left = 0;
    std::memcpy(&left, &udp.payload[bfd::kMandatory + 8], 8);
    const auto now = w.liveness->now(w);
    session->echo_received.store(now, std::memory_order_relaxed);
    session->gauges.echo_rtt.store(static_cast<std::uint32_t>(now - left),
                                   std::memory_order_relaxed);
    count(session->gauges.echoes_returned);
    return Exit::LivenessEcho;
}

bool take_answer(Worker& w, PortIndex in, const IpAddress& from, const std::uint8_t* mac) {
    if (w.liveness == nullptr) return false;
    auto* session = find(w, in, from);
    if (session == nullptr) return false;
    const auto* plan = session->adopted.load(std::memory_order_acquire);
    if (plan == nullptr || std::memcmp(plan->probe.bytes.data(), mac, 6) != 0) return false;
    const auto now = w.liveness->now(w);
    session->probe_received.store(now, std::memory_order_relaxed);
    count(session->gauges.probes_answered);
    auto passed = session->passed_on.load(std::memory_order_relaxed);
    return now - passed < kPassOn ||
           !session->passed_on.compare_exchange_strong(passed, now, std::memory_order_relaxed);
}

}  // namespace torii::dataplane::liveness
