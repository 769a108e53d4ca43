#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "mgmt/views.hpp"

namespace torii::mgmt {

// Runs something on the management thread, later. Any thread may call it; after
// the server has stopped it does nothing.
using Post = std::function<void(std::function<void()>)>;

// What a view is given to answer with: brings the answer from whatever thread
// to the management thread, once; when its last copy is destroyed unanswered,
// the answer is 503.
template <class T>
Done<T> answer_on(Post post, std::function<void(Result<T, Problem>)> handler) {
    struct Pending {
        Post post;
        std::function<void(Result<T, Problem>)> handler;
        std::atomic<bool> answered{false};

        void answer(Result<T, Problem> result) {
            if (answered.exchange(true)) return;
            post([handler = std::move(handler),
                  result = std::make_shared<Result<T, Problem>>(std::move(result))]() {
                handler(std::move(*result));
            });
        }
        ~Pending() { answer(Failure{unavailable("the router is stopping")}); }
    };
    auto pending = std::make_shared<Pending>();
    pending->post = std::move(post);
    pending->handler = std::move(handler);
    return [pending](Result<T, Problem> result) { pending->answer(std::move(result)); };
}

}  // namespace torii::mgmt
