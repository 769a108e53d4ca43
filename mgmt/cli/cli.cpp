#include "mgmt/cli/cli.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

std::size_t terminal_width(const std::ostream& out) {
    winsize size{};
    if (&out != &std::cout || ::isatty(STDOUT_FILENO) == 0) return 0;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

// Everything the command line can hold, and the command that was chosen.
struct Line {
    std::string name, reason, query, file, severity, comment, kind = "forward", number;
    std::vector<std::string> via;
    RouteOptions route;
    DrainOptions drain;
    TopOptions top;
    CaptureOptions capture;
    EditOptions edit;
    std::size_t limit = 100;
    int distance = 1;
    unsigned confirm = 0, seconds = 60;
    bool why = false, all = false, follow = false, defaults = false, discard = false,
         unreachable = false, group = false;
    std::string source, destination, protocol = "tcp", port, without;
    unsigned source_port = 0, destination_port = 0;
    std::function<void(Session&)> command;
};

void add_bgp(CLI::App& app, Line& line) {
    auto* bgp = app.add_subcommand("bgp", "BGP neighbors and groups");
    bgp->require_subcommand(1);
    bgp->add_subcommand("neighbors", "All neighbors, a line each")->callback([&] {
        line.command = bgp_neighbors;
    });
    auto* one = bgp->add_subcommand("neighbor", "Everything about one neighbor");
    one->add_option("ADDRESS", line.name)->required();
    one->add_flag("--why", line.why, "Where each setting comes from");
    one->callback(
        [&] { line.command = [&](Session& s) { bgp_neighbor(s, line.name, line.why); }; });
    bgp->add_subcommand("peers", "The same columns as `cilium bgp peers`")->callback([&] {
        line.command = bgp_peers;
    });
    bgp->add_subcommand("groups", "Peer groups and their members")->callback([&] {
        line.command = bgp_groups;
    });
    auto* dump =
        bgp->add_subcommand("dump", "Write the table, or received messages, to a file of MRT");
    dump->add_option("WHAT", line.kind, "table or updates")
        ->check(CLI::IsMember({"table", "updates"}))
        ->default_str("table");
    dump->add_option("--for", line.seconds, "Seconds of updates")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
    dump->callback([&] {
        line.command = [&](Session& s) {
            bgp_dump(s, line.kind == "updates" ? "updates" : "table", line.seconds);
        };
    });
    constexpr std::pair<const char*, const char*> kActions[] = {
        {"clear", "Reset the session"},
        {"soft-in", "Ask for all routes again"},
        {"soft-out", "Send all routes again"},
        {"shutdown", "Close the session and keep it closed"},
        {"enable", "Undo shutdown and drain"},
        {"drain", "Announce routes with GRACEFUL_SHUTDOWN (RFC 8326), keep the session"},
    };
    for (const auto& [action, help] : kActions) {
        auto* command = bgp->add_subcommand(action, help);
        command->add_option("NEIGHBOR", line.name, "Address, or a group's name with --group")
            ->required();
        command->add_flag("--group", line.group, "All members of a group");
        command->add_option("--reason", line.reason, "Sent to the neighbor (RFC 9003)");
        command->callback([&line, name = std::string{action}] {
            line.command = [&line, name](Session& s) {
                bgp_act(s, line.group ? "peer-groups" : "neighbors", line.name, name, line.reason);
            };
        });
    }
}

void add_routes(CLI::App& app, Line& line) {
    auto* route = app.add_subcommand("route", "Routes");
    route->require_subcommand(1);
    auto* all = route->add_subcommand("list", "The table, or a part of it");
    all->add_option("PREFIX", line.route.prefix, "This prefix only");
    all->add_flag("--longer", line.route.longer, "And all inside it");
    all->add_option("--source", line.route.source, "connected, static or bgp");
    all->add_option("--neighbor", line.route.neighbor, "Learnt from, or the table's neighbor");
    all->add_option("--table", line.route.table, "rib, fib, adj-in, adj-out or filtered");
    all->add_option("--family", line.route.family, "ipv4 or ipv6");
    all->add_option("--limit", line.route.limit, "Most rows")->capture_default_str();
    all->callback([&] { line.command = [&](Session& s) { route_list(s, line.route); }; });
    auto* show = route->add_subcommand("show", "The route that a packet follows, and why");
    show->add_option("ADDRESS", line.name, "An address, or a prefix")->required();
    show->callback([&] { line.command = [&](Session& s) { route_show(s, line.name); }; });
    auto* add = route->add_subcommand("add", "Add or replace a static route");
    add->add_option("PREFIX", line.name)->required();
    add->add_option("--via", line.via, "ADDRESS[@PORT] [weight N], more than once for ECMP");
    add->add_flag("--discard", line.discard, "Drop silently instead");
    add->add_flag("--unreachable", line.unreachable, "Drop and send an ICMP error instead");
    add->add_option("--distance", line.distance)->check(CLI::Range(1, 255))->capture_default_str();
    add->callback([&] {
        line.kind = line.discard ? "discard" : line.unreachable ? "unreachable" : "forward";
        line.command = [&](Session& s) {
            route_add(s, line.name, line.via, line.kind, line.distance);
        };
    });
    auto* remove = route->add_subcommand("delete", "Remove a static route");
    remove->add_option("PREFIX", line.name)->required();
    remove->callback([&] { line.command = [&](Session& s) { route_delete(s, line.name); }; });

    auto* why = app.add_subcommand("explain", "Follow one packet through the real tables");
    why->add_option("DESTINATION", line.destination)->required();
    why->add_option("--from", line.source, "Source address");
    why->add_option("--proto", line.protocol)->capture_default_str();
    why->add_option("--sport", line.source_port);
    why->add_option("--dport", line.destination_port);
    why->add_option("--port", line.port, "The port it comes in by");
    why->add_option("--without", line.without, "A neighbor to imagine gone");
    why->callback([&] {
        line.command = [&](Session& s) {
            std::string query = "dst=" + percent_encode(line.destination) +
                                "&proto=" + percent_encode(line.protocol) +
                                "&sport=" + std::to_string(line.source_port) +
                                "&dport=" + std::to_string(line.destination_port);
            if (!line.source.empty()) query += "&src=" + percent_encode(line.source);
            if (!line.port.empty()) query += "&port=" + percent_encode(line.port);
            if (!line.without.empty()) query += "&without=" + percent_encode(line.without);
            explain(s, query);
        };
    });
}

void add_system(CLI::App& app, Line& line) {
    app.add_subcommand("status", "The router in a few lines; exit code 4 when not ready")
        ->callback([&] { line.command = status; });
    app.add_subcommand("doctor",
                       "Check that this host is fit to be a gateway; print what corrects it")
        ->callback([&] { line.command = doctor; });
    auto* support = app.add_subcommand(
        "tech-support", "State and logs of this gateway for remote support, in one file");
    support->add_option("FILE", line.file,
                        "Without: named after host and time; - for standard output");
    support->callback([&] { line.command = [&](Session& s) { tech_support(s, line.file); }; });
    auto* drain = app.add_subcommand("drain", "Take the gate out of service, and back");
    drain->callback([&, drain] {
        if (drain->get_subcommands().empty()) line.command = drain_show;
    });
    auto* on = drain->add_subcommand(
        "on", "Announce routes with GRACEFUL_SHUTDOWN (RFC 8326), report not ready; forward on");
    on->add_option("--reason", line.drain.reason, "Shown to others; a restart keeps it");
    on->add_option("--wait", line.drain.wait,
                   "Wait so many seconds until traffic has left; exit code 1 when it stays")
        ->check(CLI::Range(1, 86400));
    on->add_option("--below", line.drain.below, "Packets a second that count as none")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    on->callback([&] { line.command = [&](Session& s) { drain_on(s, line.drain); }; });
    drain->add_subcommand("off", "Back in service")->callback([&] { line.command = drain_off; });
    auto* port = app.add_subcommand("port", "Ports");
    port->require_subcommand(1);
    port->add_subcommand("list", "All ports, a line each")->callback([&] {
        line.command = port_list;
    });
    auto* neighbor = app.add_subcommand("neighbor", "ARP and ND");
    neighbor->require_subcommand(1);
    neighbor->add_subcommand("list", "Neighbors and their MAC addresses")->callback([&] {
        line.command = neighbor_list;
    });
    auto* live = app.add_subcommand(
        "top", "Traffic as it flows: by node, by port, and what is dropped and why");
    live->add_option("--interval", line.top.interval, "Seconds between two looks")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    live->add_option("--count", line.top.count, "End after so many; without: run on");
    live->callback([&] { line.command = [&](Session& s) { top(s, line.top); }; });
    auto* look = app.add_subcommand(
        "capture", "Packets as they leave the gate, to a file that wireshark reads");
    look->add_option("-w,--write", line.capture.file, "File; - for standard output")->required();
    look->add_option("--exit", line.capture.exits, "Only these, as torii counters names them");
    look->add_option("--port", line.capture.port, "It came in by; or leaves by: --exit transmit");
    look->add_option("--prefix", line.capture.prefix, "Source or destination is inside");
    look->add_option("--count", line.capture.packets, "End after so many packets")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    look->add_option("--seconds", line.capture.seconds, "End after so long")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    look->add_option("--snap", line.capture.snap, "Bytes of each packet")
        ->check(CLI::Range(1, 2048))
        ->capture_default_str();
    look->add_option("--one-in", line.capture.one_in, "A sample: one in so many packets")
        ->check(CLI::Range(1, 1'000'000'000))
        ->capture_default_str();
    look->callback([&] { line.command = [&](Session& s) { capture(s, line.capture); }; });
    auto* alive = app.add_subcommand("liveness", "Liveness of neighbors, and its evidence");
    alive->add_option("ADDRESS", line.name, "Everything about one of them");
    alive->callback([&] { line.command = [&](Session& s) { liveness(s, line.name); }; });
    auto* off = app.add_subcommand("offload",
                                   "What ports do by themselves, what workers do instead, and why");
    off->add_flag("--rules", line.all, "Show rte_flow rules instead of reasons");
    off->callback([&, off] {
        if (off->get_subcommands().empty())
            line.command = [&](Session& s) { offload(s, line.all); };
    });
    auto* drop = off->add_subcommand("drop", "Drop whatever comes from a source");
    drop->add_option("PREFIX", line.name)->required();
    drop->callback([&] { line.command = [&](Session& s) { drop_source(s, line.name); }; });
    auto* undrop = off->add_subcommand("undrop", "Let a source in again");
    undrop->add_option("PREFIX", line.name)->required();
    undrop->callback([&] { line.command = [&](Session& s) { undrop_source(s, line.name); }; });
    app.add_subcommand("verify", "Compare all forwarding tables with the routing table, at once")
        ->callback([&] { line.command = verify; });
    auto* count = app.add_subcommand("counters", "Every counter that is not zero");
    count->add_option("NAME", line.name, "What the names begin with");
    count->add_flag("--all", line.all, "Those at zero too");
    count->callback([&] { line.command = [&](Session& s) { counters(s, line.name, line.all); }; });
    auto* event = app.add_subcommand("events", "What happened last");
    event->add_option("--limit", line.limit)->check(CLI::Range(1, 1000))->capture_default_str();
    event->add_option("--severity", line.severity, "debug, info, notice, warning, error");
    event->add_flag("--follow,-f", line.follow, "Wait for more");
    auto* meaning = event->add_option("--explain", line.name,
                                      "What an event means and what to do; without ID all of them");
    meaning->expected(0, 1)->type_name("[ID]");
    event->callback([&, meaning] {
        line.command = [&, meaning](Session& s) {
            if (meaning->count() > 0) return explain_events(s, line.name);
            events(s, line.limit, line.severity, line.follow);
        };
    });
    auto* token = app.add_subcommand("token", "Bearer tokens for the API");
    token->require_subcommand(1);
    auto* add = token->add_subcommand("add", "Make a token and the line for the configuration");
    add->add_option("NAME", line.name)->required();
    add->add_option("--role", line.kind, "read, operate or admin")
        ->check(CLI::IsMember({"read", "operate", "admin"}));
    add->callback([&] {
        line.command = [&](Session& s) {
            token_add(s, line.name, line.kind == "forward" ? "read" : line.kind);
        };
    });
}

void add_config(CLI::App& app, Line& line) {
    auto* config = app.add_subcommand("config", "Configuration: check, diff, commit, roll back");
    config->require_subcommand(1);
    auto* show = config->add_subcommand("show", "The running configuration, secrets masked");
    show->add_flag("--defaults", line.defaults, "Write the defaults too");
    show->add_option("--revision", line.number, "An earlier one instead")
        ->check(CLI::NonNegativeNumber);
    show->callback(
        [&] { line.command = [&](Session& s) { config_show(s, line.defaults, line.number); }; });
    auto* check = config->add_subcommand("check", "Find every mistake in a file");
    check->add_option("FILE", line.file, "- for standard input")->required();
    check->callback([&] { line.command = [&](Session& s) { config_check(s, line.file); }; });
    auto* diff = config->add_subcommand("diff", "What a file would change, and what that costs");
    diff->add_option("FILE", line.file, "Without: the startup file");
    diff->add_option("--revision", line.number, "What going back to it would change")
        ->check(CLI::NonNegativeNumber)
        ->excludes("FILE");
    diff->callback(
        [&] { line.command = [&](Session& s) { config_diff(s, line.file, line.number); }; });
    config->add_subcommand("reload", "Apply the startup file")->callback([&] {
        line.command = config_reload;
    });
    auto* commit = config->add_subcommand("commit", "Apply a file");
    commit->add_option("FILE", line.file)->required();
    commit->add_option("--comment", line.comment);
    commit
        ->add_option("--confirm", line.confirm, "Roll back after so many seconds unless confirmed")
        ->check(CLI::Range(1, 86400));
    commit->add_flag("--save", line.all, "And make it the startup file, once it is to stay");
    commit->callback([&] {
        line.command = [&](Session& s) {
            config_commit(s, line.file, line.comment, line.confirm, line.all);
        };
    });
    auto* edit = config->add_subcommand(
        "edit",
        "Edit the configuration ($VISUAL, $EDITOR), see what it changes, apply and save it");
    edit->add_option("FILE", line.edit.file,
                     "Start from this file instead of the gateway's own text, secrets masked");
    edit->add_option("--comment", line.edit.comment);
    edit->add_option("--confirm", line.edit.confirm,
                     "Roll back after so many seconds unless confirmed")
        ->check(CLI::Range(1, 86400));
    edit->add_flag("--yes", line.edit.yes, "Ask nothing: what is good is committed, and confirmed");
    edit->callback([&] { line.command = [&](Session& s) { config_edit(s, line.edit); }; });
    config->add_subcommand("confirm", "Keep what was committed on trial")->callback([&] {
        line.command = [](Session& s) { config_simple(s, "/api/v1/config/confirm", "confirmed"); };
    });
    config->add_subcommand("abort", "Roll back at once what was committed on trial")->callback([&] {
        line.command = [](Session& s) { config_simple(s, "/api/v1/config/abort", "rolled back"); };
    });
    auto* back = config->add_subcommand("rollback", "Apply an earlier revision");
    back->add_option("REVISION", line.number)->required()->check(CLI::NonNegativeNumber);
    back->add_option("--confirm", line.confirm, "Undo it after so many seconds unless confirmed")
        ->check(CLI::Range(1, 86400));
    back->callback([&] {
        line.command = [&](Session& s) {
            config_simple(
                s,
                "/api/v1/config/rollback/" + line.number +
                    (line.confirm > 0 ? "?confirm_within=" + std::to_string(line.confirm) : ""),
                "rolled back");
        };
    });
    config->add_subcommand("save", "Make the running configuration the startup file")
        ->callback([&] {
            line.command = [](Session& s) { config_simple(s, "/api/v1/config/save", "saved"); };
        });
    config->add_subcommand("history", "Earlier revisions")->callback([&] {
        line.command = config_history;
    });
}

void add_import(CLI::App& app, Line& line, const LocalCommands& local) {
    if (!local.import_frr) return;
    auto* import = app.add_subcommand("import", "Other routers' configurations into ours");
    import->require_subcommand(1);
    auto* frr = import->add_subcommand("frr", "FRR's, integrated; what is left out goes to stderr");
    frr->add_option("FILE", line.file)->required();
    frr->add_flag("--by-range", line.all, "One listen range instead of a line for each member");
    frr->callback([&] {
        line.command = [&](Session& s) {
            config_import(s, line.file, local.import_frr(line.file, line.all));
        };
    });
}

const char* environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err,
        const LocalCommands& local) {
    Session session{{}, out, err, false, terminal_width(out), kOk};
    if (const std::string socket = environment("TORII_SOCKET"); !socket.empty())
        session.target.socket = socket;
    session.target.url = environment("TORII_URL");
    session.target.token = environment("TORII_TOKEN");
    session.target.ca = environment("TORII_CA");
    session.target.certificate = environment("TORII_CERT");
    session.target.key = environment("TORII_KEY");

    Line line;
    double watch = 0;
    CLI::App app{"torii: show and change the state of the gateway", "torii"};
    app.set_version_flag("--version", TORII_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--socket", session.target.socket, "Unix socket of toriid (TORII_SOCKET)");
    app.add_option("--url", session.target.url, "https://HOST:PORT instead (TORII_URL)");
    app.add_option("--ca", session.target.ca, "File of the server's authority (TORII_CA)");
    app.add_option("--cert", session.target.certificate, "Our certificate (TORII_CERT)");
    app.add_option("--key", session.target.key, "Its key (TORII_KEY)");
    app.add_option("--token", session.target.token, "Bearer token (TORII_TOKEN)");
    app.add_flag("--json", session.as_json, "The API's answer as it came");
    app.add_flag("--watch{2}", watch, "Again every 2 seconds, or --watch=SECONDS");
    app.footer(
        "Others' words are known too: torii show bgp summary, show ip route X, show protocols.");
    add_bgp(app, line);
    add_routes(app, line);
    add_system(app, line);
    add_config(app, line);
    add_import(app, line, local);

    auto translated = translate_alias(std::move(arguments));
    if (!translated.hint.empty()) {
        err << "error: " << translated.hint << '\n';
        return kUsage;
    }
    arguments = std::move(translated.arguments);
    std::ranges::reverse(arguments);  // as CLI11 wants them
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError& e) {
        const int code = app.exit(e, out, err);
        return code == 0 ? kOk : kUsage;
    }
    for (bool again = true; again;) {
        if (watch > 0) out << "\x1b[H\x1b[2J";
        line.command(session);
        out.flush();
        again = watch > 0 && session.code != kUsage && static_cast<bool>(out);
        if (again) std::this_thread::sleep_for(std::chrono::duration<double>(watch));
    }
    return session.code;
}

}  // namespace torii::cli
