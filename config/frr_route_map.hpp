#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/frr_lines.hpp"
#include "config/model.hpp"

namespace torii::config {

// FRR's route-maps, and the lists of AS paths and communities that they name.
class FrrRouteMaps {
public:
    struct Clause {
        PolicyTerm term;
        std::vector<std::string> next_hop_lists;  // prefix lists
        unsigned line = 0;
        // Asks for one prefix list at most and edits nothing.
        bool plain() const;
    };

    // "route-map NAME permit|deny [SEQ]"
    void begin(const FrrWords& words, unsigned line);
    // A line inside; returns why it was not taken, or "".
    std::string take(const FrrWords& words);
    // "bgp as-path access-list ...", "bgp community-list ..." and their kin.
    static bool is_list(const FrrWords& words);
    std::string take_list(FrrWords words);

    const std::vector<Clause>* find(const std::string& name) const;
    // One that a list of prefixes can stand for.
    bool plain(const std::string& name) const;

    // The map as a policy; `lists` are the prefix lists of the file.
    using PrefixLists = std::map<std::string, std::vector<std::pair<std::uint32_t, PrefixRule>>>;
    Policy policy(const std::string& name, const PrefixLists& lists) const;
    void put_lists(Model& model) const;

private:
    std::string match(Clause& clause, const FrrWords& words) const;
    std::string set(Clause& clause, const FrrWords& words) const;
    std::string set_communities(TermEdits& set, const FrrWords& words) const;

    std::map<std::string, std::vector<Clause>> maps_;
    std::string inside_;
    std::vector<AsPathList> as_paths_;
    std::vector<CommunityList> communities_;
};

}  // namespace torii::config
