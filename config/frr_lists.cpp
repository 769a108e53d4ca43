#include "config/frr_lists.hpp"

#include <algorithm>
#include <bit>

namespace torii::config {
namespace {

constexpr const char* kNoRule = "no rule that torii understands";

// Takes "[seq N] permit|deny" off the front.
struct RuleHead {
    std::optional<std::uint32_t> seq;
    bool permit = true;
};
std::optional<RuleHead> take_head(FrrWords& w) {
    RuleHead out;
    if (w[0] == "seq") {
        out.seq = w.number<std::uint32_t>(1);
        if (!out.seq) return std::nullopt;
        w.drop(2);
    }
    if (w[0] != "permit" && w[0] != "deny") return std::nullopt;
    out.permit = w[0] == "permit";
    w.drop(1);
    return out;
}

// Puts a rule under its number, in the place of the one that was there.
template <class Rule>
void put(FrrList<Rule>& list, const RuleHead& head, std::vector<Rule> rules) {
    const auto same = [&](const auto& entry) { return entry.second == rules; };
    if (!head.seq && std::ranges::any_of(list.rules, same)) return;
    list.rules[head.seq ? *head.seq : list.next()] = std::move(rules);
}

template <class Rule>
std::string odd(FrrList<Rule>& list, const FrrLine& line, std::string why) {
    if (list.odd.empty()) list.odd = std::string{line.text};
    return why;
}

PrefixRule rule_of(bool permit, const Prefix& prefix, unsigned ge, unsigned le) {
    return {permit, false, prefix, static_cast<std::uint8_t>(ge), static_cast<std::uint8_t>(le)};
}

// A wildcard of `access-list`: its ones do not count.
std::optional<std::uint8_t> length_of_wildcard(std::uint32_t wildcard) {
    const auto length = std::countl_zero(wildcard);
    if (length < 32 && wildcard != 0xffffffffu >> length) return std::nullopt;
    return static_cast<std::uint8_t>(length);
}

}  // namespace

std::optional<CommunityPattern> frr_community(std::string_view word) {
    if (word == "local-AS" || word == "local-as") word = "no-export-subconfed";
    return CommunityPattern::parse(word);
}

std::optional<std::uint8_t> frr_netmask(std::string_view word) {
    const auto mask = IpAddress::parse(word);
    if (!mask || !mask->is_v4()) return std::nullopt;
    return length_of_wildcard(~mask->v4());
}

std::optional<Prefix> frr_prefix(const FrrWords& words, std::size_t at, std::size_t& used,
                                 bool classful) {
    used = 1;
    if (words[at].find('/') != std::string_view::npos) return Prefix::parse(words[at]);
    const auto address = IpAddress::parse(words[at]);
    if (!address || address->is_v6()) return std::nullopt;
    const bool keyword = words[at + 1] == "mask";
    if (const auto length = frr_netmask(words[at + (keyword ? 2 : 1)])) {
        used = keyword ? 3 : 2;
        return Prefix{*address, *length};
    }
    if (!classful || keyword) return std::nullopt;
    const auto first = address->byte(0);
    const std::uint8_t length = address->is_unspecified() ? 0
                                : first < 128             ? 8
                                : first < 192             ? 16
                                : first < 224             ? 24
                                                          : 32;
    return Prefix{*address, length};
}

bool FrrLists::is_list(const FrrWords& w) {
    if (w[0] == "access-list") return true;
    if (w[0] == "ipv6") return w[1] == "prefix-list" || w[1] == "access-list";
    if (w[0] != "bgp" && w[0] != "ip") return false;
    return (w[0] == "ip" && w[1] == "prefix-list") || w.begins(w[0], "as-path", "access-list") ||
           w[1] == "community-list" || w[1] == "large-community-list" ||
           w[1] == "extcommunity-list";
}

std::string FrrLists::take(const FrrLine& line) {
    const auto& w = line.words;
    if (w[1] == "prefix-list") return take_prefix(line, w);
    if (w[0] == "access-list" || w[1] == "access-list") return take_access(line, w);
    if (w[1] == "as-path") return take_as_path(line, w);
    return take_community(line, w);
}

// ip|ipv6 prefix-list NAME [seq N] permit|deny any | PREFIX [ge N] [le N]
std::string FrrLists::take_prefix(const FrrLine& line, FrrWords w) {
    const auto family = w[0] == "ipv6" ? Family::Ip6 : Family::Ip4;
    if (w[2] == "sequence-number") return "";
    auto& list = prefix_lists_[static_cast<std::size_t>(family)][std::string{w[2]}];
    if (list.line == 0) list.line = line.number;
    w.drop(3);
    if (w[0] == "description") return "";
    const auto head = take_head(w);
    if (!head) return odd(list, line, "neither permit nor deny");
    const unsigned most = address_bits(family);
    if (w[0] == "any" && w.size() == 1) {
        put(list, *head, {rule_of(head->permit, Prefix::default_route(family), 0, most)});
        return "";
    }
    // FRR clears host bits: 172.16.1.1/24 is 172.16.1.0/24.
    const auto prefix =
        w[0].find('/') != std::string_view::npos ? Prefix::parse(w[0]) : std::nullopt;
    if (!prefix || prefix->family() != family) return odd(list, line, kNoRule);
    std::optional<std::uint8_t> ge, le;
    for (std::size_t i = 1; i < w.size(); i += 2) {
        const auto number = w.number<std::uint8_t>(i + 1);
        if (!number || (w[i] != "ge" && w[i] != "le")) return odd(list, line, kNoRule);
        (w[i] == "ge" ? ge : le) = number;
    }
    const unsigned low = ge.value_or(prefix->length());
    const unsigned high = le ? *le : ge ? most : prefix->length();
    if (low < prefix->length() || high < low || high > most)
        return odd(list, line, "FRR wants length <= ge <= le");
    put(list, *head, {rule_of(head->permit, *prefix, low, high)});
    return "";
}

// [ipv6] access-list NAME [seq N] permit|deny any | PREFIX [exact-match] | [host] A [WILDCARD]
std::string FrrLists::take_access(const FrrLine& line, FrrWords w) {
    const auto family = w[0] == "ipv6" ? Family::Ip6 : Family::Ip4;
    w.drop(w[0] == "ipv6" ? 2 : 1);
    auto& list = access_lists_[static_cast<std::size_t>(family)][std::string{w[0]}];
    if (list.line == 0) list.line = line.number;
    w.drop(1);
    if (w[0] == "remark") return "";
    const auto head = take_head(w);
    if (!head) return odd(list, line, "neither permit nor deny");
    const unsigned most = address_bits(family);
    const bool permit = head->permit;
    if (w[0] == "any" && w.size() == 1) {
        put(list, *head, {rule_of(permit, Prefix::default_route(family), 0, most)});
        return "";
    }
    if (w[0].find('/') != std::string_view::npos) {
        const auto prefix = Prefix::parse(w[0]);
        const bool exact = w[1] == "exact-match";
        if (!prefix || prefix->family() != family || w.size() > (exact ? 2u : 1u))
            return odd(list, line, kNoRule);
        put(list, *head,
            {rule_of(permit, *prefix, prefix->length(), exact ? prefix->length() : most)});
        return "";
    }
    if (w[0] == "host") w.drop(1);
    const auto address = IpAddress::parse(w[0]);
    const auto wildcard = w.size() == 1 ? IpAddress{} : IpAddress::parse(w[1]);
    if (!address || !address->is_v4() || !wildcard || !wildcard->is_v4() || w.size() > 2)
        return odd(list, line, kNoRule);
    const auto length = length_of_wildcard(wildcard->v4());
    if (!length) return odd(list, line, "a wildcard whose ones are not all behind its zeros");
    // FRR compares the addresses and asks for no length: 10.0.0.0/8 passes 10.0.0.0 0.0.255.255.
    const Prefix network{*address, *length};
    std::vector<PrefixRule> rules{rule_of(permit, network, network.length(), most)};
    for (unsigned shorter = network.length(); shorter-- > 0;) {
        const Prefix outer{*address, static_cast<std::uint8_t>(shorter)};
        if (outer.address() != network.address()) break;
        rules.push_back(rule_of(permit, outer, shorter, shorter));
    }
    put(list, *head, std::move(rules));
    return "";
}

// bgp|ip as-path access-list NAME [seq N] permit|deny REGEX
std::string FrrLists::take_as_path(const FrrLine& line, FrrWords w) {
    auto& list = as_paths_[std::string{w[3]}];
    if (list.line == 0) list.line = line.number;
    w.drop(4);
    const auto head = take_head(w);
    if (!head) return odd(list, line, "neither permit nor deny");
    const auto text = w.from(0);
    const bool is_expression = std::ranges::none_of(
        text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    const auto pattern = is_expression ? AsPathPattern::parse(text) : std::nullopt;
    if (!pattern) return odd(list, line, "no expression that torii understands");
    put(list, *head, {AsPathRule{head->permit, "", *pattern}});
    return "";
}

// bgp|ip [large-|ext]community-list [standard|expanded] NAME [seq N] permit|deny WHAT...
std::string FrrLists::take_community(const FrrLine& line, FrrWords w) {
    const auto kind = w[1] == "extcommunity-list"      ? CommunityKind::Extended
                      : w[1] == "large-community-list" ? CommunityKind::Large
                                                       : CommunityKind::Standard;
    w.drop(2);
    bool expanded = w[0] == "expanded";
    if (expanded || w[0] == "standard")
        w.drop(1);
    else if (const auto number = w.number<unsigned>(0))
        expanded = *number >= 100;
    auto& list = communities_[static_cast<std::size_t>(kind)][std::string{w[0]}];
    if (list.line == 0) list.line = line.number;
    w.drop(1);
    const auto head = take_head(w);
    if (!head) return odd(list, line, "neither permit nor deny");
    if (expanded)
        return odd(list, line, "a regular expression over communities; name them instead");
    CommunityRule rule;
    rule.permit = head->permit;
    for (std::size_t i = 0; i < w.size(); ++i) {
        std::string text{w[i]};
        if (text == "internet") return odd(list, line, "\"internet\" stands for all routes");
        if (kind == CommunityKind::Extended && (text == "rt" || text == "soo"))
            text += ':' + std::string{w[++i]};
        const auto community = frr_community(text);
        if (!community || !community->exact() || community->kind != kind)
            return odd(list, line, "no community that torii understands");
        rule.all.push_back(*community);
    }
    if (rule.all.empty()) return odd(list, line, "it names no community");
    put(list, *head, {rule});
    return "";
}

}  // namespace torii::config
