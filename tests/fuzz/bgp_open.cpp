#include "bgp/wire/open.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto open = torii::bgp::decode_open({data, size});
    std::vector<std::uint8_t> out;
    if (open) torii::bgp::encode(*open, out);
    return 0;
}
