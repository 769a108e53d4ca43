#pragma once

#include <cstdint>
#include <string_view>

#include "mgmt/http.hpp"

// Answers made smaller for clients that ask for it. Management thread.
namespace torii::mgmt {

enum class Coding : std::uint8_t { Identity, Gzip, Zstd };

// What a client likes best of what we have (RFC 9110 §12.5.3); of equals zstd,
// which costs us least.
Coding coding_for(std::string_view accept_encoding);

// Encodes the body, or each piece as it comes. Left as it is: what is small,
// what has an ETag, which names its very bytes, and events, which shall not wait.
void compress(Response& response, Coding coding);

}  // namespace torii::mgmt
