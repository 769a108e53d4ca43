#include "dataplane/port/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace torii::dataplane {
namespace {

std::vector<std::uint16_t> cpus_of(const cpu_set_t& set) {
    std::vector<std::uint16_t> cpus;
    for (std::uint16_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
}

// Where this process runs, and where it may run: a process is born without the
// isolated CPUs, yet it may put threads of its own there. The kernel cuts what
// we ask for to our cpuset.
struct Cpus {
    std::vector<std::uint16_t> home, permitted;
};
Cpus own_cpus() {
    cpu_set_t home, all, permitted;
    CPU_ZERO(&home);
    if (::sched_getaffinity(0, sizeof home, &home) != 0) return {};
    std::memset(&all, 0xff, sizeof all);
    permitted = home;
    if (::sched_setaffinity(0, sizeof all, &all) == 0) {
        ::sched_getaffinity(0, sizeof permitted, &permitted);
        ::sched_setaffinity(0, sizeof home, &home);
    }
    return {cpus_of(home), cpus_of(permitted)};
}

std::uint64_t free_hugepage_bytes() {
    std::uint64_t bytes = 0;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", none)) {
        const auto name = entry.path().filename().string();  // hugepages-2048kB
        std::uint64_t pages = 0;
        std::ifstream{entry.path() / "free_hugepages"} >> pages;
        bytes += pages * std::strtoull(name.c_str() + name.find('-') + 1, nullptr, 10) * 1024;
    }
    return bytes;
}

std::string join(const std::vector<std::uint16_t>& numbers) {
    std::string out;
    for (const auto n : numbers) out += (out.empty() ? "" : ",") + std::to_string(n);
    return out;
}

std::filesystem::path runtime_directory(const std::string& prefix) {
    const char* runtime = std::getenv("RUNTIME_DIRECTORY");
    if (::getuid() == 0 || runtime == nullptr) return "/var/run/dpdk/" + prefix;
    return std::filesystem::path{runtime} / "dpdk" / prefix;
}

}  // namespace

bool is_pci_address(const std::string& device) {
    const auto dot = device.rfind('.');
    return dot != std::string::npos && device.find(':') != std::string::npos &&
           std::ranges::all_of(
               device, [](unsigned char c) { return std::isxdigit(c) || c == ':' || c == '.'; });
}

Result<Eal, SystemError> start_eal(const Settings& settings, std::uint64_t buffer_bytes) {
    const auto cpus = own_cpus();
    if (cpus.home.empty()) return Failure{last_system_error("sched_getaffinity")};
    Eal eal;
    eal.file_prefix =
        settings.file_prefix.empty() ? "torii-" + std::to_string(::getpid()) : settings.file_prefix;
    constexpr std::uint64_t kBesides = 64u << 20;  // rings, queues, EAL's own
    eal.hugepages = settings.hugepages.value_or(free_hugepage_bytes() > buffer_bytes + kBesides);

    auto workers = settings.worker_cpus;
    // The last ones: the first CPUs serve the kernel and the control thread. By what the process
    // may use, which in a container is not all that there are.
    if (workers.empty()) {
        const auto& some = cpus.permitted;
        const auto count =
            std::min<std::size_t>(std::max<std::size_t>(settings.workers, 1), some.size());
        workers.assign(some.end() - static_cast<std::ptrdiff_t>(count), some.end());
    }
    // Control, exception and management threads run where no worker polls, as far as there is
    // such a CPU.
    auto home = cpus.home;
    std::erase_if(
        home, [&](std::uint16_t cpu) { return std::ranges::find(workers, cpu) != workers.end(); });
    if (home.empty()) home = cpus.home;
    std::string lcores = "0@(" + join(home) + ")";
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (std::ranges::find(cpus.permitted, workers[i]) == cpus.permitted.end())
            return Failure{SystemError{"worker CPU " + std::to_string(workers[i]) +
                                           " is not among this process's: " + join(cpus.permitted),
                                       0}};
        lcores += "," + std::to_string(i + 1) + "@" + std::to_string(workers[i]);
        eal.lcores.push_back(static_cast<unsigned>(i + 1));
        eal.cpus.push_back(workers[i]);
    }
    std::vector<std::string> arguments{"torii",   "--lcores",      lcores,          "--main-lcore",
                                       "0",       "--file-prefix", eal.file_prefix, "--log-level",
                                       "lib.*:4", "--log-level",   "pmd.*:4"};
    if (eal.hugepages) {
        arguments.emplace_back("--in-memory");
    } else {
        // Nothing of it is shared either: gates on one host may have one prefix.
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m"});
        const auto needed = static_cast<std::uint32_t>((buffer_bytes + kBesides) >> 20) + 1;
        arguments.push_back(std::to_string(std::max(settings.memory_mb, needed)));
    }
    if (std::ranges::none_of(settings.ports,
                             [](const auto& p) { return is_pci_address(p.device); }))
        arguments.emplace_back("--no-pci");
    for (const auto& port : settings.ports)
        if (is_pci_address(port.device)) {
            arguments.emplace_back("-a");
            arguments.push_back(port.device);
        }
    arguments.insert(arguments.end(), settings.eal_arguments.begin(), settings.eal_arguments.end());

    // EAL keeps pointers to them for its telemetry.
    static std::vector<std::string> kept;
    kept = arguments;
    std::vector<char*> argv;
    for (auto& a : kept) argv.push_back(a.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
        return Failure{SystemError{"start DPDK with " + lcores, rte_errno}};
    return eal;
}

void stop_eal(const Eal& eal) {
    rte_eal_cleanup();
    std::error_code ignored;
    std::filesystem::remove_all(runtime_directory(eal.file_prefix), ignored);
}

}  // namespace torii::dataplane
