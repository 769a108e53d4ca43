#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace torii::config {

// A scan of the text before libconfig++ parses it, for what that library reports
// badly or not at all: numbers above 2^31 that it would corrupt, addresses and
// words without quotes, unbalanced brackets, strings that it would silently
// join. The text that comes out has the same lines.
struct Scanned {
    struct Include {
        std::string file;
        unsigned line = 0;
    };
    std::string text;
    std::vector<Include> includes;  // taken out of the text
    Problems problems;
};

Scanned scan(std::string_view text, const std::string& file);

// A text in quotes, which are part of it. Comments are passed over.
struct Literal {
    std::size_t at = 0, size = 0;
};
std::vector<Literal> string_literals(std::string_view text);

}  // namespace torii::config
