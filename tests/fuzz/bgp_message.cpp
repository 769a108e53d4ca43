#include "bgp/wire/message.hpp"

using namespace torii::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto notification = decode_notification({data, size});
    if (notification) (void)(to_string(*notification) + shutdown_communication(*notification));
    (void)decode_refresh({data, size});
    return 0;
}
