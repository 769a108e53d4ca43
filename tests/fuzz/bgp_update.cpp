#include "bgp/wire/update.hpp"

using namespace torii::bgp;

// The first octet chooses what was negotiated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static AttributeStorage storage;
    DecodeContext context;
    context.four_octet_as = data[0] & 1;
    context.ebgp = data[0] & 2;
    context.extended_next_hop = data[0] & 4;
    context.add_path = {(data[0] & 8) != 0, (data[0] & 16) != 0};
    context.enforce_first_as = false;
    context.allow_as_set = data[0] & 32;
    const auto update = decode_update({data + 1, size - 1}, context, storage);
    if (!update) return 0;
    std::size_t n = 0;
    for_each_nlri(update->announced, [&](const torii::Prefix&, std::uint32_t) { ++n; });
    std::vector<std::uint8_t> out;
    encode_attributes(update->attributes, context.four_octet_as, true, out);
    if (context.four_octet_as && update->recovery == Recovery::None) (void)view_attributes(out);
    return 0;
}
