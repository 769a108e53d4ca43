#define TORII_ISA isa_avx2
#include "dataplane/fast/forward_burst.inc"
#include "dataplane/fast/isa.hpp"

namespace torii::dataplane {
namespace {

void lookup4(const Fib4View& fib, const std::uint32_t* dst, std::uint32_t* hop, unsigned n) {
    TORII_ISA::lookup4_plain(fib, dst, hop, n);
}
void lookup6(const Fib6View& fib, const std::uint64_t* high, const std::uint64_t* low,
             std::uint32_t* hop, unsigned n) {
    TORII_ISA::lookup6_blocks(fib, high, low, hop, n);
}

}  // namespace

const Isa kAvx2{"avx2", TORII_ISA::forward_burst, lookup4, lookup6};

}  // namespace torii::dataplane
