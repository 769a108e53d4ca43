#include "mgmt/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace torii::mgmt {
namespace {

constexpr std::size_t kWorthIt = 1024;  // bytes
constexpr int kLevel = 1;               // tables are repetitive; speed matters more

class Encoder {
public:
    virtual ~Encoder() = default;
    // Everything so far can be decoded afterwards. Empty: out of memory.
    virtual std::string add(std::string_view piece, bool last) = 0;
};

class Gzip final : public Encoder {
public:
    Gzip() {
        constexpr int kGzipHeader = 16, kMemory = 8;
        good_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, MAX_WBITS + kGzipHeader, kMemory,
                             Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~Gzip() override { deflateEnd(&stream_); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    std::string add(std::string_view piece, bool last) override {
        std::string out;
        if (!good_) return out;
        // zlib only reads, although the type is not const.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
        stream_.avail_in = static_cast<uInt>(piece.size());
        do {
            const auto had = out.size();
            out.resize(had + deflateBound(&stream_, stream_.avail_in) + 64);
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + had);
            stream_.avail_out = static_cast<uInt>(out.size() - had);
            deflate(&stream_, last ? Z_FINISH : Z_SYNC_FLUSH);
            out.resize(out.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
        return out;
    }

private:
    z_stream stream_{};
    bool good_ = false;
};

class Zstd final : public Encoder {
public:
    Zstd() : context_(ZSTD_createCCtx()) {
        if (context_) ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    }
    std::string add(std::string_view piece, bool last) override {
        std::string out;
        if (!context_) return out;
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        for (std::size_t left = 1; left != 0;) {
            const auto had = out.size();
            out.resize(had + ZSTD_compressBound(in.size - in.pos) + 64);
            ZSTD_outBuffer to{out.data() + had, out.size() - had, 0};
            left = ZSTD_compressStream2(context_.get(), &to, &in, last ? ZSTD_e_end : ZSTD_e_flush);
            out.resize(had + to.pos);
            if (ZSTD_isError(left)) return {};
        }
        return out;
    }

private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> context_;
};

std::unique_ptr<Encoder> encoder_for(Coding coding) {
    if (coding == Coding::Gzip) return std::make_unique<Gzip>();
    return std::make_unique<Zstd>();
}

// The number behind "q=", in thousandths; what is no number is 0.
int quality(std::string_view parameters) {
    const auto at = parameters.find("q=");
    if (at == std::string_view::npos) return 1000;
    auto text = parameters.substr(at + 2);
    if (!text.starts_with('0')) return text.starts_with('1') ? 1000 : 0;
    int out = 0, unit = 100;
    for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
        if (c < '0' || c > '9' || unit == 0) break;
        out += (c - '0') * unit;
        unit /= 10;
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

Pieces encoded(Pieces pieces, Coding coding) {
    struct State {
        Pieces pieces;
        std::unique_ptr<Encoder> encoder;
        bool ended = false;
    };
    auto state = std::make_shared<State>(State{std::move(pieces), encoder_for(coding)});
    return [state](std::function<void(std::optional<std::string>)> next) {
        if (state->ended) return next(std::nullopt);
        state->pieces([state, next = std::move(next)](std::optional<std::string> piece) {
            state->ended = !piece;
            if (piece && piece->empty()) return next(std::move(piece));
            auto out = state->encoder->add(piece.value_or(""), !piece);
            // A stream that cannot go on just stops.
            if (out.empty()) return next(std::nullopt);
            next(std::move(out));
        });
    };
}

}  // namespace

Coding coding_for(std::string_view accept) {
    Coding best = Coding::Identity;
    int best_quality = 0;
    while (!accept.empty()) {
        const auto item = accept.substr(0, accept.find(','));
        accept.remove_prefix(std::min(accept.size(), item.size() + 1));
        const auto name = trimmed(item.substr(0, item.find(';')));
        const auto q = quality(item.substr(std::min(item.size(), name.size())));
        if (name == "zstd" && q > 0 && q >= best_quality) {
            best = Coding::Zstd;
            best_quality = q;
        } else if ((name == "gzip" || name == "x-gzip") && q > best_quality) {
            best = Coding::Gzip;
            best_quality = q;
        }
    }
    return best;
}

void compress(Response& response, Coding coding) {
    const bool events = response.content_type.starts_with("text/event-stream");
    const bool tagged = std::ranges::any_of(
        response.headers, [](const auto& header) { return header.first == "ETag"; });
    if (events || tagged || (!response.pieces && response.body.size() < kWorthIt)) return;
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (coding == Coding::Identity) return;
    if (response.pieces) {
        response.pieces = encoded(std::move(response.pieces), coding);
    } else {
        auto smaller = encoder_for(coding)->add(response.body, true);
        if (smaller.empty()) return;
        response.body = std::move(smaller);
    }
    response.headers.emplace_back("Content-Encoding", coding == Coding::Gzip ? "gzip" : "zstd");
}

}  // namespace torii::mgmt
