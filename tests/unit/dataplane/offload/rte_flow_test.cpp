// Rules on ports that take less than rte_flow has. The port is this file.
#include "dataplane/offload/rte_flow.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace {

std::uint32_t most_priority;
std::vector<std::uint32_t> made;  // the priorities of rules

int refuse(const rte_flow_attr* attributes) {
    return attributes->priority > most_priority ? -ENOTSUP : 0;
}

}  // namespace

extern "C" {

int rte_flow_validate(std::uint16_t, const rte_flow_attr* attributes, const rte_flow_item[],
                      const rte_flow_action[], rte_flow_error*) {
    return refuse(attributes);
}

rte_flow* rte_flow_create(std::uint16_t, const rte_flow_attr* attributes, const rte_flow_item[],
                          const rte_flow_action[], rte_flow_error*) {
    if (refuse(attributes) != 0) return nullptr;
    made.push_back(attributes->priority);
    return reinterpret_cast<rte_flow*>(made.size());
}

int rte_flow_destroy(std::uint16_t, rte_flow*, rte_flow_error*) {
    return 0;
}

}  // extern "C"

namespace torii::dataplane {
namespace {

struct Rules : testing::Test {
    Rules() { made.clear(); }
    const std::vector<PortAddress> own{{*IpAddress::parse("10.0.0.1"), 24}};
    RteFlow flow{0, {1, 2}};

    bool is_placed(IntentKind kind) const {
        return std::ranges::any_of(flow.placed(), [&](const RteFlow::Placed& rule) {
            return rule.intent.kind == kind && rule.handle != nullptr;
        });
    }
};

TEST_F(Rules, KeepTheirPrioritiesWhereThePortHasThem) {
    most_priority = 3;
    flow.apply(intents(own, {}));
    EXPECT_TRUE(is_placed(IntentKind::ToUs));
    EXPECT_FALSE(flow.has_flat_rules());
    EXPECT_EQ(*std::ranges::max_element(made), 2u);
}

TEST_F(Rules, OfProtocolsNeedNoPriority) {
    most_priority = 0;
    flow.apply(intents(own, {}));
    for (const auto kind : {IntentKind::Arp, IntentKind::Bgp, IntentKind::Bfd, IntentKind::Icmp})
        EXPECT_TRUE(is_placed(kind)) << to_string(kind);
    // Behind all of them, hence not beside them.
    EXPECT_FALSE(is_placed(IntentKind::ToUs));
    EXPECT_TRUE(flow.has_flat_rules());
}

}  // namespace
}  // namespace torii::dataplane
