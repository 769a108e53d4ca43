#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/frr_bfd.hpp"
#include "config/frr_names.hpp"
#include "config/frr_peer.hpp"
#include "config/frr_policy.hpp"
#include "config/frr_ports.hpp"
#include "config/frr_report.hpp"
#include "config/model.hpp"

namespace torii::config {

// FRR's defaults, which its release and its profile decide ("frr version", "frr defaults").
struct FrrDefaults {
    unsigned major = 99, minor = 0;  // without a line: those of a new release
    bool datacenter = false;
    bool before(unsigned of_major, unsigned of_minor) const {
        return major < of_major || (major == of_major && minor < of_minor);
    }
    void take(const FrrWords& words);  // a line "frr ..."
};

// `router bgp`.
class FrrBgp {
public:
    FrrBgp(Model& model, FrrReport& report, FrrNames& names, const FrrPorts& ports)
        : model_(model), report_(report), names_(names), ports_(ports) {}

    // "router bgp AS ..."; false: its lines are not carried over.
    bool begin(const FrrLine& line, const FrrDefaults& defaults);
    void take(const FrrLine& line);
    void leave_family() { family_ = Family::Ip4, known_family_ = true, in_family_ = false; }
    bool in_family() const { return in_family_; }

    // Puts everything into the model, once the whole file has been read.
    void finish(const FrrLists& lists, const FrrRouteMaps& maps, const FrrBfd& bfd);

private:
    struct Source {  // of "redistribute" or "network"
        FrrLine line;
        Family family = Family::Ip4;
        Prefix prefix;
        bool with_map = false;
    };
    struct Range {
        Prefix range;
        std::string group;
        FrrLine line;
    };
    class Peers;

    void general(const FrrLine& line, const FrrWords& words, bool negated);
    bool decision(const FrrWords& words, bool on);
    bool restart(const FrrWords& words, bool on);
    void of_family(const FrrLine& line, const FrrWords& words, bool negated);
    void neighbor(const FrrLine& line, FrrWords words, bool negated);
    void put_networks();
    void put_sources(const bool (&in_use)[2]);
    void put_paths();

    Model& model_;
    FrrReport& report_;
    FrrNames& names_;
    const FrrPorts& ports_;
    FrrDefaults defaults_;
    Family family_ = Family::Ip4;
    bool known_family_ = true, in_family_ = false;
    bool requires_policy_ = true, import_check_ = true;
    bool by_default_[2] = {true, false};  // families of a peer without "activate"
    std::vector<Source> networks_, redistributed_;
    std::optional<std::uint16_t> paths_[2][2];  // by family: eBGP, iBGP
    std::vector<Range> ranges_;
    std::map<std::string, FrrPeer, std::less<>> peers_;
    std::vector<std::string> order_;
};

}  // namespace torii::config
