#include "bgp/rib/advertised_paths.hpp"

#include <algorithm>

namespace torii::bgp {

namespace {

bool same_path(const AdvertisedPath& a, const AdvertisedPath& b) {
    return a.peer == b.peer && a.received_id == b.received_id;
}

std::uint32_t unused(const std::vector<AdvertisedPath>& paths) {
    for (std::uint32_t id = 1;; ++id)
        if (std::ranges::find(paths, id, &AdvertisedPath::id) == paths.end()) return id;
}

}  // namespace

AdvertisedPaths::~AdvertisedPaths() {
    for (const auto& [entry, paths] : advertised_)
        for (const auto& path : paths) pool_.release(path.attributes);
}

std::span<const AdvertisedPath> AdvertisedPaths::of(EntryId entry) const {
    const auto at = advertised_.find(entry);
    return at != advertised_.end() ? std::span<const AdvertisedPath>{at->second}
                                   : std::span<const AdvertisedPath>{};
}

void AdvertisedPaths::change(EntryId entry, std::span<const AdvertisedPath> wanted,
                             std::vector<AdvertisedPath>& news, std::vector<std::uint32_t>& gone) {
    news.clear();
    gone.clear();
    const auto at = advertised_.find(entry);
    if (at == advertised_.end() && wanted.empty()) return;
    auto& told = at != advertised_.end() ? at->second : advertised_[entry];
    std::erase_if(told, [&](const AdvertisedPath& old) {
        if (std::ranges::any_of(wanted, [&](const auto& w) { return same_path(w, old); }))
            return false;
        gone.push_back(old.id);
        pool_.release(old.attributes);
        return true;
    });
    for (const auto& path : wanted) {
        const auto old = std::ranges::find_if(told, [&](auto& t) { return same_path(t, path); });
        if (old != told.end() && old->attributes == path.attributes) continue;
        pool_.retain(path.attributes);
        if (old != told.end()) {
            pool_.release(old->attributes);
            old->attributes = path.attributes;
            news.push_back(*old);
        } else {
            auto fresh = path;
            fresh.id = unused(told);
            told.push_back(fresh);
            news.push_back(fresh);
        }
    }
    // A number that is assigned again at once is not withdrawn.
    std::erase_if(gone, [&](auto id) {
        return std::ranges::find(told, id, &AdvertisedPath::id) != told.end();
    });
    if (told.empty()) advertised_.erase(entry);
}

}  // namespace torii::bgp
