#include "base/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace torii {
namespace {

// Insertions, deletions, replacements and swaps of neighbors; case and the
// difference between - and _ are free.
std::size_t distance(std::string_view a, std::string_view b) {
    const auto same = [](char x, char y) {
        const auto fold = [](char c) {
            return c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        };
        return fold(x) == fold(y);
    };
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min(
                {last[j] + 1, now[j - 1] + 1, last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

}  // namespace

std::string suggest(std::string_view wrong, const std::vector<std::string_view>& candidates) {
    if (wrong.size() > 64) return "";
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, wrong.size() / 3) + 1;
    for (const auto candidate : candidates) {
        const auto d = distance(wrong, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    // "neighbor" for "neighbors", "groups" for "group": one begins the other.
    if (best.empty() && wrong.size() >= 4)
        for (const auto candidate : candidates)
            if (candidate.starts_with(wrong) || wrong.starts_with(candidate))
                return std::string{candidate};
    return std::string{best};
}

}  // namespace torii
