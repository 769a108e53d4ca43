#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/frr_lines.hpp"

namespace torii::config {

// One clause of a route-map, its lines not yet read for their meaning.
struct FrrClause {
    bool permit = true;
    std::uint32_t seq = 0;
    FrrLine head;
    // By what they are about ("ip address prefix-list"): FRR keeps the last line of each.
    std::vector<std::pair<std::string, FrrLine>> matches, sets;
    std::string call;  // a route-map that may deny too
    enum class Then : std::uint8_t { Exit, Next, Goto } then = Then::Exit;
    std::uint32_t goto_seq = 0;
    std::vector<FrrLine> odd;  // lines that are none of these
};

struct FrrRouteMap {
    std::map<std::uint32_t, FrrClause> clauses;
};

// The route-maps of a file.
class FrrRouteMaps {
public:
    // "route-map NAME permit|deny SEQ"; returns why not, or "".
    std::string begin(const FrrLine& line);
    // A line inside of the clause that was begun last.
    void take(const FrrLine& line);
    const FrrRouteMap* find(std::string_view name) const;

private:
    std::map<std::string, FrrRouteMap, std::less<>> maps_;
    FrrClause* inside_ = nullptr;
};

}  // namespace torii::config
