#include "app/drain.hpp"
#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {

void Drains::drain(mgmt::Done<mgmt::DrainState> done) {
    gateway_.ask([this, done = std::move(done)] { done(state()); });
}

void Drains::set_drain(bool drained, std::string reason, mgmt::Done<mgmt::DrainState> done) {
    std::optional<Drained> wanted;
    if (drained) wanted = Drained{std::chrono::system_clock::now(), std::move(reason)};
    keep_drain(gateway_.state_directory(), wanted);
    gateway_.ask([this, wanted = std::move(wanted), done = std::move(done)]() mutable {
        gateway_.drain(std::move(wanted));
        done(state());
    });
}

mgmt::DrainState Drains::state() const {
    mgmt::DrainState out;
    if (const auto& drained = gateway_.drained()) {
        out.drained = true;
        out.since = rfc3339(drained->since);
        out.reason = drained->reason;
    }
    if (auto* dataplane = gateway_.dataplane()) {
        const auto books = dataplane->ledger();
        const auto own = books.injected + books.generated;
        out.forwarded_packets = books.transmitted > own ? books.transmitted - own : 0;
    }
    if (const auto* speaker = gateway_.speaker())
        out.neighbors_established = speaker->counters().established;
    return out;
}

}  // namespace torii::app
