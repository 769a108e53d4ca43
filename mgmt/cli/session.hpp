#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "mgmt/cli/cli.hpp"
#include "mgmt/cli/client.hpp"
#include "mgmt/cli/json.hpp"
#include "mgmt/cli/table.hpp"

namespace torii::cli {

// What a command works with: where to ask, where to write, how.
struct Session {
    Target target;
    std::ostream& out;
    std::ostream& err;
    bool as_json = false;
    std::size_t width = 0;  // of the terminal; 0: no limit
    int code = kOk;
};

// Asks and gives the answer as it came. Nothing: the reason has been printed,
// the exit code is set.
std::optional<std::string> fetch(Session& session, const std::string& path);
// The same with the header fields of the answer.
std::optional<Answer> fetch_answer(Session& session, const std::string& path);
// Asks and gives the parsed answer. Nothing: the reason has been printed, the
// exit code is set; or --json has printed the answer already.
std::optional<Json> get(Session& session, const std::string& path);
// The same for a command whose exit code depends on the answer: --json has printed it, and
// it is given all the same.
std::optional<Json> get_to_judge(Session& session, const std::string& path);
// A request whose success is silent or one sentence.
bool send(Session& session, const std::string& method, const std::string& path,
          const std::string& body, const Headers& headers, std::string* answer = nullptr);
// The answer of a request that send() made; nothing, with an error printed, when it is no JSON.
std::optional<Json> parse(Session& session, const std::string& body);
void print_problem(Session& session, const Answer& answer);

// "application/json", as the headers of a request.
const Headers& json_headers();

// The commands.
void bgp_neighbors(Session& session);
void bgp_neighbor(Session& session, const std::string& address, bool why);
void bgp_peers(Session& session);
void bgp_groups(Session& session);
void bgp_dump(Session& session, const std::string& what, unsigned time);
void bgp_act(Session& session, const std::string& what, const std::string& name,
             const std::string& action, const std::string& reason);
struct RouteOptions {
    std::string prefix, source, neighbor, table, family;
    bool longer = false;
    std::size_t limit = 1000;
};
void route_list(Session& session, const RouteOptions& options);
void route_show(Session& session, const std::string& address);
void route_add(Session& session, const std::string& prefix, const std::vector<std::string>& via,
               const std::string& kind, int distance);
void route_delete(Session& session, const std::string& prefix);
void explain(Session& session, const std::string& query);
void port_list(Session& session);
void neighbor_list(Session& session);
void liveness(Session& session, const std::string& address);
void offload(Session& session, bool rules);
void verify(Session& session);
void drop_source(Session& session, const std::string& prefix);
void undrop_source(Session& session, const std::string& prefix);
void counters(Session& session, const std::string& prefix, bool all);
void status(Session& session);
void doctor(Session& session);
void token_add(Session& session, const std::string& name, const std::string& role);
struct CaptureOptions {
    std::string file;  // "-": standard output
    std::vector<std::string> exits;
    std::string port, prefix;
    unsigned packets = 1000, seconds = 60, snap = 256, one_in = 1;
};
void capture(Session& session, const CaptureOptions& options);
struct TopOptions {
    double interval = 2;  // seconds
    unsigned count = 0;   // of intervals; 0: until interrupted
};
void top(Session& session, const TopOptions& options);
void events(Session& session, std::size_t limit, const std::string& severity, bool follow);
// The row of one event, or "" for the list of all. Needs no router.
void explain_events(Session& session, std::string name);
// To the file, "" for one named after host and time, "-" for standard output.
void tech_support(Session& session, const std::string& file);
std::string without_secrets(const std::string& text);
struct DrainOptions {
    std::string reason;
    unsigned wait = 0;       // seconds at most until traffic has left; 0: do not wait
    std::int64_t below = 5;  // packets a second that still count as none
};
void drain_show(Session& session);
void drain_on(Session& session, const DrainOptions& options);
void drain_off(Session& session);
void config_show(Session& session, bool defaults, const std::string& revision);
void config_check(Session& session, const std::string& file);
void config_diff(Session& session, const std::string& file, const std::string& revision);
void config_reload(Session& session);
// The entity tag of what is in force, and if asked for the operator's own text of it.
std::optional<std::string> config_tag(Session& session, std::string* own_text = nullptr);
// With `if_match`: only while the running configuration has that tag.
void config_commit(Session& session, const std::string& file, const std::string& comment,
                   unsigned confirm_within, bool save, const std::string& if_match = "");
struct EditOptions {
    std::string file;  // "": the gateway's own text
    std::string comment;
    unsigned confirm = 0;
    bool yes = false;  // asks nothing
};
void config_edit(Session& session, const EditOptions& options);
void config_simple(Session& session, const std::string& path, const std::string& said);
void config_history(Session& session);
void config_import(Session& session, const std::string& file, const Imported& imported);

}  // namespace torii::cli
