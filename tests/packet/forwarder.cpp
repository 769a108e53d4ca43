// The data plane alone, driven by the command line, for tests of packets over real
// ports without the rest of toriid.
//
//   forwarder [--busy] [--cpu N] [--no-twin] port NAME DEVICE ADDRESS/LEN... --
//             [route PREFIX NEIGHBOR PORT[,NEIGHBOR PORT...]]...
//
// Prints events as they come and counters on SIGUSR1; ends on SIGTERM.
#include <poll.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/dataplane.hpp"

namespace {

using namespace torii;

volatile std::sig_atomic_t stop_asked = 0, report_asked = 0;

struct Printer : EventSink {
    void emit(Event event) override {
        std::printf("%s %s", std::string(event.id.name()).c_str(), event.text.c_str());
        for (const auto& [key, value] : event.fields)
            std::printf(" %s=%s", std::string(key).c_str(), value.c_str());
        std::puts("");
        std::fflush(stdout);
    }
};

void report(dataplane::Dataplane& d) {
    for (const auto& p : d.ports())
        std::printf("port %s rx=%lu tx=%lu missed=%lu\n", p.name.c_str(), p.rx.packets,
                    p.tx.packets, p.rx_missed);
    for (const auto& e : d.exits())
        std::printf("exit %s port=%s n=%lu\n", std::string(e.name).c_str(), e.port.c_str(),
                    e.packets);
    for (const auto& n : d.neighbors())
        std::printf("neighbor %s port=%u mac=%s state=%s\n", n.address.to_string().c_str(), n.port,
                    n.mac.to_string().c_str(), std::string(to_string(n.state)).c_str());
    const auto l = d.ledger();
    std::printf("ledger entered=%lu left=%lu held=%lu\n", l.entered(), l.left(), l.held);
    for (const auto& r : d.resources())
        std::printf("resource %s used=%lu limit=%lu\n", std::string(r.name).c_str(), r.used,
                    r.limit);
    for (const auto& w : d.workers()) std::printf("worker busy=%.3f\n", w.busy_ratio);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    dataplane::Settings settings;
    rib::FibDelta delta;
    const std::vector<std::string> args(argv + 1, argv + argc);
    std::size_t i = 0;
    bool twin = true;
    for (; i < args.size(); ++i) {
        if (args[i] == "--busy") {
            settings.busy_poll = true;
        } else if (args[i] == "--no-twin") {
            twin = false;
        } else if (args[i] == "--cpu") {
            settings.worker_cpus.push_back(static_cast<std::uint16_t>(std::stoi(args[++i])));
        } else if (args[i] == "port") {
            dataplane::PortSettings port;
            port.kernel_twin = twin;
            port.name = args[++i];
            port.device = args[++i];
            const auto index = static_cast<rib::PortIndex>(settings.ports.size());
            while (++i < args.size() && args[i] != "--") {
                const auto slash = args[i].find('/');
                const auto address = IpAddress::parse(args[i].substr(0, slash));
                const auto length = static_cast<std::uint8_t>(std::stoi(args[i].substr(slash + 1)));
                if (!address) return 2;
                port.addresses.push_back({*address, length});
                delta.prefixes.push_back(
                    {Prefix{*address, length}, rib::FibAction{rib::RouteKind::Attached, index, 0}});
                delta.prefixes.push_back(
                    {Prefix::host(*address), rib::FibAction{rib::RouteKind::Local, 0, 0}});
            }
            settings.ports.push_back(port);
        } else if (args[i] == "route") {
            const auto prefix = Prefix::parse(args[++i]);
            rib::GroupChange group;
            group.id = static_cast<rib::GroupId>(delta.groups.size() + 1);
            while (i + 2 < args.size() && args[i + 1] != "route" && args[i + 1] != "port") {
                const auto neighbor = IpAddress::parse(args[++i]);
                if (!neighbor) return 2;
                group.members.push_back(
                    {*neighbor, static_cast<rib::PortIndex>(std::stoi(args[++i])), 1});
            }
            if (!prefix) return 2;
            delta.prefixes.push_back(
                {*prefix, rib::FibAction{rib::RouteKind::Forward, 0, group.id}});
            delta.groups.push_back(group);
        }
    }
    std::signal(SIGTERM, [](int) { stop_asked = 1; });
    std::signal(SIGINT, [](int) { stop_asked = 1; });
    std::signal(SIGUSR1, [](int) { report_asked = 1; });
    Printer printer;
    auto started = dataplane::Dataplane::start(settings, printer);
    if (!started) {
        std::fprintf(stderr, "%s\n", started.error().message().c_str());
        return 1;
    }
    auto& d = **started;
    d.apply(delta);
    std::puts("ready");
    std::fflush(stdout);
    while (!stop_asked) {
        pollfd waiting{d.descriptor(), POLLIN, 0};
        ::poll(&waiting, 1, 200);
        d.poll();
        if (report_asked) {
            report_asked = 0;
            report(d);
        }
    }
    report(d);
    return 0;
}
