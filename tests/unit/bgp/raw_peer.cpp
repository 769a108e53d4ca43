#include "tests/unit/bgp/raw_peer.hpp"

#include <fcntl.h>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace torii::bgp::test {

bool RawPeer::pump() {
    if (socket_ < 0 || closed || paused) return false;
    std::uint8_t chunk[70000];
    const auto n = recv(socket_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        closed = true;
        return true;
    }
    if (n < 0) return false;
    buffer_.insert(buffer_.end(), chunk, chunk + n);
    for (;;) {
        const auto frame = next_frame(buffer_, true);
        EXPECT_TRUE(frame) << "the speaker sent a bad header";
        if (!frame || !*frame) break;
        const auto [type, body, size] = **frame;
        seen.insert(type);
        switch (type) {
            case MessageType::Open: {
                ++opens;
                if (auto o = decode_open(body)) open = *o;
                break;
            }
            case MessageType::Update:
                take_update(body);
                break;
            case MessageType::Notification:
                notification = *decode_notification(body);
                break;
            case MessageType::Keepalive:
                ++keepalives;
                break;
            case MessageType::RouteRefresh:
                ++refreshes;
                refresh_subtypes.push_back(decode_refresh(body).subtype);
                if (refresh_subtypes.back() == 1) {
                    for (const auto& [key, told] : table) unconfirmed.insert(key);
                } else if (refresh_subtypes.back() == 2) {
                    for (const auto& key : unconfirmed) table.erase(key);
                    unconfirmed.clear();
                }
                break;
        }
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return true;
}

void RawPeer::take_update(std::span<const std::uint8_t> body) {
    ++updates;
    ByteReader in{body};
    const NlriList withdrawn{in.take(in.u16()).rest(), Family::Ip4, add_path};
    const auto block = in.take(in.u16()).rest();
    const NlriList announced{in.rest(), Family::Ip4, add_path};
    ASSERT_TRUE(in.ok() && well_formed(withdrawn) && well_formed(announced));
    if (body.size() == 4) end_of_rib.insert(Family::Ip4);
    const auto forget = [&](const Prefix& p, std::uint32_t id) {
        ++withdrawals;
        paths[p].erase(id);
        table.erase({p, id});
        routes.erase(p);
    };
    Told told;
    NlriList reach, unreach;
    for (ByteReader a{block}; !a.empty();) {
        const auto flags = a.u8();
        const auto code = a.u8();
        auto value = a.take(flags & 0x10 ? a.u16() : a.u8());
        ASSERT_TRUE(a.ok());
        if (code == 14 || code == 15) {
            const auto afi = value.u16();
            const auto family = unicast_family(afi, value.u8());
            ASSERT_TRUE(family);
            if (code == 14) {
                const auto hop = value.take(value.u8()).rest();
                std::array<std::uint8_t, 16> bytes{};
                std::copy_n(hop.begin(), 16, bytes.begin());
                told.next_hop = IpAddress::v6(bytes);
                value.u8();
                reach = {value.rest(), *family, add_path};
                ASSERT_TRUE(well_formed(reach));
            } else {
                unreach = {value.rest(), *family, add_path};
                ASSERT_TRUE(well_formed(unreach));
                if (value.empty()) end_of_rib.insert(*family);
            }
            continue;
        }
        if (code == 3) told.next_hop = IpAddress::v4(ByteReader{value.rest()}.u32());
        const auto rest = value.rest();
        EXPECT_TRUE(told.attributes.emplace(code, Bytes(rest.begin(), rest.end())).second)
            << "attribute " << int{code} << " sent twice";
    }
    for_each_nlri(withdrawn, forget);
    for_each_nlri(unreach, forget);
    const auto learn = [&](const Prefix& p, std::uint32_t id) {
        ++announcements;
        paths[p].insert(id);
        table[{p, id}] = told;
        unconfirmed.erase({p, id});
        routes[p] = told;
    };
    for_each_nlri(announced, learn);
    for_each_nlri(reach, learn);
}

World::World() {
    speaker = std::make_unique<Speaker>(loop, sink, tracker, events, clock);
}

void World::settle() {
    for (bool more = true; more;) {
        more = loop.poll() != 0;
        for (const auto& weak : peers)
            if (const auto peer = weak.lock()) more |= peer->pump();
    }
}

void World::pass(std::chrono::milliseconds time) {
    clock.advance(time);
    speaker->run_timers();
    settle();
}

std::shared_ptr<RawPeer> World::connect(std::string_view remote, std::string_view interface) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    auto peer = std::make_shared<RawPeer>(ends[0]);
    peers.push_back(peer);
    const auto from = address(remote);
    speaker->adopt(ends[1],
                   address(from.is_v4()           ? "10.99.0.254"
                           : from.is_link_local() ? "fe80::fe"
                                                  : "fd99::fe"),
                   from, interface);
    settle();
    return peer;
}

Capabilities World::defaults() {
    Capabilities c;
    c.any_multiprotocol = true;
    c.families = {true, true};
    c.route_refresh = true;
    return c;
}

OpenMessage World::open(std::uint32_t as, std::uint32_t id, Capabilities c, std::uint16_t hold) {
    OpenMessage o;
    o.as = as;
    o.hold_time = hold;
    o.identifier = id;
    o.capabilities = std::move(c);
    return o;
}

std::shared_ptr<RawPeer> World::up(std::string_view remote, std::uint32_t as, Capabilities c,
                                   std::uint16_t hold, std::string_view interface,
                                   std::uint32_t id) {
    auto peer = connect(remote, interface);
    if (!c.four_octet_as) c.four_octet_as = as;
    const auto from = address(remote);
    Bytes b;
    if (id == 0) id = from.is_v4() ? from.v4() : 0x0a0b0c00u + from.byte(15);
    encode(open(as, id, c, hold), b);
    encode_keepalive(b);
    peer->send(b);
    settle();
    return peer;
}

bool World::in_table(const Prefix& p) const {
    PathQuery query;
    query.within = p;
    query.best_only = true;
    for (const auto& row : speaker->paths(query).rows)
        if (row.prefix == p && row.best) return true;
    return false;
}

std::vector<PathRow> World::rows(RouteTable table, std::string_view neighbor) const {
    PathQuery query;
    query.table = table;
    query.limit = 1000;
    if (!neighbor.empty()) query.neighbor = address(neighbor);
    return speaker->paths(query).rows;
}

NeighborSettings neighbor(std::string_view remote, std::uint32_t as) {
    NeighborSettings n;
    n.address = address(remote);
    n.peer.remote_as = {RemoteAs::Kind::Number, as};
    n.peer.passive = true;
    n.peer.import_lists = {"any"};
    n.peer.export_lists = {"any"};
    return n;
}

GroupSettings group(std::string name, RemoteAs as) {
    GroupSettings g;
    g.name = std::move(name);
    g.peer.remote_as = as;
    g.peer.import_lists = {"any"};
    g.peer.export_lists = {"any"};
    return g;
}

SpeakerSettings settings() {
    SpeakerSettings s;
    s.asn = 65000;
    s.router_id = 0x0a6300fe;
    s.listen.clear();
    return s;
}

Bytes announce(std::initializer_list<std::string_view> prefixes, std::vector<std::uint32_t> path,
               std::string_view next_hop, std::function<void(Attributes&)> more, bool four_octet_as,
               bool add_path) {
    Bytes as_path;
    if (!path.empty()) {
        ByteWriter w{as_path};
        w.u8(2);
        w.u8(static_cast<std::uint8_t>(path.size()));
        for (const auto as : path) w.u32(as);
    }
    Attributes a;
    a.origin = Origin::Igp;
    a.set(Attribute::Origin);
    a.set(Attribute::AsPath);
    a.as_path = as_path;
    a.next_hop = address(next_hop);
    if (more) more(a);
    OutgoingAttributes out;
    out.next_hop = a.next_hop;
    std::vector<Announcement> list;
    for (const auto p : prefixes) list.push_back({prefix(p), 1});
    encode_attributes(a, four_octet_as, list[0].prefix.family() == Family::Ip4, out.bytes);
    Bytes message;
    encode_announcements(list, out, {kMaxMessage, add_path}, message);
    return message;
}

Bytes withdraw(std::initializer_list<std::string_view> prefixes) {
    std::vector<Announcement> list;
    for (const auto p : prefixes) list.push_back({prefix(p), 0});
    Bytes message;
    encode_withdrawals(list, {}, message);
    return message;
}

}  // namespace torii::bgp::test
