#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Small readers of /proc and /sys for the doctor.
namespace torii::cli {

// Without the blanks at its end; "" when it cannot be read.
inline std::string content(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::string out{std::istreambuf_iterator<char>{in}, {}};
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    return out;
}

// 0 when the key is not there.
inline std::uint64_t number_behind(const std::string& text, const std::string& key) {
    const auto at = text.find(key);
    if (at == std::string::npos) return 0;
    std::istringstream in{text.substr(at + key.size())};
    std::uint64_t value = 0;
    in >> value;
    return value;
}

// "0-3,8" as its numbers; what is no list of CPUs gives none.
inline std::set<unsigned> cpu_list(const std::string& text) {
    std::set<unsigned> out;
    std::istringstream in{text};
    for (std::string part; std::getline(in, part, ',');) {
        unsigned first = 0, last = 0;
        char dash = 0;
        std::istringstream range{part};
        if (!(range >> first)) continue;
        if (!(range >> dash >> last) || dash != '-') last = first;
        for (unsigned cpu = first; cpu <= last && cpu - first < 4096; ++cpu) out.insert(cpu);
    }
    return out;
}

// Names in a directory, sorted; none when there is no such directory.
inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::set<std::string> out;
    std::error_code error;
    for (std::filesystem::directory_iterator it{directory, error}, end; !error && it != end;
         it.increment(error))
        out.insert(it->path().filename().string());
    return {out.begin(), out.end()};
}

}  // namespace torii::cli
