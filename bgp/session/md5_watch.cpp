#include "bgp/session/md5_watch.hpp"
#include "base/event_list.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

std::string_view next(std::string_view& text, char end) {
    const auto at = text.find(end);
    const auto part = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return part;
}

}  // namespace

std::optional<Md5Refusals> parse_md5_refusals(std::string_view netstat) {
    while (!netstat.empty()) {
        auto names = next(netstat, '\n');
        auto values = next(netstat, '\n');
        if (next(names, ' ') != "TcpExt:" || next(values, ' ') != "TcpExt:") continue;
        Md5Refusals out;
        bool any = false;
        while (!names.empty() && !values.empty()) {
            const auto name = next(names, ' ');
            const auto digits = next(values, ' ');
            auto* const count = name == "TCPMD5NotFound"     ? &out.missing
                                : name == "TCPMD5Unexpected" ? &out.unexpected
                                : name == "TCPMD5Failure"    ? &out.wrong
                                                             : nullptr;
            if (count == nullptr) continue;
            const auto error =
                std::from_chars(digits.data(), digits.data() + digits.size(), *count).ec;
            any |= error == std::errc{};
        }
        return any ? std::optional{out} : std::nullopt;
    }
    return std::nullopt;
}

std::optional<Md5Refusals> read_md5_refusals() {
    std::ifstream in{"/proc/net/netstat"};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    return parse_md5_refusals(text);
}

Md5Watch::Md5Watch(EventSink& events, Read read)
    : events_(events), read_(std::move(read)), last_count_(read_()) {}

std::optional<Clock::TimePoint> Md5Watch::on_time(Clock::TimePoint now) {
    const auto seen = read_();
    if (!seen || !last_count_) return std::nullopt;
    if (seen->sum() != last_count_->sum() && now >= quiet_until_) {
        const auto missing = std::to_string(seen->missing - last_count_->missing);
        const auto wrong = std::to_string(seen->wrong - last_count_->wrong);
        const auto unexpected = std::to_string(seen->unexpected - last_count_->unexpected);
        events_.emit({"BGP-MD5-REFUSED",
                      "kernel dropped TCP segments because of their MD5 signature: " + missing +
                          " without one, " + wrong + " with another key, " + unexpected +
                          " signed where no password is set",
                      {{"missing", missing}, {"wrong", wrong}, {"unexpected", unexpected}}});
        last_count_ = seen;
        quiet_until_ = now + 10s;
    }
    return now + 1s;
}

}  // namespace torii::bgp
