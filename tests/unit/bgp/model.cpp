#include "tests/unit/bgp/model.hpp"

#include <algorithm>

namespace torii::bgp::test {

namespace {

constexpr std::uint32_t kNoExport = 0xffffff01, kNoAdvertise = 0xffffff02, kShutdown = 0xffff0000;
constexpr Role kUp[] = {Role::Customer, Role::Peer, Role::RouteServerClient};
constexpr Role kDown[] = {Role::Provider, Role::Peer, Role::RouteServer};

bool among(std::optional<Role> role, std::span<const Role> roles) {
    return role && std::ranges::find(roles, *role) != roles.end();
}

bool external(const ModelPeer& peer) {
    return peer.as != Model::kAs;
}

std::uint32_t preference(const ModelRoute& route) {
    return route.has(kShutdown) ? 0 : route.local_pref.value_or(100);  // RFC 8326
}

}  // namespace

std::string ModelRoute::text() const {
    std::string out = "via " + next_hop.to_string() + " origin " + std::to_string(origin) + " path";
    for (const auto as : path) out += " " + std::to_string(as);
    const auto number = [&](const char* name, const auto& value) {
        if (value) out += std::string{" "} + name + " " + std::to_string(*value);
    };
    number("med", med);
    number("pref", local_pref);
    number("originator", originator);
    number("otc", otc);
    for (const auto c : communities) out += " c" + std::to_string(c);
    for (const auto c : clusters) out += " cluster " + std::to_string(c);
    return out;
}

bool Model::permits(const std::vector<std::string>& lists, const Prefix& prefix) const {
    for (const auto& name : lists) {
        if (name == "any") return true;
        if (name == "none") return false;
        for (const auto& list : settings.prefix_lists)
            if (list.name == name)
                for (const auto& rule : list.rules)
                    if (rule.matches(prefix)) return rule.permit;
    }
    return false;
}

// RFC 4271 §9.1.2, RFC 4456 §8, RFC 9234 §5.
bool Model::welcome(const ModelPeer& peer, const Prefix& prefix, const ModelRoute& route) const {
    if (static_cast<std::size_t>(std::ranges::count(route.path, kAs)) > peer.settings.allowas_in)
        return false;
    if (!external(peer) &&
        (route.originator == kId || std::ranges::find(route.clusters, kId) != route.clusters.end()))
        return false;
    const auto role = peer.settings.role;
    if (external(peer) && role && route.otc) {
        if (*role == Role::Provider || *role == Role::RouteServer) return false;
        if (*role == Role::Peer && *route.otc != peer.as) return false;
    }
    return permits(*peer.settings.import_lists, prefix);
}

// Nobody's prefix, no part of one and nothing over one may be another node's.
bool Model::guard_permits(const ModelPeer& peer, const Prefix& prefix) const {
    const auto& guard = settings.guard;
    const auto inside = [&](const std::vector<Prefix>& ranges) {
        return std::ranges::any_of(ranges, [&](const auto& r) { return r.contains(prefix); });
    };
    if (inside(guard.shared)) return true;
    for (const auto& [other, claim] : claims_)
        if (claim.owner && *claim.owner != peer.address &&
            (other.contains(prefix) || prefix.contains(other)))
            return false;
    // Nor may one node have a whole range of pods, if more than one can be inside.
    if (guard.pods.empty()) return prefix.length() >= 8;
    return std::ranges::any_of(guard.pods, [&](const auto& r) {
        return r.contains(prefix) && (r.length() >= 24 || prefix.length() > r.length());
    });
}

void Model::leave(const ModelPeer& peer, const Prefix& prefix) {
    auto& claim = claims_[prefix];
    const auto at = std::ranges::find(claim.present, peer.address, &Claim::Present::node);
    if (--at->paths != 0) return;
    claim.present.erase(at);
    if (claim.owner == peer.address)
        claim.until = now + static_cast<double>(settings.guard.lease.count());
}

void Model::judge(ModelPeer& peer, const Prefix& prefix, ModelPath& path) {
    path.used = path.received;
    if (external(peer) && among(peer.settings.role, kUp) && !path.used.otc) path.used.otc = peer.as;
    path.accepted = welcome(peer, prefix, path.received);
    // The only policy that there is.
    if (!peer.settings.import_policies.empty() && permits({"some"}, prefix))
        path.used.local_pref = 200;
    if (!path.accepted || !peer.settings.guarded) {
        if (std::exchange(path.claims, false)) leave(peer, prefix);
        return;
    }
    auto& claim = claims_[prefix];
    if (!std::exchange(path.claims, true)) {
        const auto at = std::ranges::find(claim.present, peer.address, &Claim::Present::node);
        if (at != claim.present.end()) {
            ++at->paths;
        } else {
            claim.present.push_back({peer.address, 1, ++arrivals_});
            if (claim.owner == peer.address) claim.until.reset();
        }
    }
    const auto& shared = settings.guard.shared;
    if (guard_permits(peer, prefix)) {
        if (!claim.owner &&
            std::ranges::none_of(shared, [&](const auto& r) { return r.contains(prefix); }))
            claim.owner = peer.address;
    } else if (settings.guard.mode == GuardMode::Enforce) {
        path.accepted = false;
    }
}

void Model::judge(ModelPeer& peer) {
    for (auto& [key, path] : peer.in) judge(peer, key.first, path);
}

void Model::judge_guarded() {
    for (auto& [address, peer] : peers)
        if (peer.settings.guarded) judge(peer);
}

void Model::announce(ModelPeer& peer, const Prefix& prefix, std::uint32_t path_id,
                     const ModelRoute& route) {
    auto& path = peer.in[{prefix, path_id}];
    path.received = route;
    path.stale = path.old = false;
    judge(peer, prefix, path);
}

void Model::withdraw(ModelPeer& peer, const Prefix& prefix, std::uint32_t path_id) {
    const auto at = peer.in.find({prefix, path_id});
    if (at == peer.in.end()) return;
    if (at->second.claims) leave(peer, prefix);
    peer.in.erase(at);
}

// Those that a lease kept out are asked in the order in which they came.
void Model::pass(double seconds) {
    now += seconds;
    std::vector<Prefix> ended;
    for (auto& [prefix, claim] : claims_) {
        if (!claim.until || *claim.until > now) continue;
        claim.owner.reset();
        claim.until.reset();
        ended.push_back(prefix);
    }
    std::map<std::uint64_t, std::pair<IpAddress, Prefix>> waiting;
    for (const auto& [prefix, claim] : claims_)
        if (std::ranges::any_of(
                ended, [&](const auto& e) { return e.contains(prefix) || prefix.contains(e); }))
            for (const auto& one : claim.present) waiting[one.arrived] = {one.node, prefix};
    for (const auto& [arrived, one] : waiting)
        for (auto& [key, path] : peers[one.first].in)
            if (key.first == one.second) judge(peers[one.first], key.first, path);
}

// RFC 4271 §9.1.2.2, with what is usual beside it: the external path in use stays.
Model::Best Model::choose(const std::vector<Candidate>& all,
                          std::optional<IpAddress> current) const {
    auto left = all;
    const auto keep_least = [&](auto&& value) {
        if (left.empty()) return;
        auto least = value(left[0]);
        for (const auto& c : left) least = std::min(least, value(c));
        std::erase_if(left, [&](const auto& c) { return value(c) != least; });
    };
    using C = const Candidate&;
    const auto ebgp = [](C c) { return c.peer != nullptr && external(*c.peer); };
    keep_least([](C c) {
        return c.peer == nullptr ? 0xffffffff - 100 : 0xffffffff - preference(c.path->used);
    });
    keep_least([](C c) { return c.peer != nullptr; });
    keep_least([](C c) { return c.path == nullptr ? 0 : c.path->used.path.size(); });
    keep_least([](C c) { return c.path == nullptr ? 0 : c.path->used.origin; });
    const auto med = [](C c) { return c.path == nullptr ? 0 : c.path->used.med.value_or(0); };
    const auto as = [](C c) {
        return c.path == nullptr || c.path->used.path.empty() ? 0 : c.path->used.path[0];
    };
    const auto before = left;
    std::erase_if(left, [&](C c) {
        return std::ranges::any_of(before, [&](C o) { return as(o) == as(c) && med(o) < med(c); });
    });
    keep_least([&](C c) { return !ebgp(c); });
    Best out;
    if (left.empty()) return out;
    const auto tier = left;
    if (!settings.decision.compare_router_id && ebgp(left[0]))
        keep_least([&](C c) { return current && c.peer->address == *current ? 0 : 1; });
    keep_least(
        [](C c) { return c.path == nullptr ? 0 : c.path->used.originator.value_or(c.peer->id); });
    keep_least([](C c) { return c.path == nullptr ? 0 : c.path->used.clusters.size(); });
    keep_least([](C c) { return c.peer == nullptr ? IpAddress{} : c.peer->address; });
    keep_least([](C c) { return c.path_id; });
    out.path = left[0].path;
    out.peer = left[0].peer;
    if (out.path != nullptr)
        for (const auto& c : tier)
            if (settings.multipath.relax || as(c) == as(left[0]))
                out.next_hops.insert(c.path->used.next_hop);
    return out;
}

void Model::decide() {
    std::map<Prefix, std::vector<Candidate>> all;
    for (const auto& prefix : settings.networks) all[prefix].push_back({nullptr, nullptr, 0});
    for (const auto& [address, peer] : peers)
        for (const auto& [key, path] : peer.in)
            if (usable(path)) all[key.first].push_back({&path, &peer, key.second});
    std::map<Prefix, Best> next;
    for (const auto& [prefix, candidates] : all) {
        const auto was = best.find(prefix);
        std::optional<IpAddress> current;
        if (was != best.end() && was->second.peer != nullptr) current = was->second.peer->address;
        next[prefix] = choose(candidates, current);
    }
    best = std::move(next);
}

// RFC 4271 §9.1.3 and §5.1, RFC 4456 §8, RFC 1997, RFC 9234 §5, RFC 8326.
std::optional<ModelRoute> Model::exported(const ModelPeer& to, const Prefix& prefix,
                                          const ModelPath* path, const ModelPeer* from) const {
    if (from == &to) return std::nullopt;
    const bool out = external(to);
    const auto& s = to.settings;
    ModelRoute r;
    if (path != nullptr) r = path->used;
    if (r.has(kNoAdvertise) || (out && r.has(kNoExport))) return std::nullopt;
    const bool inner = from != nullptr && !external(*from);
    if (!out && inner && !from->settings.route_reflector_client && !s.route_reflector_client)
        return std::nullopt;
    if (out && r.otc && among(s.role, kUp)) return std::nullopt;
    if (!permits(*s.export_lists, prefix)) return std::nullopt;
    const bool keeps = from != nullptr && !s.next_hop_self && (s.next_hop_unchanged || !out);
    if (!keeps) r.next_hop = *IpAddress::parse("10.99.0.254");
    if (out) {
        if (s.as_override) std::ranges::replace(r.path, to.as, kAs);
        r.path.insert(r.path.begin(), kAs);
        r.med.reset();
        r.local_pref.reset();
        r.originator.reset();
        r.clusters.clear();
        if (!r.otc && among(s.role, kDown)) r.otc = kAs;
    } else {
        r.local_pref = path == nullptr ? 100 : preference(path->used);
        if (inner) {
            if (!r.originator) r.originator = from->id;
            r.clusters.insert(r.clusters.begin(), kId);
        }
    }
    if (!s.send_communities.standard) r.communities.clear();
    if (s.graceful_shutdown) r.communities.push_back(kShutdown);
    return r;
}

std::multimap<Prefix, std::string> Model::advertised(const ModelPeer& peer) const {
    std::multimap<Prefix, std::string> out;
    const auto add = [&](const Prefix& prefix, const ModelPath* path, const ModelPeer* from) {
        if (peer.settings.default_originate && prefix.is_default()) return;
        if (const auto route = exported(peer, prefix, path, from))
            out.emplace(prefix, route->text());
    };
    if (peer.add_path_out) {
        for (const auto& prefix : settings.networks) add(prefix, nullptr, nullptr);
        for (const auto& [address, other] : peers)
            for (const auto& [key, path] : other.in)
                if (usable(path)) add(key.first, &path, &other);
    } else {
        for (const auto& [prefix, one] : best) add(prefix, one.path, one.peer);
    }
    if (peer.settings.default_originate) {
        auto plain = peer;
        plain.settings.export_lists = {"any"};
        const auto any = Prefix::default_route(Family::Ip4);
        out.emplace(any, exported(plain, any, nullptr, nullptr)->text());
    }
    return out;
}

}  // namespace torii::bgp::test
