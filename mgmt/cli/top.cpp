#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/stable_sort.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

// Counters that were read at one moment, by what they count.
struct Tally {
    std::uint64_t packets = 0, bytes = 0;
};
using Key = std::pair<std::string, std::string>;  // node and port, or exit and port

struct Reading {
    std::chrono::steady_clock::time_point time;
    std::map<Key, Tally> nodes;           // sent to an address by a port
    std::map<std::string, Tally> rx, tx;  // by port
    std::map<Key, Tally> drops;
    std::map<std::string, std::string> sessions;  // state by address
    double busy = 0;                              // of the busiest worker
};

std::uint64_t count(const Json& row, std::string_view key) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number(row, key), 0));
}

// Asks even when --json is given: then the answers are not what is printed.
std::optional<Json> ask(Session& session, const std::string& path) {
    const bool as_json = std::exchange(session.as_json, false);
    auto answer = get(session, path);
    session.as_json = as_json;
    return answer;
}

void read_counters(Reading& out, const Json& answer) {
    for (const auto& metric : list(answer, "counters")) {
        const bool busy = text(metric, "name") == "torii_lcore_busy_ratio";
        if (!busy && text(metric, "name") != "torii_exit_packets_total") continue;
        for (const auto& sample : list(metric, "samples")) {
            const auto* labels = find(sample, "labels");
            const double v = real(sample, "value");
            if (busy)
                out.busy = std::max(out.busy, v);
            else if (labels && text(*labels, "kind") == "drop")
                out.drops[{text(*labels, "exit"), text(*labels, "port")}].packets +=
                    static_cast<std::uint64_t>(v);
        }
    }
}

std::optional<Reading> take(Session& session) {
    Reading out;
    const auto adjacencies = ask(session, "/api/v1/adjacencies");
    const auto ports = adjacencies ? ask(session, "/api/v1/ports") : std::nullopt;
    const auto counters = ports ? ask(session, "/api/v1/counters?name=torii_") : std::nullopt;
    const auto peers = counters ? ask(session, "/api/v1/neighbors") : std::nullopt;
    if (!counters) return std::nullopt;
    out.time = std::chrono::steady_clock::now();
    for (const auto& row : list(*adjacencies, "adjacencies"))
        out.nodes[{text(row, "address"), text(row, "port")}] = {count(row, "sent_packets"),
                                                                count(row, "sent_bytes")};
    for (const auto& row : list(*ports, "ports")) {
        out.rx[text(row, "name")] = {count(row, "rx_packets"), count(row, "rx_bytes")};
        out.tx[text(row, "name")] = {count(row, "tx_packets"), count(row, "tx_bytes")};
    }
    read_counters(out, *counters);
    // A gate without BGP has no such list, and no matter.
    if (peers)
        for (const auto& row : list(*peers, "neighbors"))
            out.sessions[text(row, "address")] = text(row, "state");
    session.code = kOk;
    return out;
}

struct Rate {
    double packets = 0, bits = 0;  // a second
};

template <class Map>
Rate rate(const Map& before, const Map& after, const typename Map::key_type& key, double seconds) {
    const auto now = after.find(key), then = before.find(key);
    const Tally old = then == before.end() ? Tally{} : then->second;
    // What counts from the start again has been replaced meanwhile.
    if (now == after.end() || now->second.packets < old.packets) return {};
    return {static_cast<double>(now->second.packets - old.packets) / seconds,
            static_cast<double>(now->second.bytes - old.bytes) * 8 / seconds};
}

std::string shown(double value) {
    return abbreviated(static_cast<std::uint64_t>(value + 0.5));
}

struct Row {
    std::string name, port, state;
    Rate rate;
};

template <class Map>
std::vector<Row> busiest(const Map& before, const Map& after, double seconds, bool all) {
    std::vector<Row> rows;
    for (const auto& [key, _] : after) {
        const auto r = rate(before, after, key, seconds);
        if (all || r.packets > 0) rows.push_back({key.first, key.second, "", r});
    }
    stable_sort(rows, [](const Row& a, const Row& b) { return a.rate.packets > b.rate.packets; });
    return rows;
}

void print_text(Session& session, const Reading& before, const Reading& now, double seconds) {
    Table ports{{{"PORT"},
                 {"IN PPS", Align::Right},
                 {"IN BIT/S", Align::Right},
                 {"OUT PPS", Align::Right},
                 {"OUT BIT/S", Align::Right}}};
    for (const auto& [name, _] : now.rx) {
        const auto in = rate(before.rx, now.rx, name, seconds);
        const auto out = rate(before.tx, now.tx, name, seconds);
        ports.add({name, shown(in.packets), shown(in.bits), shown(out.packets), shown(out.bits)});
    }
    ports.print(session.out, session.width);
    session.out << '\n';

    constexpr std::size_t kMost = 30;
    Table nodes{
        {{"TO NODE"}, {"PORT"}, {"SESSION"}, {"PPS", Align::Right}, {"BIT/S", Align::Right}}};
    const auto rows = busiest(before.nodes, now.nodes, seconds, true);
    for (const auto& row : rows) {
        if (&row - rows.data() == static_cast<std::ptrdiff_t>(kMost)) break;
        const auto session_of = now.sessions.find(row.name);
        nodes.add({row.name, row.port, session_of == now.sessions.end() ? "" : session_of->second,
                   shown(row.rate.packets), shown(row.rate.bits)});
    }
    nodes.print(session.out, session.width);
    if (rows.size() > kMost) session.out << rows.size() - kMost << " more, with less traffic\n";
    session.out << '\n';

    Table drops{{{"DROPPED"}, {"CAME IN BY"}, {"PPS", Align::Right}}};
    for (const auto& row : busiest(before.drops, now.drops, seconds, false))
        drops.add({row.name, row.port, shown(row.rate.packets)});
    if (drops.empty())
        session.out << "nothing is dropped\n";
    else
        drops.print(session.out, session.width);
    session.out << "busiest worker: " << static_cast<int>(now.busy * 100 + 0.5) << " %\n";
}

void print_json(Session& session, const Reading& before, const Reading& now, double seconds) {
    std::string all;
    mgmt::JsonWriter json{all};
    json.object().member("seconds", seconds).member("busy_ratio", now.busy).key("ports").array();
    for (const auto& [name, _] : now.rx) {
        const auto in = rate(before.rx, now.rx, name, seconds);
        const auto out = rate(before.tx, now.tx, name, seconds);
        json.object()
            .member("port", name)
            .member("rx_packets_per_second", in.packets)
            .member("rx_bits_per_second", in.bits)
            .member("tx_packets_per_second", out.packets)
            .member("tx_bits_per_second", out.bits)
            .end_object();
    }
    json.end_array().key("nodes").array();
    for (const auto& row : busiest(before.nodes, now.nodes, seconds, true)) {
        const auto state = now.sessions.find(row.name);
        json.object()
            .member("address", row.name)
            .member("port", row.port)
            .member("session", state == now.sessions.end() ? "" : state->second)
            .member("packets_per_second", row.rate.packets)
            .member("bits_per_second", row.rate.bits)
            .end_object();
    }
    json.end_array().key("drops").array();
    for (const auto& row : busiest(before.drops, now.drops, seconds, false))
        json.object()
            .member("exit", row.name)
            .member("port", row.port)
            .member("packets_per_second", row.rate.packets)
            .end_object();
    json.end_array().end_object();
    session.out << all << '\n';
}

}  // namespace

void top(Session& session, const TopOptions& options) {
    auto before = take(session);
    for (unsigned round = 0; before && (options.count == 0 || round < options.count); ++round) {
        std::this_thread::sleep_for(std::chrono::duration<double>(options.interval));
        auto now = take(session);
        if (!now) return;
        const auto seconds = std::chrono::duration<double>(now->time - before->time).count();
        if (session.as_json) {
            print_json(session, *before, *now, seconds);
        } else {
            // A terminal shows one picture that moves.
            if (session.width > 0 && options.count == 0) session.out << "\x1b[H\x1b[2J";
            print_text(session, *before, *now, seconds);
        }
        session.out.flush();
        if (!session.out) return;
        before = std::move(now);
    }
}

}  // namespace torii::cli
