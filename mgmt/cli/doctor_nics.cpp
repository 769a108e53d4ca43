#include <algorithm>

#include "mgmt/cli/doctor.hpp"
#include "mgmt/cli/host_files.hpp"

namespace torii::cli {
namespace {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

struct Nic {
    std::string pci, driver, netdev;
    fs::path path;

    std::string name() const { return netdev.empty() ? pci : pci + " (" + netdev + ")"; }
    std::string attribute(const char* file) const { return content(path / file); }
};

// The kernel's name of a NIC: below the device, or below the virtio device that it carries.
std::string netdev_of(const fs::path& device) {
    if (const auto own = names_in(device / "net"); !own.empty()) return own[0];
    for (const auto& child : names_in(device))
        if (child.starts_with("virtio"))
            if (const auto below = names_in(device / child / "net"); !below.empty())
                return below[0];
    return {};
}

std::vector<Nic> nics(const std::string& root) {
    std::vector<Nic> out;
    const fs::path devices = root + "/sys/bus/pci/devices";
    for (const auto& pci : names_in(devices)) {
        Nic nic{pci, "", netdev_of(devices / pci), devices / pci};
        if (!nic.attribute("class").starts_with("0x0200")) continue;
        std::error_code none;
        nic.driver = fs::read_symlink(nic.path / "driver", none).filename().string();
        out.push_back(std::move(nic));
    }
    return out;
}

// An interface and all below it: members of a bond or bridge, the NIC of a VLAN.
void add_with_lower(const std::string& root, const std::string& netdev,
                    std::set<std::string>& out) {
    if (netdev == "lo" || !out.insert(netdev).second) return;
    constexpr std::string_view kLower = "lower_";
    for (const auto& name : names_in(root + "/sys/class/net/" + netdev))
        if (name.starts_with(kLower)) add_with_lower(root, name.substr(kLower.size()), out);
}

// What carries a default route of either family: taking it cuts the host off.
std::set<std::string> default_netdevs(const std::string& root) {
    std::set<std::string> out;
    std::istringstream ip4{content(root + "/proc/net/route")};
    for (std::string line; std::getline(ip4, line);) {
        std::istringstream fields{line};
        std::string netdev, destination;
        if (fields >> netdev >> destination && destination == "00000000")
            add_with_lower(root, netdev, out);
    }
    // Destination and its length come first, the interface last.
    std::istringstream ip6{content(root + "/proc/net/ipv6_route")};
    for (std::string line; std::getline(ip6, line);)
        if (line.starts_with("00000000000000000000000000000000 00 "))
            add_with_lower(root, line.substr(line.find_last_of(' ') + 1), out);
    return out;
}

// DPDK drives these beside their kernel driver (bifurcated).
bool works_beside_kernel(const std::string& driver) {
    return driver == "mlx5_core" || driver == "mlx4_core" || driver == "mana";
}

Finding driver(const Nic& nic, bool manages) {
    if (nic.driver == "vfio-pci")
        return {Kind::Good, "driver", "NIC " + nic.name() + ": vfio-pci", ""};
    if (works_beside_kernel(nic.driver))
        return {Kind::Good, "driver", "NIC " + nic.name() + ": " + nic.driver + ", shared", ""};
    if (manages)
        return {Kind::Good, "driver",
                "NIC " + nic.name() + ": the kernel's, it carries the default route", ""};
    return {Kind::Hint, "driver",
            "NIC " + nic.name() + ": " +
                (nic.driver.empty() ? "no driver" : "driven by " + nic.driver) +
                ", not for torii yet",
            "driverctl set-override " + nic.pci + " vfio-pci"};
}

// Memory of another socket costs each packet a way across.
void numa(const std::string& root, const Nic& nic, std::vector<Finding>& out) {
    const auto node = nic.attribute("numa_node");
    if (node.empty() || node[0] == '-') return;
    const auto at = root + "/sys/devices/system/node";
    const auto near = cpu_list(nic.attribute("local_cpulist"));
    const auto isolated = cpu_list(content(root + "/sys/devices/system/cpu/isolated"));
    const bool some_near =
        std::ranges::any_of(isolated, [&](unsigned cpu) { return near.contains(cpu); });
    if (!isolated.empty() && !near.empty() && !some_near)
        out.push_back({Kind::Hint, "numa",
                       "NIC " + nic.name() + " is on NUMA node " + node +
                           ", all isolated CPUs are on another",
                       "isolate CPUs of " + nic.attribute("local_cpulist") +
                           " and name them in dataplane.lcores"});
    std::uint64_t pages = 0;
    bool known = false;
    for (const auto& size : names_in(at + "/node" + node + "/hugepages")) {
        known = true;
        pages += number_behind(
            content(at + "/node" + node + "/hugepages/" + size + "/nr_hugepages"), "");
    }
    if (known && pages == 0)
        out.push_back({Kind::Hint, "numa",
                       "no hugepages on NUMA node " + node + ", where NIC " + nic.name() + " is",
                       "echo 1024 > /sys/devices/system/node/node" + node +
                           "/hugepages/hugepages-2048kB/nr_hugepages"});
}

void link(const std::string& root, const Nic& nic, std::vector<Finding>& out) {
    const auto at = root + "/sys/class/net/" + nic.netdev;
    if (!nic.netdev.empty() && content(at + "/carrier") != "1")
        out.push_back(
            {Kind::Hint, "link", "NIC " + nic.name() + " has no link",
             "ip link set " + nic.netdev + " up; ethtool " + nic.netdev + "  # and the cable"});
    const auto width = number_behind(nic.attribute("current_link_width"), "");
    const auto most = number_behind(nic.attribute("max_link_width"), "");
    if (width != 0 && width < most)
        out.push_back({Kind::Hint, "pcie",
                       "NIC " + nic.name() + " has " + std::to_string(width) + " of " +
                           std::to_string(most) + " PCIe lanes",
                       "move it to a slot with " + std::to_string(most) + " lanes"});
}

}  // namespace

std::vector<Finding> examine_nics(const std::string& root) {
    std::vector<Finding> out;
    const auto management = default_netdevs(root);
    bool some = false;
    bool wants_vfio = false;
    for (const auto& nic : nics(root)) {
        const bool manages = management.contains(nic.netdev);
        out.push_back(driver(nic, manages));
        if (manages) continue;
        some = true;
        wants_vfio |= !works_beside_kernel(nic.driver);
        numa(root, nic, out);
        link(root, nic, out);
    }
    if (!some)
        out.push_back(
            {Kind::Hint, "nic",
             std::string{"no physical NIC"} + (out.empty() ? "" : " beside the host's own") +
                 ": ports can only be virtual, at a part of the speed",
             "netdev = \"eth1\" in a port takes an interface of the kernel; lspci shows NICs"});
    if (wants_vfio && !fs::exists(root + "/sys/bus/pci/drivers/vfio-pci"))
        out.push_back(
            {Kind::Hint, "vfio", "the module vfio-pci is not loaded", "modprobe vfio-pci"});
    return out;
}

}  // namespace torii::cli
