#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace torii::config {

struct Place {
    std::string file;
    unsigned line = 0;
};

// Where each key was written, by path ("bgp.neighbors[2].group"); what was not
// written is placed where the block around it was.
class SourceMap {
public:
    void put(const std::string& path, Place place) { places_[path] = std::move(place); }
    Place find(std::string path) const {
        for (;;) {
            if (const auto it = places_.find(path); it != places_.end()) return it->second;
            const auto cut = path.find_last_of(".[");
            if (cut == std::string::npos) break;
            path.resize(cut);
        }
        const auto it = places_.find("");
        return it == places_.end() ? Place{} : it->second;
    }

private:
    std::unordered_map<std::string, Place> places_;
};

}  // namespace torii::config
