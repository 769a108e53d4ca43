#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "mgmt/http.hpp"

namespace torii::mgmt {

// Answers of writes that carried an Idempotency-Key, so that a client that
// never saw the answer can ask again without doing it twice. Remembers the last
// few hundred. Management thread only.
class IdempotencyStore {
public:
    enum class State : std::uint8_t { New, Running, Done };

    // Running from the first call on until `finish`.
    State begin(const std::string& key) {
        const auto [it, fresh] = entries_.try_emplace(key);
        if (!fresh) return it->second ? State::Done : State::Running;
        order_.push_back(key);
        if (order_.size() > kMost) {
            entries_.erase(order_.front());
            order_.pop_front();
        }
        return State::New;
    }
    void finish(const std::string& key, const Response& response) {
        const auto it = entries_.find(key);
        if (it != entries_.end()) it->second = response;
    }
    const Response& answer(const std::string& key) const { return *entries_.at(key); }

private:
    static constexpr std::size_t kMost = 512;
    std::map<std::string, std::optional<Response>> entries_;
    std::deque<std::string> order_;
};

}  // namespace torii::mgmt
