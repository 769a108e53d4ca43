#include "mgmt/wire/messages.hpp"

// GCC 12 with sanitizers takes an empty boost::optional's storage for read.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>
#include <optional>

namespace torii::mgmt {

namespace beast = boost::beast;
namespace http = beast::http;

struct RequestReader::Impl {
    std::uint32_t header_limit;
    std::uint64_t body_limit;
    beast::flat_buffer buffer{256 * 1024};
    std::optional<http::request_parser<http::string_body>> parser;
    bool header_shown = false;
};

RequestReader::RequestReader(std::uint32_t header_limit, std::uint64_t body_limit)
    : impl_(std::make_unique<Impl>()) {
    impl_->header_limit = header_limit;
    impl_->body_limit = body_limit;
    begin();
}
RequestReader::~RequestReader() = default;

void RequestReader::begin() {
    auto& parser = impl_->parser.emplace();
    parser.header_limit(impl_->header_limit);
    parser.body_limit(impl_->body_limit);
    impl_->header_shown = false;
}

std::span<char> RequestReader::room() {
    const auto size = beast::read_size(impl_->buffer, 65536);
    const auto room = impl_->buffer.prepare(size);
    return {static_cast<char*>(room.data()), room.size()};
}

void RequestReader::received(std::size_t n) {
    impl_->buffer.commit(n);
}

RequestReader::State RequestReader::parse() {
    auto& parser = *impl_->parser;
    for (;;) {
        if (parser.is_header_done() && !impl_->header_shown) {
            impl_->header_shown = true;
            parser.eager(true);
            return State::Header;
        }
        if (parser.is_done()) return State::Complete;
        if (impl_->buffer.size() == 0) return State::NeedsMore;
        beast::error_code error;
        impl_->buffer.consume(parser.put(impl_->buffer.data(), error));
        if (error == http::error::need_more) return State::NeedsMore;
        if (error == http::error::header_limit) return State::HeaderTooLarge;
        if (error == http::error::body_limit) return State::BodyTooLarge;
        if (error) {
            error_ = error.message();
            return State::Broken;
        }
    }
}

RequestReader::State RequestReader::end() {
    if (!impl_->parser->got_some()) return State::Ended;
    beast::error_code error;
    impl_->parser->put_eof(error);
    if (!error) return State::Complete;
    error_ = error.message();
    return State::Broken;
}

bool RequestReader::expects_continue() const {
    return beast::iequals(impl_->parser->get()[http::field::expect], "100-continue");
}

HttpRequest RequestReader::take() {
    auto& message = impl_->parser->get();
    HttpRequest out;
    out.method = std::string{message.method_string()};
    out.target = std::string{message.target()};
    out.version = message.version();
    out.keep_alive = message.keep_alive();
    for (const auto& field : message) {
        std::string name{field.name_string()};
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        out.fields.emplace_back(std::move(name), std::string{field.value()});
    }
    out.body = std::move(message.body());
    return out;
}

struct ResponseReader::Impl {
    http::response_parser<http::string_body> parser;
    std::string left;  // of a header that is not whole yet
};

ResponseReader::ResponseReader() : impl_(std::make_unique<Impl>()) {
    impl_->parser.body_limit(boost::none);
    impl_->parser.eager(true);
}
ResponseReader::~ResponseReader() = default;

bool ResponseReader::received(std::string_view bytes) {
    auto& parser = impl_->parser;
    beast::error_code error;
    if (bytes.empty()) {
        if (parser.got_some()) parser.put_eof(error);
        if (!error && parser.is_done()) return true;
        error_ = error ? error.message() : "it ended without an answer";
        return false;
    }
    impl_->left += bytes;
    while (!impl_->left.empty() && !parser.is_done() && !error)
        impl_->left.erase(
            0, parser.put(boost::asio::buffer(impl_->left.data(), impl_->left.size()), error));
    if (!error || error == http::error::need_more) return true;
    error_ = error.message();
    return false;
}

bool ResponseReader::header_done() const {
    return impl_->parser.is_header_done();
}
bool ResponseReader::done() const {
    return impl_->parser.is_done();
}
unsigned ResponseReader::status() const {
    return impl_->parser.get().result_int();
}
std::string ResponseReader::field(std::string_view name) const {
    return std::string{impl_->parser.get()[beast::string_view{name.data(), name.size()}]};
}
std::string ResponseReader::take_body() {
    return std::exchange(impl_->parser.get().body(), {});
}

std::string response_head(unsigned version, unsigned status, const HttpFields& fields) {
    std::string out = version >= 11 ? "HTTP/1.1 " : "HTTP/1.0 ";
    out += std::to_string(status) + ' ';
    out += http::obsolete_reason(http::int_to_status(status));
    out += "\r\n";
    for (const auto& [name, value] : fields) out += name + ": " + value + "\r\n";
    return out + "\r\n";
}

}  // namespace torii::mgmt
