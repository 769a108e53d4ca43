#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/loop.hpp"
#include "config/model.hpp"

namespace torii::app {

class Gateway;

// One thing that the gate needs to be of use, and how it is now.
struct Condition {
    std::string_view name;  // "uplink"
    bool met = true;
    std::string value;  // "192.0.2.2 is established"
    friend bool operator==(const Condition&, const Condition&) = default;
};

// Whether the gate is ready, as a set of named conditions that are looked at ten times a
// second. The file that `readiness.file` names is rewritten when that changes: by how much the
// priority of this gate's VRRP instances is to change, 0 when it is ready. keepalived tracks
// it, no process is asked. Control thread.
class Readiness {
public:
    explicit Readiness(Gateway& gateway);

    void configured(std::vector<IpAddress> uplinks);
    void start();  // begins to look
    void look();   // now
    const std::vector<Condition>& conditions() const { return conditions_; }
    bool ready() const;

private:
    std::vector<Condition> evaluate() const;
    Condition ports() const;
    Condition uplink() const;
    bool has_default_route() const;
    int priority() const;
    void publish();

    Gateway& gateway_;
    Timer timer_;
    std::vector<IpAddress> uplinks_;
    std::vector<Condition> conditions_;
    bool was_ready_ = false, started_ = false;
    std::string written_;
    // What was written last, and since when something better is due.
    int announced_ = 0;
    std::optional<std::chrono::steady_clock::time_point> better_since_;
};

}  // namespace torii::app
