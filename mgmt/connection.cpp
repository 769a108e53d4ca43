#include "mgmt/connection.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "base/event_list.hpp"
#include "mgmt/compression.hpp"
#include "mgmt/wire/messages.hpp"

namespace torii::mgmt {
namespace {

class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection> {
public:
    HttpConnection(int socket, std::unique_ptr<Transport> transport, const Shared& shared,
                   ConnectionList& list, Origin origin)
        : stream_(shared.loop, socket, std::move(transport)),
          shared_(shared),
          list_(list),
          place_(list.insert(list.end(), this)),
          origin_(std::move(origin)),
          timer_(shared.loop),
          generation_(shared.generation),
          reader_(shared.settings.max_header, shared.settings.max_body) {}

    ~HttpConnection() override { list_.erase(place_); }

    void start() {
        stream_.limit(shared_.settings.header_timeout);
        stream_.handshake([self = shared_from_this()](bool good) {
            if (good) self->read();
        });
    }

    void close() override {
        timer_.cancel();
        stream_.close();
        const auto last = std::exchange(waiting_, nullptr);  // may be what keeps us
    }

private:
    using State = RequestReader::State;

    void touch() { list_.splice(list_.end(), list_, place_); }

    void read() {
        reader_.begin();
        stream_.limit(first_ ? shared_.settings.header_timeout : shared_.settings.idle_timeout);
        first_ = false;
        go_on(reader_.parse());
    }

    void go_on(State state) {
        switch (state) {
            case State::NeedsMore:
                return read_more();
            case State::Header:
                touch();
                return read_body();
            case State::Complete:
                touch();
                return handle(reader_.take());
            case State::Ended:
                return close();
            case State::HeaderTooLarge:
                return refuse({431, "too-large", "The header is too large", "", {}});
            case State::BodyTooLarge:
                return refuse({413, "too-large", "The body is too large", "", {}});
            case State::Broken:
                return refuse(bad_request("not HTTP: " + reader_.error()));
        }
    }

    void read_more() {
        stream_.read_some(reader_.room(), [self = shared_from_this()](std::ptrdiff_t n) {
            if (n < 0) return self->close();
            if (n == 0) return self->go_on(self->reader_.end());
            self->reader_.received(static_cast<std::size_t>(n));
            self->go_on(self->reader_.parse());
        });
    }

    void read_body() {
        stream_.limit(shared_.settings.idle_timeout);
        if (!reader_.expects_continue()) return go_on(reader_.parse());
        stream_.write("HTTP/1.1 100 Continue\r\n\r\n", "", [self = shared_from_this()](bool good) {
            if (good) self->go_on(self->reader_.parse());
        });
    }

    void refuse(const Problem& problem) {
        keep_alive_ = false;
        send(problem_response(problem));
    }

    void handle(HttpRequest message) {
        keep_alive_ = message.keep_alive;
        version_ = message.version;
        head_ = message.method == "HEAD";
        Request request;
        request.method = std::move(message.method);
        const auto& target = message.target;
        const auto question = target.find('?');
        request.path = target.substr(0, question);
        if (question != std::string::npos) {
            auto query = parse_query(std::string_view{target}.substr(question + 1));
            if (!query)
                return send(problem_response(bad_request("a broken % escape in the query")));
            request.query = std::move(*query);
        }
        request.headers = std::move(message.fields);
        request.body = std::move(message.body);
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
            const bool certificate =
                shared_.settings.tls && !shared_.settings.tls->client_ca.empty();
            request.role = certificate ? Role::Admin : shared_.settings.without_tokens;
            return;
        }
        if (const auto* authorization = request.header("authorization")) {
            auto identity =
                shared_.authenticator.identify(*authorization, std::chrono::steady_clock::now());
            request.role = identity.role;
            if (!identity.who.empty()) request.who = identity.who + " from " + origin_.peer;
        }
    }

    // A web page of another site must not send us requests through its reader's
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

    static std::string query_and_body(const Request& request) {
        std::string out;
        for (const auto& [name, value] : request.query) out += name + '=' + value + '&';
        return out + '\n' + request.body;
    }

    void ask(Request request) {
        const auto* key = request.header("idempotency-key");
        std::string remembered;
        if (writes_ && key && request.role != Role::None) {
            remembered = request.who + ' ' + what_ + ' ' + key->substr(0, 200);
            switch (shared_.idempotency.begin(remembered, query_and_body(request))) {
                case IdempotencyStore::State::Other:
                    return send(
                        problem_response({422,
                                          "key-reused",
                                          "Not the request of this Idempotency-Key",
                                          "a key is for one request; take a fresh one for another",
                                          {}}));
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
        timer_.start(writes_ ? shared_.settings.write_timeout : shared_.settings.answer_timeout,
                     [weak = weak_from_this(), turn] {
                         const auto self = weak.lock();
                         if (self && self->turn_ == turn)
                             self->answer(problem_response(
                                 {504,
                                  "timeout",
                                  "No answer in time",
                                  self->writes_ ? "the request may still be carried out" : "",
                                  {}}));
                     });
        dispatch(shared_.api, std::move(request),
                 [weak = weak_from_this(), turn, remembered,
                  &idempotency = shared_.idempotency](Response response) {
                     if (!remembered.empty()) idempotency.finish(remembered, response);
                     const auto self = weak.lock();
                     if (self && self->turn_ == turn) self->answer(std::move(response));
                 });
        // Only the answer holds the connection now.
        waiting_ = shared_from_this();
    }

    void answer(Response response) {
        ++turn_;
        timer_.cancel();
        const auto self = std::exchange(waiting_, nullptr);
        if (writes_ && shared_.audit)
            shared_.audit->emit(
                {response.status < 400 ? EventId{"MGMT-WRITE"} : EventId{"MGMT-WRITE-REFUSED"},
                 what_,
                 {{"who", who_}, {"status", std::to_string(response.status)}}});
        send(std::move(response));
    }

    bool outlived() const { return generation_ != shared_.generation; }

    void send(Response response) {
        // The client has to be asked again.
        if (outlived()) keep_alive_ = false;
        compress(response, coding_);
        HttpFields fields{{"Server", "torii"},
                          {"Content-Type", response.content_type},
                          {"X-Content-Type-Options", "nosniff"}};
        for (auto& field : response.headers) fields.push_back(std::move(field));
        if (response.pieces && !head_)
            return send_pieces(response.status, std::move(fields), std::move(response.pieces));
        put_keep_alive(fields);
        const bool bare = response.status == 204 || response.status == 304;
        if (bare)
            fields.erase(fields.begin() + 1);  // of what is not there
        else
            fields.emplace_back("Content-Length", std::to_string(response.body.size()));
        stream_.limit(shared_.settings.idle_timeout);
        stream_.write(response_head(version_, response.status, fields),
                      head_ || bare ? "" : std::move(response.body),
                      [self = shared_from_this()](bool good) {
                          if (!good || !self->keep_alive_) return self->finish();
                          self->touch();
                          self->read();
                      });
    }

    // Sent where it is not the default of the version.
    void put_keep_alive(HttpFields& fields) const {
        if (keep_alive_ != (version_ >= 11))
            fields.emplace_back("Connection", keep_alive_ ? "keep-alive" : "close");
    }

    void send_pieces(unsigned status, HttpFields fields, Pieces pieces) {
        const bool chunked = version_ >= 11;
        keep_alive_ = keep_alive_ && chunked;
        if (chunked) fields.emplace_back("Transfer-Encoding", "chunked");
        put_keep_alive(fields);
        pieces_ = std::move(pieces);
        stream_.limit(shared_.settings.idle_timeout);
        stream_.write(response_head(version_, status, fields), "",
                      [self = shared_from_this()](bool good) {
                          if (!good) return self->finish();
                          self->next_piece();
                      });
    }

    void next_piece() {
        // A stream ends with the token that opened it; without its last chunk, so that it is
        // not taken for whole.
        if (outlived()) return finish();
        touch();
        const auto turn = ++turn_;
        waiting_ = shared_from_this();
        pieces_([weak = weak_from_this(), turn](std::optional<std::string> piece) {
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

    // Nothing to send yet. Now and then a comment, to detect a closed connection.
    void wait_for_piece() {
        timer_.start(std::chrono::milliseconds{100}, [self = shared_from_this()] {
            if (++self->quiet_ >= 150) {
                self->write_piece(": still here\n\n");
                return;
            }
            self->next_piece();
        });
    }

    void write_piece(std::string piece) {
        quiet_ = 0;
        std::array<char, 20> size{};
        if (version_ >= 11) {
            std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
            piece += "\r\n";
        }
        stream_.limit(shared_.settings.idle_timeout);
        stream_.write(size.data(), std::move(piece), [self = shared_from_this()](bool good) {
            if (!good) return self->finish();
            self->next_piece();
        });
    }

    void last_piece() {
        pieces_ = nullptr;
        if (version_ < 11) return finish();
        stream_.write("0\r\n\r\n", "", [self = shared_from_this()](bool good) {
            if (!good || !self->keep_alive_) return self->finish();
            self->read();
        });
    }

    // Half-closes, and reads a little of what still comes, so that a refusal
    // reaches the client before its connection is reset.
    void finish() {
        pieces_ = nullptr;
        if (!stream_.half_close()) return close();
        stream_.limit(std::chrono::seconds{1});
        drain(64);
    }

    void drain(int rounds) {
        ignored_.resize(16 * 1024);
        stream_.read_some(ignored_, [self = shared_from_this(), rounds](std::ptrdiff_t n) {
            if (n <= 0 || rounds == 0) return self->close();
            self->drain(rounds - 1);
        });
    }

    Stream stream_;
    const Shared& shared_;
    ConnectionList& list_;
    ConnectionList::iterator place_;
    Origin origin_;
    Timer timer_;
    std::uint64_t generation_;  // when it came in
    RequestReader reader_;
    std::vector<char> ignored_;
    std::shared_ptr<HttpConnection> waiting_;  // while only an answer can wake us
    Pieces pieces_;
    std::string what_, who_;
    std::uint64_t turn_ = 0;  // an answer to an earlier question is not for us
    unsigned version_ = 11;
    Coding coding_ = Coding::Identity;
    int quiet_ = 0;
    bool first_ = true, keep_alive_ = false, head_ = false, writes_ = false;
};

}  // namespace

void serve(int socket, std::unique_ptr<Transport> transport, const Shared& shared,
           ConnectionList& list, Origin origin) {
    std::make_shared<HttpConnection>(socket, std::move(transport), shared, list, std::move(origin))
        ->start();
}

}  // namespace torii::mgmt
