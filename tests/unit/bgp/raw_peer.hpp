#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "bgp/speaker.hpp"
#include "bgp/wire/framer.hpp"
#include "bgp/wire/open.hpp"
#include "bgp/wire/update.hpp"

// A speaker without a network, and the other ends of its connections as bytes.
namespace torii::bgp::test {

using Bytes = std::vector<std::uint8_t>;

inline Prefix prefix(std::string_view text) {
    return *Prefix::parse(text);
}
inline IpAddress address(std::string_view text) {
    return *IpAddress::parse(text);
}

inline Bytes unhex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
    Bytes out(text.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return out;
}

class RecordingSink final : public rib::RouteSink {
public:
    void put(const Prefix& p, const rib::RouteSpec& r) override {
        routes[p] = {r.next_hops.begin(), r.next_hops.end()};
        backups[p] = {r.backup.begin(), r.backup.end()};
        kinds[p] = r.kind;
        ++puts;
    }
    void remove(const Prefix& p, rib::Source) override { routes.erase(p); }
    std::map<Prefix, std::vector<rib::NextHop>> routes, backups;
    std::map<Prefix, rib::RouteKind> kinds;
    std::size_t puts = 0;
};

class FakeTracker final : public rib::NextHopTracker {
public:
    rib::Reachability track(const IpAddress& a) override { return {!unreachable.contains(a), 0}; }
    void untrack(const IpAddress&) override {}
    void listen(Listener l) override { listener = std::move(l); }
    bool reaches(const IpAddress&, rib::PortIndex port) const override {
        return !down.contains(port);
    }
    void listen_ports(PortListener l) override { port_listener = std::move(l); }
    void set_port(rib::PortIndex port, bool up) {
        up ? (void)down.erase(port) : (void)down.insert(port);
        port_listener(port);
    }
    void set(const IpAddress& a, bool reachable) {
        reachable ? (void)unreachable.erase(a) : (void)unreachable.insert(a);
        listener(a, {reachable, 0});
    }
    std::set<IpAddress> unreachable;
    std::set<rib::PortIndex> down;
    Listener listener;
    PortListener port_listener;
};

class RecordingEvents final : public EventSink {
public:
    void emit(Event event) override { events.push_back(std::move(event)); }
    bool has(std::string_view id) const {
        for (const auto& e : events)
            if (e.id.name() == id) return true;
        return false;
    }
    std::vector<Event> events;
};

// What a peer was told of one prefix.
struct Told {
    std::map<std::uint8_t, Bytes> attributes;  // by code, values only
    IpAddress next_hop;
};

// One end of a connection whose other end a speaker holds.
class RawPeer {
public:
    explicit RawPeer(int socket) : socket_(socket) {}
    ~RawPeer() { close(); }
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }
    void send(std::span<const std::uint8_t> bytes) {
        [[maybe_unused]] const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void keepalive() {
        Bytes b;
        encode_keepalive(b);
        send(b);
    }
    // Reads what is there; true when something was.
    bool pump();

    bool has(MessageType type) const { return seen.contains(type); }
    std::set<MessageType> seen;
    std::size_t opens = 0, updates = 0, keepalives = 0, refreshes = 0;
    std::optional<Notification> notification;
    std::optional<OpenMessage> open;
    std::set<Family> end_of_rib;
    bool closed = false;
    std::map<Prefix, Told> routes;
    std::map<Prefix, std::set<std::uint32_t>> paths;  // numbers, with ADD-PATH
    // What it holds, by prefix and number, between the marks of RFC 7313 as that says.
    std::map<std::pair<Prefix, std::uint32_t>, Told> table;
    std::set<std::pair<Prefix, std::uint32_t>> unconfirmed;  // since the first mark
    std::vector<std::uint8_t> refresh_subtypes;
    std::size_t announcements = 0, withdrawals = 0;
    bool add_path = false;
    bool paused = false;  // reads nothing

private:
    void take_update(std::span<const std::uint8_t> body);
    int socket_;
    Bytes buffer_;
};

// A speaker, its surroundings, and connections to it.
class World {
public:
    World();
    // Lets everything happen that can happen without time going by.
    void settle();
    void pass(std::chrono::milliseconds time);
    std::shared_ptr<RawPeer> connect(std::string_view remote, std::string_view interface = {});
    // Connects and comes up with this OPEN.
    std::shared_ptr<RawPeer> up(std::string_view remote, std::uint32_t as,
                                Capabilities c = defaults(), std::uint16_t hold = 90,
                                std::string_view interface = {}, std::uint32_t id = 0);
    static Capabilities defaults();
    static OpenMessage open(std::uint32_t as, std::uint32_t id, Capabilities c, std::uint16_t hold);

    bool in_table(const Prefix& p) const;  // has a best path
    std::vector<PathRow> rows(RouteTable table, std::string_view neighbor = {}) const;
    NeighborView view(std::string_view neighbor) const {
        return *speaker->neighbor(address(neighbor));
    }

    Loop loop;
    RecordingSink sink;
    FakeTracker tracker;
    RecordingEvents events;
    ManualClock clock;
    std::unique_ptr<Speaker> speaker;
    std::vector<std::weak_ptr<RawPeer>> peers;
};

NeighborSettings neighbor(std::string_view remote, std::uint32_t as);
GroupSettings group(std::string name, RemoteAs as);
SpeakerSettings settings();  // AS 65000, no listeners
// An UPDATE with ORIGIN, AS_PATH and next hop.
Bytes announce(std::initializer_list<std::string_view> prefixes, std::vector<std::uint32_t> path,
               std::string_view next_hop, std::function<void(Attributes&)> more = {},
               bool four_octet_as = true, bool add_path = false);
Bytes withdraw(std::initializer_list<std::string_view> prefixes);

}  // namespace torii::bgp::test
