#pragma once

#include <string_view>

namespace torii::mgmt {

// Files that are part of the binary (written by tools/embed.py at build time).
std::string_view embedded_openapi();
std::string_view embedded_web_index();
std::string_view embedded_web_style();
std::string_view embedded_web_app();

}  // namespace torii::mgmt
