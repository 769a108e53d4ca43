#include "dataplane/liveness/session.hpp"

#include <bit>
#include <cstring>

namespace torii::dataplane::liveness {

void Session::publish(const Status& now) {
    std::uint64_t words[2];
    std::memcpy(words, &now, sizeof words);
    version.fetch_add(1, std::memory_order_acq_rel);
    status[0].store(words[0], std::memory_order_relaxed);
    status[1].store(words[1], std::memory_order_relaxed);
    version.fetch_add(1, std::memory_order_release);
}

Status Session::read() const {
    std::uint64_t words[2];
    std::uint32_t before = 0;
    do {
        before = version.load(std::memory_order_acquire);
        words[0] = status[0].load(std::memory_order_relaxed);
        words[1] = status[1].load(std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_acquire);
    } while ((before & 1) != 0 || before != version.load(std::memory_order_relaxed));
    Status out;
    std::memcpy(&out, words, sizeof out);
    return out;
}

Directory::Directory(const std::vector<Session*>& sessions)
    : mask_(std::bit_ceil(2 * sessions.size() + 1) - 1), table_(mask_ + 1, nullptr) {
    for (auto* session : sessions) {
        auto at = slot(session->port, session->address);
        while (table_[at] != nullptr) at = (at + 1) & mask_;
        table_[at] = session;
    }
}

std::size_t Directory::slot(PortIndex port, const IpAddress& address) const {
    return (IpAddressHash{}(address) + port * std::size_t{0x9e3779b97f4a7c15}) & mask_;
}

Session* Directory::find(PortIndex port, const IpAddress& address) const {
    for (auto at = slot(port, address); table_[at] != nullptr; at = (at + 1) & mask_)
        if (table_[at]->port == port && table_[at]->address == address) return table_[at];
    return nullptr;
}

}  // namespace torii::dataplane::liveness
