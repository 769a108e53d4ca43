#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/loop.hpp"
#include "mgmt/wire/transport.hpp"

namespace torii::mgmt {

// A connection's bytes, whatever carries them: owns the socket and waits for
// what the transport cannot do at once. One operation at a time; its `done`
// keeps the stream's owner alive and is called later, by the loop, never from
// inside the call. When the stream is closed first, by close() or because the
// time was up, `done` is destroyed uncalled, and with it an owner that nothing
// else keeps.
class Stream {
public:
    using Done = std::function<void(bool)>;                // false: it broke
    using ReadDone = std::function<void(std::ptrdiff_t)>;  // bytes; 0: no more come; -1: it broke

    Stream(Loop& loop, int socket, std::unique_ptr<Transport> transport);

    // The operations that follow have so much time in all.
    void limit(std::chrono::milliseconds time);

    void handshake(Done done);
    void read_some(std::span<char> into, ReadDone done);  // `into` must be valid until then
    void write(std::string first, std::string second, Done done);

    bool half_close() { return transport_->half_close(); }
    void close();

private:
    using Operation = std::function<Transport::Step()>;
    using Finish = std::function<void(Transport::Step)>;
    void attempt(Operation operation, Finish finish, bool waited);
    void wait(Transport::Outcome what, Loop::Work work);

    Loop& loop_;
    Descriptor socket_;
    Timer timer_;
    std::unique_ptr<Transport> transport_;
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace torii::mgmt
