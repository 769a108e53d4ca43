#include <algorithm>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "config/config.hpp"

namespace torii::app {
namespace {

using mgmt::Problem;

Problem no_bgp() {
    return mgmt::conflict("BGP is not configured: there is no `bgp` section");
}

std::string to_text(const bgp::RemoteAs& as) {
    switch (as.kind) {
        case bgp::RemoteAs::Kind::Unset:
            return "";
        case bgp::RemoteAs::Kind::Number:
            return std::to_string(as.number);
        case bgp::RemoteAs::Kind::External:
            return "external";
        case bgp::RemoteAs::Kind::Internal:
            return "internal";
    }
    return "";
}

std::vector<mgmt::SettingRow> setting_rows(const config::EffectivePeer& effective,
                                           const std::vector<std::string>& pending) {
    std::vector<mgmt::SettingRow> rows;
    for (auto& setting : config::describe(effective)) {
        const bool waits = std::ranges::count(pending, setting.key) > 0;
        rows.push_back(
            {std::move(setting.key), std::move(setting.value), std::move(setting.origin), waits});
    }
    return rows;
}

mgmt::NeighborRow row(const bgp::NeighborView& from) {
    mgmt::NeighborRow to;
    to.address = from.address.to_string();
    to.group = from.group;
    to.description = from.description;
    to.dynamic = from.dynamic;
    to.state = from.state;
    to.admin = from.admin;
    to.local_as = from.local_as;
    to.remote_as = from.remote_as;
    to.remote_as_wanted = to_text(from.wanted_as);
    if (from.router_id != 0) to.router_id = dotted(from.router_id);
    to.hostname = from.hostname;
    to.software_version = from.software;
    to.uptime = from.uptime;
    to.hold_time = from.hold_time;
    to.keepalive = from.keepalive;
    to.local_endpoint = from.local_endpoint;
    to.remote_endpoint = from.remote_endpoint;
    for (const auto& f : from.families)
        to.families.push_back({std::string{to_string(f.family)}, f.received, f.accepted, f.filtered,
                               f.advertised, f.max_prefixes, f.end_of_rib_received,
                               f.end_of_rib_sent});
    to.capabilities = from.capabilities;
    to.messages_received = from.received.total();
    to.messages_sent = from.sent.total();
    to.updates_received = from.received.update;
    to.updates_sent = from.sent.update;
    to.bytes_queued = from.bytes_queued;
    to.times_established = from.times_established;
    to.last_reason = from.last_reason;
    return to;
}

// The settings of a neighbor and the origin of each: its own line where it has one,
// else its group's.
std::vector<mgmt::SettingRow> why(const Gateway& gateway, const bgp::NeighborView& view) {
    const auto& model = gateway.running();
    if (!model.bgp) return {};
    const auto& bgp = *model.bgp;
    const auto own = std::ranges::find(bgp.neighbors, view.address, &config::Neighbor::address);
    if (own != bgp.neighbors.end()) return setting_rows(config::effective(bgp, *own), view.pending);
    if (const auto* group = bgp.find_group(view.group))
        return setting_rows(config::effective(bgp, *group), view.pending);
    return {};
}

bgp::PeerAction action_of(mgmt::PeerAction action) {
    return static_cast<bgp::PeerAction>(static_cast<std::uint8_t>(action));
}

}  // namespace

void Neighbors::neighbors(mgmt::Done<std::vector<mgmt::NeighborRow>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::NeighborRow> rows;
        if (const auto* speaker = gateway_.speaker())
            for (const auto& view : speaker->neighbors()) rows.push_back(row(view));
        done(std::move(rows));
    });
}

void Neighbors::neighbor(std::string address, mgmt::Done<mgmt::NeighborRow> done) {
    gateway_.ask([this, address = std::move(address), done = std::move(done)] {
        const auto* speaker = gateway_.speaker();
        if (speaker == nullptr) return done(Failure{no_bgp()});
        const auto ip = IpAddress::parse(address.substr(0, address.find('@')));
        if (!ip) return done(Failure{mgmt::bad_request("'" + address + "' is not an IP address")});
        const auto view = speaker->neighbor(*ip);
        if (!view) return done(Failure{mgmt::not_found("no BGP neighbor " + address)});
        auto found = row(*view);
        found.why = why(gateway_, *view);
        done(std::move(found));
    });
}

void Neighbors::groups(mgmt::Done<std::vector<mgmt::GroupRow>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::GroupRow> rows;
        if (const auto* speaker = gateway_.speaker()) {
            const auto& model = gateway_.running();
            for (const auto& view : speaker->groups()) {
                mgmt::GroupRow to;
                to.name = view.name;
                to.remote_as = to_text(view.remote_as);
                for (const auto& range : view.ranges) to.ranges.push_back(range.to_string());
                to.members_configured = view.configured;
                to.members_dynamic = view.dynamic;
                to.members_established = view.established;
                to.update_groups = view.update_groups;
                if (const auto* group = model.bgp ? model.bgp->find_group(view.name) : nullptr) {
                    to.inherits = group->inherits.value_or("");
                    to.settings = setting_rows(config::effective(*model.bgp, *group), {});
                }
                rows.push_back(std::move(to));
            }
        }
        done(std::move(rows));
    });
}

void BgpActions::act_on_neighbor(std::string address, mgmt::PeerAction action, std::string reason,
                                 mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask([this, address = std::move(address), action, reason = std::move(reason),
                  done = std::move(done)] {
        auto* speaker = gateway_.speaker();
        if (speaker == nullptr) return done(Failure{no_bgp()});
        const auto ip = IpAddress::parse(address.substr(0, address.find('@')));
        if (!ip) return done(Failure{mgmt::bad_request("'" + address + "' is not an IP address")});
        if (!speaker->act_on_neighbor(*ip, action_of(action), reason))
            return done(Failure{mgmt::not_found("no BGP neighbor " + address)});
        done(mgmt::Nothing{});
    });
}

void BgpActions::act_on_group(std::string name, mgmt::PeerAction action, std::string reason,
                              mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask(
        [this, name = std::move(name), action, reason = std::move(reason), done = std::move(done)] {
            auto* speaker = gateway_.speaker();
            if (speaker == nullptr) return done(Failure{no_bgp()});
            if (!speaker->act_on_group(name, action_of(action), reason))
                return done(Failure{mgmt::not_found("no peer group " + name)});
            done(mgmt::Nothing{});
        });
}

void BgpActions::dump_table(mgmt::Done<mgmt::MrtRow> done) {
    gateway_.ask([this, done = std::move(done)] {
        auto* speaker = gateway_.speaker();
        if (speaker == nullptr) return done(Failure{no_bgp()});
        speaker->dump_table([done](const Result<bgp::MrtFile, SystemError>& written) {
            if (!written) return done(Failure{mgmt::unavailable(written.error().message())});
            done(mgmt::MrtRow{written->file, true, written->prefixes, written->records,
                              written->bytes});
        });
    });
}

void BgpActions::record_updates(std::chrono::seconds time, mgmt::Done<mgmt::MrtRow> done) {
    gateway_.ask([this, time, done = std::move(done)] {
        auto* speaker = gateway_.speaker();
        if (speaker == nullptr) return done(Failure{no_bgp()});
        const auto file = speaker->record_updates(time, [](const auto&) {});
        if (!file) return done(Failure{mgmt::unavailable(file.error().message())});
        done(mgmt::MrtRow{*file, false, 0, 0, 0});
    });
}

}  // namespace torii::app
