#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

// Just enough to read the flat values of the vector files.
namespace torii::bgp::test {

inline std::string read_vectors(const std::string& name) {
    const char* root = std::getenv("TORII_SOURCE");
    std::ifstream in(std::string{root != nullptr ? root : "."} + "/tests/vectors/bgp/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The value of "key": "..." or "key": 12 in a flat JSON object.
inline std::string field(std::string_view object, std::string_view key) {
    const auto name = "\"" + std::string{key} + "\":";
    auto at = object.find(name);
    if (at == std::string_view::npos) return {};
    at += name.size();
    while (at < object.size() && object[at] == ' ') ++at;
    if (object[at] == '"') {
        std::string out;
        for (++at; at < object.size() && object[at] != '"'; ++at) {
            if (object[at] == '\\') ++at;
            out += object[at];
        }
        return out;
    }
    const auto end = object.find_first_of(",}", at);
    return std::string{object.substr(at, end - at)};
}

}  // namespace torii::bgp::test
