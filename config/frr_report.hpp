#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/frr_lines.hpp"

namespace torii::config {

// What it means for the router that something was not carried over, worst first.
enum class FrrEffect : std::uint8_t {
    Wider,     // torii accepts, installs or announces more than FRR did
    Dead,      // a neighbor or range of FRR's exchanges nothing any more
    Narrower,  // torii accepts or announces less
    Lost,      // it has no counterpart, and opens nothing
    Changed,   // a default of torii's that differs from FRR's
};
inline constexpr FrrEffect kFrrEffects[] = {FrrEffect::Wider, FrrEffect::Dead, FrrEffect::Narrower,
                                            FrrEffect::Lost, FrrEffect::Changed};
constexpr std::string_view to_string(FrrEffect effect) {
    constexpr std::string_view kNames[] = {"wider", "dead", "narrower", "lost", "changed"};
    return kNames[static_cast<std::size_t>(effect)];
}

// A line that was not carried over as it is, and why.
struct LeftOut {
    unsigned line = 0;  // 0: of the file as a whole
    std::string text;
    std::string why;
    FrrEffect effect = FrrEffect::Lost;
    friend auto operator<=>(const LeftOut&, const LeftOut&) = default;
};

// Collects what was left out, each finding once.
class FrrReport {
public:
    void add(LeftOut item) {
        if (seen_.insert(item).second) items_.push_back(std::move(item));
    }
    void add(const FrrLine& line, std::string why, FrrEffect effect = FrrEffect::Lost) {
        add({line.number, shown(line.text), std::move(why), effect});
    }
    // Worst first, then by line.
    std::vector<LeftOut> take() const;

    // A line for the reader, passwords masked.
    static std::string shown(std::string_view text);

private:
    std::set<LeftOut> seen_;
    std::vector<LeftOut> items_;
};

}  // namespace torii::config
