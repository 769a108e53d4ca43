#include "config/frr_condition.hpp"

#include <algorithm>

namespace torii::config {
namespace {

constexpr std::size_t kMostRules = 4000;

// The addresses that the rules permit, as blocks: the first rule that covers one decides.
// Rules ask for hosts here, so that those of other lengths match nothing.
std::vector<Prefix> hosts_of(const std::vector<PrefixRule>& rules, std::uint8_t bits) {
    std::vector<Prefix> out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (!rules[i].permit || rules[i].le < bits) continue;
        std::vector<Prefix> left{rules[i].prefix};
        for (std::size_t before = 0; before < i; ++before) {
            const auto& cut = rules[before];
            if (cut.le < bits || cut.permit) continue;
            std::vector<Prefix> next;
            while (!left.empty()) {
                const auto block = left.back();
                left.pop_back();
                if (cut.prefix.contains(block)) continue;
                if (!block.contains(cut.prefix)) {
                    next.push_back(block);
                    continue;
                }
                // Halve it until the cut is one of the halves.
                const auto length = static_cast<std::uint8_t>(block.length() + 1);
                auto bytes = block.address().bytes();
                bytes[block.length() / 8] = static_cast<std::uint8_t>(bytes[block.length() / 8] |
                                                                      0x80 >> block.length() % 8);
                const auto upper =
                    block.family() == Family::Ip6
                        ? IpAddress::v6(bytes)
                        : IpAddress::v4(block.address().v4() | 0x80000000u >> block.length());
                left.push_back({block.address(), length});
                left.push_back({upper, length});
            }
            left = std::move(next);
        }
        out.insert(out.end(), left.begin(), left.end());
    }
    std::ranges::sort(out);
    out.erase(std::ranges::unique(out).begin(), out.end());
    return out;
}

CommunityKind kind_of(const FrrNamed<CommunityRule>& list) {
    return list.rules.empty() || list.rules[0].all.empty() ? CommunityKind::Standard
                                                           : list.rules[0].all[0].kind;
}

template <class T>
void both(std::optional<T>& mine, const std::optional<T>& other, bool& never) {
    if (!other) return;
    if (mine && *mine != *other) never = true;
    mine = other;
}

// First-match lists of conditions, of which all must hold, as one.
std::vector<CommunityRule> both_lists(const std::vector<CommunityRule>& a,
                                      const std::vector<CommunityRule>& b) {
    std::vector<CommunityRule> out;
    for (const auto& left : a) {
        if (left.permit)
            for (const auto& right : b) {
                auto rule = right;
                rule.all.insert(rule.all.begin(), left.all.begin(), left.all.end());
                out.push_back(std::move(rule));
            }
        auto rest = left;
        rest.permit = false;
        out.push_back(std::move(rest));
    }
    return out;
}

}  // namespace

std::vector<PrefixRule> frr_intersection(const std::vector<PrefixRule>& a,
                                         const std::vector<PrefixRule>& b) {
    std::vector<PrefixRule> out;
    for (const auto& left : a) {
        auto rest = left;
        rest.permit = false;
        if (left.permit)
            for (const auto& right : b) {
                if (!left.prefix.overlaps(right.prefix)) continue;
                auto rule = left.prefix.contains(right.prefix) ? right : left;
                rule.permit = right.permit;
                rule.ge = std::max({left.ge, right.ge, rule.prefix.length()});
                rule.le = std::min(left.le, right.le);
                if (rule.ge <= rule.le) out.push_back(rule);
            }
        out.push_back(rest);
    }
    while (!out.empty() && !out.back().permit) out.pop_back();
    return out;
}

bool FrrCondition::and_also(const FrrCondition& other) {
    auto out = *this;
    out.never = never || other.never;
    if (other.prefix && prefix) {
        out.prefix = {"", frr_intersection(prefix->rules, other.prefix->rules)};
        if (out.prefix->rules.size() > kMostRules) return false;
        if (out.prefix->rules.empty()) out.never = true;
    } else if (other.prefix) {
        out.prefix = other.prefix;
    }
    if (other.community && community && community->rules != other.community->rules) {
        out.community = {"", both_lists(community->rules, other.community->rules)};
        if (out.community->rules.size() > kMostRules) return false;
    } else if (other.community) {
        out.community = other.community;
    }
    if (as_path && other.as_path && as_path->rules != other.as_path->rules) return false;
    if (other.as_path) out.as_path = other.as_path;
    if (next_hop && other.next_hop) {
        std::vector<Prefix> common;
        for (const auto& a : *next_hop)
            for (const auto& b : *other.next_hop)
                if (a.overlaps(b)) common.push_back(a.contains(b) ? b : a);
        if (common.empty()) out.never = true;
        out.next_hop = std::move(common);
    } else if (other.next_hop) {
        out.next_hop = other.next_hop;
    }
    both(out.med, other.med, out.never);
    both(out.local_pref, other.local_pref, out.never);
    both(out.origin, other.origin, out.never);
    *this = std::move(out);
    return true;
}

TermMatch FrrCondition::to_match(FrrNames& names, Family family) const {
    TermMatch out;
    if (prefix)
        out.prefix = std::vector{names.prefix_list(prefix->name.empty() ? "both" : prefix->name,
                                                   to_string(family), prefix->rules)};
    if (community && community->name.empty()) {
        out.community = community->rules;
    } else if (community) {
        constexpr std::string_view kMarks[] = {"", "ext", "large"};
        CommunityRule rule;
        rule.list = names.community_list(community->name,
                                         kMarks[static_cast<std::size_t>(kind_of(*community))],
                                         community->rules);
        out.community.push_back(std::move(rule));
    }
    if (as_path) {
        AsPathRule rule;
        rule.list = names.as_path_list(as_path->name, as_path->rules);
        out.as_path.push_back(std::move(rule));
    }
    if (next_hop) out.next_hop = *next_hop;
    out.med = med;
    out.local_pref = local_pref;
    out.origin = origin;
    return out;
}

// ---- what the lines of a clause ask for

namespace {

constexpr const char* kNoWords = "torii has no such match";

// FRR's own reading of routes without the attribute: MED 0, LOCAL_PREF 0 on import and 100
// towards iBGP. torii reads a route without LOCAL_PREF as one with 100.
bool is_ambiguous(std::uint32_t med_or_pref) {
    return med_or_pref == 0 || med_or_pref == 100;
}

class ClauseReader {
public:
    ClauseReader(const FrrLists& lists, Family family, FrrDirection direction)
        : lists_(lists), family_(family), direction_(direction) {}

    // Takes one line; returns why not, or "".
    std::string take(const std::string& subject, const FrrWords& w) {
        const bool v6 = w[1] == "ipv6";
        const auto of = v6 ? Family::Ip6 : Family::Ip4;
        if (w[1] == "ip" || v6) {
            if (w[2] == "address") return address(subject, w, of);
            if (w[2] == "next-hop") return next_hop(subject, w, of);
            return kNoWords;
        }
        if (subject == "as-path") return as_path(w);
        if (subject == "community") return community(w, CommunityKind::Standard);
        if (subject == "large-community") return community(w, CommunityKind::Large);
        if (subject == "extcommunity") return community(w, CommunityKind::Extended);
        if (subject == "origin") {
            out.origin = w[2] == "igp"          ? RouteOrigin::Igp
                         : w[2] == "egp"        ? RouteOrigin::Egp
                         : w[2] == "incomplete" ? std::optional{RouteOrigin::Incomplete}
                                                : std::nullopt;
            return out.origin ? "" : "no origin";
        }
        if (subject != "metric" && subject != "local-preference") return kNoWords;
        const auto number = w.number<std::uint32_t>(2);
        if (!number) return "a number is wanted there";
        if (is_ambiguous(*number))
            return "FRR and torii differ in what a route without the attribute has";
        (subject == "metric" ? out.med : out.local_pref) = number;
        return "";
    }

    FrrCondition out;

private:
    std::string and_prefixes(std::string_view name, std::vector<PrefixRule> rules) {
        FrrCondition more;
        more.prefix = {std::string{name}, std::move(rules)};
        if (more.prefix->rules.empty()) more.never = true;
        return out.and_also(more) ? "" : "the lists are too long to be read as one";
    }
    std::string address(const std::string& subject, const FrrWords& w, Family of) {
        if (of != family_) {
            // Never of a route of the other family.
            out.never = true;
            return "";
        }
        if (subject.ends_with("prefix-len")) {
            const auto length = w.number<std::uint8_t>(4);
            if (!length || *length > address_bits(of)) return "a length is wanted there";
            return and_prefixes("length-" + std::to_string(*length),
                                {{true, false, Prefix::default_route(of), *length, *length}});
        }
        const bool of_prefixes = subject.ends_with("prefix-list");
        const auto name = w[of_prefixes ? 4 : 3];
        if (w.size() > (of_prefixes ? 5u : 4u) || name.empty()) return kNoWords;
        const auto* list =
            of_prefixes ? lists_.prefix_list(of, name) : lists_.access_list(of, name);
        if (list == nullptr) {
            out.never = true;  // as in FRR
            return "";
        }
        if (!list->odd.empty()) return "the list has a line without a counterpart: " + list->odd;
        // A list that has a description alone permits all.
        if (list->rules.empty() && of_prefixes) return "";
        return and_prefixes(of_prefixes ? std::string{name} : "access-" + std::string{name},
                            list->all());
    }
    std::string next_hop(const std::string& subject, const FrrWords& w, Family of) {
        if (of != family_) return "the next hop of a route of the other family";
        if (direction_ != FrrDirection::In) return "the next hop of a route that is announced";
        FrrCondition more;
        more.next_hop.emplace();
        if (subject.ends_with("address") || IpAddress::parse(w[3])) {
            const auto address = IpAddress::parse(w[w[3] == "address" ? 4 : 3]);
            if (!address) return "no address";
            more.next_hop->push_back(Prefix::host(*address));
        } else if (subject.ends_with("next-hop") || subject.ends_with("prefix-list")) {
            const bool of_prefixes = subject.ends_with("prefix-list");
            const auto name = w[of_prefixes ? 4 : 3];
            const auto* list =
                of_prefixes ? lists_.prefix_list(of, name) : lists_.access_list(of, name);
            if (list == nullptr) {
                out.never = true;
                return "";
            }
            if (!list->odd.empty())
                return "the list has a line without a counterpart: " + list->odd;
            more.next_hop = hosts_of(list->all(), address_bits(of));
            more.never = more.next_hop->empty();
        } else {
            return kNoWords;
        }
        return out.and_also(more) ? "" : "two conditions on the next hop";
    }
    std::string as_path(const FrrWords& w) {
        if (w.size() > 3) return kNoWords;
        const auto* list = lists_.as_path_list(w[2]);
        if (list == nullptr) {
            out.never = true;
            return "";
        }
        if (!list->odd.empty()) return "the list has a line without a counterpart: " + list->odd;
        FrrCondition more;
        more.as_path = {std::string{w[2]}, list->all()};
        return out.and_also(more) ? "" : "two lists of AS paths";
    }
    std::string community(const FrrWords& w, CommunityKind kind) {
        if (w.size() > 3) return "exact-match";
        const auto* list = lists_.community_list(kind, w[2]);
        if (list == nullptr) {
            out.never = true;
            return "";
        }
        if (!list->odd.empty()) return "the list has a line without a counterpart: " + list->odd;
        FrrCondition more;
        more.community = {std::string{w[2]}, list->all()};
        return out.and_also(more) ? "" : "the lists are too long to be read as one";
    }

    const FrrLists& lists_;
    Family family_;
    FrrDirection direction_;
};

}  // namespace

FrrMatches frr_matches(const FrrClause& clause, const FrrLists& lists, Family family,
                       FrrDirection direction) {
    FrrMatches out;
    ClauseReader reader{lists, family, direction};
    for (const auto& [subject, line] : clause.matches)
        if (auto why = reader.take(subject, line.words); !why.empty())
            out.odd.emplace_back(line, std::move(why));
    for (const auto& line : clause.odd) out.odd.emplace_back(line, "torii has nothing like it");
    out.condition = std::move(reader.out);
    return out;
}

}  // namespace torii::config
