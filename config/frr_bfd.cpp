#include "config/frr_bfd.hpp"

#include <algorithm>

namespace torii::config {

void FrrBfd::take(const FrrLine& line, FrrReport& report) {
    auto w = line.words;
    if (w.begins("profile") && w.size() == 2) {
        inside_ = &profiles_[std::string{w[1]}];
        return;
    }
    if (w.begins("peer")) {
        const auto address = IpAddress::parse(w[1]);
        inside_ = address ? &peers_[*address] : nullptr;
        if (!address) report.add(line, "no address");
        return;
    }
    if (inside_ == nullptr) return report.add(line, "torii has nothing like it");
    auto& part = *inside_;
    const bool on = !w.begins("no");
    if (!on) w.drop(1);
    const auto time = w.number<std::uint16_t>(1);
    if (w[0] == "passive-mode") {
        part.passive = on;
    } else if (w[0] == "shutdown") {
        part.shutdown = on;
    } else if (w[0] == "echo-mode") {
        if (on) report.add(line, "torii sends no echoes of BFD; it answers them");
    } else if (w[0] == "profile" || !on) {
        report.add(line, "torii has nothing like it");
    } else if (w[0] == "detect-multiplier" && w.number<std::uint8_t>(1)) {
        part.multiplier = w.number<std::uint8_t>(1);
    } else if (w[0] == "minimum-ttl" && w.number<std::uint8_t>(1)) {
        part.minimum_ttl = w.number<std::uint8_t>(1);
    } else if (w[0] == "receive-interval" && time) {
        part.receive = milliseconds{*time};
    } else if (w[0] == "transmit-interval" && time) {
        part.transmit = milliseconds{*time};
    } else if ((w.begins("echo", "receive-interval") || w.begins("echo-interval")) &&
               (w.number<std::uint16_t>(w.size() - 1) || w[2] == "disabled")) {
        if (w[0] == "echo")
            part.echo_receive = milliseconds{w.number<std::uint16_t>(2).value_or(0)};
    } else if (!w.begins("echo", "transmit-interval")) {
        report.add(line, "torii has nothing like it");
    }
}

void FrrBfd::apply(const Part& part, Bfd& bfd) const {
    // What torii's keys allow.
    const auto interval = [](milliseconds wanted) {
        return std::clamp(wanted, milliseconds{10}, milliseconds{60000});
    };
    if (part.multiplier) bfd.multiplier = *part.multiplier;
    if (part.minimum_ttl) bfd.minimum_ttl = *part.minimum_ttl;
    if (part.receive) bfd.receive = interval(*part.receive);
    if (part.transmit) bfd.transmit = interval(*part.transmit);
    if (part.echo_receive) bfd.echo_receive = *part.echo_receive;
    if (part.passive) bfd.passive = *part.passive;
    if (part.shutdown) bfd.shutdown = *part.shutdown;
}

bool FrrBfd::apply_profile(std::string_view name, Bfd& bfd) const {
    const auto at = profiles_.find(name);
    if (at == profiles_.end()) return false;
    apply(at->second, bfd);
    return true;
}

bool FrrBfd::apply_peer(const IpAddress& peer, Bfd& bfd) const {
    const auto at = peers_.find(peer);
    if (at == peers_.end()) return false;
    apply(at->second, bfd);
    return true;
}

}  // namespace torii::config
