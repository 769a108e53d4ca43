#include "tests/support/packet_cases.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace torii::support {

namespace json = boost::json;

const json::array& packet_cases() {
    static const json::value parsed = [] {
        std::ifstream file{TORII_VECTORS "/packets_bad.json"};
        std::stringstream text;
        text << file.rdbuf();
        return json::parse(text.str());
    }();
    return parsed.as_object().at("cases").as_array();
}

Bytes from_hex(std::string_view hex) {
    Bytes out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

Bytes frame_of(const json::object& c) {
    if (c.at("hex").is_string()) return from_hex(c.at("hex").as_string());
    auto out = from_hex(c.at("hex_head").as_string());
    out.resize(static_cast<std::size_t>(c.at("length").as_int64()), 0x78);
    return out;
}

MutantFrames::MutantFrames(std::vector<Bytes> more_seeds, std::uint64_t seed)
    : seeds_(std::move(more_seeds)), random_(static_cast<std::minstd_rand::result_type>(seed)) {
    for (const auto& value : packet_cases()) seeds_.push_back(frame_of(value.as_object()));
    for (auto& frame : seeds_) frame.resize(std::min<std::size_t>(frame.size(), 2000));
}

void MutantFrames::next(Bytes& frame) {
    constexpr std::size_t kHeaders = 90;
    frame = seeds_[random_() % seeds_.size()];
    for (auto flips = random_() % 4; flips > 0; --flips)
        frame[random_() % std::min(frame.size(), kHeaders)] =
            static_cast<std::uint8_t>(random_() >> 8);
    if (random_() % 8 == 0) frame.resize(1 + random_() % frame.size());
}

}  // namespace torii::support
