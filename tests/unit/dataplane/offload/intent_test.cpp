// Intents as rte_flow has them: their text, and whether a port that follows the rules
// does with a frame what the workers do with it.
#include "dataplane/offload/intent.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "dataplane/offload/rte_flow.hpp"
#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_cases.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

const std::vector<Prefix> kDrops{*Prefix::parse("198.51.100.0/24"),
                                 *Prefix::parse("2001:db8:bad::/48"),
                                 *Prefix::parse("203.0.113.9")};
const std::vector<PortAddress> kOwn{{*IpAddress::parse("10.1.0.1"), 24},
                                    {*IpAddress::parse("2001:db8:1::1"), 64}};

TEST(Intents, AreTheseRulesInTestpmdsWords) {
    const std::vector<PortAddress> own{kOwn[0]};
    std::string text;
    for (const auto& intent : intents(own, std::span{kDrops}.first(2)))
        text += std::string{to_string(intent.kind)} + " | " + intent.to_string() + " | " +
                to_string(intent, {1, 2}) + '\n';
    EXPECT_EQ(
        text,
        R"(drop_source | ip from 198.51.100.0/24 | ingress priority 0 pattern eth / ipv4 src spec 198.51.100.0 src prefix 24 / end actions drop / end
drop_source | ip from 2001:db8:bad::/48 | ingress priority 0 pattern eth / ipv6 src spec 2001:db8:bad:: src prefix 48 / end actions drop / end
arp | arp | ingress priority 1 pattern eth type is 0x0806 / end actions queue index 1 / end
nd | icmpv6 to ff02::1:ff00:0/104 | ingress priority 1 pattern eth / ipv6 dst spec ff02::1:ff00:0 dst prefix 104 proto is 58 / end actions queue index 1 / end
nd | icmpv6 to ff02::1 | ingress priority 1 pattern eth / ipv6 dst is ff02::1 proto is 58 / end actions queue index 1 / end
vrrp | vrrp to 224.0.0.18 | ingress priority 1 pattern eth / ipv4 dst is 224.0.0.18 proto is 112 / end actions queue index 1 / end
vrrp | vrrp to ff02::12 | ingress priority 1 pattern eth / ipv6 dst is ff02::12 proto is 112 / end actions queue index 1 / end
bgp | tcp to 10.1.0.1 port 179 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / tcp dst is 179 / end actions queue index 1 / end
bgp | tcp from port 179 to 10.1.0.1 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / tcp src is 179 / end actions queue index 1 / end
bfd | udp to 10.1.0.1 port 3784 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / udp dst is 3784 / end actions queue index 1 / end
bfd | udp to 10.1.0.1 port 3785 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / udp dst is 3785 / end actions queue index 1 / end
bfd | udp to 10.1.0.1 port 4784 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / udp dst is 4784 / end actions queue index 1 / end
icmp | icmp to 10.1.0.1 | ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 proto is 1 / end actions queue index 2 / end
to_us | ip to 10.1.0.1 | ingress priority 2 pattern eth / ipv4 dst is 10.1.0.1 / end actions queue index 2 / end
)");
}

TEST(Intents, AreNoMoreForASourceThatIsListedTwice) {
    const std::vector<Prefix> twice{kDrops[0], kDrops[1], kDrops[0]};
    EXPECT_EQ(intents(kOwn, twice), intents(kOwn, std::span{kDrops}.first(2)));
}

TEST(Intents, TheRestIsSpreadOverTheOrdinaryQueues) {
    EXPECT_EQ(to_string(Intent{}, {1, 2}),
              "ingress priority 3 pattern eth / end actions queue index 0 / end");
    EXPECT_EQ(to_string(Intent{}, {3, 2}),
              "ingress priority 3 pattern eth / end actions rss queues 0 1 2 end / end");
}

// A port that does what its rules say, to the letter of rte_flow: spec and mask over the
// headers of a frame, the lowest priority number first.
class RuleFollower {
public:
    RuleFollower() {
        for (const auto& intent : intents(kOwn, kDrops)) {
            wanted_.push_back(intent);
            rules_.push_back(std::make_unique<FlowRule>(intent, FlowQueues{1, 2}, false));
        }
    }
    std::optional<Intent> decide(const Bytes& frame) const {
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < rules_.size(); ++i)
            if (matches(*rules_[i], frame) &&
                (!best || rules_[i]->attributes().priority < rules_[*best]->attributes().priority))
                best = i;
        return best ? std::optional{wanted_[*best]} : std::nullopt;
    }

private:
    static bool same(const Bytes& frame, std::size_t at, const void* spec, const void* mask,
                     std::size_t size) {
        if (at + size > frame.size()) return false;
        if (spec == nullptr) return true;
        const auto* s = static_cast<const std::uint8_t*>(spec);
        const auto* m = static_cast<const std::uint8_t*>(mask);
        for (std::size_t i = 0; i < size; ++i)
            if (((frame[at + i] ^ s[i]) & m[i]) != 0) return false;
        return true;
    }
    static bool matches(const FlowRule& rule, const Bytes& frame) {
        std::size_t at = 0;
        std::uint16_t type = 0;
        std::uint8_t protocol = 0;
        bool whole = true;
        for (const auto* item = rule.pattern(); item->type != RTE_FLOW_ITEM_TYPE_END; ++item) {
            std::size_t size = 0, next = 0;
            switch (item->type) {
                case RTE_FLOW_ITEM_TYPE_ETH:
                    size = next = kEtherHeader;
                    if (frame.size() >= kEtherHeader) type = read16(&frame[12]);
                    break;
                case RTE_FLOW_ITEM_TYPE_IPV4:
                    if (type != kEtherIp4 || frame.size() < at + kIp4Header) return false;
                    size = kIp4Header;
                    next = (frame[at] & 15u) * 4;
                    protocol = frame[at + 9];
                    whole = (read16(&frame[at + 6]) & (kMoreFragments | kFragmentOffset)) == 0;
                    break;
                case RTE_FLOW_ITEM_TYPE_IPV6:
                    if (type != kEtherIp6 || frame.size() < at + kIp6Header) return false;
                    size = next = kIp6Header;
                    protocol = frame[at + 6];
                    break;
                case RTE_FLOW_ITEM_TYPE_TCP:
                    if (protocol != kTcp || !whole) return false;
                    size = next = 20;
                    break;
                case RTE_FLOW_ITEM_TYPE_UDP:
                    if (protocol != kUdp || !whole) return false;
                    size = next = 8;
                    break;
                default:
                    ADD_FAILURE() << "a kind of item that is not expected";
                    return false;
            }
            if (!same(frame, at, item->spec, item->mask, size)) return false;
            at += next;
        }
        return true;
    }

    std::vector<Intent> wanted_;
    std::vector<std::unique_ptr<FlowRule>> rules_;
};

// Which exits of the nodes agree with an intent of hardware. A frame that is steered is
// looked at by the same nodes as any other, so that drops there are never wrong.
bool agrees(const std::optional<Intent>& intent, const std::string& exit) {
    const auto is = [&](std::initializer_list<IntentKind> kinds) {
        return intent && std::ranges::find(kinds, intent->kind) != kinds.end();
    };
    if (exit == "drop_list") return is({IntentKind::DropSource});
    if (intent && intent->drops()) return false;
    if (exit == "sent") return !intent;
    if (exit == "punt_bgp" || exit == "punt_bgp_open") return is({IntentKind::Bgp});
    if (exit == "punt_vrrp") return is({IntentKind::Vrrp});
    if (exit == "punt_neighbor" ||
        exit == "punt_known_neighbor")  // solicitations to our own address are ICMPv6 to us
        return is({IntentKind::Arp, IntentKind::NeighborDiscovery, IntentKind::Icmp});
    if (exit == "punt_icmp") return is({IntentKind::Icmp, IntentKind::ToUs});
    if (exit == "punt_other")  // fragments of ICMP among them, of the same lane
        return is({IntentKind::ToUs, IntentKind::Icmp});
    if (exit == "bfd_control") return is({IntentKind::Bfd});
    return true;
}

std::string exit_of(PacketWorld& world, const Bytes& frame) {
    const auto before = world.exits();
    world.receive(frame);
    const auto sent = world.take_sent();
    world.take_punted();
    world.drop_held();
    for (const auto& [name, n] : world.exits())
        if (const auto had = before.find(name); had == before.end() || had->second != n)
            return name;
    return sent.empty() ? "held" : "sent";
}

std::vector<Bytes> case_frames() {
    std::vector<Bytes> out;
    for (const auto& value : support::packet_cases())
        out.push_back(support::frame_of(value.as_object()));
    return out;
}

// A frame for us that an operator would recognise, of either family.
Bytes frame_for_us(std::mt19937& random) {
    const bool ip4 = random() % 2 == 0;
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1};
    f.insert(f.end(), {static_cast<std::uint8_t>(ip4 ? 8 : 0x86),
                       static_cast<std::uint8_t>(ip4 ? 0 : 0xdd)});
    const auto header = ip4 ? kIp4Header : kIp6Header;
    f.resize(kEtherHeader + header + 40);
    auto* ip = &f[kEtherHeader];
    constexpr std::uint8_t kProtocols[] = {kTcp, kTcp, kUdp, kUdp, kIcmp, kIcmp6, 47};
    constexpr std::uint16_t kPorts[] = {179, 3784, 3785, 4784, 80, 53, 40000};
    const auto protocol = kProtocols[random() % std::size(kProtocols)];
    const auto* source4 =
        std::array{"10.1.0.2", "198.51.100.7", "203.0.113.9", "203.0.113.8"}[random() % 4];
    const auto* source6 =
        std::array{"2001:db8:1::2", "2001:db8:bad::7", "2001:db8:bae::7"}[random() % 3];
    const auto* to4 = std::array{"10.1.0.1", "10.1.0.1", "10.2.0.2"}[random() % 3];
    const auto* to6 = std::array{"2001:db8:1::1", "2001:db8:1::1", "2001:db8:2::2"}[random() % 3];
    if (ip4) {
        ip[0] = 0x45;
        write16(ip + 2, header + 40);
        if (random() % 8 == 0) write16(ip + 6, random() % 2 == 0 ? 0x2000 : 0x0010);
        ip[8] = 255;
        ip[9] = protocol;
        write32(ip + 12, IpAddress::parse(source4)->v4());
        write32(ip + 16, IpAddress::parse(to4)->v4());
        write16(ip + 10, checksum(ip, kIp4Header));
    } else {
        ip[0] = 0x60;
        write16(ip + 4, 40);
        ip[6] = protocol;
        ip[7] = 255;
        std::ranges::copy(IpAddress::parse(source6)->bytes(), ip + 8);
        std::ranges::copy(IpAddress::parse(to6)->bytes(), ip + 24);
    }
    auto* l4 = ip + header;
    write16(l4, kPorts[random() % std::size(kPorts)]);
    write16(l4 + 2, kPorts[random() % std::size(kPorts)]);
    if (protocol == kUdp) write16(l4 + 4, 40);
    if (protocol == kTcp) l4[12] = 0x50, l4[13] = random() % 2 == 0 ? 0x02 : 0x10;
    if (protocol == kIcmp || protocol == kIcmp6) {
        l4[0] = protocol == kIcmp ? 8 : 128;
        l4[1] = l4[2] = l4[3] = 0;
        const auto sum =
            protocol == kIcmp6 && !ip4 ? sum16(l4, 40, pseudo6(ip, 40, kIcmp6)) : sum16(l4, 40);
        write16(l4 + 2, ~fold16(sum) & 0xffffu);
    }
    return f;
}

TEST(Intents, HardwareAndWorkersDoTheSameWithEveryFrame) {
    PacketWorld world;
    world.drop_sources(kDrops);
    const RuleFollower port;
    std::mt19937 random{11};
    auto frames = case_frames();
    ASSERT_GT(frames.size(), 80u);
    for (int i = 0; i < 4000; ++i) frames.push_back(frame_for_us(random));
    std::map<std::string, unsigned> seen;
    for (const auto& frame : frames) {
        const auto intent = port.decide(frame);
        const auto exit = exit_of(world, frame);
        ++seen[exit];
        ASSERT_TRUE(agrees(intent, exit))
            << exit
            << " is not what a port does by: " << (intent ? intent->to_string() : "no rule");
    }
    // Without these the test would say little.
    for (const auto* exit : {"sent", "drop_list", "punt_bgp", "punt_bgp_open", "punt_icmp",
                             "punt_neighbor", "punt_other"})
        EXPECT_GT(seen[exit], 0u) << exit;
}

}  // namespace
}  // namespace torii::dataplane
