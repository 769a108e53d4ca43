#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hpp"
#include "dataplane/liveness/bfd.hpp"
#include "dataplane/liveness/settings.hpp"
#include "dataplane/liveness/timer_wheel.hpp"
#include "dataplane/liveness/watch.hpp"
#include "dataplane/settings.hpp"

struct rte_ring;

namespace torii::dataplane::liveness {

using bfd::Micros;

// A frame as it is sent, but for what changes from one to the next. Length 0: none.
struct Frame {
    std::array<std::uint8_t, 128> bytes{};
    std::uint16_t length = 0;
};

// What control wants of a session: made whole, never changed, swapped.
struct Plan {
    WatchSettings watch;
    bool bfd = false;
    bool bfd_shutdown = false;
    std::uint8_t least_ttl = 255;  // of BFD packets we take
    bfd::SessionSettings bfd_settings;
    bool routed = false;  // BFD packets go by the table, not to a neighbor
    PortIndex port = rib::kAnyPort;
    Frame echo, probe;
    Frame control;  // the headers; the packet is appended
};

struct Session;
struct SessionTimer : Timer {
    enum class Kind : std::uint8_t { Watch, BfdSend, BfdDetect };
    Session* session = nullptr;
    Kind kind = Kind::Watch;
};

// What the owner last reported to control, in one word.
struct Status {
    Watch::State watch = Watch::State::Unknown;
    Watch::Method method = Watch::Method::None;
    bool lost_echo = false;
    bfd::State bfd = bfd::State::Down;
    bfd::State bfd_remote = bfd::State::Down;
    bfd::Diagnostic diagnostic = bfd::Diagnostic::None;
    bfd::Diagnostic remote_diagnostic = bfd::Diagnostic::None;
    bool independent = false;  // C bit of the peer
    std::uint8_t deaths = 0;   // counted, so that none is missed between two looks
    std::uint8_t unused[7] = {};

    friend bool operator==(const Status&, const Status&) = default;
};
static_assert(sizeof(Status) == 16);

// What operators see of a session; any thread reads, no decision hangs on it.
struct Gauges {
    std::atomic<std::uint64_t> echoes_sent{0}, echoes_returned{0};
    std::atomic<std::uint64_t> probes_sent{0}, probes_answered{0};
    std::atomic<std::uint64_t> bfd_sent{0}, bfd_received{0};
    std::atomic<std::uint32_t> echo_rtt{0};  // microseconds, the last one
    std::atomic<std::uint32_t> remote_discriminator{0};
    std::atomic<std::uint32_t> remote_min_tx{0}, remote_min_rx{0};
    std::atomic<std::uint32_t> transmit_interval{0}, detection_time{0};
    std::atomic<std::uint8_t> remote_multiplier{0};
};

// When an answer came, by the owner's clock that stands still while workers sleep.
struct Noted {
    Micros heard = 0;  // as the worker that received it noted
    Micros awake = 0;
};

// One neighbor under watch, by one worker. The packets of others may reach any worker:
// they note the time of an answer, or hand a BFD packet to the owner.
struct Session {
    Session(std::uint32_t slot_, std::uint32_t discriminator_, std::uint64_t cookie_,
            PortIndex port_, const IpAddress& address_, unsigned owner_)
        : slot(slot_),
          discriminator(discriminator_),
          cookie(cookie_),
          port(port_),
          address(address_),
          owner(owner_) {
        step.session = bfd_send.session = bfd_detect.session = this;
        bfd_send.kind = SessionTimer::Kind::BfdSend;
        bfd_detect.kind = SessionTimer::Kind::BfdDetect;
    }

    const std::uint32_t slot, discriminator;
    const std::uint64_t cookie;  // in every echo: no other node can make one
    const PortIndex port;        // kAnyPort: many hops away
    const IpAddress address;
    const unsigned owner;

    // From control; nullptr ends the session. The owner stores what it works by.
    std::atomic<const Plan*> wanted{nullptr};
    std::atomic<const Plan*> adopted{nullptr};
    // Orders that name the session: as many as were sent mean that none is in the ring.
    std::uint32_t orders_sent = 0;  // control's
    std::atomic<std::uint32_t> orders_done{0};

    // No ring holds a pointer to it, once the worker has let go of its plan.
    bool in_no_ring() const {
        return orders_done.load(std::memory_order_acquire) == orders_sent &&
               !reported.load(std::memory_order_acquire);
    }

    // From whichever worker an answer reached; microseconds of the workers' clock.
    alignas(64) std::atomic<Micros> echo_received{0};
    std::atomic<Micros> probe_received{0};
    std::atomic<Micros> passed_on{0};  // an answer to the kernel as well
    Gauges gauges;

    // The owner's.
    alignas(64) SessionTimer step;
    SessionTimer bfd_send, bfd_detect;
    const Plan* plan = nullptr;
    Watch watch;
    Noted echo_noted, probe_noted;
    Micros stepped = 0;  // the watch, by the same clock
    bfd::Session bfd;
    bfd::Sequence received;
    std::uint32_t sequence = 0;  // of the last packet sent
    bool started = false;

    // The owner writes, control reads; two words with a count around them.
    alignas(64) std::atomic<std::uint64_t> status[2] = {};
    std::atomic<std::uint32_t> version{0};
    std::atomic<bool> reported{false};

    void publish(const Status& now);
    Status read() const;
};

// The watched neighbors, by port and address: for packets that carry no number of ours.
// Immutable once published.
class Directory {
public:
    explicit Directory(const std::vector<Session*>& sessions);
    Session* find(PortIndex port, const IpAddress& address) const;

private:
    std::size_t slot(PortIndex port, const IpAddress& address) const;
    std::size_t mask_;
    std::vector<Session*> table_;
};

// What workers read of all sessions: by number, and by address.
struct Roster {
    explicit Roster(std::uint32_t limit)
        : size(limit), by_slot(new std::atomic<Session*>[limit] {}) {}

    // The low half of a discriminator is the slot, the high half a guess that the sender
    // of a forged packet must make.
    Session* find(std::uint32_t discriminator) const {
        const auto at = discriminator & 0xffff;
        if (at >= size) return nullptr;
        auto* session = by_slot[at].load(std::memory_order_acquire);
        return session != nullptr && session->discriminator == discriminator ? session : nullptr;
    }

    // When a worker last ran: others wait for the answers that may be in its queues.
    struct alignas(64) Pulse {
        std::atomic<Micros> at{0};
    };

    const std::uint32_t size;
    unsigned workers = 1;
    std::array<rte_ring*, kMaxWorkers> inject{};  // of each worker, for its BFD packets
    std::array<Pulse, kMaxWorkers> pulses{};
    std::unique_ptr<std::atomic<Session*>[]> by_slot;
    std::atomic<const Directory*> directory{nullptr};
};

}  // namespace torii::dataplane::liveness
