#include "app/drain.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>

namespace torii::app {
namespace {

std::string file_in(const std::string& directory) {
    return directory + "/drained";
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    char text[32] = "";
    gmtime_r(&seconds, &utc);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// Seconds since the epoch on the first line, the reason behind it.
std::optional<Drained> kept_drain(const std::string& state_directory) {
    if (state_directory.empty()) return std::nullopt;
    std::ifstream in{file_in(state_directory)};
    if (!in) return std::nullopt;
    // Whatever the file holds, its presence is the request.
    Drained out{std::chrono::system_clock::now(), ""};
    std::time_t since = 0;
    if (in >> since) out.since = std::chrono::system_clock::from_time_t(since);
    in.clear();
    in.ignore(1);
    out.reason.assign(std::istreambuf_iterator<char>{in}, {});
    out.reason.resize(std::min<std::size_t>(out.reason.size(), 255));
    return out;
}

void keep_drain(const std::string& state_directory, const std::optional<Drained>& drained) {
    if (state_directory.empty()) return;
    const auto file = file_in(state_directory);
    if (!drained) {
        std::remove(file.c_str());
        return;
    }
    std::ofstream{file} << std::chrono::system_clock::to_time_t(drained->since) << '\n'
                        << drained->reason;
}

}  // namespace torii::app
