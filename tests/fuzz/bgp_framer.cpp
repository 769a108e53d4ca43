#include "bgp/wire/framer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const bool extended : {false, true}) (void)torii::bgp::next_frame({data, size}, extended);
    return 0;
}
