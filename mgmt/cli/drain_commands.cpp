#include <chrono>
#include <thread>

#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

using namespace std::chrono_literals;

void print_state(Session& session, const Json& row) {
    if (flag(row, "drained")) {
        const auto reason = text(row, "reason");
        session.out << "drained since " << text(row, "since")
                    << (reason.empty() ? "" : ": " + reason) << '\n';
    } else {
        session.out << "in service\n";
    }
    session.out << "neighbors established: " << number(row, "neighbors_established")
                << "\npackets forwarded since the start: "
                << grouped(static_cast<std::uint64_t>(number(row, "forwarded_packets"))) << '\n';
}

// Asks once a second until what is forwarded falls below the rate, or time is up.
void wait_until_idle(Session& session, const DrainOptions& options) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{options.wait};
    const bool as_json = std::exchange(session.as_json, false);
    std::optional<std::int64_t> before;
    std::string answer;
    std::optional<Json> row;
    for (std::int64_t rate = 0;; std::this_thread::sleep_for(1s)) {
        auto body = fetch(session, "/api/v1/drain");
        row = body ? parse(session, *body) : std::nullopt;
        if (!row) return;
        answer = std::move(*body);
        const auto now = number(*row, "forwarded_packets");
        if (before) {
            rate = now - *before;
            if (rate <= options.below) break;
        }
        before = now;
        if (std::chrono::steady_clock::now() < deadline) continue;
        session.err << "error: still forwards " << rate << " packets/s after " << options.wait
                    << " s: some neighbor ignores the drain\n";
        session.code = kRefused;
        break;
    }
    session.as_json = as_json;
    if (as_json)
        session.out << answer << '\n';
    else
        print_state(session, *row);
}

}  // namespace

void drain_show(Session& session) {
    if (const auto row = get(session, "/api/v1/drain")) print_state(session, *row);
}

void drain_on(Session& session, const DrainOptions& options) {
    std::string body;
    mgmt::JsonWriter{body}.object().member_if("reason", options.reason).end_object();
    const bool as_json = session.as_json;
    if (options.wait > 0) session.as_json = false;
    std::string answer;
    const bool sent = send(session, "PUT", "/api/v1/drain", body, json_headers(), &answer);
    session.as_json = as_json;
    if (!sent) return;
    if (options.wait > 0) return wait_until_idle(session, options);
    if (const auto row = parse(session, answer)) print_state(session, *row);
}

void drain_off(Session& session) {
    std::string answer;
    if (!send(session, "DELETE", "/api/v1/drain", "", {}, &answer)) return;
    if (const auto row = parse(session, answer)) print_state(session, *row);
}

}  // namespace torii::cli
