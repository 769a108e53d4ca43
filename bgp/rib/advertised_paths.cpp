#include "bgp/rib/advertised_paths.hpp"

#include <algorithm>
#include <utility>

namespace torii::bgp {

namespace {

auto source(const AdvertisedPath& path) {
    return std::pair{path.peer, path.received_id};
}

// Numbers in use, and the lowest ones that are not. Those beyond the number of paths that there
// can be are not asked about: enough lower ones are free.
class Numbers {
public:
    explicit Numbers(std::size_t paths) : used_(paths + 2) {}
    bool has(std::uint32_t id) const { return id < used_.size() && used_[id]; }
    void add(std::uint32_t id) {
        if (id < used_.size()) used_[id] = true;
    }
    std::uint32_t take() {
        while (used_[next_]) ++next_;
        used_[next_] = true;
        return next_;
    }

private:
    std::vector<bool> used_;
    std::uint32_t next_ = 1;
};

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
    // Both are in the order of their sources: a prefix may have thousands of paths.
    Numbers numbers{told.size() + wanted.size()};
    std::vector<AdvertisedPath> next;
    next.reserve(wanted.size());
    auto old = told.begin();
    const auto drop_until = [&](auto&& here) {
        for (; old != told.end() && here(*old); ++old) {
            gone.push_back(old->id);
            pool_.release(old->attributes);
        }
    };
    std::size_t fresh = 0;
    for (const auto& path : wanted) {
        drop_until([&](const auto& o) { return source(o) < source(path); });
        pool_.retain(path.attributes);
        next.push_back(path);
        next.back().id = 0;
        if (old == told.end() || source(*old) != source(path)) {
            ++fresh;
            continue;
        }
        next.back().id = old->id;
        numbers.add(old->id);
        if (old->attributes != path.attributes) news.push_back(next.back());
        pool_.release(old->attributes);
        ++old;
    }
    drop_until([](const auto&) { return true; });
    if (fresh != 0)
        for (auto& path : next) {
            if (path.id != 0) continue;
            path.id = numbers.take();
            news.push_back(path);
        }
    told = std::move(next);
    // A number that is assigned again at once is not withdrawn.
    std::erase_if(gone, [&](auto id) { return numbers.has(id); });
    if (told.empty()) advertised_.erase(entry);
}

}  // namespace torii::bgp
