#include "mgmt/embedded.hpp"
#include "mgmt/router.hpp"

// The dashboard's files. They hold nothing secret: what it shows it asks the
// API for, like all clients.
namespace torii::mgmt {
namespace {

template <std::string_view (*kFile)(), std::size_t kType>
void file(const Api&, const Request&, Respond respond) {
    constexpr const char* kTypes[] = {"text/html; charset=utf-8", "text/css; charset=utf-8",
                                      "text/javascript; charset=utf-8"};
    Response response;
    response.content_type = kTypes[kType];
    response.body = std::string{kFile()};
    response.headers = {{"Cache-Control", "no-cache"},
                        {"Content-Security-Policy",
                         "default-src 'self'; img-src 'self' data:; style-src 'self' "
                         "'unsafe-inline'; frame-ancestors 'none'"},
                        {"Referrer-Policy", "no-referrer"}};
    respond(std::move(response));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/", Role::None, file<embedded_web_index, 0>},
    {"GET", "/web/style.css", Role::None, file<embedded_web_style, 1>},
    {"GET", "/web/app.js", Role::None, file<embedded_web_app, 2>},
};

}  // namespace

std::span<const Endpoint> web_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
