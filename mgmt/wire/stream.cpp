#include "mgmt/wire/stream.hpp"

#include <string_view>
#include <utility>

namespace torii::mgmt {

using Outcome = Transport::Outcome;

namespace {
constexpr std::size_t kWorthAPart = 4096;  // less is copied, and leaves in one segment
}

Stream::Stream(Loop& loop, int socket, std::unique_ptr<Transport> transport)
    : loop_(loop), socket_(loop), timer_(loop), transport_(std::move(transport)) {
    socket_.assign(socket);
}

void Stream::limit(std::chrono::milliseconds time) {
    end_ = std::chrono::steady_clock::now() + time;
}

void Stream::close() {
    timer_.cancel();
    socket_.close();
}

void Stream::handshake(Done done) {
    attempt([this] { return transport_->handshake(); },
            [done = std::move(done)](Transport::Step step) { done(step.outcome == Outcome::Done); },
            false);
}

void Stream::read_some(std::span<char> into, ReadDone done) {
    attempt([this, into] { return transport_->read(into.data(), into.size()); },
            [done = std::move(done)](Transport::Step step) {
                if (step.outcome == Outcome::Done)
                    done(static_cast<std::ptrdiff_t>(step.bytes));
                else
                    done(step.outcome == Outcome::Ended ? 0 : -1);
            },
            false);
}

void Stream::write(std::string first, std::string second, Done done) {
    if (second.size() < kWorthAPart) first += std::exchange(second, {});
    struct Outgoing {
        std::string first, second;
        std::string_view left, left_after;
    };
    auto out = std::make_shared<Outgoing>();
    out->first = std::move(first);
    out->second = std::move(second);
    out->left = out->first;
    out->left_after = out->second;
    attempt(
        [this, out] {
            while (!out->left.empty() || !out->left_after.empty()) {
                const auto step = transport_->write(out->left, out->left_after);
                if (step.outcome != Outcome::Done) return step;
                const auto of_first = std::min(step.bytes, out->left.size());
                out->left.remove_prefix(of_first);
                out->left_after.remove_prefix(step.bytes - of_first);
            }
            return Transport::Step{};
        },
        [done = std::move(done)](Transport::Step step) { done(step.outcome == Outcome::Done); },
        false);
}

void Stream::attempt(Operation operation, Finish finish, bool waited) {
    if (!socket_.is_open()) return loop_.post([finish = std::move(finish)] {});
    const auto step = operation();
    if (step.outcome == Outcome::WantRead || step.outcome == Outcome::WantWrite)
        return wait(step.outcome,
                    [this, operation = std::move(operation), finish = std::move(finish)]() mutable {
                        attempt(std::move(operation), std::move(finish), true);
                    });
    timer_.cancel();
    if (waited) return finish(step);
    loop_.post([this, step, finish = std::move(finish)] {
        if (socket_.is_open()) finish(step);
    });
}

void Stream::wait(Outcome what, Loop::Work work) {
    const auto left = end_ - std::chrono::steady_clock::now();
    timer_.start(std::max(left, decltype(left){0}), [this] { socket_.close(); });
    if (what == Outcome::WantRead)
        socket_.when_readable(std::move(work));
    else
        socket_.when_writable(std::move(work));
}

}  // namespace torii::mgmt
