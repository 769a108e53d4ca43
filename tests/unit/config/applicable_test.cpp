#include "config/applicable.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "config/config.hpp"
#include "config/keys.hpp"
#include "config/plan.hpp"

namespace torii::config {
namespace {

Model example() {
    return load(TORII_SOURCE_DIR "/config/examples/datacenter.cfg")->model;
}

std::vector<std::string> texts(const Plan& plan) {
    std::vector<std::string> out;
    for (const auto& change : plan) out.push_back(describe(change));
    return out;
}
using Texts = std::vector<std::string>;

TEST(Applicable, IsTheWholeWhenNothingTakesARestart) {
    auto wanted = example();
    wanted.ports[0].mtu = 1600;
    wanted.ports[0].shutdown = true;
    wanted.management.http.clear();
    wanted.bgp->port = 1790;
    EXPECT_EQ(applicable(example(), wanted), wanted);
}

TEST(Applicable, LeavesOutExactlyWhatWaits) {
    auto wanted = example();
    wanted.dataplane.workers = 7;
    wanted.ports[0].rx_descriptors = 512;
    wanted.ports[0].mtu = 1600;
    const auto applied = applicable(example(), wanted);
    EXPECT_EQ(applied.dataplane.workers, example().dataplane.workers);
    EXPECT_EQ(applied.ports[0].mtu, 1600);
    EXPECT_EQ(texts(plan(applied, wanted)),
              (Texts{"port " + wanted.ports[0].name + ": rx_descriptors (restart)",
                     "dataplane.workers: changed (restart)"}));
    // Going back leaves nothing to wait for.
    EXPECT_TRUE(plan(applicable(applied, example()), example()).empty());
}

TEST(Applicable, KeepsThePlacesOfPorts) {
    const auto running = example();
    auto wanted = example();
    std::ranges::reverse(wanted.ports);
    Port fresh = wanted.ports[0];
    fresh.name = "a-new-one";
    fresh.device.name = "net_tap9";
    wanted.ports.insert(wanted.ports.begin(), fresh);
    const auto gone = wanted.ports.back().name;
    wanted.ports.pop_back();
    const auto applied = applicable(running, wanted);
    ASSERT_EQ(applied.ports.size(), running.ports.size() + 1);
    for (std::size_t i = 0; i < running.ports.size(); ++i)
        EXPECT_EQ(applied.ports[i].name, running.ports[i].name);
    EXPECT_EQ(applied.ports.back().name, "a-new-one");
    EXPECT_TRUE(applied.find_port(gone)->shutdown);
    EXPECT_TRUE(applied.find_port(gone)->addresses.empty());
    EXPECT_EQ(texts(plan(applied, wanted)), (Texts{"port " + gone + ": removed (restart)"}));
}

TEST(Applicable, AProcessWithoutPortsOpensNone) {
    auto running = example();
    running.ports.clear();
    EXPECT_TRUE(applicable(running, example()).ports.empty());
    for (const auto& change : plan(running, example()))
        if (std::holds_alternative<AddPort>(change)) {
            EXPECT_EQ(cost_of(change), Cost::Restart);
        }
}

// Each key of the port and of the process, one after the other: what is applied differs from
// what is wanted exactly where the table calls for a restart.
TEST(Applicable, AgreesWithTheCostOfEachKey) {
    const auto check = [](const KeyTable& table, auto part) {
        for (const KeyEntry& entry : table.entries) {
            if (!entry.is_value() || !entry.value->assign) continue;
            auto wanted = example();
            auto other = example();
            // Any value that differs: that of a default, or of a second one by reading it.
            if (entry.same(part(wanted), table.defaults)) {
                Node node;
                node.kind = Node::Kind::Integer;
                node.integer = std::max<std::int64_t>(entry.facts.limits.min, 77);
                if (entry.read(node, part(wanted)).any()) {
                    node.kind = Node::Kind::Bool;
                    node.integer = 1;
                    if (entry.read(node, part(wanted)).any()) continue;
                    if (entry.same(part(wanted), part(other))) {
                        node.integer = 0;
                        (void)entry.read(node, part(wanted));
                    }
                }
            } else {
                entry.copy(part(wanted), table.defaults);
            }
            if (entry.same(part(wanted), part(other))) continue;
            auto applied = applicable(example(), wanted);
            EXPECT_EQ(entry.same(part(applied), part(wanted)), entry.facts.cost != Cost::Restart)
                << entry.key;
        }
    };
    check(keys_of<Dataplane>(), [](Model& m) -> void* { return &m.dataplane; });
    check(keys_of<Management>(), [](Model& m) -> void* { return &m.management; });
    check(keys_of<Log>(), [](Model& m) -> void* { return &m.log; });
    check(keys_of<Port>(), [](Model& m) -> void* { return &m.ports[0]; });
}

}  // namespace
}  // namespace torii::config
