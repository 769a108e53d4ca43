#include <algorithm>

#include "config/frr_condition.hpp"
#include "config/value_text.hpp"

// The "set" lines of route-maps as edits.
namespace torii::config {
namespace {

constexpr const char* kNoNumber = "a number is wanted there";

// All communities of a kind.
CommunityPattern every(CommunityKind kind) {
    return *CommunityPattern::parse(kind == CommunityKind::Large ? "*:*:*" : "*:*");
}

// What `pattern` stands for includes all of `other`.
bool covers(const CommunityPattern& pattern, const CommunityPattern& other) {
    return pattern.kind == other.kind && other.exact() && pattern.matches(other.bytes());
}

void add_unique(std::vector<CommunityPattern>& to, const std::vector<CommunityPattern>& more) {
    for (const auto& one : more)
        if (std::ranges::find(to, one) == to.end()) to.push_back(one);
}

class EditReader {
public:
    EditReader(const FrrLists& lists, Family family) : lists_(lists), family_(family) {}

    // Takes one line; returns why not, or "".
    std::string take(const std::string& subject, const FrrWords& w) {
        if (subject == "local-preference") {
            edits.local_pref = w.number<std::uint32_t>(2);
            return edits.local_pref ? "" : kNoNumber;
        }
        if (subject == "metric") {
            edits.med = w[2] == "none" ? std::nullopt : MedEdit::parse(w[2]);
            return edits.med ? "" : kNoNumber;
        }
        if (subject == "origin") {
            edits.origin = w[2] == "igp"          ? RouteOrigin::Igp
                           : w[2] == "egp"        ? RouteOrigin::Egp
                           : w[2] == "incomplete" ? std::optional{RouteOrigin::Incomplete}
                                                  : std::nullopt;
            return edits.origin ? "" : "no origin";
        }
        if (subject == "community") return communities(w, 2, CommunityKind::Standard, "");
        if (subject == "large-community") return communities(w, 2, CommunityKind::Large, "");
        if (subject == "extcommunity rt" || subject == "extcommunity soo")
            return communities(w, 3, CommunityKind::Extended, std::string{w[2]} + ':');
        if (subject == "comm-list") return remove(w, CommunityKind::Standard);
        if (subject == "large-comm-list") return remove(w, CommunityKind::Large);
        if (subject == "as-path prepend") return prepend(w);
        if (w[1] == "ip" || w[1] == "ipv6") return next_hop(w);
        return "torii has no such edit";
    }

    TermEdits edits;

private:
    std::string communities(const FrrWords& w, std::size_t at, CommunityKind kind,
                            const std::string& before) {
        // torii's `community` replaces those of all kinds, FRR's those of one.
        TermEdits next;
        bool additive = kind == CommunityKind::Extended;
        const bool none = w[at] == "none" && w.size() == at + 1;
        for (std::size_t i = at; i < w.size() && !none; ++i) {
            if (w[i] == "additive") {
                additive = true;
                continue;
            }
            const auto community = frr_community(before + std::string{w[i]});
            if (!community || !community->exact() || community->kind != kind)
                return "no community that torii understands";
            add_unique(next.add_community, {*community});
        }
        if (none && kind == CommunityKind::Extended) return "torii has no such edit";
        if (!additive) next.remove_community.push_back(every(kind));
        return then(next);
    }
    // Each community of a permit line goes, unless a deny line is in front.
    std::string remove(const FrrWords& w, CommunityKind kind) {
        if (w[3] != "delete") return "torii has no such edit";
        const auto* list = lists_.community_list(kind, w[2]);
        if (list == nullptr) return "";
        if (!list->odd.empty()) return "the list has a line without a counterpart: " + list->odd;
        std::vector<CommunityPattern> kept;
        TermEdits next;
        for (const auto& rule : list->all())
            for (const auto& one : rule.all) {
                if (std::ranges::find(kept, one) != kept.end()) continue;
                if (rule.permit)
                    add_unique(next.remove_community, {one});
                else
                    kept.push_back(one);
            }
        return then(next);
    }
    std::string then(const TermEdits& next) {
        const auto all = frr_both(edits, next);
        if (!all) return "too many edits in one clause";
        edits = *all;
        return "";
    }
    std::string prepend(const FrrWords& w) {
        for (std::size_t i = 3; i < w.size(); ++i) {
            const auto as = parse_asn(w[i]);
            if (!as) return "no AS number";
            edits.prepend_as.push_back(*as);
        }
        return edits.prepend_as.empty() ? "no AS number" : "";
    }
    std::string next_hop(const FrrWords& w) {
        const auto of = w[1] == "ipv6" ? Family::Ip6 : Family::Ip4;
        if (w[2] != "next-hop") return "torii has no such edit";
        if (of != family_) return "";  // concerns the other family alone
        const auto word = w[3] == "global" ? w[4] : w[3];
        if (word == "prefer-global") return "";
        edits.next_hop = NextHopEdit::parse(word == "peer-address" ? "peer" : word);
        return edits.next_hop && word != "self" && word != "peer" ? "" : "no next hop";
    }

    const FrrLists& lists_;
    Family family_;
};

// Edits of what only this router's own choice or tables look at.
bool is_local(const std::string& subject) {
    constexpr std::string_view kLocal[] = {"weight", "tag", "src", "table", "metric-type"};
    return std::ranges::find(kLocal, subject) != std::end(kLocal);
}

}  // namespace

FrrEdits frr_edits(const FrrClause& clause, const FrrLists& lists, Family family) {
    FrrEdits out;
    if (!clause.permit) return out;
    EditReader reader{lists, family};
    for (const auto& [subject, line] : clause.sets) {
        auto why = reader.take(subject, line.words);
        if (why.empty()) continue;
        auto& list = is_local(subject) ? out.lost : out.odd;
        if (subject == "weight")
            why = "FRR's weight is compared before LOCAL_PREF; set local_pref instead";
        list.emplace_back(line, std::move(why));
    }
    out.edits = std::move(reader.edits);
    return out;
}

std::optional<TermEdits> frr_both(const TermEdits& first, const TermEdits& second) {
    auto out = first;
    if (second.local_pref) out.local_pref = second.local_pref;
    if (second.origin) out.origin = second.origin;
    if (second.next_hop) out.next_hop = second.next_hop;
    if (second.weight) out.weight = second.weight;
    using Kind = MedEdit::Kind;
    const bool counts =
        second.med && (second.med->kind == Kind::Add || second.med->kind == Kind::Subtract);
    if (counts && first.med) {
        if (first.med->kind != Kind::Set) return std::nullopt;
        constexpr std::uint64_t kMost = 0xffffffff;
        const std::uint64_t before = first.med->number, by = second.med->number;
        const auto sum = second.med->kind == Kind::Add ? std::min(before + by, kMost)
                                                       : before - std::min(before, by);
        out.med = MedEdit{Kind::Set, static_cast<std::uint32_t>(sum)};
    } else if (second.med) {
        out.med = second.med;
    }
    std::erase_if(out.add_community, [&](const CommunityPattern& added) {
        return std::ranges::any_of(second.remove_community,
                                   [&](const auto& gone) { return covers(gone, added); });
    });
    add_unique(out.remove_community, second.remove_community);
    add_unique(out.add_community, second.add_community);
    // The one of the later clause stands in front.
    out.prepend_as.insert(out.prepend_as.begin(), second.prepend_as.begin(),
                          second.prepend_as.end());
    return out;
}

std::optional<FrrCondition> frr_before(const FrrCondition& condition, const TermEdits& edits) {
    auto out = condition;
    if (condition.community && (!edits.add_community.empty() || !edits.remove_community.empty()))
        return std::nullopt;
    if (condition.as_path && !edits.prepend_as.empty()) return std::nullopt;
    if (condition.next_hop && edits.next_hop) return std::nullopt;
    const auto decided = [&](auto& wanted, const auto& edit) {
        if (!wanted || !edit) return;
        out.never = out.never || *wanted != *edit;
        wanted.reset();
    };
    decided(out.local_pref, edits.local_pref);
    decided(out.origin, edits.origin);
    if (out.med && edits.med) {
        if (edits.med->kind != MedEdit::Kind::Set) return std::nullopt;
        out.never = out.never || *out.med != edits.med->number;
        out.med.reset();
    }
    return out;
}

}  // namespace torii::config
