#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "config/model.hpp"

namespace torii::app {

// The configurations that were in force, the running one last. Control thread.
class Revisions {
public:
    static constexpr std::size_t kKept = 64;

    struct Entry {
        std::uint64_t number = 0;
        std::chrono::system_clock::time_point time;
        std::string author;
        std::string comment;
        std::string summary;
        config::Model model;
    };

    void add(Entry entry) {
        entries_.push_back(std::move(entry));
        if (entries_.size() > kKept) entries_.pop_front();
    }
    // Nothing when it is unknown or no longer kept.
    const Entry* find(std::uint64_t number) const {
        for (const auto& entry : entries_)
            if (entry.number == number) return &entry;
        return nullptr;
    }
    const std::deque<Entry>& entries() const { return entries_; }

private:
    std::deque<Entry> entries_;
};

}  // namespace torii::app
