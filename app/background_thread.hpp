#pragma once

#include <functional>
#include <memory>

namespace torii::app {

// A thread for tasks that would block the control thread: reading, writing and parsing
// files. Runs one task after the other, in order of arrival.
class BackgroundThread {
public:
    BackgroundThread();
    ~BackgroundThread();
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    void run(std::function<void()> task);  // any thread; returns at once
    void finish();                         // waits for all tasks; later ones are dropped

private:
    struct Thread;
    std::unique_ptr<Thread> thread_;
};

}  // namespace torii::app
