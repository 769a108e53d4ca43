#include "app/drain.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

std::string file_in(const std::string& directory) {
    return directory + "/drained";
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    char text[32] = "";
    gmtime_r(&seconds, &utc);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// Seconds since the epoch on the first line, the reason behind it.
std::optional<Drained> kept_drain(const std::string& state_directory) {
    if (state_directory.empty()) return std::nullopt;
    std::ifstream in{file_in(state_directory)};
    if (!in) return std::nullopt;
    // Whatever the file holds, its presence is the request.
    Drained out{std::chrono::system_clock::now(), ""};
    std::time_t since = 0;
    if (in >> since) out.since = std::chrono::system_clock::from_time_t(since);
    in.clear();
    in.ignore(1);
    out.reason.assign(std::istreambuf_iterator<char>{in}, {});
    out.reason.resize(std::min<std::size_t>(out.reason.size(), 255));
    return out;
}

void keep_drain(const std::string& state_directory, const std::optional<Drained>& drained) {
    if (state_directory.empty()) return;
    const auto file = file_in(state_directory);
    if (!drained) {
        std::remove(file.c_str());
        return;
    }
    std::ofstream{file} << std::chrono::system_clock::to_time_t(drained->since) << '\n'
                        << drained->reason;
}

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
