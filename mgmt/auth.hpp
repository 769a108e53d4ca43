#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mgmt/server.hpp"

namespace torii::mgmt {

struct Identity {
    Role role = Role::None;
    std::string who;
};

// Verifies bearer tokens by their argon2id hashes. One verification costs tens of
// milliseconds on purpose, so that a token that was right is remembered (by a
// keyed hash) and wrong ones are answered no more than a few times a second.
class Authenticator {
public:
    explicit Authenticator(std::vector<TokenHash> tokens);
    using Now = std::chrono::steady_clock::time_point;

    bool empty() const { return tokens_.empty(); }
    // `header` is the value of Authorization. Not identified: role None.
    Identity identify(std::string_view header, Now now);
    // True when too many wrong tokens came lately; they are not looked at then.
    bool busy(Now now) const { return budget(now) < 1.0; }

private:
    double budget(Now now) const;
    std::vector<TokenHash> tokens_;
    std::string key_;
    std::map<std::string, Identity> known_;
    double budget_ = 5;
    Now refilled_{};
};

// What `torii token add` prints: a fresh token and the hash for the file.
struct NewToken {
    std::string token;
    std::string hash;
};
NewToken make_token();

}  // namespace torii::mgmt
