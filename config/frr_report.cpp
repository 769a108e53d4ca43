#include "config/frr_report.hpp"

#include <tuple>

#include "base/stable_sort.hpp"

namespace torii::config {

std::vector<LeftOut> FrrReport::take() const {
    auto out = items_;
    stable_sort(out, [](const LeftOut& a, const LeftOut& b) {
        return std::tie(a.effect, a.line) < std::tie(b.effect, b.line);
    });
    return out;
}

std::string FrrReport::shown(std::string_view text) {
    const auto end = text.find_last_not_of(" \t\r");
    std::string out{text.substr(0, end == std::string_view::npos ? 0 : end + 1)};
    for (const std::string_view word : {"password ", "key ", "md5 "})
        if (const auto at = out.find(word);
            at != std::string::npos && (at == 0 || out[at - 1] == ' '))
            return out.substr(0, at) + std::string{word} + "********";
    return out;
}

}  // namespace torii::config
