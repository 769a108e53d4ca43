#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "bgp/session/fsm.hpp"
#include "bgp/session/tcp_options.hpp"
#include "bgp/session/timers.hpp"
#include "bgp/views.hpp"
#include "bgp/wire/framer.hpp"

namespace torii::bgp {

class Session;

// Why a connection is closed.
struct CloseReason {
    // Replaced: the same peer has opened another connection, which takes its place.
    enum class Kind : std::uint8_t { ConnectFailed, TcpClosed, Replaced, Received, Sent };
    Kind kind = Kind::TcpClosed;
    Notification notification;  // for Received and Sent
    int error = 0;              // errno
    std::string to_string() const;
};

// The owner of a session. All calls come from the session's own handlers.
class SessionOwner {
public:
    virtual ~SessionOwner() = default;
    virtual OpenMessage our_open(Session& session) = 0;
    // Accepts the peer and returns the hold time, or the reason why not.
    virtual Decoded<std::uint16_t> on_open(Session& session, const OpenMessage& open) = 0;
    virtual void on_up(Session& session) = 0;
    virtual void on_down(Session& session, const CloseReason& reason) = 0;
    // The connection ended; nothing more comes from this session.
    virtual void on_closed(Session& session, const CloseReason& reason) = 0;
    virtual std::optional<Notification> on_update(Session& session,
                                                  std::span<const std::uint8_t> body) = 0;
    virtual std::optional<Notification> on_refresh(Session& session,
                                                   std::span<const std::uint8_t> body) = 0;
    // All messages of one read have been handed over.
    virtual void on_read_done(Session&) {}
    // The queue has run low after it had been high.
    virtual void on_writable(Session& session) = 0;
};

// What all sessions of a speaker share.
struct SessionContext {
    Loop& loop;
    Timers& timers;
    std::vector<std::uint8_t> buffer;  // one read at a time, of any session
    SessionContext(Loop& control, Timers& all_timers);
};

// One connection: carries out the actions of its Fsm. Keeps itself alive while
// something is pending, so that a farewell is delivered after its owner is destroyed.
class Session final : public Timed, public std::enable_shared_from_this<Session> {
public:
    using Bytes = std::shared_ptr<const std::vector<std::uint8_t>>;
    using TimePoint = Clock::TimePoint;
    static constexpr std::size_t kLowWater = 256 * 1024;

    Session(SessionContext& context, SessionOwner* owner, bool outgoing);
    ~Session() override;

    // Sends `why` to the remote end of a new connection, and closes it.
    static void reject(SessionContext& context, int socket, const Notification& why);

    void dial(const DialOptions& options);
    void adopt(int socket, const Endpoint& local, const Endpoint& remote);
    // Ends it, with these words; on_closed follows at once.
    void stop(const Notification& farewell);
    // As if the peer had closed the connection: another one of it takes its place.
    void drop();

    void send(Bytes messages, std::uint64_t updates);
    void send(const RouteRefresh& refresh);
    std::size_t queued() const { return queued_; }

    State state() const { return fsm_.state(); }
    bool outgoing() const { return outgoing_; }
    const Endpoint& local() const { return local_; }
    const Endpoint& remote() const { return remote_; }
    TimePoint last_received() const { return last_received_; }
    const MessageCounters& received() const { return received_; }
    const MessageCounters& sent() const { return sent_; }

    // Set by the owner while it accepts the OPEN.
    void set_extended_messages(bool on) { extended_messages_ = on; }
    void set_keepalive(std::chrono::milliseconds interval) { keepalive_ = interval; }
    // How long the OPEN may take.
    void set_open_limit(std::chrono::seconds limit) { open_limit_ = limit; }
    void set_send_hold(std::chrono::seconds limit) { send_hold_ = limit; }
    const std::optional<OpenMessage>& open_received() const { return open_; }
    const OpenMessage& open_sent() const { return our_open_; }
    // How long a dialled connection may take to be made.
    void set_connect_limit(std::chrono::seconds limit) { connect_limit_ = limit; }

    std::optional<TimePoint> on_time(TimePoint now) override;

private:
    void apply(const FsmEvent& event, CloseReason reason = {});
    void perform(const action::Connect&, const CloseReason&) {}
    void perform(const action::SendOpen&, const CloseReason&);
    void perform(const action::SendKeepalive&, const CloseReason&);
    void perform(const action::SendNotification&, const CloseReason&);
    void perform(const action::ArmHold&, const CloseReason&);
    void perform(const action::Up&, const CloseReason&);
    void perform(const action::Down&, const CloseReason&);
    void perform(const action::Close&, const CloseReason&);
    void perform(const action::Accept&, const CloseReason&) {}

    void wait_connected();
    void wait_readable();
    void wait_writable();
    bool read_once();  // false when nothing was there
    void take(std::span<const std::uint8_t> bytes);
    void handle(const Frame& frame);
    void fail(const Notification& notification);
    void queue(Bytes bytes);
    void flush();
    bool out_empty() const { return out_head_ == out_.size(); }
    void drop_output();
    void drain_and_close();
    void close_now();

    SessionContext& context_;
    SessionOwner* owner_;
    Descriptor socket_;
    Fsm fsm_;
    const bool outgoing_;
    bool extended_messages_ = false;
    bool closing_ = false;
    bool write_waiting_ = false;
    bool was_high_ = false;
    Endpoint local_, remote_;
    std::optional<OpenMessage> open_;
    OpenMessage our_open_;
    std::vector<std::uint8_t> partial_;  // the beginning of a message, or all that is behind
    bool behind_ = false;                // whole messages wait for the next turn
    struct Chunk {
        Bytes bytes;
        std::size_t at = 0;
    };
    std::vector<Chunk> out_;  // from out_head_ on
    std::size_t out_head_ = 0;
    std::size_t queued_ = 0;
    MessageCounters received_, sent_;

    Clock::TimePoint last_received_{}, last_sent_{}, last_progress_{}, closing_until_{},
        connect_until_{};
    std::chrono::seconds hold_{0}, send_hold_{0}, open_limit_{kOpenHold}, connect_limit_{kOpenHold};
    std::chrono::milliseconds keepalive_{0};
    bool keepalives_ = false;
};

}  // namespace torii::bgp
