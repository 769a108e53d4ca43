#include "app/capture_view.hpp"

#include <algorithm>

#include "app/gateway.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

constexpr std::size_t kBatch = 256;  // packets of one question
constexpr std::chrono::seconds kAbandoned{10};

}  // namespace

Captures::Captures(Gateway& gateway) : gateway_(gateway), abandoned_(gateway.loop()) {}

void Captures::start(mgmt::CaptureRequest request, mgmt::Done<std::vector<std::string>> done) {
    dataplane::CaptureFilter filter;
    for (const auto& name : request.exits) {
        const auto point = dataplane::capture_point(name);
        if (!point)
            return done(Failure{mgmt::bad_request(
                "exit: there is no exit " + name.substr(0, 60) +
                "; torii counters torii_exit_packets_total --all lists them, and transmit")});
        filter.points.set(*point);
    }
    if (request.exits.empty()) filter.points.set();
    filter.prefix = request.prefix;
    filter.one_in = request.one_in;
    filter.snap = request.snap;
    gateway_.ask([this, filter, port = std::move(request.port), done = std::move(done)]() mutable {
        auto* dataplane = gateway_.dataplane();
        if (dataplane == nullptr)
            return done(Failure{mgmt::conflict("there are no ports: no packet passes here")});
        const auto& known = gateway_.running().ports;
        std::vector<std::string> names;
        for (const auto& one : known) names.push_back(one.name);
        if (!port.empty()) {
            // All that passes its device: its sub-ports' too.
            for (std::size_t i = 0; i < std::min(known.size(), dataplane::kMaxPorts); ++i)
                filter.ports.set(i, known[i].name == port || known[i].parent == port);
            if (filter.ports.none())
                return done(Failure{mgmt::bad_request("port: there is no port " + port)});
        }
        if (!dataplane->start_capture(filter))
            return done(Failure{mgmt::conflict("another capture runs; one at a time")});
        const auto clock = dataplane::Dataplane::cycle_clock();
        began_tsc_ = clock.now;
        hz_ = clock.hz;
        began_ = std::chrono::system_clock::now();
        end_unless_taken();
        // What neither came in by a port nor leaves by one.
        names.push_back("kernel");
        done(std::move(names));
    });
}

void Captures::take(mgmt::Done<mgmt::CaptureBatch> done) {
    gateway_.ask([this, done = std::move(done)] {
        mgmt::CaptureBatch batch;
        auto* dataplane = gateway_.dataplane();
        if (dataplane == nullptr) return done(std::move(batch));
        end_unless_taken();
        const auto ports = static_cast<std::uint32_t>(gateway_.running().ports.size());
        const auto start =
            std::chrono::duration_cast<std::chrono::nanoseconds>(began_.time_since_epoch());
        for (auto& frame : dataplane->take_captured(kBatch)) {
            const double passed =
                (static_cast<double>(frame.tsc) - static_cast<double>(began_tsc_)) /
                static_cast<double>(hz_) * 1e9;
            mgmt::CapturedPacket to;
            to.time = static_cast<std::uint64_t>(start.count() + static_cast<std::int64_t>(passed));
            to.exit = dataplane::capture_point_name(frame.point);
            to.port = std::min<std::uint32_t>(frame.port, ports);
            to.length = frame.length;
            to.bytes.assign(frame.bytes.begin(), frame.bytes.end());
            batch.packets.push_back(std::move(to));
        }
        batch.lost = dataplane->captures_lost();
        done(std::move(batch));
    });
}

void Captures::stop() {
    gateway_.ask([this] { end(); });
}

void Captures::end() {
    abandoned_.cancel();
    if (auto* dataplane = gateway_.dataplane()) dataplane->stop_capture();
}

void Captures::end_unless_taken() {
    abandoned_.start(kAbandoned, [this] { end(); });
}

}  // namespace torii::app
