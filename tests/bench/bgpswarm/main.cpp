// bgpswarm - emulate thousands of BGP speakers in one process against one device under test (DUT).
//
// Three kinds of sessions, each with its own range of source addresses so that the DUT can put
// them into different peer groups by listen range:
//   nodes      "--peers N"       every node announces its own pod /24, optional further /24s and
//   the
//                                K service VIPs (/32) that all nodes share (ECMP)
//   full       "--full-peers P"  every one announces the same table ("--full-table F" synthetic, or
//                                "--mrt FILE") with attributes of its own
//   receivers  "--receivers R"   announce nothing; keep a table of what the DUT sends and time it
//
// A run passes through fixed phases: establish -> converge -> [settle -> event -> re-converge] ->
// linger -> report (JSON). The event is either a flap load or the death of part of the sessions.
// "--timeout" bounds every run.

#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

// Generates a table, decodes it again and checks it; also shows what decoding and hashing cost at
// least.
inline int selftest(const Options& o) {
    const uint32_t count = o.full_table > 0 ? o.full_table : 1000000;
    const double t0 = monotonic();
    const Table table = o.mrt_file.empty() ? synthetic_table(count, o.seed)
                                           : load_mrt(o.mrt_file, o.mrt_peer, o.ipv6);
    const double t1 = monotonic();
    const Origination who{65001, 7, 0, false, Addr::parse("192.0.2.1"), Addr::parse("2001:db8::1"),
                          o.seed};
    const Bytes wire = encode_table(table, who, o.ipv6);
    const double t2 = monotonic();
    RouteTable rib(table.nets.size());
    RxCounters c;
    bool good = true;
    for (View data(wire); !data.empty();) {
        const size_t len = bgp::get16(&data[16]);
        good &= len >= bgp::kHeader && len <= bgp::kMaxMessage && len <= data.size();
        if (!good) break;
        good &= decode_update(
            data.first(len), true,
            [&](bool v6, const uint8_t* b, uint8_t l, uint32_t via) {
                rib.set(rib.find(v6, b, l), via);
            },
            c);
        data = data.subspan(len);
    }
    const double t3 = monotonic();
    good &= rib.held() == table.nets.size() && rib.held_via_peer(7) == table.nets.size() &&
            c.announced == table.nets.size();
    Json j(stdout);
    j.open();
    j.text("result", good ? "ok" : "FAILED");
    j.count("prefixes", table.nets.size());
    j.count("updates", c.updates);
    j.count("bytes", wire.size());
    j.num("draw_prefixes_seconds", t1 - t0, 4);
    j.num("encode_seconds", t2 - t1, 4);
    j.num("decode_and_hash_seconds", t3 - t2, 4);
    j.close();
    return good ? 0 : 1;
}

}  // namespace swarm

int main(int argc, char** argv) {
    using namespace swarm;
    const Options options = parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction sa {};
    sa.sa_handler = [](int) { g_interrupted = 1; };
    sigaction(SIGINT, &sa, nullptr);
    sigaction(SIGTERM, &sa, nullptr);
    return options.selftest ? selftest(options) : Swarm(options).run();
}
