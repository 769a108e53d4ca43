#include "mgmt/auth.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

namespace torii::mgmt {
namespace {

constexpr double kTriesPerSecond = 2, kMostTries = 5;
constexpr std::size_t kMostKnown = 256, kLongestToken = 256;

void prepare() {
    static const int ready = sodium_init();
    (void)ready;
}

}  // namespace

Authenticator::Authenticator(std::vector<TokenHash> tokens) : tokens_(std::move(tokens)) {
    prepare();
    key_.resize(crypto_generichash_KEYBYTES);
    randombytes_buf(key_.data(), key_.size());
}

double Authenticator::budget(Now now) const {
    const std::chrono::duration<double> passed = now - refilled_;
    return std::min(kMostTries, budget_ + passed.count() * kTriesPerSecond);
}

Identity Authenticator::identify(std::string_view header, Now now) {
    constexpr std::string_view kScheme = "Bearer ";
    if (!header.starts_with(kScheme) || header.size() > kLongestToken) return {};
    const auto token = header.substr(kScheme.size());
    std::string digest(crypto_generichash_BYTES, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                       reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                       reinterpret_cast<const unsigned char*>(key_.data()), key_.size());
    if (const auto it = known_.find(digest); it != known_.end()) return it->second;
    budget_ = budget(now);
    refilled_ = now;
    if (budget_ < 1) return {};
    for (const auto& candidate : tokens_) {
        if (crypto_pwhash_str_verify(candidate.hash.c_str(), token.data(), token.size()) != 0)
            continue;
        if (known_.size() >= kMostKnown) known_.clear();
        return known_[digest] = {candidate.role, "token " + candidate.name};
    }
    budget_ -= 1;
    return {};
}

NewToken make_token() {
    prepare();
    unsigned char bytes[24];
    randombytes_buf(bytes, sizeof bytes);
    char text[sodium_base64_ENCODED_LEN(sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    NewToken out{std::string{"torii_"} + text, ""};
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str(hash, out.token.data(), out.token.size(),
                          crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE / 4) == 0)
        out.hash = hash;
    return out;
}

}  // namespace torii::mgmt
