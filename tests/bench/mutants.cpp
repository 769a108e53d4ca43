// Random and mutated frames through the real nodes in every instruction set: each must
// leave by one exit, and no buffer may stay behind. A JSON line each.
//
//   mutants [--frames N] [--seed S]
#include <chrono>
#include <cstdio>
#include <string>

#include "tests/support/packet_cases.hpp"

namespace {

using namespace torii;
using support::Bytes;

// One world for all of them, as a gateway lives. False: the books do not balance.
bool run(dataplane::LookupKind kind, const char* name, std::uint64_t frames, std::uint64_t seed) {
    support::PacketWorld world{kind};
    const auto buffers = world.buffers_in_use();
    support::MutantFrames mutants{{}, seed};
    std::vector<Bytes> burst(dataplane::kBurst);
    std::uint64_t held = 0;
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t n = 0; n < frames; n += burst.size()) {
        for (auto& frame : burst) mutants.next(frame);
        world.set_hardware_checksum(n / burst.size() % 2 != 0);
        world.receive(burst);
        held += std::exchange(world.worker->counters.held, 0);
        world.drop_held();
        world.drop_sent();
        world.take_punted();
    }
    std::uint64_t punted = 0, dropped = 0;
    for (const auto& port : world.worker->counters.exits)
        for (std::size_t e = 0; e < dataplane::kExits; ++e)
            (is_punt(static_cast<dataplane::Exit>(e)) ? punted : dropped) += port[e];
    const auto received = world.received(), generated = world.worker->counters.generated,
               sent = world.transmitted();
    const auto leaked = world.buffers_in_use() - buffers;
    const bool balanced =
        received + generated == sent + punted + dropped + held && leaked == 0 && received >= frames;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf(
        "{\"name\":\"mutants-%s\",\"value\":%lu,\"unit\":\"frames\",\"generated\":%lu,"
        "\"transmitted\":%lu,\"punted\":%lu,\"dropped\":%lu,\"held\":%lu,\"buffers_leaked\":%u,"
        "\"balanced\":%s,\"seconds\":%.1f}\n",
        name, received, generated, sent, punted, dropped, held, leaked, balanced ? "true" : "false",
        took.count());
    std::fflush(stdout);
    return balanced;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t frames = 100'000'000, seed = 1;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        if (a == "--frames" && i + 1 < argc) {
            frames = std::stoull(argv[++i]);
        } else if (a == "--seed" && i + 1 < argc) {
            seed = std::stoull(argv[++i]);
        } else {
            std::puts("mutants [--frames N] [--seed S]");
            return a == "--help" ? 0 : 2;
        }
    }
    using dataplane::LookupKind;
    bool good = true;
    const struct {
        LookupKind kind;
        const char* name;
    } sets[] = {
        {LookupKind::Scalar, "scalar"}, {LookupKind::Avx2, "avx2"}, {LookupKind::Avx512, "avx512"}};
    for (const auto& set : sets) good &= run(set.kind, set.name, frames / 3 + 1, seed++);
    return good ? 0 : 1;
}
