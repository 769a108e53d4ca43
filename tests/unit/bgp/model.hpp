#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bgp/settings.hpp"

// A BGP speaker as the RFCs tell of it, slow and plain: every question is answered anew from
// what was received. The real one is compared with it (differential_test.cpp).
namespace torii::bgp::test {

// The attributes of a route, unpacked.
struct ModelRoute {
    std::uint8_t origin = 0;
    std::vector<std::uint32_t> path;
    IpAddress next_hop;
    std::optional<std::uint32_t> med, local_pref, originator, otc;
    std::vector<std::uint32_t> communities, clusters;

    bool has(std::uint32_t community) const {
        return std::ranges::find(communities, community) != communities.end();
    }
    std::string text() const;
    friend bool operator==(const ModelRoute&, const ModelRoute&) = default;
};

struct ModelPath {
    ModelRoute received, used;
    bool accepted = false;
    bool claims = false;  // counts for the guard
    bool stale = false;   // RFC 4724
    bool old = false;     // RFC 7313: of before the refresh that goes on
};

struct ModelPeer {
    PeerSettings settings;
    IpAddress address;
    std::uint32_t as = 0, id = 0;
    bool up = false;
    bool add_path_out = false;  // we send several paths
    std::map<std::pair<Prefix, std::uint32_t>, ModelPath> in;
};

class Model {
public:
    static constexpr std::uint32_t kAs = 65000, kId = 0x0a6300fe;

    SpeakerSettings settings;
    std::map<IpAddress, ModelPeer> peers;
    std::set<IpAddress> unreachable;  // next hops
    double now = 0;                   // seconds

    // What happens.
    void announce(ModelPeer& peer, const Prefix& prefix, std::uint32_t path_id,
                  const ModelRoute& route);
    void withdraw(ModelPeer& peer, const Prefix& prefix, std::uint32_t path_id);
    template <class F>
    void remove_if(ModelPeer& peer, F&& gone) {
        std::vector<std::pair<Prefix, std::uint32_t>> keys;
        for (const auto& [key, path] : peer.in)
            if (gone(path)) keys.push_back(key);
        for (const auto& [prefix, id] : keys) withdraw(peer, prefix, id);
    }
    // By the settings of now: one peer's, or all that the guard watches.
    void judge(ModelPeer& peer);
    void judge_guarded();
    void pass(double seconds);  // ends leases
    void decide();              // once after each event

    // What follows from it.
    struct Best {
        const ModelPath* path = nullptr;  // nothing: our own
        const ModelPeer* peer = nullptr;
        std::set<IpAddress> next_hops;
        bool own() const { return peer == nullptr; }
    };
    std::map<Prefix, Best> best;
    // What the peer is to have: by prefix, with ADD-PATH several.
    std::multimap<Prefix, std::string> advertised(const ModelPeer& peer) const;

private:
    struct Candidate {
        const ModelPath* path;
        const ModelPeer* peer;
        std::uint32_t path_id;
    };
    struct Claim {
        std::optional<IpAddress> owner;
        std::optional<double> until;
        struct Present {
            IpAddress node;
            unsigned paths = 0;
            std::uint64_t arrived = 0;
        };
        std::vector<Present> present;
    };
    bool usable(const ModelPath& path) const {
        return path.accepted && !unreachable.contains(path.used.next_hop);
    }
    bool permits(const std::vector<std::string>& lists, const Prefix& prefix) const;
    bool welcome(const ModelPeer& peer, const Prefix& prefix, const ModelRoute& route) const;
    bool guard_permits(const ModelPeer& peer, const Prefix& prefix) const;
    void judge(ModelPeer& peer, const Prefix& prefix, ModelPath& path);
    void leave(const ModelPeer& peer, const Prefix& prefix);
    Best choose(const std::vector<Candidate>& all, std::optional<IpAddress> current) const;
    std::optional<ModelRoute> exported(const ModelPeer& to, const Prefix& prefix,
                                       const ModelPath* path, const ModelPeer* from) const;
    std::map<Prefix, Claim> claims_;
    std::uint64_t arrivals_ = 0;
};

}  // namespace torii::bgp::test
