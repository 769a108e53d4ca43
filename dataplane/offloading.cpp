// What ports do by themselves with frames, and what of it remains for the workers.
#include <algorithm>

#include "dataplane/offload/rte_flow.hpp"
#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/parts.hpp"

namespace torii::dataplane {

// Called whenever the state of a port is made anew: its addresses are in the rules.
void Dataplane::Parts::offload(const Place& place, PortState& state) {
    const auto wanted = intents(place.own, settings.drop_sources);
    state.soft = soft;
    state.drops_early = !soft->empty();
    auto* flows = place.port->flows();
    if (flows == nullptr) return;
    flows->apply(wanted);
    // A device's rules may not look behind tags.
    if (state.sub_ports) return;
    // What the port lets through, or might.
    state.drops_early = std::ranges::any_of(flows->placed(), [&](const RteFlow::Placed& rule) {
        return rule.intent.drops() && (rule.handle == nullptr || flows->has_flat_rules());
    });
}

bool Dataplane::set_drop_sources(std::vector<Prefix> sources) {
    auto& p = *parts_;
    if (p.settings.drop_sources == sources) return false;
    p.settings.drop_sources = std::move(sources);
    p.soft = std::make_shared<const SoftFlow>(p.settings.drop_sources);
    for (PortIndex i = 0; i < p.places.size(); ++i) p.publish_port(i);
    return true;
}

std::vector<OffloadView> Dataplane::offload() const {
    std::vector<OffloadView> out;
    for (PortIndex i = 0; i < parts_->places.size(); ++i) {
        const auto& place = parts_->places[i];
        const auto* flows = place.port->flows();
        auto& view = out.emplace_back();
        view.port = place.port->settings().name;
        view.driver = place.port->driver();
        view.rte_flow = flows != nullptr;
        const auto exit = static_cast<std::size_t>(Exit::DropList);
        for (const auto& w : parts_->workers) view.dropped += w->counters.exits[i][exit];
        const auto row = [&](const Intent& intent) -> FlowRuleView& {
            auto& rule = view.rules.emplace_back();
            rule.intent = to_string(intent.kind);
            rule.match = intent.to_string();
            rule.action = intent.drops() ? "drop" : "queue";
            return rule;
        };
        if (flows == nullptr) {
            view.reason = !parts_->settings.offload ? "switched off by dataplane.offload"
                          : place.root != i ? "of frames with a tag: rules do not look behind it"
                                            : "the driver has no rte_flow";
            for (const auto& intent : intents(place.own, parts_->settings.drop_sources))
                row(intent).reason = view.reason;
            continue;
        }
        const auto& queues = flows->queues();
        if (queues.lanes != 0) {
            view.urgent_queue = queues.of(Lane::Urgent);
            view.control_queue = queues.of(Lane::Control);
        }
        for (const auto& placed : flows->placed()) {
            auto& rule = row(placed.intent);
            rule.hardware = placed.handle != nullptr;
            rule.reason = placed.reason;
            rule.rule = to_string(placed.intent, queues);
            rule.packets = flows->packets(placed);
        }
    }
    return out;
}

}  // namespace torii::dataplane
