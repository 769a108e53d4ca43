#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/event.hpp"

// All events, in one list. docs/events.md, `torii events --explain` and the check
// of alert rules and documents are made from it. A key of the configuration
// stands in backticks with its whole path, as config/reference.md writes it; a
// command in backticks begins with `torii`, `toriid` or `systemctl`. Tests check both.
namespace torii {

inline constexpr EventKind kEvents[] = {
    // The process and its configuration.
    {"START", Severity::Notice, "toriid started.",
     "Nothing. If no operator restarted it, `systemctl status torii` shows how it ended before."},
    {"READY", Severity::Notice,
     "All parts of toriid run: forwarding, BGP and the API. The service manager was notified.",
     "Nothing."},
    {"GATEWAY-READY", Severity::Notice,
     "Every condition of readiness is met: /readyz answers 200 and VRRP has its full priority.",
     "Nothing."},
    {"GATEWAY-NOT-READY", Severity::Warning,
     "A condition of readiness is not met; the event names each with its value. Forwarding goes "
     "on, and the partner of a pair takes the shared address if it is better off.",
     "Mend what is named: `torii status` shows the conditions. `readiness.ports`, "
     "`readiness.uplinks` and `readiness.nodes` set them."},
    {"ROUTES-RESTORED", Severity::Notice,
     "toriid started with the routes that the process before it had learnt, and forwards by them "
     "until peers announce theirs.",
     "Nothing. `torii route list` marks them; what no peer announces goes when its peer is back, "
     "at "
     "the latest after `bgp.defaults.restart_time`."},
    {"ROUTES-NOT-RESTORED", Severity::Info,
     "toriid started without routes of an earlier process; the event names the reason.",
     "Nothing after a boot or a change of the configuration. A file that is damaged is not "
     "toriid's, or its disk was full: see `bgp.kept_routes`."},
    {"RESTORED-ROUTES-SWEPT", Severity::Notice,
     "Restored routes were removed: their peer is back and does not announce them, or their time "
     "is over.",
     "Nothing."},
    {"STOP", Severity::Notice, "toriid received a signal to stop and closes its sessions.",
     "Nothing if the stop was planned; `systemctl status torii` shows how the service ended."},
    {"LOG-FILE", Severity::Error,
     "The log file could not be opened. Events go to the other outputs only.",
     "Correct `log.file`, or create its directory and let the user torii write there."},
    {"CONFIG-APPLIED", Severity::Notice,
     "A configuration was applied; it is a new revision in the history.",
     "Nothing. `torii config history` lists revisions, `torii config rollback N` restores one."},
    {"CONFIG-INVALID", Severity::Error,
     "A reload found a mistake in the configuration file. The running configuration stays.",
     "Correct the line that the event names, run `toriid --check FILE`, then `torii config "
     "reload`."},
    {"CONFIG-RELOAD-REFUSED", Severity::Warning,
     "A reload was asked for while a commit waits to be confirmed. Nothing was changed.",
     "Run `torii config confirm` or `torii config abort`, then `torii config reload`."},
    {"CONFIG-NEEDS-RESTART", Severity::Warning,
     "A part of the new configuration takes effect only when toriid restarts.",
     "Drain the gateway with `torii drain on`, restart the service, end the drain with `torii "
     "drain off`. `torii status` lists the changes that wait."},
    {"CONFIG-ROLLED-BACK", Severity::Warning,
     "A commit with a confirmation time was not confirmed; the configuration before it is in force "
     "again.",
     "If the change is wanted, commit it again and run `torii config confirm` in time."},
    {"REVISION-NOT-KEPT", Severity::Error,
     "The applied configuration could not be stored in the history. It is in force nevertheless.",
     "Free space below /var/lib/torii and check its owner (user torii). `torii config save` still "
     "writes the startup file."},
    {"DRAINED", Severity::Notice,
     "An operator took the gateway out of service: routes are announced with GRACEFUL_SHUTDOWN "
     "(RFC 8326) and /readyz fails. Forwarding goes on.",
     "Nothing. `torii drain off` puts the gateway back in service."},
    {"STILL-DRAINED", Severity::Warning,
     "toriid started drained, because the gateway was drained before the restart.",
     "Run `torii drain off` when the gateway is to carry traffic again."},
    {"UNDRAINED", Severity::Notice, "The drain ended; the gateway is in service again.",
     "Nothing."},
    {"MGMT-WRITE", Severity::Notice,
     "A client of the API changed something; the fields name the client and the request.",
     "Nothing. This is the audit log."},
    {"MGMT-LISTEN-FAILED", Severity::Error,
     "The API is not served on an address, a socket, or by TLS; the event names the reason. "
     "Forwarding and BGP go on, and it is tried again every second.",
     "Correct `management.http`, `management.socket` or the files of `management.tls`, or end the "
     "process that has the address."},
    {"MGMT-LISTENING", Severity::Notice, "What MGMT-LISTEN-FAILED reported is over.", "Nothing."},
    {"MGMT-TLS-LOADED", Severity::Notice,
     "The files of `management.tls` changed and were read again; new connections get them.",
     "Nothing."},
    {"MGMT-WRITE-REFUSED", Severity::Warning,
     "A write request to the API was refused; the field status is the HTTP status.",
     "For status 401 or 403 check the token of the client and its role in `management.tokens`. "
     "Other requests are wrong or came too late: the client received the reason."},

    // Ports and neighbors of the links.
    {"PORT-OPEN", Severity::Notice, "The gateway opened a port.", "Nothing."},
    {"PORT-FAILED", Severity::Error,
     "A port of the new configuration could not be opened and is left out. The other ports work.",
     "Run `torii doctor`: is the driver bound, the interface present, the name right? Then `torii "
     "config reload` tries again."},
    {"PORT-ADDRESSES", Severity::Error, "The addresses of a port could not be changed.",
     "The error names the reason. Correct `ports.NAME.addresses` and reload; if it stays, restart "
     "after `torii drain on`."},
    {"PORT-MTU", Severity::Error, "The MTU of a port could not be changed; the old one is in use.",
     "Set `ports.NAME.mtu` to a value that the device supports, or restart after `torii drain "
     "on`: some drivers change it only at the start."},
    {"LINK-UP", Severity::Notice, "The link of a port came up.", "Nothing."},
    {"LINK-DOWN", Severity::Warning,
     "The link of a port went down. Its connected routes are withdrawn and its neighbors are "
     "unreachable.",
     "Check cable, transceiver and switch port; `torii port list` shows the state."},
    {"NEIGHBOR-LOST", Severity::Warning,
     "A next hop in use does not answer ARP or neighbor solicitation, or its link is down. "
     "Packets to it are answered with ICMP unreachable.",
     "Check the host and the network between; `torii neighbor list` shows the state of each "
     "address."},
    {"SHARED-ADDRESS-TAKEN", Severity::Notice,
     "A shared address (VRRP, keepalived) was added to a port: this gateway owns it now.",
     "Nothing. In a pair exactly one gateway has the address."},
    {"SHARED-ADDRESS-LEFT", Severity::Notice,
     "A shared address was removed from a port: another gateway owns it now.",
     "If this gateway should own it: `torii status` shows why it is not ready."},

    // The kernel's side of a port.
    {"KERNEL-ROUTE", Severity::Warning,
     "The default route of the kernel through the gateway could not be set. BGP sessions beyond "
     "the links do not come up.",
     "toriid needs CAP_NET_ADMIN; the unit torii.service grants it. Restart after the correction."},
    {"KERNEL-RULE", Severity::Warning,
     "A policy rule of the kernel for an address of the gateway could not be set. Answers of the "
     "kernel may leave by another interface.",
     "toriid needs CAP_NET_ADMIN; the unit torii.service grants it. Restart after the correction."},
    {"KERNEL-ADDRESS", Severity::Warning,
     "An address of a port could not be set on its interface in the kernel. The gateway does not "
     "answer ARP, ND, ping and BGP there.",
     "Look for the same address on another interface (`ip address`); with IPv6, look whether "
     "net.ipv6.conf.all.disable_ipv6 is set."},
    {"ADDRESS-CONFLICT", Severity::Error,
     "A host on the link of a port claims an address of the gateway (ARP or neighbor "
     "advertisement). Hosts there may send to it instead of to the gateway.",
     "Find it: `torii capture --exit arp_conflict -w FILE` or `torii capture --exit nd_conflict` "
     "shows its MAC."},
    {"TWIN-RESTORED", Severity::Warning,
     "Another process changed the kernel's interface of a port (its state, MAC or an address of "
     "it); torii set it again.",
     "Find the process: a network manager that takes every interface, or a script. Exclude the "
     "interfaces that are named like ports."},
    {"TWIN-LOST", Severity::Error,
     "Another process removed the kernel's interface of a port. The gateway does not answer ARP, "
     "ND, ping and BGP there; packets are forwarded to neighbors that it has.",
     "Drain the gateway, restart it, and find the process that removed the interface."},
    {"KERNEL-LINK", Severity::Warning,
     "The kernel's interface of a port could not be set up or down.",
     "toriid needs CAP_NET_ADMIN; the unit torii.service grants it. Commit `ports.NAME.shutdown` "
     "again after the correction."},

    // Forwarding.
    {"DATAPLANE-UP", Severity::Notice, "The workers run and forward packets.", "Nothing."},
    {"DATAPLANE-DOWN", Severity::Notice, "The workers stopped; no packet is forwarded.",
     "Nothing if toriid is stopping."},
    {"FIB-FULL", Severity::Error,
     "The forwarding table has no room for a route. This event is sent for the first refused "
     "route only; the routes are installed when room becomes free.",
     "`torii counters torii_resource` shows which limit is reached. Raise "
     "`dataplane.ipv4_routes` or `dataplane.ipv6_routes`, drain and restart; or limit what "
     "neighbors announce with `bgp.defaults.max_prefix`."},
    {"FIB-FAULT", Severity::Error,
     "An entry of the forwarding tables differed from the routing table: a prefix, a next-hop "
     "group, a neighbor or a single word of memory. Packets went by it until it was corrected.",
     "It is corrected. `torii verify` compares everything at once. If it comes back, run `torii "
     "tech-support` and report it; many at the same time can be failing memory: see the host's "
     "machine-check log."},
    {"FIB-REFUSED", Severity::Warning,
     "A route was not installed because the forwarding table is full. Its packets follow a shorter "
     "prefix or are dropped.",
     "See FIB-FULL. `torii route list --table fib PREFIX` shows what is installed."},
    {"FIB-GROUPS-FULL", Severity::Error,
     "The next-hop table has no room for another set of next hops; routes with that set are not "
     "installed.",
     "Raise `dataplane.next_hop_groups`, drain and restart."},
    {"FIB-GROUP-TRUNCATED", Severity::Warning,
     "A route has more next hops than a group holds (512); the rest carries no traffic.",
     "Give the static route fewer next hops (`routes[].via`), or lower `bgp.maximum_paths_ebgp` "
     "and `bgp.maximum_paths_ibgp`."},
    {"FIB-NEIGHBORS-FULL", Severity::Error,
     "The table of neighbors has no room for another next hop; it carries no traffic. The table "
     "has half as many rows as the next-hop table.",
     "Raise `dataplane.next_hop_groups`, drain and restart."},
    {"LOOP-GUARD", Severity::Warning,
     "Packets were dropped because their next hop is the node that sent them: the node announces "
     "an "
     "address that it does not serve.",
     "Look at the node's service proxy: `torii capture --exit loop_guard -w FILE` shows the "
     "packets, `torii explain DESTINATION` the node."},

    // Liveness of neighbors.
    {"LIVENESS-UP", Severity::Notice,
     "A watched neighbor answers: echoes, probes or BFD. It carries traffic again.", "Nothing."},
    {"LIVENESS-DOWN", Severity::Warning,
     "A watched neighbor failed: the field why names the evidence. It carries no more traffic.",
     "Check the host and the network between; `torii liveness ADDRESS` shows each kind of "
     "evidence."},
    {"LIVENESS-FULL", Severity::Warning,
     "A neighbor is not watched: the 16,384 liveness sessions are in use, or no worker polls its "
     "port. BGP timers alone detect its failure.",
     "Set `liveness.detect` or `bgp.defaults.liveness.detect` to \"off\" for neighbors that need "
     "no fast detection."},

    // BGP: listening.
    {"BGP-START-FAILED", Severity::Error,
     "BGP could not be started with the new configuration. No session runs.",
     "The error names the reason: often `bgp.port` is in use by another daemon, or an address "
     "of `bgp.listen_addresses` is not ours."},
    {"BGP-LISTEN-FAILED", Severity::Error,
     "A BGP listener could not be opened with the new configuration. Neighbors that dial it are "
     "not answered.",
     "Correct `bgp.port` or `bgp.listen_addresses`, stop the daemon that holds the port, and "
     "reload."},
    {"BGP-LISTEN-LIMIT-NEAR", Severity::Warning,
     "Three quarters of the dynamic neighbors that are allowed exist.",
     "Raise `bgp.listen_limit` before it is reached."},
    {"BGP-LISTEN-LIMIT", Severity::Notice,
     "A connection was refused because the limit of dynamic neighbors is reached.",
     "Raise `bgp.listen_limit` or `bgp.listen[].limit` if the neighbor is wanted."},
    {"BGP-CONNECTION-UNKNOWN", Severity::Notice,
     "A connection was refused: its address is neither a configured neighbor nor inside a listen "
     "range.",
     "If the neighbor is wanted, add it to `bgp.neighbors`, or widen `bgp.listen[].range`. Nodes "
     "with several addresses may dial from another one than expected."},
    {"BGP-CONNECTION-REFUSED", Severity::Notice,
     "A connection of a configured neighbor was refused: it is shut down, or it waits after a "
     "prefix limit closed its session.",
     "`torii bgp enable ADDRESS` ends a shutdown, `torii bgp clear ADDRESS` ends the wait."},
    {"BGP-MD5-FAILED", Severity::Error,
     "The kernel did not take a TCP MD5 key. The session of that neighbor does not come up.",
     "The error names the reason; more than 80 octets in `bgp.defaults.password` is one, a kernel "
     "without TCP MD5 another."},
    {"BGP-MD5-REFUSED", Severity::Warning,
     "The kernel dropped TCP segments because of their MD5 signature: missing, made with another "
     "key, or present where no password is set. The counts are those of the whole host.",
     "Compare `bgp.defaults.password` with that of the neighbor whose session does not come up."},

    // BGP: sessions.
    {"BGP-ADJCHANGE-UP", Severity::Notice, "A BGP session reached Established.", "Nothing."},
    {"BGP-ADJCHANGE-DOWN", Severity::Warning,
     "An established BGP session ended; the text names the reason.",
     "`torii bgp neighbor ADDRESS` shows state and last reason. Hold timer expired: packets are "
     "lost or the neighbor is overloaded. Notification received: its log has the cause."},
    {"BGP-SESSION-FAILED", Severity::Info,
     "A connection ended before the session reached Established.",
     "The text names the reason; `torii bgp neighbor ADDRESS --why` shows where each setting "
     "comes from."},
    {"BGP-OPEN-BAD-AS", Severity::Warning,
     "The OPEN of a neighbor carries another AS than configured; the session was refused.",
     "Correct `bgp.defaults.remote_as` of this neighbor or group, or the neighbor's own AS."},
    {"BGP-OPEN-SAME-ID", Severity::Warning,
     "The OPEN of an iBGP neighbor carries our own BGP identifier; the session was refused.",
     "Give one of the two another `bgp.router_id`."},
    {"BGP-OPEN-NO-FAMILY", Severity::Warning,
     "The neighbor and the gateway have no address family in common; the session was refused.",
     "Compare `bgp.defaults.families` with the families that the neighbor offers."},
    {"BGP-LIVENESS-DOWN", Severity::Warning,
     "A session was closed (Cease 6/10, RFC 9384) because its neighbor failed the liveness check.",
     "See LIVENESS-DOWN. `bgp.defaults.liveness.on_death` = \"suppress\" keeps the session."},

    // BGP: routes.
    {"BGP-UPDATE-MALFORMED", Severity::Error,
     "An UPDATE could not be parsed; the session is reset (RFC 4271 section 6.3).",
     "Report it to the vendor of the neighbor. `torii bgp dump updates --for 60` records the "
     "message."},
    {"BGP-UPDATE-ERROR", Severity::Warning,
     "An UPDATE has a faulty attribute; its routes are treated as withdrawn or the attribute is "
     "discarded (RFC 7606). The session stays. At most one event a second for each neighbor.",
     "Report it to the operator of the neighbor. `torii bgp dump updates --for 60` records the "
     "message."},
    {"BGP-RECEIVE-LIMIT", Severity::Error,
     "A neighbor sends more than may be stored for it, refused routes included. Its session is "
     "closed, and it may come back after a minute.",
     "Look for a leak at the neighbor. If it is wanted, raise `bgp.defaults.receive_limit` or "
     "`bgp.defaults.receive_octets`."},
    {"BGP-PATHS-LIMIT", Severity::Warning,
     "A neighbor sends more paths of one prefix than are stored (RFC 7911). The others are "
     "ignored.",
     "Look for a fault at the neighbor; `torii route list --table adj-in --neighbor ADDRESS` shows "
     "what is stored."},
    {"BGP-PASSWORD-PENDING", Severity::Warning,
     "The password of a neighbor was changed while its session is up. The session goes on with the "
     "key, or without one, that it began with.",
     "Change the password at the neighbor; `torii bgp clear ADDRESS` ends the session if it does "
     "not end by itself."},
    {"BGP-CONNECT-FAILED", Severity::Notice,
     "The TCP connection to a neighbor cannot be made. One event for each neighbor and reason; "
     "`torii bgp neighbor ADDRESS` shows the latest.",
     "Look for a route to the neighbor and for a firewall on the way; the neighbor has to listen "
     "on `bgp.defaults.port`."},
    {"BGP-SECOND-SPEAKER", Severity::Warning,
     "A second BGP speaker, with another router ID or AS, opens sessions from the address of a "
     "neighbor that is up. It is refused.",
     "Find both at that address; each needs an address of its own."},
    {"BGP-OPEN-HOLD-TIME", Severity::Notice,
     "A session was refused: the hold time of the neighbor is too short, or it wants none.",
     "Set a hold time at the neighbor, or lower `bgp.defaults.minimum_hold_time`."},
    {"BGP-MAX-PREFIX-NEAR", Severity::Warning,
     "A neighbor announces nearly as many prefixes as allowed.",
     "Raise `bgp.defaults.max_prefix.limit` if the growth is expected; the warning comes at "
     "`bgp.defaults.max_prefix.warn_percent`."},
    {"BGP-MAX-PREFIX", Severity::Error,
     "A neighbor announces more prefixes than allowed. `bgp.defaults.max_prefix.action` decides "
     "whether the session closes, the prefixes are dropped, or nothing follows.",
     "Look for a leak: `torii route list --table adj-in --neighbor ADDRESS`. Then raise "
     "`bgp.defaults.max_prefix.limit` or correct the neighbor; `torii bgp clear ADDRESS` restarts "
     "a "
     "closed session."},
    {"BGP-GUARD-REFUSED", Severity::Warning,
     "The guard refused a prefix: another node owns it, or the node may not announce it. At most "
     "one event a second for each neighbor.",
     "Find out why the node announces it: `torii route list --table filtered --neighbor ADDRESS`. "
     "If the prefix moved between nodes, it is accepted when `bgp.guard.lease` is over."},
    {"BGP-GUARD-ALERT", Severity::Warning,
     "The guard would have refused a prefix; `bgp.guard.mode` is \"alert\", so it was accepted.",
     "As for BGP-GUARD-REFUSED. When no such event comes for prefixes that are right, set "
     "`bgp.guard.mode` to \"enforce\"."},
    {"BGP-GR-HELPER", Severity::Notice,
     "A neighbor with graceful restart lost its session; its routes are kept as stale (RFC 4724).",
     "Nothing, unless it does not come back: BGP-GR-EXPIRED."},
    {"BGP-HOLD-DOWN", Severity::Notice,
     "A neighbor without graceful restart lost its session while it passes the liveness check; its "
     "routes are kept for `bgp.defaults.hold_down`.",
     "Nothing, unless it does not come back: BGP-GR-EXPIRED."},
    {"BGP-LLGR-BEGINS", Severity::Warning,
     "The restart timer of a neighbor expired; its routes are kept as long-lived stale (RFC 9494) "
     "and used only where no other route exists.",
     "Look at the neighbor: its BGP process is down. `bgp.defaults.long_lived_stale_time` sets how "
     "long the routes are kept."},
    {"BGP-GR-EXPIRED", Severity::Warning,
     "The time for stale routes of a neighbor is over; those that it did not announce again are "
     "deleted.",
     "Look at the neighbor: its BGP process is down, or it did not send End-of-RIB. "
     "`bgp.defaults.stale_time` and `bgp.defaults.hold_down` set the time."},
    {"BGP-GR-DEAD", Severity::Warning,
     "A neighbor failed the liveness check while its routes were kept as stale; they are deleted.",
     "See LIVENESS-DOWN."},

    // BGP: MRT files.
    {"BGP-MRT-WRITTEN", Severity::Info, "An MRT file is complete.", "Nothing."},
    {"BGP-MRT-FAILED", Severity::Error, "An MRT file could not be written.",
     "Free space in `bgp.mrt.directory` and let the user torii write there."},
};

// The row of a name, or nullptr.
const EventKind* find_event(std::string_view name);

// docs/events.md, whole.
std::string events_document();

consteval EventId::EventId(const char* name) : kind_(nullptr) {
    for (const auto& kind : kEvents)
        if (kind.name == name) {
            kind_ = &kind;
            return;
        }
    throw "no event of this name in base/event_list.hpp";
}

}  // namespace torii
