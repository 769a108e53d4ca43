#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

// Requests in a straight line: a coroutine that moves between the control thread and the
// background thread by `co_await`. A coroutine whose thread ends before it was resumed is
// destroyed there with everything it holds: a `Done` among that answers by its own end.
// What is awaited gets no conditional expression as an argument: GCC 12 ends its
// temporaries twice.
namespace torii::app {

struct TaskPromise {
    std::coroutine_handle<> root;       // the coroutine that nothing awaits: owns the others
    std::coroutine_handle<> continued;  // awaits this one; none for the root

    void unhandled_exception() { std::terminate(); }
};

// Of a coroutine that runs by itself from its call on. A class whose functions are such and
// return void declares so by std::coroutine_traits.
struct DetachedPromise : TaskPromise {
    DetachedPromise() { root = std::coroutine_handle<DetachedPromise>::from_promise(*this); }
    void get_return_object() {}
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
};

// A step of another coroutine, which awaits its value. Lives inside of that one.
template <class T>
class Task {
public:
    struct promise_type : TaskPromise {
        std::optional<T> value;

        Task get_return_object() {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        struct Back {
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> from) noexcept {
                return from.promise().continued;
            }
            void await_resume() noexcept {}
        };
        Back final_suspend() noexcept { return {}; }
        template <class U>
        void return_value(U&& result) {
            value.emplace(std::forward<U>(result));
        }
    };

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> from) noexcept {
        handle_.promise().root = from.promise().root;
        handle_.promise().continued = from;
        return handle_;
    }
    T await_resume() { return std::move(*handle_.promise().value); }

private:
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

// Goes on where `post` runs its argument.
class Elsewhere {
public:
    explicit Elsewhere(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> from) {
        // `this` may be gone as soon as the other thread has it.
        const auto post = std::move(post_);
        post([resume = std::make_shared<Resume>(from, from.promise().root)] { resume->run(); });
    }
    void await_resume() const noexcept {}

private:
    struct Resume {
        Resume(std::coroutine_handle<> at, std::coroutine_handle<> root) : at_(at), root_(root) {}
        Resume(const Resume&) = delete;
        Resume& operator=(const Resume&) = delete;
        ~Resume() {
            if (at_) root_.destroy();
        }
        void run() { std::exchange(at_, {}).resume(); }

    private:
        std::coroutine_handle<> at_, root_;
    };
    std::function<void(std::function<void()>)> post_;
};

}  // namespace torii::app
