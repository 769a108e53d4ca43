#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/rib/attribute_pool.hpp"

namespace torii::bgp {

// One path of a prefix as an ADD-PATH group (RFC 7911) has advertised it. The path
// identifier is ours: it stays with the path while that is advertised, unique for the prefix.
struct AdvertisedPath {
    std::uint32_t id = 0;
    PeerId peer = 0;
    std::uint32_t received_id = 0;
    AttributesId attributes = 0;
};

// All paths that a group has advertised, by prefix. Keeps their attributes alive.
class AdvertisedPaths {
public:
    explicit AdvertisedPaths(AttributePool& pool) : pool_(pool) {}
    ~AdvertisedPaths();
    AdvertisedPaths(const AdvertisedPaths&) = delete;
    AdvertisedPaths& operator=(const AdvertisedPaths&) = delete;

    std::span<const AdvertisedPath> of(EntryId entry) const;
    // Moves to the wanted paths, which are in the order of peers and received numbers (their own
    // numbers are not looked at): `news` receives those that are new or have changed, the last
    // parameter the numbers that are no longer in use.
    void change(EntryId entry, std::span<const AdvertisedPath> wanted,
                std::vector<AdvertisedPath>& news, std::vector<std::uint32_t>& gone);
    template <class F>
    void each(F&& visit) const {
        for (const auto& [entry, paths] : advertised_) visit(entry, paths);
    }

private:
    AttributePool& pool_;
    boost::unordered_flat_map<EntryId, std::vector<AdvertisedPath>> advertised_;
};

}  // namespace torii::bgp
