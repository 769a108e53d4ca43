#include "dataplane/kernel_path/netlink.hpp"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace torii::dataplane {
namespace {

constexpr std::uint32_t kRuleMain = 3784, kRuleTorii = 3785;  // priorities
constexpr std::uint32_t kMainTable = RT_TABLE_MAIN;

using Buffer = std::array<char, 4096>;

std::uint8_t af(Family family) {
    return family == Family::Ip4 ? AF_INET : AF_INET6;
}
void put(nlmsghdr* message, std::uint16_t type, const IpAddress& a) {
    mnl_attr_put(message, type, a.size(), a.bytes().data());
}

template <class T>
T* begin(Buffer& buffer, nlmsghdr*& message, int type, int flags) {
    message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = static_cast<std::uint16_t>(type);
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return static_cast<T*>(mnl_nlmsg_put_extra_header(message, sizeof(T)));
}

// Every attribute of a message behind a header of `offset` octets. (libmnl's macro for
// this is C.)
template <class F>
void each_attribute(const nlmsghdr* message, std::size_t offset, F&& f) {
    const auto* at = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, offset));
    const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
    while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
        f(at);
        at = mnl_attr_next(at);
    }
}

template <class F>
void each_message(const char* buffer, ssize_t size, F&& f) {
    int left = static_cast<int>(size);
    for (const auto* m = reinterpret_cast<const nlmsghdr*>(buffer); mnl_nlmsg_ok(m, left);
         m = mnl_nlmsg_next(m, &left))
        f(m);
}

IpAddress read_address(std::uint8_t family, const nlattr* attribute) {
    std::array<std::uint8_t, 16> bytes{};
    const auto size = std::min<std::size_t>(mnl_attr_get_payload_len(attribute), 16);
    std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)), size,
                bytes.begin());
    if (family == AF_INET6) return IpAddress::v6(bytes);
    return IpAddress::v4(std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                         std::uint32_t{bytes[2]} << 8 | bytes[3]);
}

bool read(const nlmsghdr* message, KernelNeighbor& out) {
    const auto* nd = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(message));
    if (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6) return false;
    out = {};
    out.netdev = static_cast<unsigned>(nd->ndm_ifindex);
    bool addressed = false, has_mac = false;
    each_attribute(message, sizeof(ndmsg), [&](const nlattr* attribute) {
        const auto type = mnl_attr_get_type(attribute);
        if (type == NDA_DST) {
            out.address = read_address(nd->ndm_family, attribute);
            addressed = true;
        } else if (type == NDA_LLADDR && mnl_attr_get_payload_len(attribute) == 6) {
            std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)), 6,
                        out.mac.bytes.begin());
            has_mac = true;
        }
    });
    if (!addressed || out.address.is_multicast()) return false;
    using State = KernelNeighbor::State;
    constexpr std::uint16_t kValid = NUD_REACHABLE | NUD_PERMANENT | NUD_DELAY | NUD_PROBE;
    if (message->nlmsg_type == RTM_DELNEIGH)
        out.state = State::Gone;
    else if (nd->ndm_state & NUD_FAILED)
        out.state = State::Failed;
    else if ((nd->ndm_state & kValid) && has_mac)
        out.state = State::Reachable;
    else if ((nd->ndm_state & NUD_STALE) && has_mac)
        out.state = State::Stale;
    else
        out.state = State::Incomplete;
    return true;
}

bool read(const nlmsghdr* message, KernelAddress& out) {
    const auto* body = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
    if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) return false;
    out = {body->ifa_index, {}, body->ifa_prefixlen, message->nlmsg_type == RTM_DELADDR};
    bool local = false, any = false;
    each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr* attribute) {
        const auto type = mnl_attr_get_type(attribute);
        // On a link to many IFA_ADDRESS is the same, or all there is (IPv6).
        if (type != IFA_LOCAL && (type != IFA_ADDRESS || local)) return;
        local = type == IFA_LOCAL;
        any = true;
        out.address = read_address(body->ifa_family, attribute);
    });
    return any;
}

bool read(const nlmsghdr* message, KernelLink& out) {
    const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    out.netdev = static_cast<unsigned>(link->ifi_index);
    out.gone = message->nlmsg_type == RTM_DELLINK;
    constexpr unsigned kRunning = IFF_UP | IFF_LOWER_UP;
    out.carrier = !out.gone && (link->ifi_flags & kRunning) == kRunning;
    return true;
}

}  // namespace

Result<Netlink, SystemError> Netlink::open() {
    Netlink n;
    n.ask_ = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    n.hear_ = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (n.ask_ == nullptr || n.hear_ == nullptr ||
        mnl_socket_bind(n.ask_, 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_bind(n.hear_,
                        RTMGRP_NEIGH | RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
                        MNL_SOCKET_AUTOPID) < 0)
        return Failure{last_system_error("open netlink")};
    const int room = 4 << 20;  // thousands of neighbors may change at once
    const int fd = mnl_socket_get_fd(n.hear_);
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return n;
}

Netlink::Netlink(Netlink&& other) noexcept
    : ask_(std::exchange(other.ask_, nullptr)),
      hear_(std::exchange(other.hear_, nullptr)),
      sequence_(other.sequence_) {}

Netlink::~Netlink() {
    if (ask_ != nullptr) mnl_socket_close(ask_);
    if (hear_ != nullptr) mnl_socket_close(hear_);
}

int Netlink::descriptor() const {
    return mnl_socket_get_fd(hear_);
}

Result<void, SystemError> Netlink::ask(nlmsghdr* message, const std::string& what) {
    message->nlmsg_seq = ++sequence_;
    message->nlmsg_flags |= NLM_F_ACK;
    if (mnl_socket_sendto(ask_, message, message->nlmsg_len) < 0)
        return Failure{last_system_error(what)};
    std::optional<int> error;
    while (!error) {
        // Room for the question that an error repeats.
        Buffer answer;
        const auto n = mnl_socket_recvfrom(ask_, answer.data(), answer.size());
        if (n < 0) return Failure{last_system_error(what)};
        each_message(answer.data(), n, [&](const nlmsghdr* m) {
            // What is left of an earlier question is passed over.
            if (m->nlmsg_seq == sequence_ && m->nlmsg_type == NLMSG_ERROR)
                error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(m))->error;
        });
    }
    if (*error == 0) return {};
    return Failure{SystemError{what, -*error}};
}

bool Netlink::dump_once(int type, std::uint8_t family,
                        const std::function<void(const nlmsghdr*)>& each) {
    Buffer buffer;
    nlmsghdr* message = nullptr;
    if (type == RTM_GETNEIGH)
        begin<ndmsg>(buffer, message, type, NLM_F_DUMP)->ndm_family = family;
    else if (type == RTM_GETLINK)
        begin<ifinfomsg>(buffer, message, type, NLM_F_DUMP)->ifi_family = family;
    else if (type == RTM_GETADDR)
        begin<ifaddrmsg>(buffer, message, type, NLM_F_DUMP)->ifa_family = family;
    else
        begin<fib_rule_hdr>(buffer, message, type, NLM_F_DUMP)->family = family;
    message->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(ask_, message, message->nlmsg_len) < 0) return false;
    std::vector<char> answer(32768);
    bool done = false, whole = true;
    while (!done) {
        const auto n = mnl_socket_recvfrom(ask_, answer.data(), answer.size());
        if (n < 0) return false;
        each_message(answer.data(), n, [&](const nlmsghdr* m) {
            if (m->nlmsg_seq != sequence_ || done) return;
            // The table changed meanwhile: something may be missing.
            if (m->nlmsg_flags & NLM_F_DUMP_INTR) whole = false;
            if (m->nlmsg_type == NLMSG_ERROR) whole = false;
            done = m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR;
            if (!done) each(m);
        });
    }
    return whole;
}

// Whole before anything is done about it: what each() does may ask the kernel more.
template <class T>
bool Netlink::dump(int type, std::initializer_list<std::uint8_t> families,
                   const std::function<void(const T&)>& each) {
    constexpr int kTries = 4;
    std::vector<T> there;
    for (const auto family : families) {
        const auto before = there.size();
        bool whole = false;
        for (int tries = 0; tries < kTries && !whole; ++tries) {
            there.resize(before);
            whole = dump_once(type, family, [&](const nlmsghdr* message) {
                if (T one; read(message, one)) there.push_back(one);
            });
        }
        if (!whole) return false;
    }
    for (const auto& one : there) each(one);
    return true;
}

Result<void, SystemError> Netlink::address(unsigned netdev, const IpAddress& a, std::uint8_t length,
                                           int type, std::uint16_t flags) {
    Buffer buffer;
    nlmsghdr* message = nullptr;
    auto* body = begin<ifaddrmsg>(buffer, message, type, flags);
    body->ifa_family = af(a.family());
    body->ifa_prefixlen = length;
    body->ifa_index = netdev;
    body->ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT;
    put(message, IFA_LOCAL, a);
    put(message, IFA_ADDRESS, a);
    return ask(message, "address " + a.to_string());
}

Result<void, SystemError> Netlink::add_address(unsigned netdev, const IpAddress& a,
                                               std::uint8_t length) {
    return address(netdev, a, length, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
}
Result<void, SystemError> Netlink::remove_address(unsigned netdev, const IpAddress& a,
                                                  std::uint8_t length) {
    return address(netdev, a, length, RTM_DELADDR, 0);
}

Result<void, SystemError> Netlink::add_default_route(Family family, unsigned netdev,
                                                     std::uint32_t table) {
    Buffer buffer;
    nlmsghdr* message = nullptr;
    auto* body = begin<rtmsg>(buffer, message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    body->rtm_family = af(family);
    body->rtm_table = RT_TABLE_UNSPEC;
    body->rtm_protocol = RTPROT_STATIC;
    body->rtm_scope = family == Family::Ip4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    body->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(message, RTA_TABLE, table);
    mnl_attr_put_u32(message, RTA_OIF, netdev);
    return ask(message, "default route of table " + std::to_string(table));
}

Result<void, SystemError> Netlink::rule(const IpAddress& source, std::uint32_t table,
                                        std::uint32_t priority, bool suppress, int type,
                                        std::uint16_t flags) {
    Buffer buffer;
    nlmsghdr* message = nullptr;
    auto* body = begin<fib_rule_hdr>(buffer, message, type, flags);
    body->family = af(source.family());
    body->src_len = source.bits();
    body->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(message, FRA_TABLE, table);
    mnl_attr_put_u32(message, FRA_PRIORITY, priority);
    put(message, FRA_SRC, source);
    if (suppress) mnl_attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, 0);
    return ask(message, "rule from " + source.to_string());
}

Result<void, SystemError> Netlink::add_rules(const IpAddress& source, std::uint32_t table) {
    constexpr auto kNew = NLM_F_CREATE | NLM_F_EXCL;
    if (auto done = rule(source, kMainTable, kRuleMain, true, RTM_NEWRULE, kNew); !done)
        return done;
    return rule(source, table, kRuleTorii, false, RTM_NEWRULE, kNew);
}

void Netlink::remove_rules_from(const IpAddress& source, std::uint32_t table) {
    // One that is not there is as good as one removed.
    (void)rule(source, kMainTable, kRuleMain, true, RTM_DELRULE, 0).has_value();
    (void)rule(source, table, kRuleTorii, false, RTM_DELRULE, 0).has_value();
}

void Netlink::remove_rules(std::uint32_t table) {
    for (const auto family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        std::vector<IpAddress> sources;
        (void)dump_once(RTM_GETRULE, family, [&](const nlmsghdr* message) {
            std::uint32_t priority = 0;
            IpAddress source;
            each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr* attribute) {
                const auto type = mnl_attr_get_type(attribute);
                if (type == FRA_PRIORITY) priority = mnl_attr_get_u32(attribute);
                if (type == FRA_SRC) source = read_address(family, attribute);
            });
            if (priority == kRuleMain || priority == kRuleTorii) sources.push_back(source);
        });
        for (const auto& source : sources) remove_rules_from(source, table);
    }
}

void Netlink::neighbor(unsigned netdev, const IpAddress& a, const MacAddress* mac, int type,
                       std::uint16_t state, std::uint8_t flags) {
    Buffer buffer;
    nlmsghdr* message = nullptr;
    auto* body = begin<ndmsg>(buffer, message, type,
                              type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0);
    body->ndm_family = af(a.family());
    body->ndm_ifindex = static_cast<int>(netdev);
    body->ndm_state = state;
    body->ndm_flags = flags;
    put(message, NDA_DST, a);
    if (mac != nullptr) mnl_attr_put(message, NDA_LLADDR, 6, mac->bytes.data());
    (void)ask(message, "neighbor " + a.to_string()).has_value();
}

void Netlink::resolve(unsigned netdev, const IpAddress& a) {
    neighbor(netdev, a, nullptr, RTM_NEWNEIGH, NUD_NONE, NTF_USE | NTF_EXT_LEARNED);
}
void Netlink::confirm(unsigned netdev, const IpAddress& a, const MacAddress& mac) {
    neighbor(netdev, a, &mac, RTM_NEWNEIGH, NUD_STALE, NTF_EXT_LEARNED);
    resolve(netdev, a);
}
void Netlink::set_permanent(unsigned netdev, const IpAddress& a, const MacAddress& mac) {
    neighbor(netdev, a, &mac, RTM_NEWNEIGH, NUD_PERMANENT, 0);
}
void Netlink::remove_neighbor(unsigned netdev, const IpAddress& a) {
    neighbor(netdev, a, nullptr, RTM_DELNEIGH, NUD_NONE, 0);
}

bool Netlink::dump_neighbors(const std::function<void(const KernelNeighbor&)>& each) {
    return dump<KernelNeighbor>(RTM_GETNEIGH, {AF_INET, AF_INET6}, each);
}
bool Netlink::dump_links(const std::function<void(const KernelLink&)>& each) {
    return dump<KernelLink>(RTM_GETLINK, {AF_UNSPEC}, each);
}
bool Netlink::dump_addresses(const std::function<void(const KernelAddress&)>& each) {
    return dump<KernelAddress>(RTM_GETADDR, {AF_UNSPEC}, each);
}

bool Netlink::changes(const std::function<void(const KernelNeighbor&)>& neighbor_changed,
                      const std::function<void(const KernelLink&)>& link_changed,
                      const std::function<void(const KernelAddress&)>& address_changed) {
    std::vector<char> answer(32768);
    for (;;) {
        const auto got = mnl_socket_recvfrom(hear_, answer.data(), answer.size());
        if (got < 0) return errno != ENOBUFS;
        each_message(answer.data(), got, [&](const nlmsghdr* m) {
            KernelNeighbor n;
            KernelLink link;
            KernelAddress address;
            if ((m->nlmsg_type == RTM_NEWADDR || m->nlmsg_type == RTM_DELADDR) && read(m, address))
                address_changed(address);
            else if ((m->nlmsg_type == RTM_NEWNEIGH || m->nlmsg_type == RTM_DELNEIGH) && read(m, n))
                neighbor_changed(n);
            else if ((m->nlmsg_type == RTM_NEWLINK || m->nlmsg_type == RTM_DELLINK) &&
                     read(m, link))
                link_changed(link);
        });
    }
}

}  // namespace torii::dataplane
