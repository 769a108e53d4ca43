#include <charconv>
#include <chrono>
#include <memory>

#include "mgmt/pcapng.hpp"
#include "mgmt/router.hpp"

namespace torii::mgmt {
namespace {

using Clock = std::chrono::steady_clock;

// What is asked for, and where it ends by itself.
struct Wanted {
    CaptureRequest request;
    std::uint64_t packets = 1000;
    std::chrono::seconds time{60};
};

Result<Wanted, Problem> parse(const Request& request) {
    Wanted out;
    for (const auto& [key, value] : request.query)
        if (key == "exit") out.request.exits.push_back(value);
    if (const auto* port = request.asked("port")) out.request.port = *port;
    if (const auto* prefix = request.asked("prefix")) {
        out.request.prefix = Prefix::parse(*prefix);
        if (!out.request.prefix) return Failure{bad_request("prefix: a prefix or an address")};
    }
    std::uint64_t time = 60, one_in = 1, snap = 256;
    struct Number {
        const char* key;
        std::uint64_t* to;
        std::uint64_t most;
    };
    for (const auto& [key, to, most] :
         {Number{"packets", &out.packets, 1'000'000}, Number{"seconds", &time, 3600},
          Number{"one_in", &one_in, 1'000'000'000}, Number{"snap", &snap, 2048}}) {
        const auto* text = request.asked(key);
        if (!text) continue;
        const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), *to);
        if (error != std::errc{} || rest != text->data() + text->size() || *to == 0 || *to > most)
            return Failure{
                bad_request(std::string{key} + ": a number from 1 to " + std::to_string(most))};
    }
    out.time = std::chrono::seconds{time};
    out.request.one_in = static_cast<std::uint32_t>(one_in);
    out.request.snap = static_cast<std::uint32_t>(snap);
    return out;
}

// A capture that runs; it ends with its last holder, the client's connection.
struct Running {
    CaptureControl& control;
    Wanted wanted;
    std::vector<std::string> ports;
    Clock::time_point until, spoke;
    std::uint64_t seen = 0, lost = 0;
    bool greeted = false, over = false;

    ~Running() { control.stop(); }

    std::string head() {
        auto out = pcapng::section("torii");
        for (const auto& port : ports) out += pcapng::interface(port, wanted.request.snap);
        return out;
    }
    std::string tail() const {
        std::string out;
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
        if (!ports.empty()) out = pcapng::statistics(0, static_cast<std::uint64_t>(time), lost);
        return out;
    }
    // The next piece; empty: nothing to send.
    std::string take(CaptureBatch batch) {
        std::string out;
        lost = batch.lost;
        for (const auto& p : batch.packets) {
            if (seen == wanted.packets) break;
            ++seen;
            out += pcapng::packet(p.port, p.time, p.length, p.bytes, p.exit);
        }
        const auto now = Clock::now();
        over = seen == wanted.packets || now >= until;
        // A keepalive now and then, which shows whether the client still reads.
        if (over || (out.empty() && now - spoke > std::chrono::seconds{2})) out += tail();
        if (!out.empty()) spoke = now;
        return out;
    }
};

Pieces pieces(const Api& api, std::shared_ptr<Running> running) {
    return [&api, running](std::function<void(std::optional<std::string>)> next) {
        if (running->over) return next(std::nullopt);
        if (!std::exchange(running->greeted, true)) return next(running->head());
        running->control.take(
            answer_on<CaptureBatch>(api.post, [running, next](Result<CaptureBatch, Problem> batch) {
                if (!batch) return next(std::nullopt);
                next(running->take(std::move(*batch)));
            }));
    };
}

void capture(const Api& api, const Request& request, Respond respond) {
    if (!api.views.capture) return respond_missing(respond, "captures");
    auto wanted = parse(request);
    if (!wanted) return respond(problem_response(wanted.error()));
    auto asked = wanted->request;
    api.views.capture->start(
        std::move(asked),
        answer_on<std::vector<std::string>>(
            api.post, [&api, wanted = std::move(*wanted), respond = std::move(respond)](
                          Result<std::vector<std::string>, Problem> ports) {
                if (!ports) return respond(problem_response(ports.error()));
                const auto now = Clock::now();
                auto running = std::shared_ptr<Running>(new Running{
                    *api.views.capture, wanted, std::move(*ports), now + wanted.time, now});
                Response response;
                response.content_type = "application/x-pcapng";
                response.headers.emplace_back("Cache-Control", "no-store");
                response.pieces = pieces(api, std::move(running));
                respond(std::move(response));
            }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/capture", Role::Admin, capture},
};

}  // namespace

std::span<const Endpoint> capture_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
