#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace torii::mgmt {

// Moves bytes through a non-blocking socket that it does not own, without ever
// waiting: what cannot be done now returns what to wait for.
class Transport {
public:
    enum class Outcome : unsigned char { Done, Ended, WantRead, WantWrite, Broken };
    struct Step {
        Outcome outcome = Outcome::Done;
        std::size_t bytes = 0;  // with Done
    };

    virtual ~Transport() = default;
    virtual Step handshake() = 0;
    // Ended: the peer sends no more.
    virtual Step read(char* into, std::size_t size) = 0;
    // Takes some of `first` and then of `second`, which follows it.
    virtual Step write(std::string_view first, std::string_view second) = 0;
    // Signals the end of our data to the peer and goes on reading; false where
    // the transport cannot.
    virtual bool half_close() = 0;
};

std::unique_ptr<Transport> plain_transport(int socket);

}  // namespace torii::mgmt
