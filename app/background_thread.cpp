#include "app/background_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace torii::app {

struct BackgroundThread::Thread {
    std::mutex mutex;
    std::condition_variable news;
    std::deque<std::function<void()>> waiting;
    bool finish = false;
    std::thread thread{[this] { run_all(); }};

    void run_all() {
        std::unique_lock lock{mutex};
        for (;;) {
            news.wait(lock, [&] { return !waiting.empty() || finish; });
            if (waiting.empty()) return;
            auto task = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            task();
            task = nullptr;  // what it holds goes without the lock
            lock.lock();
        }
    }
};

BackgroundThread::BackgroundThread() : thread_(std::make_unique<Thread>()) {}

BackgroundThread::~BackgroundThread() {
    finish();
}

void BackgroundThread::run(std::function<void()> task) {
    const std::lock_guard lock{thread_->mutex};
    if (thread_->finish) return;
    thread_->waiting.push_back(std::move(task));
    thread_->news.notify_one();
}

void BackgroundThread::finish() {
    {
        const std::lock_guard lock{thread_->mutex};
        thread_->finish = true;
        thread_->news.notify_one();
    }
    if (thread_->thread.joinable()) thread_->thread.join();
}

}  // namespace torii::app
