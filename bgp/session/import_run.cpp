#include "bgp/session/import_run.hpp"

#include <algorithm>

#include "base/byte_writer.hpp"

namespace torii::bgp {

namespace {

PolicyStorage& storage() {
    static PolicyStorage one;  // one thread, one route at a time
    return one;
}

}  // namespace

ImportRun::ImportRun(const ImportPolicy& policy, LocRib& rib, Family family, PeerId peer,
                     const NextHopKey& from, AttributesId received, std::uint32_t account)
    : policy_(policy),
      rib_(rib),
      family_(family),
      peer_(peer),
      from_(from),
      received_(received),
      account_(account),
      plain_(!policy.policy && !stays_inside() &&
             !(policy.role && policy.marks_origin_of(rib.pool()[received].view()))) {
    rib_.pool().retain(received_);
}

// RFC 7999 §3.2: a route accepted for discard is not advertised outside of our AS.
bool ImportRun::stays_inside() const {
    using namespace attributes_flag;
    const auto flags = rib_.pool()[received_].flags;
    return policy_.accept_blackhole && flags & kBlackhole && !(flags & kNoExport);
}

ImportRun::~ImportRun() {
    for (const auto& [prefix, id] : made_)
        if (id != 0) rib_.pool().release(id);
    rib_.pool().release(received_);
}

PolicyRoute ImportRun::route() const {
    const auto& stored = rib_.pool()[received_];
    PolicyRoute route;
    route.attributes = stored.view();
    route.family = family_;
    route.next_hop = rib_.next_hops()[stored.next_hop].key.address;
    route.from = policy_.ebgp ? RouteFrom::External : RouteFrom::Internal;
    route.own_as = policy_.local_as;
    route.local_pref = stored.local_pref;
    return route;
}

AttributesId ImportRun::edited(const Prefix& prefix) {
    const auto of_class = policy_.policy ? policy_.policy->classify(prefix) : 0;
    const auto known = std::ranges::find(made_, of_class, [](const auto& m) { return m.first; });
    if (known != made_.end()) return known->second;
    const auto id = make(of_class);
    made_.emplace_back(of_class, id);
    return id;
}

AttributesId ImportRun::make(RoutePolicy::Class prefix) {
    auto route = this->route();
    if (policy_.marks_origin_of(route.attributes)) {
        route.attributes.set(Attribute::OnlyToCustomer);
        route.attributes.only_to_customer = policy_.peer_as;
        route.changed = true;
    }
    std::vector<std::uint8_t> communities;
    if (stays_inside()) {
        const auto& all = route.attributes.communities;
        communities.assign(all.begin(), all.end());
        ByteWriter{communities}.u32(community::kNoExport);
        route.attributes.communities = communities;
        route.changed = true;
    }
    if (policy_.policy && !policy_.policy->run(prefix, route, storage()).accept) return 0;
    auto& pool = rib_.pool();
    if (!route.changed) {
        pool.retain(received_);
        return received_;
    }
    if (!fits(route.attributes)) return 0;  // edited beyond what can be written
    auto& hops = rib_.next_hops();
    auto next_hop = pool[received_].next_hop;
    const auto& edit = route.next_hop_edit;
    if (edit.kind == NextHopEdit::Kind::Address)
        next_hop = hops.acquire({edit.address, rib::kAnyPort});
    else if (edit.kind == NextHopEdit::Kind::Peer)
        next_hop = hops.acquire(from_);
    else
        hops.retain(next_hop);
    hops.used_by(next_hop, peer_);
    return pool.intern(route.attributes, next_hop, account_);
}

std::string ImportRun::explain(const Prefix& prefix) const {
    if (!policy_.policy) return {};
    return policy_.policy->explain(policy_.policy->classify(prefix), route(), storage());
}

}  // namespace torii::bgp
