// The speaker alone, between a table that forgets and a tracker that believes
// everything: what bgpswarm measures is BGP and nothing else.
//   bgp_daemon ADDRESS PORT [fanout]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/loop.hpp"
#include "bgp/speaker.hpp"

using namespace torii;

namespace {

class NullSink final : public rib::RouteSink {
public:
    void put(const Prefix&, const rib::RouteSpec&) override { ++puts_; }
    void remove(const Prefix&, rib::Source) override { ++puts_; }

private:
    std::uint64_t puts_ = 0;
};

class AlwaysReachable final : public rib::NextHopTracker {
public:
    rib::Reachability track(const IpAddress&) override { return {true, 0}; }
    void untrack(const IpAddress&) override {}
    void listen(Listener) override {}
};

class Quiet final : public EventSink {
public:
    void emit(Event event) override {
        if (std::getenv("BGP_DAEMON_EVENTS") == nullptr) return;
        std::fprintf(stderr, "%s %s", std::string{event.id.name()}.c_str(), event.text.c_str());
        for (const auto& [key, value] : event.fields)
            std::fprintf(stderr, " %s=%s", std::string{key}.c_str(), value.c_str());
        std::fputc('\n', stderr);
    }
};

bgp::GroupSettings group(const char* name, std::uint32_t as, bool exports) {
    bgp::GroupSettings g;
    g.name = name;
    g.peer.remote_as = {bgp::RemoteAs::Kind::Number, as};
    // A death is to be seen at once here, not waited for.
    g.peer.graceful_restart = bgp::GracefulRestart::Off;
    g.peer.import_lists = {"any"};
    g.peer.export_lists = exports ? std::vector<std::string>{"any"} : std::vector<std::string>{};
    return g;
}

}  // namespace

int main(int argc, char** argv) {
    const auto address = argc > 2 ? IpAddress::parse(argv[1]) : std::nullopt;
    if (!address) return std::fprintf(stderr, "bgp_daemon ADDRESS PORT [fanout]\n"), 2;
    const bool fanout = argc > 3 && std::strcmp(argv[3], "fanout") == 0;

    Loop loop;
    NullSink sink;
    AlwaysReachable tracker;
    Quiet events;
    SteadyClock clock;
    bgp::Speaker speaker{loop, sink, tracker, events, clock};

    bgp::SpeakerSettings settings;
    settings.asn = 65000;
    settings.router_id = address->is_v4() ? address->v4() : 0x0a000001;
    settings.listen = {{*address, static_cast<std::uint16_t>(std::atoi(argv[2]))}};
    settings.listen_limit = 20000;
    settings.multipath = {512, 512, true};
    settings.groups = {group("nodes", 65001, fanout), group("full", 65001, false),
                       group("receivers", 65100, true)};
    const auto range = [](const char* prefix, const char* name) {
        return bgp::ListenRange{*Prefix::parse(prefix), name, 0};
    };
    settings.ranges = {range("172.17.0.0/16", "nodes"), range("172.18.0.0/16", "full"),
                       range("172.19.0.0/16", "receivers")};
    speaker.apply(settings);
    if (const auto started = speaker.start(); !started)
        return std::fprintf(stderr, "%s\n", started.error().message().c_str()), 1;

    const Signals signals{loop, {SIGTERM, SIGINT}, [&](int) {
                              speaker.stop(2, [&] { loop.stop(); });
                              return false;
                          }};
    loop.run();
    return 0;
}
