#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/frr_lines.hpp"
#include "config/model.hpp"

namespace torii::config {

// Rules by sequence number. A rule of FRR's may take several of ours.
template <class Rule>
struct FrrList {
    std::map<std::uint32_t, std::vector<Rule>> rules;
    std::string odd;  // the text of a rule that torii has no words for, "" for none
    unsigned line = 0;

    // One flat list, in order.
    std::vector<Rule> all() const {
        std::vector<Rule> out;
        for (const auto& [_, part] : rules) out.insert(out.end(), part.begin(), part.end());
        return out;
    }
    // FRR's number for a rule without one.
    std::uint32_t next() const { return rules.empty() ? 5 : rules.rbegin()->first + 5; }
};

// The lists that a file defines: prefix lists and access lists by family, AS-path lists,
// and community lists by kind. Equal names of different kinds are different lists.
class FrrLists {
public:
    template <class Rule>
    using ByName = std::map<std::string, FrrList<Rule>, std::less<>>;

    // True for a line that defines a part of a list.
    static bool is_list(const FrrWords& words);
    // Takes such a line; returns why it was not understood, or "". A list with such a line
    // is kept with it as `odd`.
    std::string take(const FrrLine& line);

    const FrrList<PrefixRule>* prefix_list(Family family, std::string_view name) const {
        return find(prefix_lists_[static_cast<std::size_t>(family)], name);
    }
    const FrrList<PrefixRule>* access_list(Family family, std::string_view name) const {
        return find(access_lists_[static_cast<std::size_t>(family)], name);
    }
    const FrrList<AsPathRule>* as_path_list(std::string_view name) const {
        return find(as_paths_, name);
    }
    const FrrList<CommunityRule>* community_list(CommunityKind kind, std::string_view name) const {
        return find(communities_[static_cast<std::size_t>(kind)], name);
    }

private:
    template <class Rule>
    static const FrrList<Rule>* find(const ByName<Rule>& lists, std::string_view name) {
        const auto at = lists.find(name);
        return at != lists.end() ? &at->second : nullptr;
    }
    std::string take_prefix(const FrrLine& line, FrrWords words);
    std::string take_access(const FrrLine& line, FrrWords words);
    std::string take_as_path(const FrrLine& line, FrrWords words);
    std::string take_community(const FrrLine& line, FrrWords words);

    ByName<PrefixRule> prefix_lists_[2], access_lists_[2];
    ByName<AsPathRule> as_paths_;
    ByName<CommunityRule> communities_[3];
};

// A community as FRR writes it; nothing for what torii has no words for.
std::optional<CommunityPattern> frr_community(std::string_view word);

// "255.255.0.0" as 16; nothing for what is no netmask.
std::optional<std::uint8_t> frr_netmask(std::string_view word);

// "10.0.0.0/8", or with a netmask in the next word; host bits are cleared. `words` counts
// what was used. Without either the network's class decides (RFC 791) where `classful`.
std::optional<Prefix> frr_prefix(const FrrWords& words, std::size_t at, std::size_t& used,
                                 bool classful);

}  // namespace torii::config
