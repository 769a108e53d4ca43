#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

// Liveness detection of neighbors, in the terms of the configuration.
namespace torii::config {

using std::chrono::milliseconds;

enum class Detect : std::uint8_t { Off, Auto, Echo, Probe };
enum class OnDeath : std::uint8_t { Teardown, Suppress };

struct Liveness {
    Detect detect = Detect::Auto;
    milliseconds interval{100};
    std::uint8_t multiplier = 3;
    OnDeath on_death = OnDeath::Teardown;
    std::chrono::seconds slow_start{0};
    bool dampen = true;
    friend bool operator==(const Liveness&, const Liveness&) = default;
};

enum class BfdAuth : std::uint8_t { KeyedMd5, MeticulousMd5, KeyedSha1, MeticulousSha1 };

struct Bfd {
    milliseconds transmit{300};
    milliseconds receive{300};
    std::uint8_t multiplier = 3;
    milliseconds echo_receive{50};
    std::optional<std::uint8_t> minimum_ttl;  // of multihop packets that we take
    bool passive = false;
    bool shutdown = false;
    BfdAuth authentication = BfdAuth::MeticulousSha1;
    std::optional<std::string> key;  // unset: no authentication
    std::uint8_t key_id = 1;
    friend bool operator==(const Bfd&, const Bfd&) = default;
};

}  // namespace torii::config
