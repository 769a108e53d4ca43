#include "mgmt/wire/messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace torii::mgmt {
namespace {

using State = RequestReader::State;

// Gives the reader these bytes and shows where that leads.
State feed(RequestReader& reader, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto room = reader.room();
        const auto n = std::min(room.size(), bytes.size());
        std::copy_n(bytes.data(), n, room.data());
        reader.received(n);
        bytes.remove_prefix(n);
        if (const auto state = reader.parse(); state != State::NeedsMore) return state;
    }
    return State::NeedsMore;
}

TEST(RequestReader, TakesARequestApart) {
    RequestReader reader{16384, 1000};
    EXPECT_EQ(reader.parse(), State::NeedsMore);
    EXPECT_EQ(
        feed(reader, "PUT /a?b=c HTTP/1.1\r\nHost: x\r\nX-One: 1 \r\nContent-Length: 4\r\n\r\nbo"),
        State::Header);
    EXPECT_FALSE(reader.expects_continue());
    EXPECT_EQ(reader.parse(), State::NeedsMore);
    EXPECT_EQ(feed(reader, "dy"), State::Complete);
    const auto request = reader.take();
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.target, "/a?b=c");
    EXPECT_EQ(request.version, 11u);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(request.body, "body");
    EXPECT_EQ(request.fields, (HttpFields{{"host", "x"}, {"x-one", "1"}, {"content-length", "4"}}));
}

TEST(RequestReader, NeedsNothingMoreThanTheBytesOneByOne) {
    RequestReader reader{16384, 1000};
    const std::string_view text = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for (const char& byte : text) {
        const auto state = feed(reader, {&byte, 1});
        EXPECT_EQ(state, &byte == &text.back() ? State::Header : State::NeedsMore);
    }
    EXPECT_EQ(reader.parse(), State::Complete);
    EXPECT_TRUE(reader.take().keep_alive);
}

TEST(RequestReader, KeepsTheNextRequestForItsTurn) {
    RequestReader reader{16384, 1000};
    EXPECT_EQ(feed(reader, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"), State::Header);
    EXPECT_EQ(reader.parse(), State::Complete);
    EXPECT_EQ(reader.take().target, "/1");
    reader.begin();
    EXPECT_EQ(reader.parse(), State::Header);
    EXPECT_EQ(reader.parse(), State::Complete);
    EXPECT_EQ(reader.take().target, "/2");
    reader.begin();
    EXPECT_EQ(reader.parse(), State::NeedsMore);
    EXPECT_EQ(reader.end(), State::Ended);
}

TEST(RequestReader, HoldsItsLimits) {
    RequestReader header{100, 1000};
    EXPECT_EQ(feed(header, "GET / HTTP/1.1\r\nX: " + std::string(200, 'x')), State::HeaderTooLarge);
    RequestReader body{16384, 10};
    EXPECT_EQ(feed(body, "PUT / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), State::BodyTooLarge);
    RequestReader chunks{16384, 10};
    EXPECT_EQ(feed(chunks, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), State::Header);
    EXPECT_EQ(feed(chunks, "b\r\nhello world\r\n0\r\n\r\n"), State::BodyTooLarge);
}

TEST(RequestReader, SaysWhyItIsBroken) {
    RequestReader reader{16384, 1000};
    EXPECT_EQ(feed(reader, "HELO gate\r\n\r\n"), State::Broken);
    EXPECT_FALSE(reader.error().empty());
    RequestReader half{16384, 1000};
    EXPECT_EQ(feed(half, "GET / HT"), State::NeedsMore);
    EXPECT_EQ(half.end(), State::Broken);
}

TEST(RequestReader, SeesWhoWaitsForContinue) {
    RequestReader reader{16384, 1000};
    EXPECT_EQ(feed(reader, "PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
              State::Header);
    EXPECT_TRUE(reader.expects_continue());
}

TEST(ResponseReader, GivesTheBodyAsItComes) {
    ResponseReader reader;
    ASSERT_TRUE(reader.received("HTTP/1.1 200 OK\r\nETag: \"7\"\r\nTransfer-En"));
    EXPECT_FALSE(reader.header_done());
    ASSERT_TRUE(reader.received("coding: chunked\r\n\r\n3\r\nabc\r\n"));
    ASSERT_TRUE(reader.header_done());
    EXPECT_EQ(reader.status(), 200u);
    EXPECT_EQ(reader.field("etag"), "\"7\"");
    EXPECT_EQ(reader.take_body(), "abc");
    ASSERT_TRUE(reader.received("2\r\nde\r\n0\r\n\r\n"));
    EXPECT_EQ(reader.take_body(), "de");
    EXPECT_TRUE(reader.done());
}

TEST(ResponseReader, EndsWithTheConnectionWhereNothingElseSaysSo) {
    ResponseReader reader;
    ASSERT_TRUE(reader.received("HTTP/1.0 200 OK\r\n\r\nall of it"));
    EXPECT_FALSE(reader.done());
    ASSERT_TRUE(reader.received(""));
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(reader.take_body(), "all of it");
}

TEST(ResponseReader, RefusesAnAnswerThatIsCutOrNone) {
    ResponseReader cut;
    ASSERT_TRUE(cut.received("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
    EXPECT_FALSE(cut.received(""));
    ResponseReader none;
    EXPECT_FALSE(none.received(""));
    ResponseReader other;
    EXPECT_FALSE(other.received("220 mail ESMTP\r\n"));
}

TEST(ResponseHead, IsTheTextBeforeABody) {
    EXPECT_EQ(response_head(11, 404, {{"Server", "torii"}, {"Content-Length", "0"}}),
              "HTTP/1.1 404 Not Found\r\nServer: torii\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(response_head(10, 200, {}), "HTTP/1.0 200 OK\r\n\r\n");
}

}  // namespace
}  // namespace torii::mgmt
