#include "tests/support/flow_histories.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include "dataplane/fib/next_hop_group.hpp"

namespace torii::dataplane {
namespace {

using Hosts = std::map<std::uint32_t, std::uint16_t>;  // weight by the host's address
using Owners = std::vector<std::uint32_t>;             // host by bucket
using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t n) {
    return random() % n;
}

// One gate: its own numbers for hops, its own order of members, its own idle buckets.
class Gate {
public:
    Gate(std::uint64_t number, Random& random)
        : random_(random), next_hop_(static_cast<HopId>(1000 * (number + 1))) {}

    void restart() {
        table_.reset();
        hops_.clear();
    }

    // Returns the buckets in use that moved although their member is still there.
    std::uint64_t change(const Hosts& hosts) { return settle(hosts, false); }
    // All flows end.
    Owners at_rest(const Hosts& hosts) {
        settle(hosts, true);
        std::map<HopId, std::uint32_t> host_of;
        for (const auto& [host, hop] : hops_) host_of[hop] = host;
        Owners out;
        for (std::uint32_t b = 0; b < table_->size(); ++b)
            out.push_back(host_of[table_->buckets[b].hop]);
        return out;
    }

private:
    std::uint64_t settle(const Hosts& hosts, bool idle) {
        std::vector<BucketPlan::Member> members;
        for (const auto& [host, weight] : hosts) {
            const auto hop = hops_.try_emplace(host, next_hop_).first->second;
            next_hop_ += hop == next_hop_;
            members.push_back({hop, weight, Assignment::identity_of(IpAddress::v4(host))});
        }
        std::ranges::shuffle(members, random_);
        const BucketPlan plan{members};
        if (table_ == nullptr) table_ = make_buckets(plan.size());
        if (table_->size() < plan.size()) table_ = BucketPlan::resized(*table_, plan.size());
        std::vector<HopId> before;
        const auto used = below(random_, 4);  // of three buckets
        for (std::uint32_t b = 0; b < table_->size(); ++b) {
            before.push_back(table_->buckets[b].hop);
            table_->buckets[b].epoch = !idle && below(random_, 3) < used ? 1000 : 500;
        }
        plan.settle(*table_, 900);
        std::uint64_t moved = 0;
        for (std::uint32_t b = 0; b < table_->size(); ++b)
            moved +=
                table_->buckets[b].epoch >= 900 && table_->buckets[b].hop != before[b] &&
                std::ranges::find(members, before[b], &BucketPlan::Member::hop) != members.end();
        return moved;
    }

    Random& random_;
    HopId next_hop_;
    std::map<std::uint32_t, HopId> hops_;
    BucketTablePtr table_;
};

Owners settled(const Hosts& hosts) {
    std::vector<Assignment::Member> members;
    std::vector<std::uint32_t> names;
    for (const auto& [host, weight] : hosts) {
        members.push_back({Assignment::identity_of(IpAddress::v4(host)), weight});
        names.push_back(host);
    }
    Owners out;
    for (const auto i : Assignment::of(members, Assignment::size_for(members)))
        out.push_back(names[i]);
    return out;
}

double total(const Hosts& hosts) {
    double out = 0;
    for (const auto& [host, weight] : hosts) out += weight;
    return out;
}

double most_over_mean(const Hosts& hosts, const Owners& owners) {
    std::map<std::uint32_t, double> owned;
    for (const auto host : owners) ++owned[host];
    double most = 0;
    for (const auto& [host, weight] : hosts) {
        const auto mean = static_cast<double>(owners.size()) * weight / total(hosts);
        if (mean >= 20) most = std::max(most, owned[host] / mean);
    }
    return most;
}

struct Moved {
    double all = 0, beyond = 0;
};
// Part of the buckets whose owner is another, and of those that neither the host had nor has.
Moved moved(const Owners& before, const Owners& after, std::uint32_t host) {
    const auto size = std::max(before.size(), after.size());
    Moved out;
    for (std::size_t b = 0; b < size; ++b) {
        const auto had = before[b % before.size()], has = after[b % after.size()];
        out.all += had != has;
        out.beyond += had != has && had != host && has != host;
    }
    out.all /= static_cast<double>(size);
    out.beyond /= static_cast<double>(size);
    return out;
}

class History {
public:
    History(std::uint64_t number, std::uint32_t most_members, std::uint64_t seed)
        : random_(seed << 32 | number) {
        const auto spread = std::log2(most_members / 2.0);
        const auto members = static_cast<std::uint32_t>(
            2 * std::exp2(spread * static_cast<double>(below(random_, 1001)) / 1000));
        weighted_ = below(random_, 3) == 0;
        most_members_ = most_members;
        while (hosts_.size() < members) hosts_[new_host()] = new_weight();
        const auto gates = 2 + below(random_, 3);
        for (std::uint64_t g = 0; g < gates; ++g) gates_.emplace_back(g, random_);
        now_ = settled(hosts_);
    }

    void live(FlowHistories& out) {
        measure(out);
        for (auto left = 2 + below(random_, 8); left > 0; --left) {
            event(out);
            for (auto& gate : gates_)
                if (below(random_, 4) != 0) out.active_moved += gate.change(hosts_);
        }
        const auto first = gates_.front().at_rest(hosts_);
        for (std::size_t g = 1; g < gates_.size(); ++g) {
            const auto other = gates_[g].at_rest(hosts_);
            for (std::size_t b = 0; b < std::max(first.size(), other.size()); ++b)
                if (first[b % first.size()] != other[b % other.size()]) {
                    ++out.unequal;
                    return;
                }
        }
        ++out.histories;
    }

private:
    std::uint32_t new_host() {
        for (;;)
            if (const auto host = 0x0a000001 + static_cast<std::uint32_t>(below(random_, 4000));
                !hosts_.contains(host))
                return host;
    }
    std::uint16_t new_weight() {
        return static_cast<std::uint16_t>(weighted_ ? 1 + below(random_, 4) : 1);
    }
    std::uint32_t some_host() {
        return std::next(hosts_.begin(), static_cast<std::ptrdiff_t>(below(random_, hosts_.size())))
            ->first;
    }
    void measure(FlowHistories& out) const {
        out.most_over_mean = std::max(out.most_over_mean, most_over_mean(hosts_, now_));
    }

    void event(FlowHistories& out) {
        ++out.events;
        const auto before = now_;
        const auto kind = below(random_, 8);
        if (kind == 0) {
            gates_[below(random_, gates_.size())].restart();
            return;
        }
        const auto had = hosts_;
        std::uint32_t host = 0;
        if (kind <= 3 && hosts_.size() < most_members_) {
            host = new_host();
            hosts_[host] = new_weight();
        } else if (kind <= 6 && hosts_.size() > 2) {
            host = some_host();
            hosts_.erase(host);
        } else {  // drained, back, or of another weight
            host = some_host();
            auto& weight = hosts_[host];
            weight = weight == 0 ? new_weight() : static_cast<std::uint16_t>(weight - 1);
            if (total(hosts_) == 0) weight = 1;
        }
        now_ = settled(hosts_);
        measure(out);
        const auto what = moved(before, now_, host);
        const auto of = [host](const Hosts& hosts) {
            const auto at = hosts.find(host);
            return at == hosts.end() ? 0 : at->second;
        };
        // As a drained host it had nothing.
        if (of(had) == of(hosts_)) return;
        const bool all = of(had) == 0 || of(hosts_) == 0;
        if (all) {
            ++out.joins_and_leaves;
            out.mean_moved_beyond += what.beyond;
            out.most_moved_beyond = std::max(out.most_moved_beyond, what.beyond);
        } else {
            const auto share = std::abs(of(had) / total(had) - of(hosts_) / total(hosts_));
            out.most_moved_by_weight = std::max(out.most_moved_by_weight, what.all - share);
        }
    }

    Random random_;
    Hosts hosts_;
    std::vector<Gate> gates_;
    Owners now_;
    std::uint32_t most_members_ = 2;
    bool weighted_ = false;
};

}  // namespace

FlowHistories live_through(std::uint64_t histories, std::uint32_t most_members,
                           std::uint64_t seed) {
    FlowHistories out;
    for (std::uint64_t i = 0; i < histories; ++i) History{i, most_members, seed}.live(out);
    if (out.joins_and_leaves != 0)
        out.mean_moved_beyond /= static_cast<double>(out.joins_and_leaves);
    return out;
}

}  // namespace torii::dataplane
