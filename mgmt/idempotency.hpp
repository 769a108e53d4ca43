#pragma once

#include <deque>
#include <functional>
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
    enum class State : std::uint8_t { New, Running, Done, Other };

    // Running from the first call on until `finish`; Other when the key came with another
    // request before.
    State begin(const std::string& key, const std::string& request) {
        const auto digest = std::hash<std::string>{}(request);
        const auto [it, fresh] = entries_.try_emplace(key, Entry{digest, request.size(), {}});
        if (!fresh) {
            if (it->second.digest != digest || it->second.size != request.size())
                return State::Other;
            return it->second.answer ? State::Done : State::Running;
        }
        order_.push_back(key);
        if (order_.size() > kMost) {
            entries_.erase(order_.front());
            order_.pop_front();
        }
        return State::New;
    }
    // What failed may be tried again under the same key.
    void finish(const std::string& key, const Response& response) {
        const auto it = entries_.find(key);
        if (it == entries_.end()) return;
        if (response.status < 400) {
            it->second.answer = response;
            return;
        }
        entries_.erase(it);
        std::erase(order_, key);
    }
    const Response& answer(const std::string& key) const { return *entries_.at(key).answer; }

private:
    static constexpr std::size_t kMost = 512;
    struct Entry {
        std::size_t digest = 0, size = 0;  // of the request
        std::optional<Response> answer;
    };
    std::map<std::string, Entry> entries_;
    std::deque<std::string> order_;
};

}  // namespace torii::mgmt
