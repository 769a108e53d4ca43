#include "mgmt/cli/doctor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "mgmt/cli/cli.hpp"
#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

namespace fs = std::filesystem;

// A host of files.
class DoctorTest : public testing::Test {
protected:
    void TearDown() override { fs::remove_all(root); }
    void write(const std::string& name, const std::string& text) {
        fs::create_directories((root / name).parent_path());
        std::ofstream{root / name} << text;
    }
    void nic(const std::string& pci, const std::string& driver, const std::string& netdev = "") {
        const auto device = "sys/bus/pci/devices/" + pci;
        write(device + "/class", "0x020000\n");
        fs::create_directories(root / "sys/bus/pci/drivers" / driver);
        fs::create_symlink("../../drivers/" + driver, root / device / "driver");
        if (netdev.empty()) return;
        fs::create_directories(root / device / "net" / netdev);
        write("sys/class/net/" + netdev + "/carrier", "1\n");
    }
    // What it says of one thing, kinds first: "hint: ... -> ...".
    std::string says(const std::string& check) const {
        std::string out;
        for (const auto& finding : examine_host(root.string())) {
            if (finding.check != check) continue;
            constexpr const char* kKinds[] = {"good", "hint", "bad"};
            out += std::string{kKinds[static_cast<std::size_t>(finding.kind)]} + ": " +
                   finding.what + " -> " + finding.mend + '\n';
        }
        return out;
    }
    fs::path root = fs::path{testing::TempDir()} / ("torii-doctor-" + std::to_string(::getpid()));
};

TEST_F(DoctorTest, NamesWhatIsWrongAndWhatMendsIt) {
    write("proc/meminfo",
          "HugePages_Total:    8\nHugePages_Free:    3\nHugepagesize:    2048 kB\n");
    write("proc/cpuinfo", "flags : sse avx2 bmi\n");
    write("proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
    write("proc/net/tcp", " 0: 00000000:00B3 00000000:0000 0A 0\n");
    write("proc/self/limits",
          "Max locked memory         8388608              8388608              bytes\n");
    EXPECT_EQ(says("hugepages"), "good: hugepages: 8 of 2 MiB, 3 free -> \n");
    EXPECT_EQ(says("cpu"), "good: CPU: AVX2 -> \n");
    EXPECT_NE(says("rp_filter").find("-> sysctl -w net.ipv4.conf.all.rp_filter=2"),
              std::string::npos);
    EXPECT_NE(says("tun").find("bad: /dev/net/tun is missing"), std::string::npos);
    EXPECT_NE(says("bgp_port").find("hint: something listens on TCP port 179"), std::string::npos);
    EXPECT_NE(says("memlock").find("-> ulimit -l unlimited"), std::string::npos);
}

TEST_F(DoctorTest, AMachineWithoutANicOrHugepagesIsToldSo) {
    write("sys/devices/system/cpu/online", "0-1\n");
    EXPECT_NE(says("nic").find("hint: no physical NIC"), std::string::npos);
    EXPECT_NE(says("hugepages").find("sysctl -w vm.nr_hugepages=1024"), std::string::npos);
    EXPECT_NE(says("isolation").find("too few to isolate"), std::string::npos);
    EXPECT_NE(says("iommu").find("intel_iommu=on"), std::string::npos);
    write("sys/devices/system/cpu/online", "0-7\n");
    EXPECT_NE(says("isolation").find("isolcpus=2-7"), std::string::npos) << says("isolation");
}

TEST_F(DoctorTest, GivesTheNicsToToriiButNotTheOneOfTheDefaultRoute) {
    nic("0000:3b:00.0", "i40e", "enp3s0");
    nic("0000:3b:00.1", "i40e", "eno1");
    nic("0000:5e:00.0", "vfio-pci");
    nic("0000:5e:00.1", "mlx5_core", "enp5s0");
    write("proc/net/route", "Iface\tDestination\neno1\t00000000\t0100000A\n");
    const auto all = says("driver");
    EXPECT_NE(all.find("hint: NIC 0000:3b:00.0 (enp3s0): driven by i40e, not for torii yet -> "
                       "driverctl set-override 0000:3b:00.0 vfio-pci\n"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("good: NIC 0000:3b:00.1 (eno1): the kernel's"), std::string::npos) << all;
    EXPECT_NE(all.find("good: NIC 0000:5e:00.0: vfio-pci"), std::string::npos) << all;
    EXPECT_NE(all.find("good: NIC 0000:5e:00.1 (enp5s0): mlx5_core, shared"), std::string::npos);
    EXPECT_EQ(says("vfio"), "");
}

TEST_F(DoctorTest, TheHostsOwnNicStaysTheKernelsHoweverItHangsTogether) {
    // A guest's: the interface is below the virtio device that the NIC carries.
    nic("0000:00:03.0", "virtio-pci");
    fs::create_directories(root / "sys/bus/pci/devices/0000:00:03.0/virtio2/net/ens3");
    write("proc/net/route", "Iface\tDestination\nens3\t00000000\t0100000A\n");
    EXPECT_NE(says("nic").find("hint: no physical NIC beside the host's own"), std::string::npos);
    EXPECT_EQ(says("vfio"), "");
    // Members of the bond below the VLAN that has the IPv6 default route.
    nic("0000:3b:00.0", "ice", "enp3s0");
    nic("0000:3b:00.1", "ice", "enp3s1");
    nic("0000:5e:00.0", "ice", "enp5s0");
    fs::create_directories(root / "sys/class/net/bond0.7/lower_bond0");
    fs::create_directories(root / "sys/class/net/bond0/lower_enp3s0");
    fs::create_directories(root / "sys/class/net/bond0/lower_enp3s1");
    const std::string zero(32, '0');
    write("proc/net/ipv6_route", zero + " 00 " + zero + " 00 " + zero +
                                     " 00000400 00000003 00000000 00000003  bond0.7\n" + zero +
                                     " 00 " + zero + " 00 " + zero +
                                     " ffffffff 00000001 00000000 00200200       lo\n");
    const auto all = says("driver");
    for (const auto* name :
         {"0000:00:03.0 (ens3)", "0000:3b:00.0 (enp3s0)", "0000:3b:00.1 (enp3s1)"})
        EXPECT_NE(all.find("good: NIC " + std::string{name} + ": the kernel's"), std::string::npos)
            << all;
    EXPECT_NE(all.find("driverctl set-override 0000:5e:00.0 vfio-pci"), std::string::npos) << all;
    EXPECT_EQ(all.find("driverctl set-override 0000:00:03.0"), std::string::npos) << all;
}

TEST_F(DoctorTest, SeesLinksLanesAndNumaNodes) {
    nic("0000:3b:00.0", "ice", "enp3s0");
    write("sys/class/net/enp3s0/carrier", "0\n");
    write("sys/bus/pci/devices/0000:3b:00.0/numa_node", "1\n");
    write("sys/bus/pci/devices/0000:3b:00.0/local_cpulist", "8-15\n");
    write("sys/bus/pci/devices/0000:3b:00.0/current_link_width", "4\n");
    write("sys/bus/pci/devices/0000:3b:00.0/max_link_width", "16\n");
    write("sys/devices/system/cpu/isolated", "2-5\n");
    write("sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
    EXPECT_NE(says("link").find("has no link"), std::string::npos);
    EXPECT_NE(says("pcie").find("4 of 16 PCIe lanes"), std::string::npos);
    const auto numa = says("numa");
    EXPECT_NE(numa.find("all isolated CPUs are on another"), std::string::npos) << numa;
    EXPECT_NE(numa.find("node1/hugepages"), std::string::npos) << numa;
    EXPECT_NE(says("vfio").find("modprobe vfio-pci"), std::string::npos);
}

TEST_F(DoctorTest, OddFilesAreNoReasonToFall) {
    for (const std::string text : {"", "x", "9-3", "0-99999999999999999999", "-1", ",,,"}) {
        nic("0000:3b:00.0", "ice", "enp3s0");
        for (const auto* file : {"proc/meminfo", "proc/net/route", "proc/self/limits",
                                 "sys/devices/system/cpu/isolated", "sys/devices/system/cpu/online",
                                 "sys/bus/pci/devices/0000:3b:00.0/numa_node",
                                 "sys/bus/pci/devices/0000:3b:00.0/local_cpulist"})
            write(file, text);
        EXPECT_FALSE(examine_host(root.string()).empty());
        fs::remove_all(root);
    }
}

TEST(Secrets, AreMaskedWhereverTheyStand) {
    EXPECT_EQ(without_secrets("password = [\"one\"]; next = 1;"),
              "password = \"***\"; next = 1;\n");
    EXPECT_EQ(without_secrets("{\"hash\":\"$argon2id$v=19\",\"name\":\"x\"}"),
              "{\"hash\": \"***\",\"name\":\"x\"}\n");
    EXPECT_EQ(without_secrets("passwords differ"), "passwords differ\n");
    EXPECT_EQ(without_secrets("Authorization: x, token:"), "Authorization: x, token: \"***\"\n");
}

}  // namespace
}  // namespace torii::cli
