#include "dataplane/offload/rte_flow.hpp"

#include <rte_byteorder.h>
#include <rte_errno.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

constexpr unsigned kGiveUpAfter = 4;
// Writing a rule into a NIC takes its time, and the control thread has none.
constexpr std::size_t kMostDrops = 1024;

std::array<std::uint8_t, 16> mask_of(unsigned length) {
    std::array<std::uint8_t, 16> mask{};
    for (unsigned bit = 0; bit < length; ++bit)
        mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80 >> bit % 8);
    return mask;
}

// Sets an address and its mask in a header of either family.
void put(const Prefix& prefix, void* address, void* mask) {
    std::memcpy(address, prefix.address().bytes().data(), prefix.address().size());
    std::memcpy(mask, mask_of(prefix.length()).data(), prefix.address().size());
}

Family family_of(const Intent& intent) {
    return intent.source ? intent.source->family() : intent.destination->family();
}
bool has_ip(const Intent& intent) {
    return intent.source || intent.destination;
}
bool has_l4(const Intent& intent) {
    return intent.source_port || intent.destination_port;
}

template <class Item>
void put_ports(const Intent& intent, Item& item, Item& mask) {
    if (intent.source_port) {
        item.hdr.src_port = rte_cpu_to_be_16(*intent.source_port);
        mask.hdr.src_port = 0xffff;
    }
    if (intent.destination_port) {
        item.hdr.dst_port = rte_cpu_to_be_16(*intent.destination_port);
        mask.hdr.dst_port = 0xffff;
    }
}

std::string reason_of(const char* step, const rte_flow_error& error, int code) {
    std::string out = std::string{"the port refused to "} + step + ": ";
    out += error.message != nullptr ? error.message : rte_strerror(code < 0 ? -code : rte_errno);
    return out;
}

}  // namespace

FlowRule::FlowRule(const Intent& intent, const FlowQueues& queues, bool count,
                   std::optional<std::uint32_t> priority) {
    // Ports compare items octet by octet, the padding too.
    const auto clear = [](auto&... items) { (std::memset(&items, 0, sizeof items), ...); };
    clear(ethernet_, ethernet_mask_, ip6_, ip6_mask_, tcp_, tcp_mask_);
    attributes_.ingress = 1;
    attributes_.priority = priority.value_or(intent.precedence());
    std::size_t n = 0;
    const auto item = [&](rte_flow_item_type type, const void* spec, const void* mask) {
        pattern_[n++] = {type, spec, nullptr, mask};
    };
    if (intent.ether_type) {
        ethernet_.hdr.ether_type = rte_cpu_to_be_16(*intent.ether_type);
        ethernet_mask_.hdr.ether_type = 0xffff;
        item(RTE_FLOW_ITEM_TYPE_ETH, &ethernet_, &ethernet_mask_);
    } else {
        item(RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr);
    }
    if (has_ip(intent)) {
        // Ports imply the protocol already, by the item they are in.
        const auto protocol = has_l4(intent) ? std::nullopt : intent.protocol;
        if (family_of(intent) == Family::Ip4) {
            clear(ip4_, ip4_mask_);
            if (intent.source) put(*intent.source, &ip4_.hdr.src_addr, &ip4_mask_.hdr.src_addr);
            if (intent.destination)
                put(*intent.destination, &ip4_.hdr.dst_addr, &ip4_mask_.hdr.dst_addr);
            if (protocol) ip4_.hdr.next_proto_id = *protocol, ip4_mask_.hdr.next_proto_id = 0xff;
            item(RTE_FLOW_ITEM_TYPE_IPV4, &ip4_, &ip4_mask_);
        } else {
            if (intent.source) put(*intent.source, &ip6_.hdr.src_addr, &ip6_mask_.hdr.src_addr);
            if (intent.destination)
                put(*intent.destination, &ip6_.hdr.dst_addr, &ip6_mask_.hdr.dst_addr);
            if (protocol) ip6_.hdr.proto = *protocol, ip6_mask_.hdr.proto = 0xff;
            item(RTE_FLOW_ITEM_TYPE_IPV6, &ip6_, &ip6_mask_);
        }
    }
    if (has_l4(intent) && intent.protocol == kTcp) {
        put_ports(intent, tcp_, tcp_mask_);
        item(RTE_FLOW_ITEM_TYPE_TCP, &tcp_, &tcp_mask_);
    } else if (has_l4(intent)) {
        clear(udp_, udp_mask_);
        put_ports(intent, udp_, udp_mask_);
        item(RTE_FLOW_ITEM_TYPE_UDP, &udp_, &udp_mask_);
    }
    // Zeroed items and actions are ends.
    static_assert(RTE_FLOW_ITEM_TYPE_END == 0 && RTE_FLOW_ACTION_TYPE_END == 0);

    std::size_t a = 0;
    if (count) actions_[a++] = {RTE_FLOW_ACTION_TYPE_COUNT, &count_};
    if (intent.drops()) {
        actions_[a++] = {RTE_FLOW_ACTION_TYPE_DROP, nullptr};
    } else if (lane_of(intent.kind) == Lane::None && queues.ordinary > 1) {
        for (std::uint16_t q = 0; q < queues.ordinary; ++q) spread_.push_back(q);
        rss_.queue = spread_.data();
        rss_.queue_num = queues.ordinary;
        actions_[a++] = {RTE_FLOW_ACTION_TYPE_RSS, &rss_};
    } else {
        const auto lane = lane_of(intent.kind);
        queue_.index = lane == Lane::None ? std::uint16_t{0} : queues.of(lane);
        actions_[a++] = {RTE_FLOW_ACTION_TYPE_QUEUE, &queue_};
    }
}

std::string to_string(const Intent& intent, const FlowQueues& queues) {
    std::string out = "ingress priority " + std::to_string(intent.precedence()) + " pattern eth";
    if (intent.ether_type) {
        char hex[8];
        std::snprintf(hex, sizeof hex, "0x%04x", *intent.ether_type);
        out += std::string{" type is "} + hex;
    }
    if (has_ip(intent)) {
        const bool ip4 = family_of(intent) == Family::Ip4;
        out += ip4 ? " / ipv4" : " / ipv6";
        const auto side = [&](const char* name, const std::optional<Prefix>& prefix) {
            if (!prefix) return;
            const auto address = prefix->address().to_string();
            if (prefix->is_host())
                out += std::string{" "} + name + " is " + address;
            else
                out += std::string{" "} + name + " spec " + address + " " + name + " prefix " +
                       std::to_string(prefix->length());
        };
        side("src", intent.source);
        side("dst", intent.destination);
        if (intent.protocol && !has_l4(intent))
            out += " proto is " + std::to_string(*intent.protocol);
    }
    if (has_l4(intent)) {
        out += intent.protocol == kTcp ? " / tcp" : " / udp";
        if (intent.source_port) out += " src is " + std::to_string(*intent.source_port);
        if (intent.destination_port) out += " dst is " + std::to_string(*intent.destination_port);
    }
    out += " / end actions ";
    const auto lane = lane_of(intent.kind);
    if (intent.drops()) {
        out += "drop";
    } else if (lane != Lane::None) {
        out += "queue index " + std::to_string(queues.of(lane));
    } else if (queues.ordinary == 1) {
        out += "queue index 0";
    } else {
        out += "rss queues";
        for (unsigned q = 0; q < queues.ordinary; ++q) out += " " + std::to_string(q);
        out += " end";
    }
    return out + " / end";
}

bool RteFlow::known_to(std::uint16_t device) {
    const FlowRule rule{Intent{}, {}, false};
    rte_flow_error error{};
    return rte_flow_validate(device, &rule.attributes(), rule.pattern(), rule.actions(), &error) !=
           -ENOSYS;
}

RteFlow::~RteFlow() {
    for (auto& rule : placed_) remove(rule);
}

void RteFlow::remove(Placed& rule) {
    if (rule.handle == nullptr) return;
    rte_flow_error error{};
    rte_flow_destroy(device_, rule.handle, &error);
    rule.handle = nullptr;
    --in_hardware_;
    if (rule.intent.drops()) --drops_in_hardware_;
}

bool RteFlow::try_to_place(Placed& out, bool flat, bool count) {
    const FlowRule rule{out.intent, queues_, count, flat ? std::optional{0u} : std::nullopt};
    rte_flow_error error{};
    if (const int code =
            rte_flow_validate(device_, &rule.attributes(), rule.pattern(), rule.actions(), &error);
        code != 0) {
        out.reason = reason_of("take it", error, code);
        return false;
    }
    out.handle =
        rte_flow_create(device_, &rule.attributes(), rule.pattern(), rule.actions(), &error);
    if (out.handle == nullptr) {
        out.reason = reason_of("make it", error, 0);
        return false;
    }
    out.counted = count;
    out.flat = flat;
    out.reason.clear();
    return true;
}

bool RteFlow::has_flat_rules() const {
    return std::ranges::any_of(placed_, &Placed::flat);
}

RteFlow::Placed RteFlow::place(const Intent& intent) {
    Placed out{intent, nullptr, false, false, {}};
    if (!intent.drops() && queues_.lanes == 0) {
        out.reason = "the port has no queue to spare";
        return out;
    }
    if (intent.drops() && drops_in_hardware_ >= kMostDrops) {
        out.reason = "beyond the first " + std::to_string(kMostDrops) + " of its kind";
        return out;
    }
    if (refusals_ >= kGiveUpAfter && in_hardware_ == 0) {
        out.reason = "the port refused the first " + std::to_string(kGiveUpAfter) + " rules";
        return out;
    }
    // i40e takes no priority but 0: enough for rules of which a frame matches one alone, as those
    // of protocols are. Without a counter where the port has none.
    for (const bool flat : {false, true}) {
        if (flat && intent.precedence() != 1) break;
        for (const bool count : {true, false}) {
            if (!try_to_place(out, flat, count)) continue;
            ++in_hardware_;
            if (intent.drops()) ++drops_in_hardware_;
            return out;
        }
    }
    ++refusals_;
    return out;
}

void RteFlow::apply(std::vector<Intent> wanted) {
    if (with_rest_) wanted.emplace_back();
    std::map<Intent, Placed> had;
    for (auto& rule : placed_) had.emplace(rule.intent, rule);
    std::vector<Placed> now;
    std::vector<std::size_t> fresh;
    for (const auto& intent : wanted) {
        if (auto kept = had.extract(intent)) {
            now.push_back(std::move(kept.mapped()));
        } else {
            fresh.push_back(now.size());
            now.push_back({intent, nullptr, false, false, {}});
        }
    }
    // What goes makes room for what comes.
    for (auto& [intent, rule] : had) remove(rule);
    for (const auto i : fresh) now[i] = place(now[i].intent);
    placed_ = std::move(now);
}

std::optional<std::uint64_t> RteFlow::packets(const Placed& rule) const {
    if (rule.handle == nullptr || !rule.counted) return std::nullopt;
    const rte_flow_action count[] = {{RTE_FLOW_ACTION_TYPE_COUNT, nullptr},
                                     {RTE_FLOW_ACTION_TYPE_END, nullptr}};
    rte_flow_query_count answer{};
    rte_flow_error error{};
    if (rte_flow_query(device_, rule.handle, count, &answer, &error) != 0 || !answer.hits_set)
        return std::nullopt;
    return answer.hits;
}

}  // namespace torii::dataplane
