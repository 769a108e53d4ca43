#include <algorithm>
#include <map>
#include <set>

#include "base/suggest.hpp"
#include "config/validate.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

std::string indexed(std::string_view list, std::size_t i) {
    return std::string{list} + '[' + std::to_string(i) + ']';
}

class BgpCheck {
public:
    BgpCheck(const Model& model, const Bgp& bgp, Findings& find)
        : model_(model), bgp_(bgp), find_(find) {}

    void run() {
        router_id();
        aggregates();
        guard();
        written("bgp.defaults", bgp_.defaults);
        for (const auto& group : bgp_.groups) this->group(group);
        ranges();
        neighbors();
        unsigned_in_signed();
        mixed_groups();
    }

private:
    void router_id() {
        if (bgp_.router_id && (!bgp_.router_id->is_v4() || bgp_.router_id->is_unspecified()))
            find_.error("bgp.router_id", bgp_.router_id->to_string() + " is no BGP identifier",
                        "write it as an IPv4 address: \"10.0.0.1\"");
        if (bgp_.router_id) return;
        for (const auto& port : model_.ports)
            for (const auto& own : port.addresses)
                if (own.address.is_v4()) return;
        find_.error("bgp", "no port has an IPv4 address to take the router ID from",
                    "set bgp.router_id");
    }

    void aggregates() {
        if (bgp_.cluster_id && (!bgp_.cluster_id->is_v4() || bgp_.cluster_id->is_unspecified()))
            find_.error("bgp.cluster_id", bgp_.cluster_id->to_string() + " is no cluster ID",
                        "write it as an IPv4 address: \"10.0.0.1\"");
        std::set<Prefix> seen;
        for (std::size_t i = 0; i < bgp_.aggregates.size(); ++i)
            if (!seen.insert(bgp_.aggregates[i].prefix).second)
                find_.error(indexed("bgp.aggregates", i),
                            bgp_.aggregates[i].prefix.to_string() + " stands twice");
    }

    void guard() {
        const auto& guard = bgp_.guard;
        for (const auto& pods : guard.pods)
            for (const auto& shared : guard.shared)
                if (shared.contains(pods))
                    find_.error("bgp.guard.shared",
                                shared.to_string() + " covers the pods' " + pods.to_string() +
                                    ": nothing would be guarded there",
                                "name the service addresses alone");
        const auto guarded = [](const PeerSettings& s) { return s.guarded.value_or(false); };
        const bool any =
            guarded(bgp_.defaults) ||
            std::ranges::any_of(bgp_.groups,
                                [&](const auto& group) { return guarded(group.settings); }) ||
            std::ranges::any_of(bgp_.neighbors,
                                [&](const auto& peer) { return guarded(peer.settings); });
        if (guard.mode != GuardMode::Off && !any)
            find_.warning("bgp.guard", "no peer is guarded, so nothing is refused",
                          "set guarded = true in the group of the nodes");
        if (guard.mode == GuardMode::Off && any)
            find_.warning("bgp.guard", "peers are guarded, but the guard is off",
                          "set bgp.guard.mode = \"enforce\", or \"alert\" to look first");
    }

    std::string near_group(std::string_view name) const {
        std::vector<std::string_view> names;
        for (const auto& group : bgp_.groups) names.push_back(group.name);
        const auto near = suggest(name, names);
        if (!near.empty()) return "did you mean " + in_quotes(near) + "?";
        return "add it: bgp.groups = { " + std::string{name} + " = { ... }; }";
    }

    void group(const PeerGroup& group) {
        const auto path = "bgp.groups." + group.name;
        written(path, group.settings);
        std::set<std::string> seen{group.name};
        for (const PeerGroup* at = &group; at->inherits;) {
            const PeerGroup* next = bgp_.find_group(*at->inherits);
            if (!next) {
                if (at == &group)
                    find_.error(path + ".inherits", "there is no group " + in_quotes(*at->inherits),
                                near_group(*at->inherits));
                break;
            }
            if (!seen.insert(next->name).second) {
                find_.error(path + ".inherits", "the groups inherit from each other in a circle");
                break;
            }
            at = next;
        }
    }

    // What is wrong wherever it is written.
    void written(const std::string& path, const PeerSettings& s) {
        validate_prefix_list_names(model_, path + ".import", s.import_lists, find_);
        validate_prefix_list_names(model_, path + ".export", s.export_lists, find_);
        validate_policy_names(model_, path + ".import_policy", s.import_policies, find_);
        validate_policy_names(model_, path + ".export_policy", s.export_policies, find_);
        // RFC 4271 §4.2: zero, or at least three seconds.
        if (s.hold_time && (s.hold_time->count() == 1 || s.hold_time->count() == 2))
            find_.error(path + ".hold_time", "a hold time is 0 or at least 3 seconds (RFC 4271)");
        if (s.passwords)
            for (const auto& password : *s.passwords)
                if (password.empty() || password.size() > 80)
                    find_.error(path + ".password", "a TCP MD5 key has 1 to 80 bytes");
        // `config show` prints masked secrets.
        if (s.passwords && std::ranges::find(*s.passwords, "********") != s.passwords->end())
            find_.error(path + ".password", "this is a masked password, not the password itself",
                        "write the password; it is never shown");
        if (s.families && s.families->empty())
            find_.error(path + ".families", "no family is left", "\"ipv4\", \"ipv6\" or both");
        if (s.families &&
            s.families->size() != std::set(s.families->begin(), s.families->end()).size())
            find_.error(path + ".families", "a family stands twice");
        if (s.bfd) bfd(path + ".bfd", *s.bfd);
        if (s.update_source && !is_own_address(model_, *s.update_source))
            find_.error(path + ".update_source",
                        s.update_source->to_string() + " is no address of a port");
        if (s.description && s.description->size() > 255)
            find_.error(path + ".description", "more than 255 bytes");
    }

    void bfd(const std::string& path, const Bfd& bfd) {
        if (!bfd.key) return;
        const bool md5 =
            bfd.authentication == BfdAuth::KeyedMd5 || bfd.authentication == BfdAuth::MeticulousMd5;
        const std::size_t longest = md5 ? 16 : 20;
        if (bfd.key->empty() || bfd.key->size() > longest)
            find_.error(path + ".key", "a key of this kind has 1 to " + std::to_string(longest) +
                                           " bytes (RFC 5880)");
        if (*bfd.key == "********")
            find_.error(path + ".key", "this is a masked key, not the key itself",
                        "write the key; it is never shown");
    }

    // What is wrong of the whole that holds for a peer.
    void whole(const std::string& path, const PeerSettings& s) {
        const auto internal = is_internal(bgp_, s);
        if (!internal) return;
        if (s.ttl_security && s.multihop)
            find_.error(path, "ttl_security and multihop exclude each other",
                        "ttl_security = N serves peers N hops away too");
        if (*internal) {
            const auto only_external = [&](bool set, const char* key) {
                if (set)
                    find_.error(path + '.' + key,
                                std::string{key} + " is for eBGP, this peer is iBGP");
            };
            only_external(s.as_override.value_or(false), "as_override");
            only_external(
                s.remove_private_as.value_or(RemovePrivateAs::Off) != RemovePrivateAs::Off,
                "remove_private_as");
            only_external(s.local_as.has_value() && *s.local_as != bgp_.asn, "local_as");
            only_external(s.role.has_value(), "role");
            only_external(s.route_server_client.value_or(false), "route_server_client");
        } else {
            if (s.route_reflector_client.value_or(false))
                find_.error(path + ".route_reflector_client",
                            "route_reflector_client is for iBGP, this peer is eBGP");
            if (!s.import_lists && (!s.import_policies || s.import_policies->empty()))
                find_.warning(path,
                              "no import list: every route of this eBGP peer is refused "
                              "(RFC 8212)",
                              "import = \"LIST\", or \"any\", or import_policy");
        }
        if (s.hold_time && s.keepalive && s.hold_time->count() > 0 && *s.keepalive >= *s.hold_time)
            find_.error(path + ".keepalive",
                        "keepalives every " + std::to_string(s.keepalive->count()) +
                            " s cannot keep a hold time of " +
                            std::to_string(s.hold_time->count()) + " s",
                        "a third of it is usual");
    }

    void ranges() {
        std::map<Prefix, std::size_t> seen;
        for (std::size_t i = 0; i < bgp_.listen.size(); ++i) {
            const auto& range = bgp_.listen[i];
            const auto path = indexed("bgp.listen", i);
            if (const auto [it, fresh] = seen.try_emplace(range.range, i); !fresh)
                find_.error(path, range.range.to_string() + " is listened for already: " +
                                      indexed("bgp.listen", it->second));
            const PeerGroup* group = bgp_.find_group(range.group);
            if (!group) {
                find_.error(path + ".group", "there is no group " + in_quotes(range.group),
                            near_group(range.group));
                continue;
            }
            const auto peer = effective(bgp_, *group);
            if (!peer.settings.remote_as)
                find_.error(path + ".group",
                            "the group " + in_quotes(range.group) +
                                " has no remote_as, so its members have none",
                            "set bgp.groups." + range.group + ".remote_as, \"external\" for any");
            const bool first = std::ranges::none_of(
                bgp_.listen.begin(), bgp_.listen.begin() + static_cast<std::ptrdiff_t>(i),
                [&](const ListenRange& other) { return other.group == range.group; });
            if (first) whole("bgp.groups." + range.group, peer.settings);
            if (range.range.is_default())
                find_.warning(path, "the whole Internet may become a member of this group");
        }
    }

    void neighbors() {
        std::map<std::pair<IpAddress, std::string>, std::size_t> seen;
        for (std::size_t i = 0; i < bgp_.neighbors.size(); ++i) {
            const auto& neighbor = bgp_.neighbors[i];
            const auto path = indexed("bgp.neighbors", i);
            if (neighbor.address.is_unspecified()) continue;  // already complained of
            const auto [it, fresh] =
                seen.try_emplace({neighbor.address, neighbor.port.value_or("")}, i);
            if (!fresh)
                find_.error(path,
                            neighbor.address.to_string() +
                                " is a neighbor already: " + indexed("bgp.neighbors", it->second),
                            "merge the two");
            written(path, neighbor.settings);
            address(path, neighbor);
            const PeerGroup* group = neighbor.group ? bgp_.find_group(*neighbor.group) : nullptr;
            if (neighbor.group && !group) {
                find_.error(path + ".group", "there is no group " + in_quotes(*neighbor.group),
                            near_group(*neighbor.group));
                continue;
            }
            remote_as(path, neighbor, group);
        }
    }

    // The kernel asks each address of a range for the key of the range, whatever else is
    // written of it.
    void unsigned_in_signed() {
        const auto has_key = [](const PeerSettings& s) {
            return s.passwords && !s.passwords->empty();
        };
        for (const auto& outer : bgp_.listen) {
            const PeerGroup* group = bgp_.find_group(outer.group);
            if (!group || !has_key(folded_.of(*group))) continue;
            const auto text = [&](const std::string& what) {
                return what + " has no password, but the listen range " + outer.range.to_string() +
                       " around it has one, which counts";
            };
            for (std::size_t i = 0; i < bgp_.neighbors.size(); ++i) {
                const auto& neighbor = bgp_.neighbors[i];
                const auto peer = folded_.of(neighbor);
                if (!outer.range.contains(neighbor.address) || has_key(peer)) continue;
                const auto path = indexed("bgp.neighbors", i) + ".password";
                const auto what = neighbor.address.to_string();
                if (peer.passive.value_or(false))
                    find_.error(path, text(what) + ": it can never connect",
                                "give it a password too, or take it out of the range");
                else
                    find_.warning(path, text(what) + ": only we can dial it",
                                  "give it a password too, or take it out of the range");
            }
            for (std::size_t i = 0; i < bgp_.listen.size(); ++i) {
                const auto& inner = bgp_.listen[i];
                const PeerGroup* members = bgp_.find_group(inner.group);
                if (members && inner.range != outer.range && outer.range.contains(inner.range) &&
                    !has_key(folded_.of(*members)))
                    find_.error(indexed("bgp.listen", i) + ".group",
                                text(inner.range.to_string()) + ": no member can connect",
                                "give its group a password too");
            }
        }
    }

    void address(const std::string& path, const Neighbor& neighbor) {
        const auto text = neighbor.address.to_string();
        if (neighbor.address.is_multicast() || neighbor.address.is_loopback())
            find_.error(path + ".address", text + " cannot be a neighbor");
        if (is_own_address(model_, neighbor.address))
            find_.error(path + ".address", text + " is an address of ours",
                        "name the router on the other side");
        if (neighbor.port && !model_.find_port(*neighbor.port))
            find_.error(path + ".address", "there is no port " + in_quotes(*neighbor.port));
        if (neighbor.address.is_v6() && neighbor.address.is_link_local() && !neighbor.port)
            find_.error(path + ".address", text + " is link-local and needs its port",
                        "write \"" + text + "@PORT\"");
    }

    void remote_as(const std::string& path, const Neighbor& neighbor, const PeerGroup* group) {
        const auto& own = neighbor.settings.remote_as;
        std::optional<RemoteAs> of_group;
        if (group) of_group = folded_.of(*group).remote_as;
        const auto peer = folded_.of(neighbor);
        if (!peer.remote_as) {
            find_.error(path, "neither the neighbor nor its group has a remote_as",
                        "add remote_as = NUMBER, \"external\" or \"internal\"");
            return;
        }
        if (own && of_group && *own != *of_group) {
            const auto name = in_quotes(group->name);
            if (of_group->kind == RemoteAs::Kind::Number)
                find_.error(path + ".remote_as",
                            "the group " + name + " has remote_as " +
                                std::to_string(of_group->asn.number) + ", a member cannot differ",
                            "take it away here, or give the group remote_as = \"external\"");
            else if (is_internal(bgp_, peer) != (of_group->kind == RemoteAs::Kind::Internal))
                find_.error(
                    path + ".remote_as",
                    "the group " + name + " is for " +
                        (of_group->kind == RemoteAs::Kind::Internal ? "iBGP, AS " : "eBGP, AS ") +
                        std::to_string(own->asn.number) + " is not");
        }
        whole(path, peer);
        if (is_internal(bgp_, peer) == false && !peer.multihop && !peer.ttl_security &&
            !neighbor.address.is_link_local() && !port_towards(model_, neighbor.address))
            find_.warning(path,
                          neighbor.address.to_string() +
                              " is not on the link of any port: the eBGP session cannot come up",
                          "set multihop if it is further away");
    }

    // A group without a remote_as of its own takes iBGP or eBGP members, not both.
    void mixed_groups() {
        std::map<std::string_view, std::pair<std::size_t, bool>> first;
        for (std::size_t i = 0; i < bgp_.neighbors.size(); ++i) {
            const auto& neighbor = bgp_.neighbors[i];
            if (!neighbor.group || !bgp_.find_group(*neighbor.group)) continue;
            const auto internal = is_internal(bgp_, folded_.of(neighbor));
            if (!internal) continue;
            const auto [it, fresh] = first.try_emplace(*neighbor.group, i, *internal);
            if (!fresh && it->second.second != *internal)
                find_.error(indexed("bgp.neighbors", i),
                            neighbor.address.to_string() + " is " + (*internal ? "iBGP" : "eBGP") +
                                ", other members of the group " + in_quotes(*neighbor.group) +
                                " are not: " + indexed("bgp.neighbors", it->second.first),
                            "make two groups; they may inherit from one");
        }
    }

    const Model& model_;
    const Bgp& bgp_;
    const FoldedPeers folded_{bgp_};
    Findings& find_;
};

}  // namespace

void validate_bgp(const Model& model, const Bgp& bgp, Findings& findings) {
    BgpCheck{model, bgp, findings}.run();
}

}  // namespace torii::config
