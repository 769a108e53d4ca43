#include "mgmt/pcapng.hpp"

#include <cstring>

namespace torii::mgmt::pcapng {
namespace {

enum class Block : std::uint32_t {
    Section = 0x0a0d0d0a,
    Interface = 1,
    Statistics = 5,
    Packet = 6,
};

class Writer {
public:
    template <class T>
    Writer& put(T value) {
        char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        body_.append(bytes, sizeof value);
        return *this;
    }
    Writer& padded(std::string_view bytes) {
        body_ += bytes;
        body_.append((4 - bytes.size() % 4) % 4, '\0');
        return *this;
    }
    Writer& option(std::uint16_t code, std::string_view value) {
        value = value.substr(0, 0xffff);
        put(code).put(static_cast<std::uint16_t>(value.size()));
        return padded(value);
    }
    Writer& time(std::uint64_t t) {
        put(static_cast<std::uint32_t>(t >> 32));
        return put(static_cast<std::uint32_t>(t));
    }
    // With its length in front and behind.
    std::string block(Block type) const {
        constexpr std::uint32_t kAround = 12;
        const auto length = static_cast<std::uint32_t>(body_.size()) + kAround;
        Writer out;
        out.put(static_cast<std::uint32_t>(type)).put(length);
        out.body_ += body_;
        return out.put(length).body_;
    }

private:
    std::string body_;
};

constexpr std::uint16_t kEnd = 0, kComment = 1;

}  // namespace

std::string section(std::string_view application) {
    constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
    constexpr std::uint16_t kMajor = 1, kMinor = 0, kApplication = 4;
    constexpr std::int64_t kUnknownLength = -1;
    return Writer{}
        .put(kByteOrder)
        .put(kMajor)
        .put(kMinor)
        .put(kUnknownLength)
        .option(kApplication, application)
        .option(kEnd, "")
        .block(Block::Section);
}

std::string interface(std::string_view name, std::uint32_t snap) {
    constexpr std::uint16_t kEthernet = 1, kReserved = 0, kName = 2, kResolution = 9;
    constexpr std::string_view kNanoseconds = "\x09";
    return Writer{}
        .put(kEthernet)
        .put(kReserved)
        .put(snap)
        .option(kName, name)
        .option(kResolution, kNanoseconds)
        .option(kEnd, "")
        .block(Block::Interface);
}

std::string packet(std::uint32_t interface, std::uint64_t nanoseconds, std::uint32_t length,
                   std::string_view bytes, std::string_view comment) {
    Writer out;
    out.put(interface)
        .time(nanoseconds)
        .put(static_cast<std::uint32_t>(bytes.size()))
        .put(length)
        .padded(bytes);
    if (!comment.empty()) out.option(kComment, comment).option(kEnd, "");
    return out.block(Block::Packet);
}

std::string statistics(std::uint32_t interface, std::uint64_t nanoseconds, std::uint64_t lost) {
    constexpr std::uint16_t kDropped = 5;
    char bytes[sizeof lost];
    std::memcpy(bytes, &lost, sizeof lost);
    return Writer{}
        .put(interface)
        .time(nanoseconds)
        .option(kDropped, {bytes, sizeof lost})
        .option(kEnd, "")
        .block(Block::Statistics);
}

}  // namespace torii::mgmt::pcapng
