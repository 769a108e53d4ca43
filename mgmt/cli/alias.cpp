#include <algorithm>
#include <iterator>
#include <sstream>

#include "mgmt/cli/cli.hpp"

// The words of vtysh, birdc and others.
namespace torii::cli {
namespace {

using Words = std::vector<std::string>;

struct Alias {
    const char* theirs;  // "$" stands for one word, "..." for any more, "a|b" for one of both
    const char* ours;    // "$" is that word, "%" the family that was named; "": see `hint`
    const char* hint = "";
};

// In front of these, "ip bgp" has become "bgp", and "ipv4 unicast" is gone from behind it.
constexpr Alias kAliases[] = {
    {"show bgp summary ...", "bgp neighbors"},
    {"show bgp neighbors|neighbor", "bgp neighbors"},
    {"show bgp neighbors|neighbor $", "bgp neighbor $"},
    {"show bgp neighbors|neighbor $ advertised-routes",
     "route list --table adj-out --neighbor $ %"},
    {"show bgp neighbors|neighbor $ received-routes", "route list --table adj-in --neighbor $ %"},
    {"show bgp neighbors|neighbor $ filtered-routes", "route list --table filtered --neighbor $ %"},
    {"show bgp neighbors|neighbor $ routes", "route list --source bgp --neighbor $ %"},
    {"show bgp peers", "bgp peers"},
    {"show bgp peer-group|peer-groups ...", "bgp groups"},
    {"show bgp statistics ...", "counters torii_bgp"},
    {"show bgp community-list ...", "",
     "lists and policies are a part of the configuration: torii config show"},
    {"show bgp", "route list --source bgp %"},
    {"show bgp $", "route show $"},
    {"show protocols|protocol", "bgp neighbors"},
    {"show protocols|protocol all", "bgp neighbors"},
    {"show protocols|protocol $", "bgp neighbors"},
    {"show protocols|protocol all $", "bgp neighbor $"},
    {"show route", "route list %"},
    {"show route bgp ...", "route list --source bgp %"},
    {"show route static ...", "route list --source static %"},
    {"show route connected ...", "route list --source connected %"},
    {"show route summary", "status"},
    {"show route for $", "route show $"},
    {"show route export $", "route list --table adj-out --neighbor $"},
    {"show route protocol $", "route list --source bgp --neighbor $"},
    {"show route $", "route show $"},
    {"show route-map ...", "",
     "lists and policies are a part of the configuration: torii config show"},
    {"show prefix-list ...", "",
     "lists and policies are a part of the configuration: torii config show"},
    {"show access-list|access-lists ...", "",
     "lists and policies are a part of the configuration: torii config show"},
    {"show interface|interfaces ...", "port list"},
    {"show bfd peer $", "liveness $"},
    {"show bfd peers|sessions ...", "liveness"},
    {"show arp ...", "neighbor list"},
    {"show neighbors|neighbor ...", "neighbor list"},
    {"show nexthop|nht ...", "neighbor list"},
    {"show running-config|configuration|run ...", "config show"},
    {"show startup-config", "", "the startup file is /etc/torii/torii.cfg"},
    {"show version", "status"},
    {"show status", "status"},
    {"show log|logging ...", "events"},
    {"show memory ...", "", "torii tech-support gathers the state of the process"},
    {"show tech-support", "tech-support"},
    {"clear bgp *", "",
     "all neighbors at once: torii bgp clear --group GROUP, for each group of torii bgp groups"},
    {"clear bgp * soft ...", "",
     "all neighbors at once: torii bgp soft-in --group GROUP, and soft-out"},
    {"clear bgp $", "bgp clear $"},
    {"clear bgp $ soft in", "bgp soft-in $"},
    {"clear bgp $ soft out", "bgp soft-out $"},
    {"clear bgp $ in", "bgp soft-in $"},
    {"clear bgp $ out", "bgp soft-out $"},
    {"clear bgp $ soft", "",
     "both ways are two commands: torii bgp soft-in $; torii bgp soft-out $"},
    {"configure check $", "config check $"},
    {"configure|conf ...", "",
     "there is no configuration mode: torii config edit changes the file and commits it, torii "
     "config commit FILE applies another, torii config reload the startup file"},
    {"enable|disable|exit|end", "", "each command stands alone: torii --help"},
    {"write ...", "config save"},
    {"copy running-config startup-config", "config save"},
    {"reload", "", "torii config reload applies the startup file; systemctl restart torii"},
    {"show ...", "",
     "torii --help lists the commands; torii status, torii bgp neighbors, torii "
     "route list and torii port list show most"},
    {"clear ...", "", "torii bgp clear NEIGHBOR resets a session"},
};

Words split(const char* text) {
    std::istringstream in{text};
    return {std::istream_iterator<std::string>{in}, {}};
}

// "sum" for "summary", as their shells have it behind the first word.
bool is_short_for(const std::string& word, const std::string& whole) {
    return word.size() >= 3 && whole.size() > 4 && whole.starts_with(word);
}

bool is_one_of(const std::string& word, const std::string& choices, bool first) {
    std::istringstream in{choices};
    for (std::string one; std::getline(in, one, '|');)
        if (word == one || (!first && is_short_for(word, one))) return true;
    return false;
}

// Whether `words` are what the pattern stands for, and the word of its "$".
bool fits(const Words& words, const Words& pattern, std::string& taken) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == "...") return true;
        if (i >= words.size()) return false;
        if (pattern[i] == "$")
            taken = words[i];
        else if (!is_one_of(words[i], pattern[i], i == 0))
            return false;
    }
    return words.size() == pattern.size();
}

// Takes "ip", "unicast" and their kin out, which torii needs at the end alone, if at all.
std::string take_family(Words& words) {
    std::string family;
    const auto is_family = [](const std::string& word) {
        return word == "ip" || word == "ipv4" || word == "ipv6";
    };
    const auto take_out = [&](std::size_t at) {
        if (at >= words.size() || !is_family(words[at])) return;
        family = words[at] == "ipv6" ? "ipv6" : "ipv4";
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
        if (at < words.size() && words[at] == "unicast")
            words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    };
    take_out(1);
    if (words.size() > 1 && words[1] == "bgp") take_out(2);
    return family;
}

std::string replaced(std::string text, const std::string& taken) {
    for (auto at = text.find('$'); at != std::string::npos; at = text.find('$', at + taken.size()))
        text.replace(at, 1, taken);
    return text;
}

}  // namespace

Translated translate_alias(std::vector<std::string> arguments) {
    // Options in front stay in front.
    std::size_t first = 0;
    while (first < arguments.size() && arguments[first].starts_with("-")) {
        const auto& option = arguments[first];
        const bool valued = option == "--socket" || option == "--url" || option == "--token" ||
                            option == "--ca" || option == "--cert" || option == "--key";
        first = std::min(first + (valued ? 2 : 1), arguments.size());
    }
    const auto begin = arguments.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = std::find_if(begin, arguments.end(),
                                  [](const std::string& word) { return word.starts_with("-"); });
    Words words{begin, end};
    if (words.empty()) return {std::move(arguments), ""};
    if (words[0] == "sh" || words[0] == "sho") words[0] = "show";
    const bool theirs = words[0] == "show" || words[0] == "clear";
    const bool as_json = theirs && words.back() == "json";
    if (as_json) words.pop_back();
    const auto family = theirs ? take_family(words) : "";
    for (const auto& alias : kAliases) {
        std::string taken;
        if (!fits(words, split(alias.theirs), taken)) continue;
        if (*alias.hint != '\0') return {{}, replaced(alias.hint, taken)};
        Words out{arguments.begin(), begin};
        if (as_json) out.push_back("--json");
        for (const auto& word : split(alias.ours)) {
            if (word == "%") {
                if (!family.empty()) out.insert(out.end(), {"--family", family});
            } else {
                out.push_back(word == "$" ? taken : word);
            }
        }
        out.insert(out.end(), end, arguments.end());
        return {std::move(out), ""};
    }
    return {std::move(arguments), ""};
}

}  // namespace torii::cli
