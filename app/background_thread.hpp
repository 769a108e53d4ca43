#pragma once

#include <functional>
#include <memory>

namespace torii::app {

// A thread for what the control thread has no time for: reading, writing and
// parsing files. One chore after the other, in the order in which they came.
class BackgroundThread {
public:
    BackgroundThread();
    ~BackgroundThread();
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    void run(std::function<void()> chore);  // any thread; returns at once
    void finish();                          // waits for all of them; later ones are dropped

private:
    struct Thread;
    std::unique_ptr<Thread> thread_;
};

}  // namespace torii::app
