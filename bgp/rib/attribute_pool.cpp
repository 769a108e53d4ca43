#include "bgp/rib/attribute_pool.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

std::size_t bytes_of(std::size_t wire_size) {
    return sizeof(StoredAttributes) + wire_size;
}

// With another next hop or weight the same octets are another set.
std::uint64_t context_of(NextHopId next_hop, std::uint16_t weight) {
    return std::uint64_t{weight} << 32 | next_hop;
}

// The link bandwidth community, transitive or not: a number of octets a second.
float bandwidth_of(const Attributes& a) {
    if (!a.has(Attribute::ExtendedCommunities)) return 0;
    for (ByteReader in{a.extended_communities}; !in.empty();) {
        const auto type = in.u16();
        in.u16();  // the AS that adds it
        const auto value = std::bit_cast<float>(in.u32());
        if ((type & 0xbfff) == 0x0004 && value > 0 && std::isfinite(value)) return value;
    }
    return 0;
}

std::uint16_t flags_of(const Attributes& a) {
    using namespace attributes_flag;
    std::uint16_t flags = 0;
    const auto set = [&](bool on, std::uint16_t flag) {
        if (on) flags = static_cast<std::uint16_t>(flags | flag);
    };
    set(a.has(Attribute::AtomicAggregate), kAggregate);
    set(a.has(Attribute::Med), kHasMed);
    set(a.has(Attribute::LocalPref), kHasLocalPref);
    set(a.has(Attribute::OnlyToCustomer), kHasOtc);
    set(a.has(Attribute::ClusterList), kHasClusters);
    if (a.has(Attribute::Communities))
        for (ByteReader in{a.communities}; !in.empty();) {
            const auto value = in.u32();
            if (value < community::kGracefulShutdown) continue;
            set(value == community::kNoExport || value == community::kNoExportSubconfed, kNoExport);
            set(value == community::kNoAdvertise, kNoAdvertise);
            set(value == community::kBlackhole, kBlackhole);
            set(value == community::kGracefulShutdown, kGracefulShutdown);
            set(value == community::kNoLlgr, kNoLongLived);
            set(value == community::kLlgrStale, kLongLivedStale);
        }
    return flags;
}

}  // namespace

AttributePool::AttributePool(NextHops& next_hops)
    : next_hops_(next_hops), memory_(kHugePagePools, huge_pages()), index_(1 << 10, huge_pages()) {
    sets_.push_back(nullptr);
}

std::uint32_t AttributePool::open_account() {
    if (free_accounts_.empty()) {
        accounts_.emplace_back();
        return static_cast<std::uint32_t>(accounts_.size() - 1);
    }
    const auto account = free_accounts_.back();
    free_accounts_.pop_back();
    accounts_[account] = {};
    return account;
}

void AttributePool::close_account(std::uint32_t account) {
    accounts_[account].open = false;
    if (accounts_[account].octets == 0) free_accounts_.push_back(account);
}

AttributesId AttributePool::intern(const Attributes& a, NextHopId next_hop, std::uint32_t account) {
    scratch_.clear();
    encode_attributes(a, true, false, scratch_);
    const auto hash = hash_(scratch_, context_of(next_hop, a.weight));
    if ((used_ + 1) * 3 > index_.size() * 2) grow();

    const std::size_t mask = index_.size() - 1;
    std::size_t slot = hash & mask;
    std::size_t probes = 0;
    for (; index_[slot] != 0 && probes < kProbes; slot = (slot + 1) & mask, ++probes) {
        const auto id = index_[slot];
        StoredAttributes& known = *sets_[id];
        if (known.hash == hash && known.next_hop == next_hop && known.weight == a.weight &&
            known.size == scratch_.size() &&
            std::memcmp(known.bytes().data(), scratch_.data(), scratch_.size()) == 0) {
            ++known.references;
            next_hops_.release(next_hop);
            return id;
        }
    }

    auto* stored = new (memory_.allocate(bytes_of(scratch_.size()), alignof(StoredAttributes)))
        StoredAttributes{};
    std::memcpy(stored + 1, scratch_.data(), scratch_.size());
    stored->hash = hash;
    stored->references = 1;
    stored->size = static_cast<std::uint32_t>(scratch_.size());
    stored->next_hop = next_hop;
    stored->weight = a.weight;
    stored->bandwidth = bandwidth_of(a);
    stored->med = a.med;
    stored->origin = static_cast<std::uint8_t>(a.origin);
    stored->cluster_length =
        static_cast<std::uint8_t>(std::min<std::size_t>(a.cluster_list.size() / 4, 255));
    stored->originator_id = a.has(Attribute::OriginatorId) ? a.originator_id : 0;
    stored->flags = flags_of(a);
    const auto facts = inspect(a.as_path);
    stored->path_length = facts.length;
    stored->neighbor_as = facts.first;
    stored->local_pref = a.has(Attribute::LocalPref) ? a.local_pref : kDefaultLocalPref;
    // RFC 8326 §4: what is about to go away is the last choice.
    if (stored->flags & attributes_flag::kGracefulShutdown) stored->local_pref = 0;

    AttributesId id;
    if (free_.empty()) {
        id = static_cast<AttributesId>(sets_.size());
        sets_.push_back(stored);
    } else {
        id = free_.back();
        free_.pop_back();
        sets_[id] = stored;
    }
    // A set without a slot is one that no other path finds; it works as well.
    stored->indexed = probes < kProbes;
    if (stored->indexed) index_[slot] = id;
    bytes_ += bytes_of(stored->size);
    stored->account = account;
    accounts_[account].octets += bytes_of(stored->size);
    ++used_;
    return id;
}

void AttributePool::erase(AttributesId id) {
    StoredAttributes* gone = sets_[id];
    if (gone->indexed) unlink(id, *gone);
    --used_;
    bytes_ -= bytes_of(gone->size);
    Account& account = accounts_[gone->account];
    account.octets -= bytes_of(gone->size);
    if (!account.open && account.octets == 0) free_accounts_.push_back(gone->account);
    next_hops_.release(gone->next_hop);
    memory_.deallocate(gone, bytes_of(gone->size), alignof(StoredAttributes));
    sets_[id] = nullptr;
    free_.push_back(id);
}

void AttributePool::unlink(AttributesId id, const StoredAttributes& gone) {
    const std::size_t mask = index_.size() - 1;
    std::size_t hole = gone.hash & mask;
    while (index_[hole] != id) hole = (hole + 1) & mask;
    // Later ones of the same run move up, so that no probe meets a gap. What lies further
    // behind the hole than a probe goes has its home behind it too.
    for (std::size_t next = (hole + 1) & mask;
         index_[next] != 0 && ((next - hole) & mask) < kProbes; next = (next + 1) & mask) {
        const std::size_t home = sets_[index_[next]]->hash & mask;
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            index_[hole] = index_[next];
            hole = next;
        }
    }
    index_[hole] = 0;
}

void AttributePool::grow() {
    std::pmr::vector<AttributesId> bigger(index_.size() * 2, huge_pages());
    const std::size_t mask = bigger.size() - 1;
    for (const auto id : index_) {
        if (id == 0) continue;
        std::size_t slot = sets_[id]->hash & mask;
        std::size_t probes = 0;
        while (bigger[slot] != 0 && ++probes < kProbes) slot = (slot + 1) & mask;
        sets_[id]->indexed = bigger[slot] == 0;
        if (sets_[id]->indexed) bigger[slot] = id;
    }
    index_.swap(bigger);
}

}  // namespace torii::bgp
