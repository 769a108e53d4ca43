#include "bgp/session/session.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace torii::bgp {

namespace {

constexpr std::size_t kReadSize = 256 * 1024;
// Then other sessions have their turn; one message is taken in at the least.
constexpr std::chrono::milliseconds kTurn{2};
// Only a bad or slow peer needs it: the farewell is read, or it is not.
constexpr std::chrono::seconds kDrainLimit{2};

}  // namespace

SessionContext::SessionContext(Loop& control, Timers& all_timers)
    : loop(control), timers(all_timers), buffer(kMaxExtendedMessage + kReadSize) {}

std::string CloseReason::to_string() const {
    switch (kind) {
        case Kind::ConnectFailed:
            return std::string{"cannot connect: "} + std::strerror(error);
        case Kind::TcpClosed:
            return error == 0 ? "connection closed by the peer"
                              : std::string{"connection lost: "} + std::strerror(error);
        case Kind::Replaced:
            return "replaced by a new connection of the neighbor";
        case Kind::Sent:
            return "sent " + bgp::to_string(notification);
        case Kind::Received:
            break;
    }
    auto text = "received " + bgp::to_string(notification);
    if (const auto words = shutdown_communication(notification); !words.empty())
        text += " (" + words + ")";
    return text;
}

Session::Session(SessionContext& context, SessionOwner* owner, bool outgoing)
    : context_(context), owner_(owner), socket_(context.loop), outgoing_(outgoing) {}

Session::~Session() = default;

void Session::reject(SessionContext& context, int socket, const Notification& why) {
    auto session = std::make_shared<Session>(context, nullptr, false);
    session->socket_.assign(socket);
    session->perform(action::SendNotification{why}, {});
    session->closing_ = true;
    session->drain_and_close();
    session->wait_readable();
}

void Session::dial(const DialOptions& options) {
    remote_ = options.remote;
    fsm_.handle(event::Dial{});
    auto started = start_connect(options);
    if (!started) {
        // Not from inside the call: the owner is still setting up.
        const int error = started.error().number;
        context_.loop.post([self = shared_from_this(), error] {
            self->apply(event::TcpDown{}, {CloseReason::Kind::ConnectFailed, {}, error});
        });
        return;
    }
    socket_.assign(*started);
    // RFC 4271 §8.2.2, ConnectRetryTimer: the kernel would try for two minutes.
    connect_until_ = context_.timers.now() + connect_limit_;
    context_.timers.schedule(shared_from_this(), connect_until_);
    wait_connected();
}

void Session::wait_connected() {
    socket_.when_writable([self = shared_from_this()] {
        if (self->closing_) return;
        if (const int failure = connect_error(self->socket_.get()))
            return self->apply(event::TcpDown{}, {CloseReason::Kind::ConnectFailed, {}, failure});
        self->local_ = local_endpoint(self->socket_.get()).value_or(Endpoint{});
        self->apply(event::TcpUp{}, {});
        if (self->socket_.is_open() && !self->closing_) self->wait_readable();
    });
}

void Session::adopt(int socket, const Endpoint& local, const Endpoint& remote) {
    local_ = local;
    remote_ = remote;
    socket_.assign(socket);
    fsm_.handle(event::Listen{});
    apply(event::TcpUp{}, {});
    if (socket_.is_open()) wait_readable();
}

void Session::stop(const Notification& farewell) {
    if (closing_) return;
    apply(event::Stop{farewell}, {CloseReason::Kind::Sent, farewell, 0});
}

void Session::drop() {
    if (closing_) return;
    apply(event::TcpDown{}, {CloseReason::Kind::Replaced, {}, 0});
}

void Session::apply(const FsmEvent& event, CloseReason reason) {
    const auto self = shared_from_this();
    for (const auto& action : fsm_.handle(event)) {
        if (const auto* words = std::get_if<action::SendNotification>(&action))
            reason = {CloseReason::Kind::Sent, words->notification, 0};
        std::visit([&](const auto& a) { perform(a, reason); }, action);
    }
}

void Session::perform(const action::SendOpen&, const CloseReason&) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    our_open_ = owner_->our_open(*this);
    encode(our_open_, *bytes);
    ++sent_.open;
    last_received_ = context_.timers.now();
    queue(std::move(bytes));
    flush();
}

void Session::perform(const action::SendKeepalive&, const CloseReason&) {
    static const Bytes kKeepalive = [] {
        auto bytes = std::make_shared<std::vector<std::uint8_t>>();
        encode_keepalive(*bytes);
        return bytes;
    }();
    ++sent_.keepalive;
    queue(kKeepalive);
    flush();
}

void Session::perform(const action::SendNotification& a, const CloseReason&) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    encode(a.notification, *bytes);
    ++sent_.notification;
    // What was not begun to be sent is worth nothing any more.
    while (!out_empty() && out_.back().at == 0) {
        queued_ -= out_.back().bytes->size();
        out_.pop_back();
    }
    queue(std::move(bytes));
}

void Session::perform(const action::ArmHold& a, const CloseReason&) {
    const auto now = context_.timers.now();
    // Until it is up no session is without an end, whatever hold time it will have.
    hold_ = !a.keepalives ? std::min(a.after, open_limit_)
            : a.after.count() == 0 && fsm_.state() != State::Established ? open_limit_
                                                                         : a.after;
    keepalives_ = a.keepalives && keepalive_.count() > 0;
    last_received_ = now;
    last_sent_ = now;
    if (const auto next = on_time(now)) context_.timers.schedule(shared_from_this(), *next);
}

void Session::perform(const action::Up&, const CloseReason&) {
    if (owner_ != nullptr) owner_->on_up(*this);
}

void Session::perform(const action::Down&, const CloseReason& reason) {
    if (owner_ != nullptr) owner_->on_down(*this, reason);
}

void Session::perform(const action::Close&, const CloseReason& reason) {
    if (closing_) return;
    closing_ = true;
    auto* const owner = std::exchange(owner_, nullptr);
    if (reason.kind == CloseReason::Kind::Sent && socket_.is_open())
        drain_and_close();
    else
        close_now();
    if (owner != nullptr) owner->on_closed(*this, reason);
}

void Session::fail(const Notification& notification) {
    apply(event::Malformed{notification});
}

void Session::wait_readable() {
    socket_.while_readable([self = shared_from_this()] {
        self->read_once();
        return self->socket_.is_open();
    });
}

bool Session::read_once() {
    auto& buffer = context_.buffer;
    const std::size_t before = partial_.size();
    std::copy(partial_.begin(), partial_.end(), buffer.begin());
    if (std::exchange(behind_, false)) {
        if (!closing_) take(std::span{buffer}.first(before));
        return true;
    }
    const auto n = recv(socket_.get(), buffer.data() + before, kReadSize, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        const int error = n < 0 ? errno : 0;
        if (closing_)
            close_now();
        else
            apply(event::TcpDown{}, {CloseReason::Kind::TcpClosed, {}, error});
        return false;
    }
    if (closing_) return true;  // what comes after our farewell is not listened to
    take(std::span{buffer}.first(before + static_cast<std::size_t>(n)));
    return true;
}

void Session::take(std::span<const std::uint8_t> bytes) {
    const auto end = std::chrono::steady_clock::now() + kTurn;
    while (!closing_) {
        const auto frame = next_frame(bytes, extended_messages_);
        if (!frame) return fail(frame.error());
        if (!frame->has_value()) break;
        // RFC 4271 §8.2.2: whole messages restart the hold timer, not octets.
        last_received_ = context_.timers.now();
        handle(**frame);
        bytes = bytes.subspan((*frame)->size);
        if (bytes.empty() || std::chrono::steady_clock::now() < end) continue;
        behind_ = true;
        break;
    }
    if (closing_) return;
    partial_.assign(bytes.begin(), bytes.end());
    // What is left lies here and not in the socket, which does not report it.
    if (behind_)
        context_.loop.post([self = shared_from_this()] {
            if (self->behind_) self->read_once();
        });
    if (partial_.empty() && partial_.capacity() > 8192) std::vector<std::uint8_t>{}.swap(partial_);
    if (owner_ != nullptr && fsm_.state() == State::Established) owner_->on_read_done(*this);
}

void Session::handle(const Frame& frame) {
    const bool established = fsm_.state() == State::Established;
    switch (frame.type) {
        case MessageType::Update:
            ++received_.update;
            if (!established) return apply(event::UpdateReceived{});
            if (const auto bad = owner_->on_update(*this, frame.body)) fail(*bad);
            return;
        case MessageType::Keepalive:
            ++received_.keepalive;
            if (established) return;
            return apply(event::KeepaliveReceived{});
        case MessageType::RouteRefresh:
            ++received_.refresh;
            if (!established) return apply(event::RefreshReceived{});
            if (const auto bad = owner_->on_refresh(*this, frame.body)) fail(*bad);
            return;
        case MessageType::Notification: {
            ++received_.notification;
            auto notification = decode_notification(frame.body);
            return apply(event::NotificationReceived{},
                         {CloseReason::Kind::Received,
                          notification ? *notification : notification.error(), 0});
        }
        case MessageType::Open: {
            ++received_.open;
            if (fsm_.state() != State::OpenSent) return apply(event::OpenReceived{});
            auto open = decode_open(frame.body);
            if (!open) return fail(open.error());
            open_ = std::move(*open);
            const auto hold = owner_->on_open(*this, *open_);
            if (closing_) return;
            if (!hold) return fail(hold.error());
            return apply(event::OpenReceived{*hold});
        }
    }
}

void Session::send(Bytes messages, std::uint64_t updates) {
    if (closing_ || messages->empty()) return;
    sent_.update += updates;
    queue(std::move(messages));
    flush();
}

void Session::send(const RouteRefresh& refresh) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    encode(refresh, *bytes);
    ++sent_.refresh;
    queue(std::move(bytes));
    flush();
}

void Session::queue(Bytes bytes) {
    if (out_empty()) last_progress_ = context_.timers.now();
    if (out_head_ > 64 && out_head_ * 2 > out_.size()) {
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_head_));
        out_head_ = 0;
    }
    queued_ += bytes->size();
    if (queued_ > kLowWater) was_high_ = true;
    out_.push_back({std::move(bytes), 0});
}

void Session::flush() {
    if (write_waiting_ || !socket_.is_open()) return;
    while (!out_empty()) {
        std::array<iovec, 64> parts;
        std::size_t n = 0;
        for (auto i = out_head_; i != out_.size() && n < parts.size(); ++i, ++n)
            parts[n] = {const_cast<std::uint8_t*>(out_[i].bytes->data() + out_[i].at),
                        out_[i].bytes->size() - out_[i].at};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = n;
        const auto sent = sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) {
                wait_writable();
                return;
            }
            // Nothing more can leave, and what was queued is lost: the session is over.
            const int error = errno;
            drop_output();
            context_.loop.post([self = shared_from_this(), error] {
                if (!self->closing_)
                    self->apply(event::TcpDown{}, {CloseReason::Kind::TcpClosed, {}, error});
            });
            return;
        }
        auto left = static_cast<std::size_t>(sent);
        queued_ -= left;
        last_sent_ = last_progress_ = context_.timers.now();
        while (left > 0) {
            auto& first = out_[out_head_];
            const auto part = std::min(left, first.bytes->size() - first.at);
            first.at += part;
            left -= part;
            if (first.at == first.bytes->size()) {
                first.bytes.reset();
                ++out_head_;
            }
        }
    }
    out_.clear();
    out_head_ = 0;
}

void Session::drop_output() {
    out_.clear();
    out_head_ = 0;
    queued_ = 0;
}

void Session::wait_writable() {
    write_waiting_ = true;
    socket_.when_writable([self = shared_from_this()] {
        self->write_waiting_ = false;
        self->flush();
        if (self->closing_) {
            if (self->out_empty()) self->drain_and_close();
            return;
        }
        if (self->was_high_ && self->queued_ <= kLowWater && self->owner_ != nullptr) {
            self->was_high_ = false;
            self->owner_->on_writable(*self);
        }
    });
}

void Session::drain_and_close() {
    flush();
    if (closing_until_ == TimePoint{}) {
        closing_until_ = context_.timers.now() + kDrainLimit;
        context_.timers.schedule(shared_from_this(), closing_until_);
    }
    // Half-closed first: a full close with unread bytes would send a reset,
    // and a reset makes the peer forget the NOTIFICATION it has not read yet.
    if (out_empty() && socket_.is_open()) shutdown(socket_.get(), SHUT_WR);
}

void Session::close_now() {
    socket_.close();
    drop_output();
    closing_ = true;
}

std::optional<Session::TimePoint> Session::on_time(TimePoint now) {
    if (closing_) {
        if (!socket_.is_open()) return std::nullopt;
        if (now < closing_until_) return closing_until_;
        close_now();
        return std::nullopt;
    }
    if (fsm_.state() == State::Connect) {
        if (now < connect_until_) return connect_until_;
        apply(event::TcpDown{}, {CloseReason::Kind::ConnectFailed, {}, ETIMEDOUT});
        return std::nullopt;
    }
    if (fsm_.state() < State::OpenSent) return std::nullopt;
    auto next = now + std::chrono::hours{1};
    if (hold_.count() > 0) {
        // The thread may have been busy elsewhere: what has already arrived
        // counts before the clock does.
        while (now >= last_received_ + hold_) {
            const auto before = last_received_;
            const bool some = read_once();
            if (closing_) return std::nullopt;
            if (!some || last_received_ == before) {
                apply(event::HoldExpired{});
                return closing_ && socket_.is_open() ? std::optional{closing_until_} : std::nullopt;
            }
        }
        next = std::min(next, last_received_ + hold_);
    }
    if (keepalives_) {
        if (now >= last_sent_ + keepalive_) {
            perform(action::SendKeepalive{}, {});
            last_sent_ = now;
        }
        next = std::min(next, last_sent_ + keepalive_);
    }
    if (send_hold_.count() > 0 && fsm_.state() == State::Established) {
        if (!out_empty() && now >= last_progress_ + send_hold_) {
            apply(event::SendHoldExpired{});
            return closing_ && socket_.is_open() ? std::optional{closing_until_} : std::nullopt;
        }
        next = std::min(next, (out_empty() ? now : last_progress_) + send_hold_);
    }
    return next;
}

}  // namespace torii::bgp
