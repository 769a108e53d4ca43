#include "mgmt/cli/doctor.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace torii::cli {
namespace {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

std::string content(const std::string& file) {
    std::ifstream in{file};
    std::string out{std::istreambuf_iterator<char>{in}, {}};
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    return out;
}

std::uint64_t number_behind(const std::string& text, const std::string& key) {
    const auto at = text.find(key);
    if (at == std::string::npos) return 0;
    std::istringstream in{text.substr(at + key.size())};
    std::uint64_t value = 0;
    in >> value;
    return value;
}

Finding memory(const std::string& root) {
    const auto info = content(root + "/proc/meminfo");
    const auto pages = number_behind(info, "HugePages_Total:");
    const auto kib = number_behind(info, "Hugepagesize:");
    if (pages > 0)
        return {
            Kind::Good,
            "hugepages: " + std::to_string(pages) + " of " + std::to_string(kib / 1024) + " MiB",
            ""};
    return {Kind::Hint, "no hugepages: torii runs, a busy gateway is two to three times slower",
            "sysctl -w vm.nr_hugepages=1024"};
}

Finding processor(const std::string& root) {
    const auto info = content(root + "/proc/cpuinfo");
    if (info.find(" avx512f") != std::string::npos) return {Kind::Good, "CPU: AVX-512", ""};
    if (info.find(" avx2") != std::string::npos) return {Kind::Good, "CPU: AVX2", ""};
    return {Kind::Hint, "CPU: no AVX2, route lookup is scalar", ""};
}

Finding cores(const std::string& root) {
    const auto isolated = content(root + "/sys/devices/system/cpu/isolated");
    if (!isolated.empty()) return {Kind::Good, "isolated CPUs: " + isolated, ""};
    return {Kind::Hint, "no isolated CPUs: other processes disturb the workers",
            "add isolcpus=2-3 nohz_full=2-3 to the kernel's command line"};
}

Finding iommu(const std::string& root) {
    std::error_code error;
    const fs::directory_iterator groups{root + "/sys/kernel/iommu_groups", error};
    if (!error && groups != fs::directory_iterator{}) return {Kind::Good, "IOMMU: on", ""};
    return {Kind::Hint, "IOMMU: off or absent; physical ports by PCI address need vfio without it",
            "echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"};
}

Finding tun(const std::string& root) {
    if (fs::exists(root + "/dev/net/tun")) return {Kind::Good, "/dev/net/tun is there", ""};
    return {Kind::Bad, "/dev/net/tun is missing: the kernel cannot carry BGP for the ports",
            "modprobe tun"};
}

// The kernel must not drop what comes in by a port's twin and leaves elsewhere.
Finding reverse_path(const std::string& root) {
    if (content(root + "/proc/sys/net/ipv4/conf/all/rp_filter") != "1")
        return {Kind::Good, "reverse path filter: not strict", ""};
    return {Kind::Bad, "the strict reverse path filter drops BGP of multi-homed peers",
            "sysctl -w net.ipv4.conf.all.rp_filter=2"};
}

// 0x00B3 is 179; state 0A listens.
Finding bgp_port(const std::string& root) {
    for (const auto* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::istringstream lines{content(root + file)};
        for (std::string line; std::getline(lines, line);)
            if (line.find(":00B3 ") != std::string::npos && line.find(" 0A ") != std::string::npos)
                return {Kind::Hint, "something listens on TCP port 179: toriid, or another router",
                        "ss -ltnp 'sport = :179'"};
    }
    return {Kind::Good, "TCP port 179 is free", ""};
}

Finding neighbors(const std::string& root) {
    const auto most =
        number_behind(content(root + "/proc/sys/net/ipv4/neigh/default/gc_thresh3"), "");
    if (most == 0 || most >= 8192) return {Kind::Good, "ARP table: large enough", ""};
    return {Kind::Hint, "the kernel's ARP table ends at " + std::to_string(most) + " entries",
            "sysctl -w net.ipv4.neigh.default.gc_thresh3=16384"};
}

}  // namespace

std::vector<Finding> examine_host(const std::string& root) {
    return {processor(root), cores(root),        memory(root),   iommu(root),
            tun(root),       reverse_path(root), bgp_port(root), neighbors(root)};
}

}  // namespace torii::cli
