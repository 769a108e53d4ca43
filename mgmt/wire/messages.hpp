#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP/1.1 messages out of bytes, and the text before a body. Values only: no
// socket, no clock. Beast parses, in messages.cpp alone.
namespace torii::mgmt {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method, target;
    unsigned version = 11;
    bool keep_alive = false;
    HttpFields fields;  // names in lower case
    std::string body;
};

class RequestReader {
public:
    enum class State : std::uint8_t {
        NeedsMore,       // nothing is wrong yet: read into room(), call received()
        Header,          // once each request, before its body
        Complete,        // take() it
        Ended,           // the peer sends no more, between two requests
        HeaderTooLarge,  // from here on: nothing more comes of this connection
        BodyTooLarge,
        Broken,
    };

    RequestReader(std::uint32_t header_limit, std::uint64_t body_limit);
    ~RequestReader();

    // Begins the next request. What came behind the last one is kept.
    void begin();
    State parse();           // of what has come
    std::span<char> room();  // where to read to; one call before each received()
    void received(std::size_t n);
    State end();  // the peer sends no more

    bool expects_continue() const;  // after Header
    HttpRequest take();
    const std::string& error() const { return error_; }  // after Broken

private:
    struct Impl;
    State fail(int error, std::string text);
    std::unique_ptr<Impl> impl_;
    std::string error_;
};

// What a client reads. The body can be taken piece by piece as it comes.
class ResponseReader {
public:
    ResponseReader();
    ~ResponseReader();

    // Takes what was read; false: this is no HTTP, see error(). Nothing was read
    // at the end of the connection.
    bool received(std::string_view bytes);
    bool header_done() const;
    bool done() const;
    unsigned status() const;
    std::string field(std::string_view name) const;
    std::string take_body();
    const std::string& error() const { return error_; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string error_;
};

// "HTTP/1.1 200 OK", the fields, and the empty line.
std::string response_head(unsigned version, unsigned status, const HttpFields& fields);

}  // namespace torii::mgmt
