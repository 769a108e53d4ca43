#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/event.hpp"
#include "bgp/session/timers.hpp"

namespace torii::bgp {

// Segments the kernel dropped because of their TCP MD5 signature (RFC 2385), in
// all since the network namespace began.
struct Md5Refusals {
    std::uint64_t missing = 0;     // a key is set, the segment has no signature
    std::uint64_t unexpected = 0;  // signed, but no key is set
    std::uint64_t wrong = 0;       // signed with another key
    std::uint64_t sum() const { return missing + unexpected + wrong; }
};
// The text of /proc/net/netstat; nothing when the kernel does not count them.
std::optional<Md5Refusals> parse_md5_refusals(std::string_view netstat);
std::optional<Md5Refusals> read_md5_refusals();

// The kernel drops such segments silently, and a peer without the key looks like
// one that is switched off. This reports them: it reads the counters once a second
// and emits an event at most every ten seconds.
class Md5Watch final : public Timed {
public:
    using Read = std::function<std::optional<Md5Refusals>()>;
    Md5Watch(EventSink& events, Read read);

    std::optional<Clock::TimePoint> on_time(Clock::TimePoint now) override;

private:
    EventSink& events_;
    Read read_;
    std::optional<Md5Refusals> last_count_;
    Clock::TimePoint quiet_until_ = Clock::TimePoint::min();
};

}  // namespace torii::bgp
