#include <algorithm>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

using Steps = std::vector<mgmt::ExplainStep>;

std::string hops_text(const Gateway& gateway, const std::vector<rib::FibNextHop>& hops) {
    std::string out;
    for (const auto& hop : hops) {
        out += (out.empty() ? "" : ", ") + hop.neighbor.to_string() + " on " +
               gateway.port_name(hop.port);
        if (hop.weight != 1) out += " weight " + std::to_string(hop.weight);
    }
    return out;
}

std::string_view kind_text(rib::RouteKind kind) {
    constexpr std::string_view kTexts[] = {"forward", "attached to the link", "our own address",
                                           "discard", "unreachable"};
    return kTexts[static_cast<std::size_t>(kind)];
}

// One question's work.
class Walk {
public:
    Walk(Gateway& gateway, const mgmt::ExplainQuery& query)
        : gateway_(gateway), query_(query), to_(*IpAddress::parse(query.destination)) {}

    Result<mgmt::Explanation, mgmt::Problem> run() {
        auto* dataplane = gateway_.dataplane();
        if (dataplane == nullptr)
            return Failure{mgmt::conflict("there are no ports: nothing is forwarded here")};
        dataplane::TracePacket packet;
        packet.destination = to_;
        packet.protocol = query_.protocol;
        packet.source_port = query_.source_port;
        packet.destination_port = query_.destination_port;
        packet.source = IpAddress::parse(query_.source).value_or(somebody());
        if (packet.source.family() != to_.family())
            return Failure{mgmt::bad_request("src and dst are of different families")};
        const auto in = ingress(packet.source);
        if (!in) return Failure{mgmt::bad_request("port: there is no port " + query_.port)};
        packet.in = *in;

        routes();
        const auto traced = dataplane->trace(packet);
        if (!traced) return Failure{mgmt::unavailable("no packet buffer is free")};
        leave(*traced);
        if (!query_.without.empty()) imagine(*IpAddress::parse(query_.without));
        return std::move(out_);
    }

private:
    void step(std::string stage, std::string outcome, std::string because = "") {
        out_.steps.push_back({std::move(stage), std::move(outcome), std::move(because)});
    }

    // A source that is never ours, where none was given.
    IpAddress somebody() const {
        return to_.is_v4() ? IpAddress::v4(0xc6336402) : *IpAddress::parse("2001:db8:ffff::2");
    }

    std::optional<rib::PortIndex> ingress(const IpAddress& source) {
        const auto& ports = gateway_.running().ports;
        if (!query_.port.empty()) {
            const auto at = std::ranges::find(ports, query_.port, &config::Port::name);
            if (at == ports.end()) return std::nullopt;
            step("ingress", query_.port, "as asked");
            return static_cast<rib::PortIndex>(at - ports.begin());
        }
        const auto back = gateway_.dataplane()->lookup(source);
        const bool known = back.kind != "no_route" && back.kind != "local" &&
                           back.kind != "discard" && back.kind != "unreachable";
        const rib::PortIndex port = known ? back.port : rib::PortIndex{0};
        step("ingress", gateway_.port_name(port),
             known ? "the way back to the source" : "any: nothing leads back to the source");
        return port;
    }

    // Which prefix won, and which candidates and paths lost.
    void routes() {
        const auto& table = gateway_.table();
        const auto prefix = table.longest_match(to_);
        if (!prefix) return step("lookup", "no prefix", "no route leads there");
        out_.prefix = prefix->to_string();
        const auto candidates = table.candidates(*prefix);
        for (const auto& c : candidates) {
            const auto source =
                std::string{rib::to_string(c.source)} + ", distance " + std::to_string(c.distance);
            if (c.in_use)
                step("lookup", out_.prefix,
                     "longest match; " + source + ", " + std::string{kind_text(c.kind)});
        }
        for (const auto& c : candidates)
            if (!c.in_use)
                step("lost", std::string{rib::to_string(c.source)},
                     c.usable ? "a source of lower distance wins" : "no next hop is reachable");
        paths(*prefix);
    }

    std::vector<bgp::PathRow> paths_of(const Prefix& prefix) const {
        if (gateway_.speaker() == nullptr) return {};
        bgp::PathQuery query;
        query.within = prefix;
        query.limit = 1;
        auto rows = gateway_.speaker()->paths(query).rows;
        std::erase_if(rows, [&](const auto& row) { return row.prefix != prefix; });
        return rows;
    }

    void paths(const Prefix& prefix) {
        constexpr std::size_t kShown = 64;
        std::size_t shown = 0;
        for (const auto& path : paths_of(prefix)) {
            if (++shown > kShown) return step("path", "...", "more paths than are shown here");
            std::string text = path.neighbor.empty() ? "our own" : "from " + path.neighbor;
            for (const auto& hop : path.next_hops) text += " via " + hop;
            std::string because{path.because};
            if (!path.reachable) because = "its next hop is not reachable";
            step(path.best ? "path" : path.multipath ? "path" : "lost", text, because);
        }
    }

    void leave(const dataplane::TraceView& traced) {
        auto& dataplane = *gateway_.dataplane();
        if (traced.buckets > 0)
            step(
                "group",
                "bucket " + std::to_string(traced.bucket) + " of " + std::to_string(traced.buckets),
                "the flow's hash; it stays there while the member lives");
        out_.exit = traced.exit;
        if (traced.out) {
            out_.port = gateway_.port_name(*traced.out);
            out_.mac = traced.mac.to_string();
            for (const auto& port : dataplane.ports()) {
                if (port.index != *traced.out) continue;
                out_.mtu = port.mtu;
                if (port.vlan != 0)
                    step("tag", "VLAN " + std::to_string(port.vlan) + " of " + port.parent,
                         "put in as it leaves by " + port.name);
            }
            for (const auto& n : dataplane.neighbors())
                if (n.port == *traced.out && n.mac == traced.mac) next_hop(n);
        } else if (traced.exit == "hold") {
            step("neighbor", "not resolved", "packets wait while ARP or ND asks for it");
        }
        step("exit", out_.exit, traced.answered ? "with an ICMP error to its sender" : "");
    }

    // Several addresses may have one MAC: the one that the route names goes before.
    void next_hop(const dataplane::NeighborView& n) {
        if (!out_.next_hop.empty() && !named(n.address)) return;
        if (!out_.next_hop.empty()) out_.steps.pop_back();
        out_.next_hop = n.address.to_string();
        std::string alive{to_string(n.state)};
        if (const auto verdict = gateway_.dataplane()->verdict(n.address))
            alive += ", liveness: " + std::string{to_string(*verdict)};
        for (const auto& watched : gateway_.dataplane()->liveness())
            if (watched.address == n.address && !watched.reason.empty())
                alive += " (" + watched.reason + ")";
        step("neighbor", out_.next_hop + " at " + out_.mac, alive);
    }

    bool named(const IpAddress& address) const {
        if (address == to_) return true;
        const auto prefix = gateway_.table().longest_match(to_);
        for (const auto& c : gateway_.table().candidates(prefix.value_or(Prefix{})))
            for (const auto& hop : c.resolved)
                if (c.in_use && hop.neighbor == address) return true;
        return false;
    }

    // What if a neighbor were gone: the best of what is left, prefix by prefix.
    void imagine(const IpAddress& gone) {
        const auto& table = gateway_.table();
        const auto longest = table.longest_match(to_);
        const auto stage = "without " + gone.to_string();
        if (!longest) return step(stage, "no change", "nothing leads there with it either");
        for (int length = longest->length(); length >= 0; --length) {
            const Prefix prefix{to_, static_cast<std::uint8_t>(length)};
            for (const auto& c : table.candidates(prefix)) {
                if (!c.usable && !c.in_use) continue;
                if (c.kind != rib::RouteKind::Forward)
                    return step(stage, prefix.to_string(), std::string{kind_text(c.kind)});
                auto left = c.resolved;
                std::erase_if(left, [&](const auto& hop) { return hop.neighbor == gone; });
                if (left.size() == c.resolved.size() && !left.empty())
                    return step(stage, prefix.to_string() + " via " + hops_text(gateway_, left),
                                prefix == *longest ? "it is no next hop here: nothing changes"
                                                   : "the next shorter prefix that is left");
                if (!left.empty())
                    return step(stage, prefix.to_string() + " via " + hops_text(gateway_, left),
                                out_.next_hop == gone.to_string()
                                    ? "its flows go to the other members"
                                    : "this flow stays where it is");
            }
            for (const auto& path : paths_of(prefix))
                if (path.reachable && !path.best && !path.multipath && !path.next_hops.empty() &&
                    path.next_hops[0] != gone.to_string())
                    return step(stage, prefix.to_string() + " via " + path.next_hops[0],
                                "the path from " + path.neighbor + " would be next");
        }
        step(stage, "no route", "nothing else leads there");
    }

    Gateway& gateway_;
    const mgmt::ExplainQuery& query_;
    IpAddress to_;
    mgmt::Explanation out_;
};

}  // namespace

void Explain::explain(mgmt::ExplainQuery query, mgmt::Done<mgmt::Explanation> done) {
    if (!query.without.empty() && !IpAddress::parse(query.without))
        return done(Failure{mgmt::bad_request("without: an IP address is needed")});
    gateway_.ask([this, query = std::move(query), done = std::move(done)] {
        done(Walk{gateway_, query}.run());
    });
}

}  // namespace torii::app
