#include "config/frr_route_map.hpp"

#include <algorithm>

namespace torii::config {
namespace {

// The words that name what a line is about; what follows is its argument.
std::string subject(const FrrWords& w) {
    constexpr std::string_view kParts[] = {
        "address", "next-hop", "prefix-list", "prefix-len", "route-source", "global",   "local",
        "prepend", "exclude",  "rt",          "soo",        "type",         "bandwidth"};
    std::string out{w[1]};
    if (w[1] == "comm-list" || w[1] == "large-comm-list") return out;
    for (std::size_t i = 2; i < w.size(); ++i) {
        if (std::ranges::find(kParts, w[i]) == std::end(kParts)) break;
        out += ' ';
        out += w[i];
    }
    return out;
}

void put(std::vector<std::pair<std::string, FrrLine>>& lines, const FrrLine& line) {
    auto key = subject(line.words);
    std::erase_if(lines, [&](const auto& entry) { return entry.first == key; });
    lines.emplace_back(std::move(key), line);
}

}  // namespace

std::string FrrRouteMaps::begin(const FrrLine& line) {
    const auto& w = line.words;
    inside_ = nullptr;
    const auto seq = w.number<std::uint32_t>(3);
    if (!seq || (w[2] != "permit" && w[2] != "deny"))
        return "FRR wants permit or deny and a number";
    auto& clause = maps_[std::string{w[1]}].clauses[*seq];
    clause.permit = w[2] == "permit";
    clause.seq = *seq;
    clause.head = line;
    inside_ = &clause;
    return "";
}

void FrrRouteMaps::take(const FrrLine& line) {
    const auto& w = line.words;
    if (inside_ == nullptr || w.begins("description")) return;
    auto& clause = *inside_;
    if (w.begins("match") && w.size() > 2) return put(clause.matches, line);
    if (w.begins("set") && w.size() > 2) return put(clause.sets, line);
    if (w.begins("call") && w.size() == 2) {
        clause.call = std::string{w[1]};
        return;
    }
    const bool on_match = w.begins("on-match");
    const auto seq = w.number<std::uint32_t>(on_match ? 2 : 1);
    // FRR has "continue" with a number alone.
    if (w.begins("on-match", "next")) {
        clause.then = FrrClause::Then::Next;
    } else if ((w.begins("on-match", "goto") || w.begins("continue")) && seq && *seq > clause.seq) {
        clause.then = FrrClause::Then::Goto;
        clause.goto_seq = *seq;
    } else {
        clause.odd.push_back(line);
    }
}

const FrrRouteMap* FrrRouteMaps::find(std::string_view name) const {
    const auto at = maps_.find(name);
    return at != maps_.end() ? &at->second : nullptr;
}

}  // namespace torii::config
