#pragma once

#include <chrono>
#include <cstdint>

#include "base/loop.hpp"
#include "mgmt/views.hpp"

namespace torii::app {

class Gateway;

// Packets of the workers for an API client. A capture that no client takes from ends
// by itself: its client has disconnected.
class Captures final : public mgmt::CaptureControl {
public:
    explicit Captures(Gateway& gateway);
    void start(mgmt::CaptureRequest request, mgmt::Done<std::vector<std::string>> done) override;
    void take(mgmt::Done<mgmt::CaptureBatch> done) override;
    void stop() override;

private:
    void end();
    void end_unless_taken();

    Gateway& gateway_;
    Timer abandoned_;
    std::uint64_t began_tsc_ = 0, hz_ = 1;
    std::chrono::system_clock::time_point began_;
};

}  // namespace torii::app
