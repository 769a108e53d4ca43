#pragma once

#include <string_view>

namespace torii::mgmt {

// Files that are part of the binary (written by tools/embed.py at build time).
std::string_view embedded_openapi();

}  // namespace torii::mgmt
