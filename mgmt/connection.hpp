#pragma once

// The life of one connection. Included by server.cpp alone: everything that
// costs Beast's compile time is there.

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <list>
#include <memory>
#include <utility>

#include "mgmt/auth.hpp"
#include "mgmt/compression.hpp"
#include "mgmt/idempotency.hpp"
#include "mgmt/router.hpp"

namespace torii::mgmt {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Socket = asio::generic::stream_protocol::socket;
using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = asio::ssl::stream<PlainStream>;

class AnyConnection;
// Open connections of one kind, the one that did nothing for longest in front.
using ConnectionList = std::list<AnyConnection*>;

// What all connections share. Outlives them.
struct Shared {
    const ServerSettings& settings;
    const Api& api;
    Authenticator& authenticator;
    IdempotencyStore& idempotency;
    EventSink* audit;
};

class AnyConnection {
public:
    virtual ~AnyConnection() = default;
    virtual void close() = 0;
};

// Where a connection came from and what that alone allows.
struct Origin {
    bool unix_socket = false;
    std::string peer;
};

template <class Stream>
class Connection final : public AnyConnection,
                         public std::enable_shared_from_this<Connection<Stream>> {
public:
    template <class... Tls>
    Connection(Socket socket, const Shared& shared, ConnectionList& list, Origin origin,
               Tls&... tls)
        : stream_(std::move(socket), tls...),
          shared_(shared),
          list_(list),
          place_(list.insert(list.end(), this)),
          origin_(std::move(origin)),
          timer_(stream_.get_executor()) {}

    ~Connection() override { list_.erase(place_); }

    void start() {
        if constexpr (kTls) {
            lowest().expires_after(shared_.settings.header_timeout);
            stream_.async_handshake(asio::ssl::stream_base::server,
                                    [self = this->shared_from_this()](beast::error_code error) {
                                        if (!error) self->read();
                                    });
        } else {
            read();
        }
    }

    void close() override {
        timer_.cancel();
        beast::error_code ignored;
        lowest().socket().close(ignored);
        const auto last = std::exchange(waiting_, nullptr);  // may be what keeps us
    }

private:
    static constexpr bool kTls = !std::same_as<Stream, PlainStream>;
    using Parser = http::request_parser<http::string_body>;

    PlainStream& lowest() { return beast::get_lowest_layer(stream_); }

    void touch() { list_.splice(list_.end(), list_, place_); }

    void read() {
        parser_.emplace();
        parser_->header_limit(shared_.settings.max_header);
        parser_->body_limit(shared_.settings.max_body);
        lowest().expires_after(first_ ? shared_.settings.header_timeout
                                      : shared_.settings.idle_timeout);
        first_ = false;
        http::async_read_header(
            stream_, buffer_, *parser_,
            [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                if (error) return self->failed(error);
                self->touch();
                self->read_body();
            });
    }

    void read_body() {
        lowest().expires_after(shared_.settings.idle_timeout);
        if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
            auto go_on =
                std::make_shared<http::response<http::empty_body>>(http::status::continue_, 11);
            http::async_write(
                stream_, *go_on,
                [self = this->shared_from_this(), go_on](beast::error_code error, std::size_t) {
                    if (!error) self->read_rest();
                });
            return;
        }
        read_rest();
    }

    void read_rest() {
        http::async_read(stream_, buffer_, *parser_,
                         [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                             if (error) return self->failed(error);
                             self->touch();
                             self->handle();
                         });
    }

    void failed(beast::error_code error) {
        if (error == http::error::end_of_stream || error == beast::error::timeout ||
            error.category() == asio::error::get_system_category() ||
            error.category() == asio::error::get_misc_category() ||
            error.category() == asio::error::get_ssl_category()) {
            close();
            return;
        }
        keep_alive_ = false;
        if (error == http::error::body_limit)
            send(problem_response({413, "too-large", "The body is too large", "", {}}));
        else if (error == http::error::header_limit)
            send(problem_response({431, "too-large", "The header is too large", "", {}}));
        else
            send(problem_response(bad_request("not HTTP: " + error.message())));
    }

    void handle() {
        auto& message = parser_->get();
        keep_alive_ = message.keep_alive();
        version_ = message.version();
        head_ = message.method() == http::verb::head;
        Request request;
        request.method = std::string{message.method_string()};
        const std::string target{message.target()};
        const auto question = target.find('?');
        request.path = target.substr(0, question);
        if (question != std::string::npos) {
            auto query = parse_query(std::string_view{target}.substr(question + 1));
            if (!query)
                return send(problem_response(bad_request("a broken % escape in the query")));
            request.query = std::move(*query);
        }
        for (const auto& field : message) {
            std::string name{field.name_string()};
            for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            request.headers.emplace_back(std::move(name), std::string{field.value()});
        }
        request.body = std::move(message.body());
        identify(request);
        writes_ = request.method != "GET" && request.method != "HEAD";
        if (const auto refused = refuse_foreign(request)) return send(problem_response(*refused));
        const auto* codings = request.header("accept-encoding");
        coding_ = codings ? coding_for(*codings) : Coding::Identity;
        what_ = request.method + ' ' + request.path.substr(0, 300);
        who_ = request.who;
        ask(std::move(request));
    }

    void identify(Request& request) {
        request.who = origin_.peer;
        if (origin_.unix_socket) {
            request.role = Role::Admin;
            return;
        }
        if (shared_.authenticator.empty()) {
            request.role = Role::Admin;  // loopback, or a client certificate: start() saw to it
            return;
        }
        if (const auto* authorization = request.header("authorization")) {
            auto identity =
                shared_.authenticator.identify(*authorization, std::chrono::steady_clock::now());
            request.role = identity.role;
            if (!identity.who.empty()) request.who = identity.who + " from " + origin_.peer;
        }
    }

    // A web page of somebody else must not speak to us through its reader's
    // browser: neither by a name that it points at loopback, nor across origins.
    std::optional<Problem> refuse_foreign(const Request& request) const {
        if (origin_.unix_socket) return std::nullopt;
        const auto* host = request.header("host");
        if (shared_.authenticator.empty() && host) {
            auto name = std::string_view{*host};
            if (!name.ends_with(']')) name = name.substr(0, name.rfind(':'));
            if (name.starts_with('[') && name.ends_with(']'))
                name = name.substr(1, name.size() - 2);
            if (name != "localhost" && !IpAddress::parse(name))
                return Problem{403,
                               "foreign-host",
                               "Not this name",
                               "without tokens the API answers to localhost and addresses only",
                               {}};
        }
        const auto* origin = request.header("origin");
        if (writes_ && origin && host) {
            const auto scheme = origin->find("://");
            if (scheme == std::string::npos || origin->substr(scheme + 3) != *host)
                return Problem{403,
                               "foreign-origin",
                               "Not from another page",
                               "a write must come from the same origin",
                               {}};
        }
        return std::nullopt;
    }

    void ask(Request request) {
        const auto* key = request.header("idempotency-key");
        std::string remembered;
        if (writes_ && key) {
            remembered = request.who + ' ' + what_ + ' ' + key->substr(0, 200);
            switch (shared_.idempotency.begin(remembered)) {
                case IdempotencyStore::State::Done:
                    return send(shared_.idempotency.answer(remembered));
                case IdempotencyStore::State::Running:
                    return send(problem_response(
                        conflict("a request with this Idempotency-Key is being worked on")));
                case IdempotencyStore::State::New:
                    break;
            }
        }
        const auto turn = ++turn_;
        timer_.expires_after(shared_.settings.answer_timeout);
        timer_.async_wait([weak = this->weak_from_this(), turn](beast::error_code error) {
            const auto self = weak.lock();
            if (!error && self && self->turn_ == turn)
                self->answer(problem_response({504, "timeout", "No answer in time", "", {}}));
        });
        dispatch(shared_.api, std::move(request),
                 [weak = this->weak_from_this(), turn, remembered,
                  &idempotency = shared_.idempotency](Response response) {
                     if (!remembered.empty()) idempotency.finish(remembered, response);
                     const auto self = weak.lock();
                     if (self && self->turn_ == turn) self->answer(std::move(response));
                 });
        // Nobody but the answer holds the connection now.
        waiting_ = this->shared_from_this();
    }

    void answer(Response response) {
        ++turn_;
        timer_.cancel();
        const auto self = std::exchange(waiting_, nullptr);
        if (writes_ && shared_.audit)
            shared_.audit->emit({response.status < 400 ? Severity::Notice : Severity::Warning,
                                 "MGMT-WRITE",
                                 what_,
                                 {{"who", who_}, {"status", std::to_string(response.status)}}});
        send(std::move(response));
    }

    void send(Response response) {
        compress(response, coding_);
        auto message = std::make_shared<http::response<http::string_body>>();
        message->version(version_);
        message->result(response.status);
        message->set(http::field::server, "torii");
        message->set(http::field::content_type, response.content_type);
        message->set("X-Content-Type-Options", "nosniff");
        for (const auto& [name, value] : response.headers) message->set(name, value);
        if (response.pieces && !head_) return send_pieces(*message, std::move(response.pieces));
        message->keep_alive(keep_alive_);
        const bool bare = response.status == 204 || response.status == 304;
        if (!bare)
            message->content_length(response.body.size());
        else
            message->erase(http::field::content_type);
        if (!head_ && !bare) message->body() = std::move(response.body);
        lowest().expires_after(shared_.settings.idle_timeout);
        http::async_write(
            stream_, *message,
            [self = this->shared_from_this(), message](beast::error_code error, std::size_t) {
                if (error || !self->keep_alive_) return self->finish();
                self->touch();
                self->read();
            });
    }

    void send_pieces(const http::response<http::string_body>& like, Pieces pieces) {
        auto header = std::make_shared<http::response<http::empty_body>>();
        header->base() = like.base();
        header->chunked(version_ >= 11);
        keep_alive_ = keep_alive_ && version_ >= 11;
        header->keep_alive(keep_alive_);
        auto serializer = std::make_shared<http::response_serializer<http::empty_body>>(*header);
        pieces_ = std::move(pieces);
        lowest().expires_after(shared_.settings.idle_timeout);
        http::async_write_header(stream_, *serializer,
                                 [self = this->shared_from_this(), header, serializer](
                                     beast::error_code error, std::size_t) {
                                     if (error) return self->finish();
                                     self->next_piece();
                                 });
    }

    void next_piece() {
        touch();
        const auto turn = ++turn_;
        const std::weak_ptr<Connection> weak = this->shared_from_this();
        waiting_ = this->shared_from_this();
        pieces_([weak, turn](std::optional<std::string> piece) {
            const auto self = weak.lock();
            if (!self || self->turn_ != turn) return;
            ++self->turn_;
            const auto kept = std::exchange(self->waiting_, nullptr);
            if (!piece)
                self->last_piece();
            else if (piece->empty())
                self->wait_for_piece();
            else
                self->write_piece(std::move(*piece));
        });
    }

    // Nothing to say yet. Now and then a comment, to notice that nobody listens.
    void wait_for_piece() {
        timer_.expires_after(std::chrono::milliseconds{100});
        timer_.async_wait([self = this->shared_from_this()](beast::error_code error) {
            if (error) return self->finish();
            if (++self->quiet_ >= 150) {
                self->write_piece(": still here\n\n");
                return;
            }
            self->next_piece();
        });
    }

    void write_piece(std::string piece) {
        quiet_ = 0;
        struct Chunk {
            char size[20] = "";
            std::string piece;
        };
        auto kept = std::make_shared<Chunk>();
        kept->piece = std::move(piece);
        std::string_view after;
        if (version_ >= 11) {
            std::snprintf(kept->size, sizeof kept->size, "%zx\r\n", kept->piece.size());
            after = "\r\n";
        }
        const std::array<asio::const_buffer, 3> buffers{asio::buffer(std::string_view{kept->size}),
                                                        asio::buffer(kept->piece),
                                                        asio::buffer(after)};
        lowest().expires_after(shared_.settings.idle_timeout);
        asio::async_write(
            stream_, buffers,
            [self = this->shared_from_this(), kept](beast::error_code error, std::size_t) {
                if (error) return self->finish();
                self->next_piece();
            });
    }

    void last_piece() {
        pieces_ = nullptr;
        if (version_ < 11) return finish();
        asio::async_write(stream_, asio::buffer(std::string_view{"0\r\n\r\n"}),
                          [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                              if (error || !self->keep_alive_) return self->finish();
                              self->read();
                          });
    }

    // Half-closes, and reads a little of what still comes, so that a refusal
    // reaches the client before its connection is reset.
    void finish() {
        pieces_ = nullptr;
        if constexpr (kTls) {
            close();
        } else {
            beast::error_code ignored;
            lowest().socket().shutdown(Socket::shutdown_send, ignored);
            lowest().expires_after(std::chrono::seconds{1});
            drain(64);
        }
    }

    void drain(int rounds) {
        buffer_.clear();
        lowest().async_read_some(
            buffer_.prepare(16 * 1024),
            [self = this->shared_from_this(), rounds](beast::error_code error, std::size_t) {
                if (error || rounds == 0) return self->close();
                self->drain(rounds - 1);
            });
    }

    Stream stream_;
    const Shared& shared_;
    ConnectionList& list_;
    ConnectionList::iterator place_;
    Origin origin_;
    asio::steady_timer timer_;
    beast::flat_buffer buffer_{256 * 1024};
    std::optional<Parser> parser_;
    std::shared_ptr<Connection> waiting_;  // while only an answer can wake us
    Pieces pieces_;
    std::string what_, who_;
    std::uint64_t turn_ = 0;  // an answer to an earlier question is not for us
    unsigned version_ = 11;
    Coding coding_ = Coding::Identity;
    int quiet_ = 0;
    bool first_ = true, keep_alive_ = false, head_ = false, writes_ = false;
};

}  // namespace torii::mgmt
