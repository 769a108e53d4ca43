#include "app/chores.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace torii::app {

struct Chores::Thread {
    boost::asio::thread_pool pool{1};
};

Chores::Chores() : thread_(std::make_unique<Thread>()) {}

Chores::~Chores() {
    finish();
}

void Chores::run(std::function<void()> chore) {
    boost::asio::post(thread_->pool, std::move(chore));
}

void Chores::finish() {
    thread_->pool.join();
}

}  // namespace torii::app
