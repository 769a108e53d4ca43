// What is decoded, encoded and viewed again is what it was.
#include <algorithm>
#include <cstdlib>

#include "bgp/wire/attributes.hpp"

using namespace torii::bgp;

// The first octet chooses what was negotiated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static AttributeStorage storage;
    DecodeContext context;
    context.four_octet_as = data[0] & 1;
    context.ebgp = data[0] & 2;
    context.enforce_first_as = data[0] & 4;
    context.allow_as_set = data[0] & 8;
    context.peer_as = 65001;
    const auto decoded = decode_attributes({data + 1, size - 1}, context, storage);
    if (!decoded || decoded->recovery == Recovery::TreatAsWithdraw) return 0;
    std::vector<std::uint8_t> out;
    encode_attributes(decoded->attributes, true, false, out);
    const auto again = view_attributes(out);
    const auto& first = decoded->attributes;
    constexpr auto kNextHop = std::uint64_t{1} << static_cast<unsigned>(Attribute::NextHop);
    if ((first.present & ~kNextHop) != (again.present & ~kNextHop) ||
        !std::ranges::equal(first.communities, again.communities) ||
        !std::ranges::equal(first.others, again.others))
        std::abort();
    if (first.has(Attribute::AsPath) && !std::ranges::equal(first.as_path, again.as_path))
        std::abort();
    (void)to_string(first.as_path);
    return 0;
}
