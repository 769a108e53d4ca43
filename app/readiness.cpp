#include "app/readiness.hpp"

#include <algorithm>
#include <filesystem>

#include "app/gateway.hpp"
#include "base/event_list.hpp"
#include "bgp/speaker.hpp"
#include "config/store.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
// A gateway that has just started has no routes yet: it is not ready before its
// neighbors are established, or before this time has passed.
constexpr std::chrono::seconds kStart{60};

const Prefix kDefaults[] = {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};

bool is_default(const Prefix& prefix) {
    return prefix.length() == 0;
}

}  // namespace

Readiness::Readiness(Gateway& gateway) : gateway_(gateway), timer_(gateway.loop()) {}

void Readiness::configured(std::vector<IpAddress> uplinks) {
    uplinks_ = std::move(uplinks);
    if (started_) look();
}

void Readiness::start() {
    started_ = true;
    look();
    timer_.start(kInterval, [this] { start(); });
}

bool Readiness::ready() const {
    return std::ranges::all_of(conditions_, &Condition::met);
}

void Readiness::look() {
    conditions_ = evaluate();
    const bool now = ready();
    if (now != was_ready_) {
        std::string why;
        for (const auto& condition : conditions_)
            if (!condition.met)
                why += (why.empty() ? "" : ", ") + std::string{condition.name} + ": " +
                       condition.value;
        gateway_.events().emit({now ? EventId{"GATEWAY-READY"} : EventId{"GATEWAY-NOT-READY"},
                                now ? "the gateway is ready" : "the gateway is not ready: " + why,
                                {}});
    }
    was_ready_ = now;
    publish();
}

// Two gates that both lack something still agree on a master: each thing that is missing costs
// more than the usual difference of their priorities, and being drained the most.
int Readiness::priority() const {
    constexpr int kMissing = -60, kEachMore = -10, kDrained = -140;
    const auto missing = std::ranges::count(conditions_, false, &Condition::met);
    if (gateway_.drained()) return kDrained;
    return missing == 0 ? 0 : kMissing + kEachMore * static_cast<int>(missing - 1);
}

void Readiness::publish() {
    const auto& model = gateway_.running();
    auto file = model.readiness.file.value_or("");
    if (!model.readiness.file && !model.management.socket.empty())
        file = std::filesystem::path{model.management.socket}.replace_filename("vrrp-priority");
    if (file.empty()) return;
    // Worse at once; better when it has lasted, so that an address does not come and go.
    constexpr std::chrono::seconds kRise{3};
    const auto now = std::chrono::steady_clock::now();
    const int wanted = priority();
    if (wanted <= announced_) better_since_.reset();
    if (wanted > announced_ && !better_since_) better_since_ = now;
    if (wanted < announced_ || written_.empty() || (better_since_ && now - *better_since_ >= kRise))
        announced_ = wanted;
    auto text = std::to_string(announced_) + '\n';
    if (text + file == written_) return;
    written_ = text + file;
    gateway_.background().run([file, text] { (void)config::replace_file(file, text); });
}

std::vector<Condition> Readiness::evaluate() const {
    std::vector<Condition> out;
    const auto* dataplane = gateway_.dataplane();
    if (dataplane) out.push_back(ports());
    if (const auto& model = gateway_.running();
        !uplinks_.empty() || !model.readiness.uplinks.empty() ||
        std::ranges::any_of(model.routes, is_default, &config::StaticRoute::prefix))
        out.push_back(uplink());
    const auto* speaker = gateway_.speaker();
    if (const auto& bgp = gateway_.running().bgp;
        speaker && bgp && !bgp->listen.empty() && gateway_.running().readiness.nodes) {
        const auto members = speaker->counters().members_with_routes;
        out.push_back({"nodes", members > 0,
                       members > 0 ? std::to_string(members) + " announce routes"
                                   : "no member of a listen range announces a route"});
    }
    if (dataplane) {
        const auto refused = dataplane->routes_refused();
        out.push_back(
            {"fib", refused == 0,
             refused == 0 ? "has all routes" : std::to_string(refused) + " routes did not fit"});
    }
    if (speaker && gateway_.uptime() < kStart) {
        const auto counters = speaker->counters();
        if (counters.established < counters.neighbors)
            out.push_back({"start", false,
                           std::to_string(counters.established) + " of " +
                               std::to_string(counters.neighbors) + " neighbors are up"});
    }
    if (gateway_.drained()) out.push_back({"drain", false, "drained by request"});
    return out;
}

Condition Readiness::ports() const {
    const auto& model = gateway_.running();
    std::size_t all = 0, up = 0;
    std::string missing;
    for (std::size_t i = 0; i < model.ports.size(); ++i) {
        const auto& port = model.ports[i];
        const auto& named = model.readiness.ports;
        const bool asked = named.empty() ? !port.parent && !port.shutdown
                                         : std::ranges::find(named, port.name) != named.end();
        if (!asked) continue;
        ++all;
        if (gateway_.has_link(static_cast<rib::PortIndex>(i)))
            ++up;
        else
            missing += (missing.empty() ? "" : ", ") + port.name;
    }
    const bool met = model.readiness.ports.empty() ? all == 0 || up > 0 : up == all;
    return {"ports", met,
            std::to_string(up) + " of " + std::to_string(all) + " have link" +
                (missing.empty() ? "" : "; without: " + missing)};
}

bool Readiness::has_default_route() const {
    return std::ranges::any_of(kDefaults, [this](const Prefix& prefix) {
        return std::ranges::any_of(
            gateway_.table().candidates(prefix), [](const rib::RouteRow& row) {
                return row.in_use && row.usable && row.kind == rib::RouteKind::Forward;
            });
    });
}

Condition Readiness::uplink() const {
    if (has_default_route()) return {"uplink", true, "a default route is in the FIB"};
    const auto* speaker = gateway_.speaker();
    for (const auto& address : uplinks_) {
        const auto peer = speaker ? speaker->neighbor(address) : std::nullopt;
        if (peer && peer->state == "Established")
            return {"uplink", true, address.to_string() + " is established"};
    }
    return {"uplink", false, "no uplink peer is established and there is no default route"};
}

}  // namespace torii::app
