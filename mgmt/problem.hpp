#pragma once

#include <string>
#include <vector>

namespace torii::mgmt {

// One cause of a refusal: where in a file or a request, and why.
struct ProblemDetail {
    std::string file;  // "" when the request itself is meant
    unsigned line = 0;
    std::string path;
    std::string message;
    bool warning = false;
};

// Why a request failed, as RFC 9457 defines it. `id` is stable and becomes the
// type ("urn:torii:problem:no-such-neighbor").
struct Problem {
    unsigned status = 500;
    std::string id;
    std::string title;
    std::string detail;
    std::vector<ProblemDetail> errors;
};

inline Problem bad_request(std::string detail) {
    return {400, "bad-request", "The request cannot be understood", std::move(detail), {}};
}
inline Problem not_found(std::string detail) {
    return {404, "not-found", "There is no such thing", std::move(detail), {}};
}
inline Problem conflict(std::string detail) {
    return {409, "conflict", "The present state does not allow it", std::move(detail), {}};
}
inline Problem invalid(std::string detail, std::vector<ProblemDetail> errors = {}) {
    return {422, "invalid", "The request is understood but wrong", std::move(detail),
            std::move(errors)};
}
inline Problem unavailable(std::string detail) {
    return {503, "unavailable", "Not available now", std::move(detail), {}};
}

}  // namespace torii::mgmt
