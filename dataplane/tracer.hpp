#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

struct Worker;

// A packet to imagine; both addresses of one family.
struct TracePacket {
    IpAddress source, destination;
    std::uint8_t protocol = 6;
    std::uint16_t source_port = 0, destination_port = 0;
    std::uint8_t ttl = 64;
    PortIndex in = 0;
};

// What workers would do with it now.
struct TraceView {
    std::string_view exit;  // "transmit", "hold", or the exit it would be counted in
    std::optional<PortIndex> out;
    MacAddress mac;             // of the next hop
    bool answered = false;      // its sender would be sent an ICMP error
    std::uint32_t buckets = 0;  // of the next-hop group; 0: none
    std::uint32_t bucket = 0;   // the one of its flow
};

// Sends imagined packets through the workers' own code and tables, by a worker
// that has no lcore and whose counters and packets are not shown. Control thread.
class Tracer {
public:
    // Like a real one, which stays untouched.
    explicit Tracer(const Worker& like, std::uint32_t hop_limit);
    ~Tracer();

    // Nothing: no memory for a packet, or the port is not there.
    std::optional<TraceView> trace(const TracePacket& packet);

private:
    struct Ghost;
    std::unique_ptr<Ghost> ghost_;
};

}  // namespace torii::dataplane
