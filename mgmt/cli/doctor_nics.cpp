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

std::vector<Nic> nics(const std::string& root) {
    std::vector<Nic> out;
    const fs::path devices = root + "/sys/bus/pci/devices";
    for (const auto& pci : names_in(devices)) {
        Nic nic{pci, "", "", devices / pci};
        if (!nic.attribute("class").starts_with("0x0200")) continue;
        std::error_code none;
        nic.driver = fs::read_symlink(nic.path / "driver", none).filename().string();
        if (const auto names = names_in(nic.path / "net"); !names.empty()) nic.netdev = names[0];
        out.push_back(std::move(nic));
    }
    return out;
}

// The netdev of the default route: 00000000 is the destination 0.0.0.0.
std::string default_netdev(const std::string& root) {
    std::istringstream lines{content(root + "/proc/net/route")};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields{line};
        std::string netdev, destination;
        if (fields >> netdev >> destination && destination == "00000000") return netdev;
    }
    return {};
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
    const auto all = nics(root);
    if (all.empty())
        return {{Kind::Hint, "nic",
                 "no physical NIC: ports can only be virtual, at a part of the speed",
                 "netdev = \"eth1\" in a port takes an interface of the kernel; lspci shows NICs"}};
    const auto management = default_netdev(root);
    for (const auto& nic : all) {
        out.push_back(driver(nic, !nic.netdev.empty() && nic.netdev == management));
        numa(root, nic, out);
        link(root, nic, out);
    }
    const bool wants_vfio =
        std::ranges::any_of(all, [](const Nic& nic) { return !works_beside_kernel(nic.driver); });
    if (wants_vfio && !fs::exists(root + "/sys/bus/pci/drivers/vfio-pci"))
        out.push_back(
            {Kind::Hint, "vfio", "the module vfio-pci is not loaded", "modprobe vfio-pci"});
    return out;
}

}  // namespace torii::cli
