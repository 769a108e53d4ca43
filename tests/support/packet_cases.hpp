#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "tests/support/packet_world.hpp"

namespace torii::support {

// tests/vectors/packets_bad.json, read once.
const boost::json::array& packet_cases();
Bytes frame_of(const boost::json::object& packet_case);
Bytes from_hex(std::string_view hex);

// Frames of the cases and of the seeds given, some as they are, some with octets of the
// headers changed, some cut: what a port may see of a hostile or broken sender.
class MutantFrames {
public:
    MutantFrames(std::vector<Bytes> more_seeds, std::uint64_t seed);
    void next(Bytes& frame);  // reuses its room

private:
    std::vector<Bytes> seeds_;
    std::minstd_rand random_;
};

}  // namespace torii::support
