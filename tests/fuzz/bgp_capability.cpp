#include "bgp/wire/capability.hpp"

// The first octet is the capability's code; a value has 255 octets at most.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 256) return 0;
    torii::bgp::Capabilities capabilities;
    if (!torii::bgp::decode_capability(data[0], {data + 1, size - 1}, capabilities)) return 0;
    std::vector<std::uint8_t> out;
    torii::ByteWriter writer{out};
    torii::bgp::encode_capabilities(capabilities, writer);
    return 0;
}
