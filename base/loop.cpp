#include "base/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <utility>

namespace torii {

namespace asio = boost::asio;
using boost::system::error_code;

struct Loop::Impl {
    asio::io_context io{1};
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::post(Work work) {
    asio::post(impl_->io, std::move(work));
}

void Loop::post_after(std::chrono::steady_clock::duration time, Work work) {
    auto timer = std::make_unique<asio::steady_timer>(impl_->io, time);
    auto& ref = *timer;
    ref.async_wait([timer = std::move(timer), work = std::move(work)](error_code error) {
        if (!error) work();
    });
}

void Loop::run() {
    impl_->io.run();
}

std::size_t Loop::poll() {
    impl_->io.restart();
    return impl_->io.poll();
}

void Loop::stop() {
    impl_->io.stop();
}

struct Timer::Impl {
    explicit Impl(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    std::uint64_t turn = 0;  // of the start() that counts
    bool running = false;
};

Timer::Timer(Loop& loop) : impl_(std::make_shared<Impl>(loop.impl_->io)) {}
Timer::~Timer() {
    cancel();
}

void Timer::start(std::chrono::steady_clock::duration time, Loop::Work work) {
    const auto turn = ++impl_->turn;
    impl_->running = true;
    impl_->timer.expires_after(time);
    impl_->timer.async_wait(
        [weak = std::weak_ptr{impl_}, turn, work = std::move(work)](error_code error) {
            const auto self = weak.lock();
            if (error || !self || self->turn != turn) return;
            self->running = false;
            work();
        });
}

void Timer::cancel() {
    ++impl_->turn;
    impl_->running = false;
    impl_->timer.cancel();
}

bool Timer::running() const {
    return impl_->running;
}

struct Descriptor::Impl : std::enable_shared_from_this<Descriptor::Impl> {
    explicit Impl(asio::io_context& io) : descriptor(io) {}

    void wait_readable(std::function<bool()> handler) {
        descriptor.async_wait(
            asio::posix::stream_descriptor::wait_read,
            [weak = weak_from_this(), handler = std::move(handler)](error_code error) mutable {
                // A handler that is queued already outlives close().
                auto self = weak.lock();
                if (error || !self || !self->descriptor.is_open()) return;
                if (handler() && self->descriptor.is_open())
                    self->wait_readable(std::move(handler));
            });
    }
    void wait_writable(Loop::Work work) {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                              [weak = weak_from_this(), work = std::move(work)](error_code error) {
                                  const auto self = weak.lock();
                                  if (!error && self && self->descriptor.is_open()) work();
                              });
    }

    asio::posix::stream_descriptor descriptor;
};

Descriptor::Descriptor(Loop& loop) : impl_(std::make_shared<Impl>(loop.impl_->io)) {}
Descriptor::~Descriptor() {
    close();
}

void Descriptor::assign(int descriptor) {
    impl_->descriptor.assign(descriptor);
}

int Descriptor::get() const {
    return impl_->descriptor.is_open() ? impl_->descriptor.native_handle() : -1;
}

void Descriptor::close() {
    error_code ignored;
    impl_->descriptor.close(ignored);
}

int Descriptor::release() {
    return impl_->descriptor.is_open() ? impl_->descriptor.release() : -1;
}

void Descriptor::while_readable(std::function<bool()> handler) {
    impl_->wait_readable(std::move(handler));
}

void Descriptor::when_readable(Loop::Work work) {
    impl_->wait_readable([work = std::move(work)] {
        work();
        return false;
    });
}

void Descriptor::when_writable(Loop::Work work) {
    impl_->wait_writable(std::move(work));
}

struct Signals::Impl : std::enable_shared_from_this<Signals::Impl> {
    Impl(asio::io_context& io, std::function<bool(int)> all) : set(io), handler(std::move(all)) {}

    void wait() {
        set.async_wait([weak = weak_from_this()](error_code error, int number) {
            const auto self = weak.lock();
            if (!error && self && self->handler(number)) self->wait();
        });
    }

    asio::signal_set set;
    std::function<bool(int)> handler;
};

Signals::Signals(Loop& loop, std::initializer_list<int> numbers, std::function<bool(int)> handler)
    : impl_(std::make_shared<Impl>(loop.impl_->io, std::move(handler))) {
    for (const int number : numbers) impl_->set.add(number);
    impl_->wait();
}
Signals::~Signals() {
    impl_->set.cancel();
}

}  // namespace torii
