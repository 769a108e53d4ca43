#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>

// The event loop of one thread and its sources of events: posted work, timers,
// descriptors, signals. Boost.Asio is included by loop.cpp alone, so that a header with a
// timer does not cost its compile time.
//
// A Timer, a Descriptor and Signals are used on the thread that runs their loop,
// and the loop outlives them.
namespace torii {

class Loop {
public:
    using Work = std::function<void()>;

    Loop();
    ~Loop();  // work that has not run is destroyed with it
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs `work` on the loop's thread, later. Any thread.
    void post(Work work);
    // The same, but not before this time has passed.
    void post_after(std::chrono::steady_clock::duration time, Work work);
    // Returns after stop(), or when nothing can wake the loop any more.
    void run();
    // Runs what is ready now; returns how many handlers that were.
    std::size_t poll();
    void stop();  // any thread

private:
    friend class Timer;
    friend class Descriptor;
    friend class Signals;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// One deadline. After cancel(), after another start() and after the timer's end
// the work of the earlier start() does not run any more.
class Timer {
public:
    explicit Timer(Loop& loop);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void start(std::chrono::steady_clock::duration time, Loop::Work work);
    void cancel();
    bool running() const;  // started, and its work has not begun

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// Owns a file descriptor and reports when it is ready. Closing it, release()
// and its end drop the handlers.
class Descriptor {
public:
    explicit Descriptor(Loop& loop);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    void assign(int descriptor);
    int get() const;  // -1: none
    bool is_open() const { return get() >= 0; }
    void close();
    int release();  // gives it back unclosed

    // While there is something to read, until `handler` returns false.
    void while_readable(std::function<bool()> handler);
    // Once each.
    void when_readable(Loop::Work work);
    void when_writable(Loop::Work work);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// Takes these signals of the process, until `handler` returns false.
class Signals {
public:
    Signals(Loop& loop, std::initializer_list<int> numbers, std::function<bool(int)> handler);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace torii
