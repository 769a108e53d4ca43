#include "mgmt/json_writer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/event_list.hpp"
#include "mgmt/event_log.hpp"

namespace torii::mgmt {
namespace {

std::string text(std::string_view v) {
    std::string out;
    JsonWriter{out}.value(v);
    return out;
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
    EXPECT_EQ(text("a\"b\\c\n\x01\x7f"), "\"a\\\"b\\\\c\\n\\u0001\\u007f\"");
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_EQ(text("\xe9\xb3\xa5\xe5\xb1\x85"), "\"\xe9\xb3\xa5\xe5\xb1\x85\"");
    for (const auto* bad : {"\xff", "\xc0", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe9"})
        EXPECT_NE(text(bad).find("\xef\xbf\xbd"), std::string::npos);
}

TEST(JsonWriter, EscapesNamesThatOthersChose) {
    std::string out;
    JsonWriter json{out};
    json.object();
    json.member("ours", 1).member(std::string{"a\"b"}, 2);
    json.end_object();
    EXPECT_EQ(out, R"({"ours":1,"a\"b":2})");
}

TEST(JsonWriter, WritesNumbersWholeWhenTheyAre) {
    std::string out;
    JsonWriter json{out};
    json.array();
    json.value(1234567.0);
    json.value(0.25);
    json.value(std::numeric_limits<double>::infinity());
    json.value(std::uint64_t{18446744073709551615u});
    json.end_array();
    EXPECT_EQ(out, "[1234567,0.25,null,18446744073709551615]");
}

TEST(EventLog, KeepsTheLastAndGivesThemInOrder) {
    EventLog log{3};
    for (int i = 1; i <= 5; ++i)
        log.append(
            {i % 2 ? EventId{"FIB-FULL"} : EventId{"BGP-MRT-WRITTEN"}, std::to_string(i), {}}, {});
    EXPECT_EQ(log.last_sequence(), 5u);
    ASSERT_EQ(log.recent(10).size(), 3u);
    EXPECT_EQ(log.recent(10).front().text, "3");
    EXPECT_EQ(log.recent(1).front().text, "5");
    EXPECT_EQ(log.recent(10, Severity::Error).size(), 2u);
    ASSERT_EQ(log.since(3, 10).size(), 2u);
    EXPECT_EQ(log.since(3, 10).front().sequence, 4u);
    EXPECT_EQ(log.since(0, 10).size(), 3u);
    EXPECT_TRUE(log.since(5, 10).empty());
}

}  // namespace
}  // namespace torii::mgmt
