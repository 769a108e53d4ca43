#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/frr_report.hpp"
#include "config/peer_settings.hpp"

namespace torii::config {

// The `bfd` block: profiles, and peers with settings of their own.
class FrrBfd {
public:
    // "bfd", "profile NAME" and "peer ADDRESS ..." begin a part; "exit" ends one.
    void take(const FrrLine& line, FrrReport& report);
    void leave_part() { inside_ = nullptr; }
    bool in_part() const { return inside_ != nullptr; }

    // Puts what a profile or a peer's block sets over `bfd`. False: there is none.
    bool apply_profile(std::string_view name, Bfd& bfd) const;
    bool apply_peer(const IpAddress& peer, Bfd& bfd) const;

private:
    struct Part {
        std::optional<std::uint8_t> multiplier, minimum_ttl;
        std::optional<milliseconds> receive, transmit, echo_receive;
        std::optional<bool> passive, shutdown;
        std::string profile;
    };
    void apply(const Part& part, Bfd& bfd) const;

    std::map<std::string, Part, std::less<>> profiles_;
    std::map<IpAddress, Part> peers_;
    Part* inside_ = nullptr;
};

}  // namespace torii::config
