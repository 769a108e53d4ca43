#pragma once

#include <optional>
#include <string_view>

#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// The code of the fast path for one instruction set.
struct Isa {
    std::string_view name;
    ForwardBurst forward;
    void (*lookup4)(const Fib4View&, const std::uint32_t*, std::uint32_t*, unsigned);
    void (*lookup6)(const Fib6View&, const std::uint64_t*, const std::uint64_t*, std::uint32_t*,
                    unsigned);
};

extern const Isa kScalar, kAvx2, kAvx512;

// What was asked for as far as this CPU has it; Auto is the best it has.
const Isa& choose_isa(LookupKind wanted);

}  // namespace torii::dataplane
