#include <gtest/gtest.h>

#include <vector>

#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/inspect.hpp"

namespace torii::dataplane {
namespace {

// An advertisement of version 3 (RFC 9568 §5.1) for one address.
std::vector<std::uint8_t> advertisement4() {
    std::vector<std::uint8_t> ip{0x45, 0xc0, 0,  32, 0, 1, 0,   0, 255, kVrrp,
                                 0,    0,    10, 0,  0, 2, 224, 0, 0,   18};
    ip.insert(ip.end(), {0x31, 51, 150, 1, 0, 20, 0, 0, 10, 0, 0, 1});
    return ip;
}
std::vector<std::uint8_t> advertisement6() {
    std::vector<std::uint8_t> ip{0x60, 0, 0, 0, 0, 24, kVrrp, 255};
    ip.insert(ip.end(), {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
    ip.insert(ip.end(), {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
    ip.insert(ip.end(), {0x31, 51, 150, 1, 0, 20, 0, 0});
    ip.insert(ip.end(), {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    return ip;
}
Exit local(const std::vector<std::uint8_t>& ip) {
    return (ip[0] >> 4 == 4 ? inspect_local4(ip, {}) : inspect_local6(ip, {})).exit;
}

TEST(Vrrp, AnAdvertisementReachesTheKernelInAClassOfItsOwn) {
    EXPECT_TRUE(is_vrrp_group(advertisement4()));
    EXPECT_TRUE(is_vrrp_group(advertisement6()));
    EXPECT_EQ(local(advertisement4()), Exit::PuntVrrp);
    EXPECT_EQ(local(advertisement6()), Exit::PuntVrrp);
}

// RFC 9568 §7.1: what was forwarded on its way did not come from this link.
TEST(Vrrp, AnAdvertisementFromAfarDoesNot) {
    auto four = advertisement4(), six = advertisement6();
    four[8] = 254;
    six[7] = 64;
    EXPECT_EQ(local(four), Exit::PuntBadL4);
    EXPECT_EQ(local(six), Exit::PuntBadL4);
}

TEST(Vrrp, NeitherDoesWhatIsNoAdvertisement) {
    for (const int first : {0x00, 0x32, 0x11, 0x41, 0xff}) {
        auto four = advertisement4();
        four[20] = static_cast<std::uint8_t>(first);
        EXPECT_EQ(local(four), Exit::PuntBadL4) << first;
    }
    auto cut = advertisement4();
    cut.resize(24);
    cut[3] = 24;
    EXPECT_EQ(local(cut), Exit::PuntBadL4);
}

TEST(Vrrp, OtherGroupsStayOut) {
    auto four = advertisement4(), six = advertisement6();
    four[19] = 5;  // OSPF's
    six[39] = 5;
    EXPECT_FALSE(is_vrrp_group(four));
    EXPECT_FALSE(is_vrrp_group(six));
    four = advertisement4();
    four[9] = kUdp;
    EXPECT_FALSE(is_vrrp_group(four));
    four = advertisement4();
    four[6] = 0x20;  // a fragment
    EXPECT_FALSE(is_vrrp_group(four));
}

}  // namespace
}  // namespace torii::dataplane
