#include "bgp/wire/as_path.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "bgp/wire/iana.hpp"

namespace torii::bgp {

namespace {

// Only for well formed paths.
template <class F>
void for_each_segment(AsPathView path, F&& use) {
    ByteReader in{path};
    while (!in.empty()) {
        const auto type = in.u8();
        const std::size_t n = in.u8();
        const auto members = in.bytes(n * 4);
        if (!in.ok() || !use(type, members)) return;
    }
}

std::uint32_t as_at(std::span<const std::uint8_t> members, std::size_t i) {
    const auto* p = members.data() + i * 4;
    return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

std::size_t counted(AsPathView path) {
    std::size_t n = 0;
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        if (type == segment::kSequence) n += members.size() / 4;
        if (type == segment::kSet) ++n;
        return true;
    });
    return n;
}

}  // namespace

bool as_path_well_formed(AsPathView path, std::size_t width) {
    while (!path.empty()) {
        if (path.size() < 2) return false;
        const auto type = path[0];
        const std::size_t size = 2 + path[1] * width;
        if (type < segment::kSet || type > segment::kConfedSet || path[1] == 0 ||
            path.size() < size)
            return false;
        path = path.subspan(size);
    }
    return true;
}

AsPathFacts inspect(AsPathView path) {
    AsPathFacts facts;
    std::size_t length = 0;
    bool leading = true;
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        const std::size_t n = members.size() / 4;
        for (std::size_t i = 0; i < n; ++i) facts.has_zero |= as_at(members, i) == 0;
        facts.has_set |= type == segment::kSet;
        facts.has_confed |= type == segment::kConfedSequence || type == segment::kConfedSet;
        if (leading && type == segment::kSequence) facts.first = as_at(members, 0);
        leading = false;
        length += type == segment::kSequence ? n : type == segment::kSet ? 1 : 0;
        return true;
    });
    facts.length = static_cast<std::uint16_t>(std::min<std::size_t>(length, 0xffff));
    return facts;
}

std::size_t count(AsPathView path, std::uint32_t as) {
    std::size_t n = 0;
    for_each_segment(path, [&](std::uint8_t, auto members) {
        for (std::size_t i = 0; i < members.size() / 4; ++i) n += as_at(members, i) == as;
        return true;
    });
    return n;
}

std::uint32_t origin_as(AsPathView path) {
    std::uint32_t last = 0;
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        last = type == segment::kSequence ? as_at(members, members.size() / 4 - 1) : 0;
        return true;
    });
    return last;
}

std::string to_string(AsPathView path) {
    constexpr std::size_t kUsual = 7;  // characters of an AS and what is between two
    std::string out;
    out.reserve(path.size() / 4 * kUsual);
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        const bool set = type == segment::kSet || type == segment::kConfedSet;
        const bool confed = type >= segment::kConfedSequence;
        if (!out.empty()) out += ' ';
        if (set) out += confed ? '[' : '{';
        if (confed && !set) out += '(';
        for (std::size_t i = 0; i < members.size() / 4; ++i) {
            if (i != 0) out += set ? ',' : ' ';
            out += std::to_string(as_at(members, i));
        }
        if (set) out += confed ? ']' : '}';
        if (confed && !set) out += ')';
        return true;
    });
    return out;
}

std::vector<std::uint32_t> ases(AsPathView path) {
    std::vector<std::uint32_t> out;
    for_each_segment(path, [&](std::uint8_t, auto members) {
        for (std::size_t i = 0; i < members.size() / 4; ++i) out.push_back(as_at(members, i));
        return true;
    });
    return out;
}

void widen(AsPathView two_octet, std::vector<std::uint8_t>& buffer) {
    ByteReader in{two_octet};
    ByteWriter out{buffer};
    while (!in.empty()) {
        out.u8(in.u8());
        const auto n = in.u8();
        out.u8(n);
        for (unsigned i = 0; i < n; ++i) out.u32(in.u16());
    }
}

bool narrow(AsPathView path, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    bool lossy = false;
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        out.u8(type);
        out.u8(static_cast<std::uint8_t>(members.size() / 4));
        for (std::size_t i = 0; i < members.size() / 4; ++i) {
            const auto as = as_at(members, i);
            lossy |= as > 0xffff;
            out.u16(static_cast<std::uint16_t>(as > 0xffff ? kAsTrans : as));
        }
        return true;
    });
    return lossy;
}

void merge_as4_path(AsPathView path, AsPathView as4_path, std::vector<std::uint8_t>& buffer) {
    const std::size_t all = counted(path), newer = counted(as4_path);
    ByteWriter out{buffer};
    if (newer > all) {
        out.bytes(path);
        return;
    }
    std::size_t keep = all - newer;
    for_each_segment(path, [&](std::uint8_t type, auto members) {
        if (type >= segment::kConfedSequence) {
            out.u8(type);
            out.u8(static_cast<std::uint8_t>(members.size() / 4));
            out.bytes(members);
            return true;
        }
        if (keep == 0) return false;
        const std::size_t n =
            type == segment::kSet ? members.size() / 4 : std::min(keep, members.size() / 4);
        out.u8(type);
        out.u8(static_cast<std::uint8_t>(n));
        out.bytes(members.first(n * 4));
        keep -= type == segment::kSet ? 1 : n;
        return true;
    });
    // RFC 6793 §6: no confederation segments in AS4_PATH; they are left out.
    for_each_segment(as4_path, [&](std::uint8_t type, auto members) {
        if (type >= segment::kConfedSequence) return true;
        out.u8(type);
        out.u8(static_cast<std::uint8_t>(members.size() / 4));
        out.bytes(members);
        return true;
    });
}

void prepend(AsPathView path, std::uint32_t as, std::size_t times,
             std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const bool joins = path.size() >= 2 && path[0] == segment::kSequence;
    // A segment holds 255 ASes at most.
    if (joins && path[1] + times <= 255) {
        out.u8(segment::kSequence);
        out.u8(static_cast<std::uint8_t>(path[1] + times));
        for (std::size_t i = 0; i < times; ++i) out.u32(as);
        out.bytes(path.subspan(2));
        return;
    }
    while (times > 0) {
        const std::size_t n = std::min<std::size_t>(times, 255);
        out.u8(segment::kSequence);
        out.u8(static_cast<std::uint8_t>(n));
        for (std::size_t i = 0; i < n; ++i) out.u32(as);
        times -= n;
    }
    out.bytes(path);
}

}  // namespace torii::bgp
