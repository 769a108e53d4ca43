#pragma once

#include "tests/bench/bgpswarm/receiver.hpp"

namespace swarm {

enum class Role : uint8_t { Node, Full, Receiver };
enum class State : uint8_t { Idle, Connecting, OpenSent, OpenConfirm, Established, Gone, Silent };

struct Peer {
    Role role = Role::Node;
    State state = State::Idle;
    uint32_t index = 0;  // within its role
    uint32_t asn = 0;
    Addr src;
    int fd = -1;
    bool writable_wanted = false, as4 = false, announced = false, has_unsent_updates = false;
    bool killed = false, restarting = false, ever_established = false, flap_withdrawn = false;
    uint16_t hold = 0;  // negotiated
    double retry_at = 0, last_rx = 0, last_tx = 0, max_rx_gap = 0;
    Bytes out;  // small messages; sent before bulk
    size_t out_at = 0;
    View bulk;  // rest of the full table
    bool bulk_started = false;
    Bytes partial;  // incomplete message at the end of the last read
    RxCounters rx;
    std::unique_ptr<RouteTable> table;  // receivers only
    double first_route = -1, last_change = -1, complete_at = -1;
    double event_first = -1, event_last = -1;
    uint64_t event_announced = 0, event_withdrawn = 0;
};

struct ProcessUsage {
    double user = 0, system = 0;
    uint64_t hwm_kib = 0, rss_kib = 0;
};

inline ProcessUsage usage_of(std::span<const int> pids) {
    ProcessUsage u;
    const double hz = static_cast<double>(sysconf(_SC_CLK_TCK));
    for (int pid : pids) {
        char path[64], line[1024];
        std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
        if (FILE* f = std::fopen(path, "r")) {
            unsigned long ut = 0, st = 0;
            if (std::fgets(line, sizeof line, f) != nullptr)
                if (const char* p = std::strrchr(line, ')'))
                    if (std::sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                    &ut, &st) == 2)
                        u.user += static_cast<double>(ut) / hz,
                            u.system += static_cast<double>(st) / hz;
            std::fclose(f);
        }
        std::snprintf(path, sizeof path, "/proc/%d/status", pid);
        if (FILE* f = std::fopen(path, "r")) {
            unsigned long kib;
            while (std::fgets(line, sizeof line, f) != nullptr) {
                if (std::sscanf(line, "VmHWM: %lu", &kib) == 1) u.hwm_kib += kib;
                if (std::sscanf(line, "VmRSS: %lu", &kib) == 1) u.rss_kib += kib;
            }
            std::fclose(f);
        }
    }
    return u;
}

class Json {  // just enough to write one nested object
public:
    explicit Json(FILE* f) : f_(f) {}
    void open(const char* key = nullptr, char c = '{') {
        item(key), std::fputc(c, f_), first_ = true, ++depth_;
    }
    void close(char c = '}') {
        --depth_, newline(), std::fputc(c, f_), first_ = false;
        if (depth_ == 0) std::fputc('\n', f_);
    }
    void num(const char* key, double v, int decimals = 6) {
        item(key);
        if (v < 0)
            std::fputs("null", f_);
        else
            std::fprintf(f_, "%.*f", decimals, v);
    }
    void count(const char* key, uint64_t v) { item(key), std::fprintf(f_, "%" PRIu64, v); }
    void text(const char* key, std::string_view v) {
        item(key);
        std::fputc('"', f_);
        for (char c : v)
            if (c == '"' || c == '\\')
                std::fprintf(f_, "\\%c", c);
            else if (static_cast<unsigned char>(c) < 32)
                std::fprintf(f_, "\\u%04x", c);
            else
                std::fputc(c, f_);
        std::fputc('"', f_);
    }

private:
    void newline() { std::fputc('\n', f_), std::fprintf(f_, "%*s", 2 * depth_, ""); }
    void item(const char* key) {
        if (!first_) std::fputc(',', f_);
        if (depth_ > 0) newline();
        if (key != nullptr) std::fprintf(f_, "\"%s\": ", key);
        first_ = false;
    }
    FILE* f_;
    int depth_ = 0;
    bool first_ = true;
};

inline volatile sig_atomic_t g_interrupted = 0;

}  // namespace swarm
