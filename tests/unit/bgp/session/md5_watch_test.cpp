#include "bgp/session/md5_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace torii::bgp {
namespace {

using namespace std::chrono_literals;

TEST(Md5Refusals, AreReadByNameFromNetstat) {
    const auto seen = parse_md5_refusals(
        "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure Other\n"
        "TcpExt: 7 3 2 1 9\n"
        "IpExt: InNoRoutes\n"
        "IpExt: 0\n");
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->missing, 3u);
    EXPECT_EQ(seen->unexpected, 2u);
    EXPECT_EQ(seen->wrong, 1u);
}

TEST(Md5Refusals, AreUnknownWhereTheKernelDoesNotCountThem) {
    EXPECT_FALSE(parse_md5_refusals(""));
    EXPECT_FALSE(parse_md5_refusals("TcpExt: SyncookiesSent\nTcpExt: 7\n"));
    EXPECT_FALSE(parse_md5_refusals("TcpExt: TCPMD5NotFound"));
    EXPECT_FALSE(parse_md5_refusals("TcpExt: TCPMD5NotFound\nTcpExt: x\n"));
}

struct Recorder final : EventSink {
    void emit(Event event) override { texts.push_back(event.text); }
    std::vector<std::string> texts;
};

TEST(Md5Watch, TellsWhatIsNewAndAtMostEveryTenSeconds) {
    Recorder events;
    Md5Refusals now{5, 0, 0};
    Md5Watch watch{events, [&] { return std::optional{now}; }};
    const Clock::TimePoint begin{100s};

    watch.on_time(begin);
    EXPECT_TRUE(events.texts.empty()) << "what was there before is not ours to tell";

    now.missing = 7;
    watch.on_time(begin + 1s);
    ASSERT_EQ(events.texts.size(), 1u);
    EXPECT_NE(events.texts[0].find("2 without one, 0 with another key"), std::string::npos);

    now.wrong = 1;
    for (int s = 2; s < 11; ++s) watch.on_time(begin + std::chrono::seconds{s});
    EXPECT_EQ(events.texts.size(), 1u);
    EXPECT_EQ(watch.on_time(begin + 11s), begin + 12s);
    ASSERT_EQ(events.texts.size(), 2u);
    EXPECT_NE(events.texts[1].find("0 without one, 1 with another key"), std::string::npos);
}

}  // namespace
}  // namespace torii::bgp
