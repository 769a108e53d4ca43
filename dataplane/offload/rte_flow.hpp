#pragma once

#include <rte_flow.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/offload/intent.hpp"

namespace torii::dataplane {

// Which receive queue of a device takes what.
struct FlowQueues {
    std::uint16_t ordinary = 1;  // 0 .. ordinary - 1 are for all frames
    std::uint16_t lanes = 0;     // behind them one for each lane, or none at all

    std::uint16_t of(Lane lane) const {
        return static_cast<std::uint16_t>(ordinary + static_cast<unsigned>(lane) - 1);
    }
};

// An intent as rte_flow has it: patterns and actions that point into itself.
class FlowRule {
public:
    // `priority`: another than the intent's.
    FlowRule(const Intent& intent, const FlowQueues& queues, bool count,
             std::optional<std::uint32_t> priority = std::nullopt);
    FlowRule(const FlowRule&) = delete;
    FlowRule& operator=(const FlowRule&) = delete;

    const rte_flow_attr& attributes() const { return attributes_; }
    const rte_flow_item* pattern() const { return pattern_.data(); }
    const rte_flow_action* actions() const { return actions_.data(); }

private:
    rte_flow_attr attributes_{};
    std::array<rte_flow_item, 4> pattern_{};
    std::array<rte_flow_action, 3> actions_{};
    rte_flow_item_eth ethernet_{}, ethernet_mask_{};
    union {
        rte_flow_item_ipv4 ip4_;
        rte_flow_item_ipv6 ip6_{};
    };
    union {
        rte_flow_item_ipv4 ip4_mask_;
        rte_flow_item_ipv6 ip6_mask_{};
    };
    union {
        rte_flow_item_tcp tcp_{};
        rte_flow_item_udp udp_;
    };
    union {
        rte_flow_item_tcp tcp_mask_{};
        rte_flow_item_udp udp_mask_;
    };
    std::vector<std::uint16_t> spread_;  // queues of Rest
    rte_flow_action_rss rss_{};
    rte_flow_action_queue queue_{};
    rte_flow_action_count count_{};
};

// The same in testpmd's words: "ingress priority 1 pattern eth / ... / end actions ...".
std::string to_string(const Intent& intent, const FlowQueues& queues);

// The rules of one port. Control thread only; its device must be started, and be
// stopped after this is destroyed.
class RteFlow {
public:
    RteFlow(std::uint16_t device, FlowQueues queues) : device_(device), queues_(queues) {}
    ~RteFlow();
    RteFlow(const RteFlow&) = delete;
    RteFlow& operator=(const RteFlow&) = delete;

    // Whether a device supports rte_flow at all; it must be configured.
    static bool known_to(std::uint16_t device);

    struct Placed {
        Intent intent;
        rte_flow* handle = nullptr;  // none: the port does not do it
        bool counted = false;
        bool flat = false;   // of priority 0 like those that drop: the port has no others
        std::string reason;  // why not
    };
    // Adds a rule that keeps all other frames away from the lanes.
    void steer_rest() { with_rest_ = true; }

    // Moves to the wanted intents by difference; what was refused is not tried again.
    void apply(std::vector<Intent> wanted);
    const std::vector<Placed>& placed() const { return placed_; }
    const FlowQueues& queues() const { return queues_; }
    // Whether the port may steer a frame that it should drop.
    bool has_flat_rules() const;
    std::optional<std::uint64_t> packets(const Placed& rule) const;

private:
    Placed place(const Intent& intent);
    bool try_to_place(Placed& out, bool flat, bool count);
    void remove(Placed& rule);

    std::uint16_t device_;
    FlowQueues queues_;
    bool with_rest_ = false;
    std::vector<Placed> placed_;
    // A port that refused so many in a row, and took none, is not asked again.
    unsigned refusals_ = 0;
    std::size_t in_hardware_ = 0, drops_in_hardware_ = 0;
};

}  // namespace torii::dataplane
