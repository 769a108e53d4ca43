#include "config/frr_import.hpp"

#include <algorithm>
#include <map>

#include "config/frr_bgp.hpp"
#include "config/validate.hpp"

namespace torii::config {
namespace {

// Lines about FRR's own operation, or about what torii does by default.
bool means_nothing_here(const FrrWords& w) {
    constexpr std::string_view kFirst[] = {"service",  "log",      "line",    "Building",
                                           "building", "Current",  "current", "debug",
                                           "hardware", "password", "enable",  "domainname"};
    return w[0].starts_with('!') || w[0].starts_with('#') ||
           std::ranges::find(kFirst, w[0]) != std::end(kFirst) || w.begins("ip", "forwarding") ||
           w.begins("ipv6", "forwarding") || w.begins("no", "ipv6", "forwarding") ||
           w.begins("no", "ip", "forwarding") || w.begins("ip", "nht") || w.begins("ipv6", "nht") ||
           w.begins("no", "service") || w.begins("no", "log");
}

// Commands of the outermost level, which leave whatever block they stand in: FRR asks for no
// indentation.
bool is_outermost(const FrrWords& w) {
    constexpr std::string_view kFirst[] = {
        "router",   "route-map", "vrf",      "hostname", "frr",     "service",        "line",
        "password", "enable",    "rpki",     "debug",    "key",     "nexthop-group",  "pbr-map",
        "log",      "Building",  "building", "Current",  "current", "segment-routing"};
    if (FrrLists::is_list(w)) return true;
    if (w.begins("interface")) return w.size() == 2 || (w.size() == 4 && w[2] == "vrf");
    if (w.begins("bfd")) return w.size() == 1;
    if (w.begins("vrf") || w.begins("key")) return w.size() <= 3;
    return std::ranges::find(kFirst, w[0]) != std::end(kFirst) || w.begins("ip", "route") ||
           w.begins("ipv6", "route") || w.begins("ip", "forwarding") ||
           w.begins("ipv6", "forwarding") || w.begins("ip", "nht") || w.begins("ipv6", "nht") ||
           w.begins("mac", "access-list");
}

class Importer {
public:
    FrrImport run(std::string_view text, Members members) {
        while (!text.empty()) {
            ++line_.number;
            const auto end = std::min(text.find('\n'), text.size());
            line_.text = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            line_.words = FrrWords{line_.text};
            const auto start = line_.text.find_first_not_of(" \t\r");
            line_.text.remove_prefix(std::min(start, line_.text.size()));
            if (!line_.words.empty()) take();
        }
        ports_.finish();
        bgp_.finish(lists_, maps_, bfd_);
        if (members == Members::ByRange) use_ranges();
        out_.left_out = report_.take();
        return std::move(out_);
    }

private:
    enum class Inside : std::uint8_t { Nothing, Interface, Bgp, RouteMap, Bfd, Vrf, Strange };

    void take() {
        const auto& w = line_.words;
        if (w[0].starts_with('!') || w[0].starts_with('#')) return;
        if (leaves()) return;
        // A VRF has routes of its own.
        const bool of_vrf = inside_ == Inside::Vrf && (w[0] == "ip" || w[0] == "ipv6");
        if (is_outermost(w) && !of_vrf) inside_ = Inside::Nothing;
        switch (inside_) {
            case Inside::Interface:
                return ports_.take(line_);
            case Inside::Bgp:
                return bgp_.take(line_);
            case Inside::RouteMap:
                return maps_.take(line_);
            case Inside::Bfd:
                return bfd_.take(line_, report_);
            case Inside::Vrf:
            case Inside::Strange:
                return report_.add(line_, "inside of a block that is not carried over");
            case Inside::Nothing:
                return top();
        }
    }

    // Lines that leave a block.
    bool leaves() {
        const auto& w = line_.words;
        if (w.begins("exit-address-family")) {
            bgp_.leave_family();
            return true;
        }
        const bool one = w.begins("exit") || w.begins("quit");
        if (one && inside_ == Inside::Bfd && bfd_.in_part()) {
            bfd_.leave_part();
            return true;
        }
        if (one && inside_ == Inside::Bgp && bgp_.in_family()) {
            bgp_.leave_family();
            return true;
        }
        if (!one && !w.begins("end") && !w[0].starts_with("exit-")) return false;
        inside_ = Inside::Nothing;
        return true;
    }

    void top() {
        const auto& w = line_.words;
        if (means_nothing_here(w)) {
            // "line vty" has lines of its own.
            if (w.begins("line")) inside_ = Inside::Strange;
            return;
        }
        if (w.begins("no")) {
            auto rest = w;
            rest.drop(1);
            report_.add(line_, "a line that takes back another one",
                        FrrLists::is_list(rest) || rest.begins("route-map") ? FrrEffect::Wider
                                                                            : FrrEffect::Lost);
        } else if (w.begins("hostname")) {
            out_.model.router.hostname = std::string{w[1]};
        } else if (w.begins("frr")) {
            defaults_.take(w);
        } else if (w.begins("interface")) {
            inside_ = ports_.begin(line_) ? Inside::Interface : Inside::Strange;
        } else if (w.begins("router", "bgp")) {
            inside_ = bgp_.begin(line_, defaults_) ? Inside::Bgp : Inside::Strange;
        } else if (w.begins("route-map")) {
            auto why = maps_.begin(line_);
            inside_ = why.empty() ? Inside::RouteMap : Inside::Strange;
            if (!why.empty()) report_.add(line_, std::move(why));
        } else if (FrrLists::is_list(w)) {
            if (auto why = lists_.take(line_); !why.empty())
                report_.add(line_, why + "; what asks for the list rejects");
        } else if (w.begins("ip", "route") || w.begins("ipv6", "route")) {
            ports_.route(line_);
        } else if (w.begins("bfd")) {
            inside_ = Inside::Bfd;
            bfd_.leave_part();
        } else {
            inside_ = w.begins("vrf") ? Inside::Vrf : Inside::Strange;
            report_.add(line_,
                        w.begins("router") ? "torii speaks BGP only" : "torii has nothing like it");
        }
    }

    void use_ranges();

    FrrImport out_;
    FrrLine line_;
    Inside inside_ = Inside::Nothing;
    FrrDefaults defaults_;
    FrrReport report_;
    FrrNames names_{out_.model};
    FrrPorts ports_{out_.model, report_};
    FrrLists lists_;
    FrrRouteMaps maps_;
    FrrBfd bfd_;
    FrrBgp bgp_{out_.model, report_, names_, ports_};
};

void Importer::use_ranges() {
    if (!out_.model.bgp) return;
    auto& bgp = *out_.model.bgp;
    std::map<std::pair<std::string, Prefix>, std::size_t> plain;
    const auto range_of = [&](const Neighbor& n) -> std::optional<std::pair<std::string, Prefix>> {
        if (!n.group) return std::nullopt;
        auto s = n.settings;
        s.description.reset();
        const auto* group = bgp.find_group(*n.group);
        if (s != PeerSettings{} || !group || !group->settings.remote_as) return std::nullopt;
        const Port* port = port_towards(out_.model, n.address);
        if (!port) return std::nullopt;
        for (const auto& own : port->addresses)
            if (own.network().contains(n.address)) return std::pair{*n.group, own.network()};
        return std::nullopt;
    };
    for (const auto& n : bgp.neighbors)
        if (const auto range = range_of(n)) ++plain[*range];
    std::erase_if(plain, [](const auto& entry) { return entry.second < 2; });
    std::erase_if(bgp.neighbors, [&](const Neighbor& n) {
        const auto range = range_of(n);
        return range && plain.contains(*range);
    });
    for (const auto& [range, _] : plain) {
        const ListenRange wanted{range.second, range.first, std::nullopt};
        if (std::ranges::find(bgp.listen, wanted) == bgp.listen.end()) bgp.listen.push_back(wanted);
    }
    bgp.listen_limit = std::max<std::uint32_t>(bgp.listen_limit, 4096);
}

}  // namespace

bool FrrImport::is_safe() const {
    return std::ranges::none_of(left_out, [](const LeftOut& item) {
        return item.effect == FrrEffect::Wider || item.effect == FrrEffect::Dead;
    });
}

FrrImport import_frr(std::string_view text, Members members) {
    return Importer{}.run(text, members);
}

}  // namespace torii::config
