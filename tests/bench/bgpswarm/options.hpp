#pragma once

#include "tests/bench/bgpswarm/addresses.hpp"

namespace swarm {

enum class KillMode { Notify, Close, Rst, Silent };

struct Options {
    std::string dut_host = "127.0.0.1";
    uint16_t dut_port = 179;
    uint32_t peers = 0, receivers = 0, full_peers = 0;
    uint32_t full_table = 0;
    std::string mrt_file;
    int mrt_peer = -1;
    std::string src_nodes = "127.1.0.1", src_full = "127.2.0.1", src_receivers = "127.3.0.1";
    uint32_t local_as = 65001, as_step = 0, remote_as = 65000;
    uint32_t full_as = 0, receiver_as = 0;
    uint32_t prefixes_per_peer = 1, vips = 0;
    std::string pod_base = "10.0.0.0", vip_base = "198.18.0.0";
    bool ipv6 = false, enh = false, gr = true, barrier = false, progress = false, selftest = false;
    std::string nh6_base = "fd00:99::1";
    uint16_t hold = 90, gr_time = 120;
    std::string md5;
    int ttl = 0;
    double connect_rate = 0;
    uint32_t connect_parallel = 256;
    double flap_rate = 0, flap_duration = 10;
    double kill_fraction = 0;
    KillMode kill_mode = KillMode::Close;
    bool kill_full = false;
    uint32_t prepend_step = 0;
    double reconnect = 0;
    double settle = 1, idle = 1, linger = 0, timeout = 120;
    int64_t expect = -1, expect_after = -1;
    std::vector<int> dut_pids;
    uint64_t seed = 1;
    std::string json;

    bool ibgp() const { return local_as == remote_as; }
};

const char kUsage[] = R"(bgpswarm - emulate N BGP speakers against one device under test (DUT)

  --dut ADDR:PORT          DUT ([v6]:port accepted)                          [127.0.0.1:179]
sessions
  --peers N                nodes that announce pod prefixes / VIPs           [0]
  --receivers R            further sessions that only receive and count      [0]
  --full-peers P           further sessions that announce a full table       [1 with a table]
  --src-nodes A            first source address of the nodes                 [127.1.0.1]
  --src-full A             first source address of the full-table peers      [127.2.0.1]
  --src-receivers A        first source address of the receivers             [127.3.0.1]
  --local-as A --as-step S peer i speaks for AS A + i*S                      [65001, 0]
  --full-as A              AS of the full-table peers (p gets A + p*S)       [= --local-as]
  --receiver-as A          AS of the receivers                               [= --local-as]
  --remote-as B            AS of the DUT; equal to --local-as means iBGP     [65000]
  --hold S                 proposed hold time                                [90]
  --gr-time S | --no-gr    graceful restart capability                       [120]
  --ipv6                   also negotiate and announce IPv6 unicast
  --nh6-base A             IPv6 next hop of node 0 (node i: + i)             [fd00:99::1]
  --enh                    extended next hop: IPv4 routes with IPv6 next hop
  --md5 KEY                TCP MD5 signature (RFC 2385)
  --ttl T                  IP TTL / hop limit of the sessions (GTSM: 255)
  --connect-rate R         connects per second, 0 = no limit                 [0]
  --connect-parallel C     handshakes in flight at once                      [256]
routes
  --prefixes-per-peer M    /24s of each node: 1 pod + M-1 random ones        [1]
  --pod-base A             node i gets A + i * 256                           [10.0.0.0]
  --vips K --vip-base A    K shared /32s announced by every node             [0, 198.18.0.0]
  --full-table F           F synthetic routes (lengths, paths, communities)
  --mrt FILE               TABLE_DUMP_V2 file (uncompressed) instead; - is stdin
  --mrt-peer I             take the entries of peer index I only             [first entry]
  --prepend-step D         full peer p prepends its AS p*D times more        [0]
  --barrier                nobody announces before all sessions are Established
event (after convergence and --settle S [1])
  --flap R                 R updates/s over all nodes, --flap-duration S     [10 s]
  --kill-fraction X        end this part of the sessions ...
  --kill-target nodes|full ... of these, the lowest numbered first           [nodes]
  --kill-mode MODE         notify | close (FIN) | rst | silent (stop talking)[close]
  --reconnect S            sessions that ended come back after S s, 0 = never[0]
end of run
  --expect N               prefixes every receiver must hold                 [all announced]
  --expect-after N         the same after the event                          [of the survivors]
  --idle S                 converged = complete and no change for S s        [1]
  --linger S               stay S s longer                                   [0]
  --timeout S              give up                                           [120]
  --dut-pid P[,P...]       sample CPU time and peak RSS of these processes
  --json FILE              report there instead of stdout
  --seed N  --progress  --selftest (generate + decode a table in memory, no network)
)";

inline std::pair<std::string, uint16_t> split_host_port(const std::string& s) {
    const auto colon = s.rfind(':');
    if (colon == std::string::npos) return {s, 179};
    if (s[0] == '[') {
        const auto close = s.find(']');
        if (close == std::string::npos) die("bad --dut %s", s.c_str());
        const uint16_t port =
            close + 1 < s.size() ? static_cast<uint16_t>(std::atoi(s.c_str() + close + 2)) : 179;
        return {s.substr(1, close - 1), port};
    }
    return {s.substr(0, colon), static_cast<uint16_t>(std::atoi(s.c_str() + colon + 1))};
}

inline Options parse_options(int argc, char** argv) {
    Options o;
    bool full_peers_given = false;
    struct Entry {
        const char* name;
        bool has_arg;
        void (*set)(Options&, const char*);
    };
#define NUM(field)                                                             \
    [](Options& opt, const char* v) {                                          \
        opt.field = static_cast<decltype(opt.field)>(std::strtod(v, nullptr)); \
    }
#define STR(field) [](Options& opt, const char* v) { opt.field = v; }
#define FLAG(field, value) [](Options& opt, const char*) { opt.field = value; }
    static const Entry table[] = {
        {"dut", true,
         [](Options& opt, const char* v) {
             std::tie(opt.dut_host, opt.dut_port) = split_host_port(v);
         }},
        {"peers", true, NUM(peers)},
        {"receivers", true, NUM(receivers)},
        {"full-peers", true, NUM(full_peers)},
        {"full-table", true, NUM(full_table)},
        {"mrt", true, STR(mrt_file)},
        {"mrt-peer", true, NUM(mrt_peer)},
        {"src-nodes", true, STR(src_nodes)},
        {"src-full", true, STR(src_full)},
        {"src-receivers", true, STR(src_receivers)},
        {"local-as", true, NUM(local_as)},
        {"as-step", true, NUM(as_step)},
        {"full-as", true, NUM(full_as)},
        {"receiver-as", true, NUM(receiver_as)},
        {"remote-as", true, NUM(remote_as)},
        {"hold", true, NUM(hold)},
        {"gr-time", true, NUM(gr_time)},
        {"no-gr", false, FLAG(gr, false)},
        {"ipv6", false, FLAG(ipv6, true)},
        {"nh6-base", true, STR(nh6_base)},
        {"enh", false, FLAG(enh, true)},
        {"md5", true, STR(md5)},
        {"ttl", true, NUM(ttl)},
        {"connect-rate", true, NUM(connect_rate)},
        {"connect-parallel", true, NUM(connect_parallel)},
        {"prefixes-per-peer", true, NUM(prefixes_per_peer)},
        {"pod-base", true, STR(pod_base)},
        {"vips", true, NUM(vips)},
        {"vip-base", true, STR(vip_base)},
        {"prepend-step", true, NUM(prepend_step)},
        {"barrier", false, FLAG(barrier, true)},
        {"flap", true, NUM(flap_rate)},
        {"flap-duration", true, NUM(flap_duration)},
        {"kill-fraction", true, NUM(kill_fraction)},
        {"kill-target", true,
         [](Options& opt, const char* v) { opt.kill_full = std::string_view(v) == "full"; }},
        {"kill-mode", true,
         [](Options& opt, const char* v) {
             const std::string_view m = v;
             if (m == "notify")
                 opt.kill_mode = KillMode::Notify;
             else if (m == "close")
                 opt.kill_mode = KillMode::Close;
             else if (m == "rst")
                 opt.kill_mode = KillMode::Rst;
             else if (m == "silent")
                 opt.kill_mode = KillMode::Silent;
             else
                 die("bad --kill-mode %s", v);
         }},
        {"reconnect", true, NUM(reconnect)},
        {"settle", true, NUM(settle)},
        {"expect", true, NUM(expect)},
        {"expect-after", true, NUM(expect_after)},
        {"idle", true, NUM(idle)},
        {"linger", true, NUM(linger)},
        {"timeout", true, NUM(timeout)},
        {"dut-pid", true,
         [](Options& opt, const char* v) {
             for (char* p = const_cast<char*>(v); *p != '\0';) {
                 opt.dut_pids.push_back(static_cast<int>(std::strtol(p, &p, 10)));
                 while (*p == ',' || *p == ' ') ++p;
                 if (opt.dut_pids.back() <= 0) die("bad --dut-pid %s", v);
             }
         }},
        {"seed", true, NUM(seed)},
        {"json", true, STR(json)},
        {"progress", false, FLAG(progress, true)},
        {"selftest", false, FLAG(selftest, true)},
    };
#undef NUM
#undef STR
#undef FLAG
    std::vector<option> longs;
    for (const auto& e : table)
        longs.push_back({e.name, e.has_arg ? required_argument : no_argument, nullptr, 0});
    longs.push_back({"help", no_argument, nullptr, 0});
    longs.push_back({nullptr, 0, nullptr, 0});
    for (int idx = 0, c; (c = getopt_long(argc, argv, "h", longs.data(), &idx)) != -1;) {
        if (c != 0 || static_cast<size_t>(idx) >= std::size(table)) {
            std::fputs(kUsage, c == '?' ? stderr : stdout);
            std::exit(c == '?' ? 2 : 0);
        }
        const Entry& e = table[idx];
        full_peers_given |= std::string_view(e.name) == "full-peers";
        e.set(o, optarg);
    }
    if (optind < argc) die("unexpected argument %s", argv[optind]);
    if (!full_peers_given && (o.full_table > 0 || !o.mrt_file.empty())) o.full_peers = 1;
    if (o.full_as == 0) o.full_as = o.local_as;
    if (o.receiver_as == 0) o.receiver_as = o.local_as;
    if (!o.selftest && o.peers + o.receivers + o.full_peers == 0)
        die("no sessions asked for (see --help)");
    if (o.peers > 65536) die("--peers: at most 65536");
    if (o.md5.size() > TCP_MD5SIG_MAXKEYLEN) die("--md5: key longer than %d", TCP_MD5SIG_MAXKEYLEN);
    if (o.hold == 1 || o.hold == 2) die("--hold: 0 or at least 3");
    return o;
}

}  // namespace swarm
