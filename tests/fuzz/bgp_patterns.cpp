// What operators write in policies: a pattern that is read is written so that
// it reads the same.
#include <cstdlib>

#include "base/as_path_pattern.hpp"
#include "base/community.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto path = torii::AsPathPattern::parse(text)) {
        const auto again = torii::AsPathPattern::parse(path->to_string());
        if (!again || !(*again == *path)) std::abort();
        (void)path->matches({{65001, 65002, 1, 2}, 65001, 0, 3, "65001 65002 {1,2}"});
    }
    if (const auto community = torii::CommunityPattern::parse(text)) {
        const auto again = torii::CommunityPattern::parse(community->to_string());
        if (!again || !(*again == *community)) std::abort();
    }
    return 0;
}
