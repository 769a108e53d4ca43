#include "mgmt/cli/cli.hpp"

namespace torii::cli {
namespace {

struct Alias {
    std::vector<std::string> said;  // "$" takes one word
    std::vector<std::string> meant;
};

const std::vector<Alias>& aliases() {
    static const std::vector<Alias> all{
        {{"show", "bgp", "summary"}, {"bgp", "neighbors"}},
        {{"show", "ip", "bgp", "summary"}, {"bgp", "neighbors"}},
        {{"show", "bgp", "neighbors", "$"}, {"bgp", "neighbor", "$"}},
        {{"show", "bgp", "neighbor", "$"}, {"bgp", "neighbor", "$"}},
        {{"show", "bgp", "neighbors"}, {"bgp", "neighbors"}},
        {{"show", "bgp", "peers"}, {"bgp", "peers"}},
        {{"show", "bgp", "peer-group"}, {"bgp", "groups"}},
        {{"show", "protocols"}, {"bgp", "neighbors"}},
        {{"show", "protocols", "all", "$"}, {"bgp", "neighbor", "$"}},
        {{"show", "ip", "bgp"}, {"route", "list", "--source", "bgp"}},
        {{"show", "bgp"}, {"route", "list", "--source", "bgp"}},
        {{"show", "ip", "route", "$"}, {"route", "show", "$"}},
        {{"show", "ip", "route"}, {"route", "list", "--family", "ipv4"}},
        {{"show", "ipv6", "route", "$"}, {"route", "show", "$"}},
        {{"show", "ipv6", "route"}, {"route", "list", "--family", "ipv6"}},
        {{"show", "route", "for", "$"}, {"route", "show", "$"}},
        {{"show", "route", "$"}, {"route", "show", "$"}},
        {{"show", "route"}, {"route", "list"}},
        {{"show", "interface"}, {"port", "list"}},
        {{"show", "interfaces"}, {"port", "list"}},
        {{"show", "bfd", "peers"}, {"liveness"}},
        {{"show", "bfd", "sessions"}, {"liveness"}},
        {{"show", "arp"}, {"neighbor", "list"}},
        {{"show", "ip", "arp"}, {"neighbor", "list"}},
        {{"show", "neighbors"}, {"neighbor", "list"}},
        {{"show", "running-config"}, {"config", "show"}},
        {{"show", "run"}, {"config", "show"}},
        {{"show", "version"}, {"status"}},
        {{"show", "status"}, {"status"}},
        {{"show", "log"}, {"events"}},
        {{"clear", "bgp", "$"}, {"bgp", "clear", "$"}},
        {{"configure", "check", "$"}, {"config", "check", "$"}},
        {{"configure"}, {"config", "reload"}},
        {{"write"}, {"config", "save"}},
    };
    return all;
}

}  // namespace

std::vector<std::string> translate_alias(std::vector<std::string> arguments) {
    // Options in front stay in front.
    std::size_t first = 0;
    while (first < arguments.size() && arguments[first].starts_with("-")) {
        const auto& option = arguments[first];
        const bool valued = option == "--socket" || option == "--url" || option == "--token";
        first += valued ? 2 : 1;
    }
    const Alias* best = nullptr;
    std::string word;
    for (const Alias& alias : aliases()) {
        if (arguments.size() < first + alias.said.size()) continue;
        if (best && best->said.size() >= alias.said.size()) continue;
        bool same = true;
        std::string taken;
        for (std::size_t i = 0; i < alias.said.size() && same; ++i) {
            const auto& argument = arguments[first + i];
            if (alias.said[i] == "$")
                same = !argument.starts_with("-"), taken = argument;
            else
                same = alias.said[i] == argument;
        }
        if (!same) continue;
        best = &alias;
        word = taken;
    }
    if (!best) return arguments;
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<std::string> out{arguments.begin(), at};
    for (const auto& meant : best->meant) out.push_back(meant == "$" ? word : meant);
    out.insert(out.end(), at + static_cast<std::ptrdiff_t>(best->said.size()), arguments.end());
    return out;
}

}  // namespace torii::cli
