#include "mgmt/compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace torii::mgmt {
namespace {

std::string header(const Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return "";
}

std::string gunzip(const std::string& packed) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    std::string out(1 << 20, '\0'), in = packed;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::string unzstd(const std::string& packed) {
    std::string out(1 << 20, '\0');
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{ZSTD_createDCtx(),
                                                                          ZSTD_freeDCtx};
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    EXPECT_EQ(ZSTD_decompressStream(context.get(), &to, &in), 0u);
    out.resize(to.pos);
    return out;
}

std::string table() {
    std::string out;
    for (int i = 0; i < 2000; ++i) out += "{\"prefix\":\"10.244." + std::to_string(i) + "\"}\n";
    return out;
}

// Three pieces, one of which says only that there is nothing yet.
Response streamed() {
    Response out;
    out.content_type = "application/x-ndjson";
    out.pieces = [n = 0](std::function<void(std::optional<std::string>)> next) mutable {
        ++n;
        if (n == 4) return next(std::nullopt);
        next(n == 2 ? "" : table());
    };
    return out;
}

std::string all_pieces(Response& response) {
    std::string out;
    for (bool more = true; more;)
        response.pieces([&](std::optional<std::string> piece) {
            more = piece.has_value();
            out += piece.value_or("");
        });
    return out;
}

TEST(Coding, IsWhatTheClientLikesBest) {
    EXPECT_EQ(coding_for(""), Coding::Identity);
    EXPECT_EQ(coding_for("identity"), Coding::Identity);
    EXPECT_EQ(coding_for("gzip, deflate"), Coding::Gzip);
    EXPECT_EQ(coding_for("gzip, deflate, br, zstd"), Coding::Zstd);
    EXPECT_EQ(coding_for("zstd;q=0.5, gzip;q=0.8"), Coding::Gzip);
    EXPECT_EQ(coding_for("gzip ; q=0.001"), Coding::Gzip);
    EXPECT_EQ(coding_for("gzip;q=0, zstd;q=0.000"), Coding::Identity);
    EXPECT_EQ(coding_for("gzip;q=zz"), Coding::Identity);
    EXPECT_EQ(coding_for(",,;;q=,gzip"), Coding::Gzip);
}

TEST(Compression, AnAnswerIsSmallerAndTheSame) {
    for (const auto coding : {Coding::Gzip, Coding::Zstd}) {
        Response response;
        response.body = table();
        compress(response, coding);
        EXPECT_LT(response.body.size(), table().size() / 5);
        EXPECT_EQ(coding == Coding::Gzip ? gunzip(response.body) : unzstd(response.body), table());
        EXPECT_EQ(header(response, "Content-Encoding"), coding == Coding::Gzip ? "gzip" : "zstd");
        EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
    }
}

TEST(Compression, AStreamIsTheSame) {
    auto gzip = streamed(), zstd = streamed();
    compress(gzip, Coding::Gzip);
    compress(zstd, Coding::Zstd);
    EXPECT_EQ(gunzip(all_pieces(gzip)), table() + table());
    EXPECT_EQ(unzstd(all_pieces(zstd)), table() + table());
}

TEST(Compression, LeavesAloneWhatItShould) {
    Response small, tagged, events;
    small.body = "{}";
    tagged.body = table();
    tagged.headers.emplace_back("ETag", "\"7\"");
    events.content_type = "text/event-stream";
    events.body = table();
    for (auto* response : {&small, &tagged, &events}) {
        const auto before = response->body;
        compress(*response, Coding::Gzip);
        EXPECT_EQ(response->body, before);
        EXPECT_EQ(header(*response, "Content-Encoding"), "");
    }
    Response large;
    large.body = table();
    compress(large, Coding::Identity);
    EXPECT_EQ(large.body, table());
    EXPECT_EQ(header(large, "Vary"), "Accept-Encoding");
}

}  // namespace
}  // namespace torii::mgmt
