#include "mgmt/cli/doctor.hpp"

#include "mgmt/cli/host_files.hpp"

namespace torii::cli {
namespace {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

Finding memory(const std::string& root) {
    const auto info = content(root + "/proc/meminfo");
    const auto pages = number_behind(info, "HugePages_Total:");
    const auto kib = number_behind(info, "Hugepagesize:");
    if (pages > 0)
        return {Kind::Good, "hugepages",
                "hugepages: " + std::to_string(pages) + " of " + std::to_string(kib / 1024) +
                    " MiB, " + std::to_string(number_behind(info, "HugePages_Free:")) + " free",
                ""};
    return {Kind::Hint, "hugepages",
            "no hugepages: torii runs, a busy gateway is two to three times slower",
            "sysctl -w vm.nr_hugepages=1024"};
}

Finding processor(const std::string& root) {
    const auto info = content(root + "/proc/cpuinfo");
    if (info.find(" avx512f") != std::string::npos) return {Kind::Good, "cpu", "CPU: AVX-512", ""};
    if (info.find(" avx2") != std::string::npos) return {Kind::Good, "cpu", "CPU: AVX2", ""};
    return {Kind::Hint, "cpu", "CPU: no AVX2, route lookup is scalar",
            "nothing but another CPU, or a guest that is shown its host's: -cpu host"};
}

// Workers read the time for every burst; whatever is not the TSC costs a call.
Finding clock(const std::string& root) {
    const auto source =
        content(root + "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    if (source.empty() || source == "tsc" || source == "kvm-clock")
        return {Kind::Good, "clock", "clock: " + (source.empty() ? "unknown" : source), ""};
    return {Kind::Hint, "clock", "clock: " + source + " in the place of tsc",
            "add tsc=reliable to the kernel's command line"};
}

Finding frequency(const std::string& root) {
    const auto governor = content(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (governor.empty() || governor == "performance")
        return {Kind::Good, "governor",
                "CPU frequency: " + (governor.empty() ? "not the kernel's business" : governor),
                ""};
    return {Kind::Hint, "governor", "CPU frequency: " + governor + ", slow to wake up",
            "cpupower frequency-set -g performance"};
}

Finding cores(const std::string& root) {
    const auto isolated = content(root + "/sys/devices/system/cpu/isolated");
    if (!isolated.empty()) return {Kind::Good, "isolation", "isolated CPUs: " + isolated, ""};
    const auto online = cpu_list(content(root + "/sys/devices/system/cpu/online"));
    if (online.size() < 3)
        return {Kind::Hint, "isolation",
                "no isolated CPUs, and " + std::to_string(online.size()) +
                    " are too few to isolate any: other processes disturb the workers",
                "give the machine 4 CPUs or more"};
    const auto last = std::to_string(*online.rbegin());
    const auto range = online.size() < 4 ? last : "2-" + last;
    return {Kind::Hint, "isolation", "no isolated CPUs: other processes disturb the workers",
            "add isolcpus=" + range + " nohz_full=" + range + " rcu_nocbs=" + range +
                " to the kernel's command line"};
}

Finding iommu(const std::string& root) {
    if (!names_in(root + "/sys/kernel/iommu_groups").empty())
        return {Kind::Good, "iommu", "IOMMU: on", ""};
    return {Kind::Hint, "iommu",
            "IOMMU: off or absent; physical ports by PCI address need vfio without it",
            "add intel_iommu=on iommu=pt to the kernel's command line, or: echo 1 > "
            "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"};
}

Finding tun(const std::string& root) {
    if (fs::exists(root + "/dev/net/tun")) return {Kind::Good, "tun", "/dev/net/tun is there", ""};
    return {Kind::Bad, "tun", "/dev/net/tun is missing: the kernel cannot carry BGP for the ports",
            "modprobe tun"};
}

// The kernel must not drop what comes in by a port's twin and leaves elsewhere.
Finding reverse_path(const std::string& root) {
    if (content(root + "/proc/sys/net/ipv4/conf/all/rp_filter") != "1")
        return {Kind::Good, "rp_filter", "reverse path filter: not strict", ""};
    return {Kind::Bad, "rp_filter", "the strict reverse path filter drops BGP of multi-homed peers",
            "sysctl -w net.ipv4.conf.all.rp_filter=2"};
}

// 0x00B3 is 179; state 0A listens.
Finding bgp_port(const std::string& root) {
    for (const auto* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::istringstream lines{content(root + file)};
        for (std::string line; std::getline(lines, line);)
            if (line.find(":00B3 ") != std::string::npos && line.find(" 0A ") != std::string::npos)
                return {Kind::Hint, "bgp_port",
                        "something listens on TCP port 179: toriid, or another router",
                        "ss -ltnp 'sport = :179'"};
    }
    return {Kind::Good, "bgp_port", "TCP port 179 is free", ""};
}

Finding table_of(const std::string& root, const std::string& name, const std::string& family) {
    const auto most =
        number_behind(content(root + "/proc/sys/net/" + family + "/neigh/default/gc_thresh3"), "");
    if (most == 0 || most >= 8192)
        return {Kind::Good, "neighbor_table", name + " table: large enough", ""};
    return {Kind::Hint, "neighbor_table",
            "the kernel's " + name + " table ends at " + std::to_string(most) + " entries",
            "sysctl -w net." + family + ".neigh.default.gc_thresh3=16384"};
}

// Thousands of nodes dial in within a second after a restart.
Finding backlog(const std::string& root) {
    const auto most = number_behind(content(root + "/proc/sys/net/core/somaxconn"), "");
    if (most == 0 || most >= 1024)
        return {Kind::Good, "backlog", "connections that wait: enough", ""};
    return {Kind::Hint, "backlog",
            "only " + std::to_string(most) + " connections may wait to be accepted",
            "sysctl -w net.core.somaxconn=4096"};
}

Finding locked_memory(const std::string& root) {
    std::istringstream lines{content(root + "/proc/self/limits")};
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view kKey = "Max locked memory";
        if (!line.starts_with(kKey)) continue;
        std::istringstream fields{line.substr(kKey.size())};
        std::string soft;
        fields >> soft;
        constexpr std::uint64_t kEnough = 256u << 20;
        if (soft == "unlimited" || number_behind(soft, "") >= kEnough)
            return {Kind::Good, "memlock", "locked memory: " + soft, ""};
        return {
            Kind::Hint, "memlock",
            "locked memory ends at " + soft + " bytes in this shell; the service has no such limit",
            "ulimit -l unlimited"};
    }
    return {Kind::Good, "memlock", "locked memory: unknown", ""};
}

}  // namespace

std::vector<Finding> examine_host(const std::string& root) {
    std::vector<Finding> out{processor(root),
                             clock(root),
                             frequency(root),
                             cores(root),
                             memory(root),
                             iommu(root),
                             tun(root),
                             reverse_path(root),
                             bgp_port(root),
                             table_of(root, "ARP", "ipv4"),
                             table_of(root, "ND", "ipv6"),
                             backlog(root),
                             locked_memory(root)};
    for (auto& finding : examine_nics(root)) out.push_back(std::move(finding));
    return out;
}

}  // namespace torii::cli
