#include "dataplane/fast/isa.hpp"

namespace torii::dataplane {

const Isa& choose_isa(LookupKind wanted) {
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
                      __builtin_cpu_supports("fma");
    if (avx512 && (wanted == LookupKind::Avx512 || wanted == LookupKind::Auto)) return kAvx512;
    if (avx2 && wanted != LookupKind::Scalar) return kAvx2;
    return kScalar;
}

}  // namespace torii::dataplane
