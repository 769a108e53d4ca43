#include "app/log.hpp"
#include "base/event_list.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

namespace torii::app {
namespace {

constexpr std::size_t kQueuedLines = 8192;

spdlog::level::level_enum level_of(Severity severity) {
    switch (severity) {
        case Severity::Debug:
            return spdlog::level::debug;
        case Severity::Info:
            return spdlog::level::info;
        // spdlog has no notice: it stands between info and warning in ours only.
        case Severity::Notice:
            return spdlog::level::info;
        case Severity::Warning:
            return spdlog::level::warn;
        case Severity::Error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

bool needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of(" =\"\\\t\n\r") != std::string_view::npos;
}

// Peers choose some of what is logged: control characters never reach a terminal.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    out += '"';
}

std::string logfmt(const Event& event) {
    std::string line =
        fmt::format("level={} id={} msg=", to_string(event.id.severity()), event.id.name());
    append_quoted(line, event.text);
    for (const auto& [key, value] : event.fields) {
        line += fmt::format(" {}=", key);
        if (needs_quotes(value))
            append_quoted(line, value);
        else
            line += value;
    }
    return line;
}

std::string json(const Event& event) {
    std::string line = fmt::format(R"("level":"{}","id":"{}","msg":)",
                                   to_string(event.id.severity()), event.id.name());
    append_quoted(line, event.text);
    for (const auto& [key, value] : event.fields) {
        line += fmt::format(R"(,"{}":)", key);
        append_quoted(line, value);
    }
    return line;
}

}  // namespace

Log::~Log() {
    if (!logger_) return;
    logger_->flush();
    logger_.reset();
    spdlog::shutdown();
}

void Log::configure(const config::Log& settings) {
    settings_ = settings;
    std::vector<spdlog::sink_ptr> sinks;
    std::string trouble;
    if (settings.stderr_output) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (settings.journal)
        sinks.push_back(std::make_shared<spdlog::sinks::systemd_sink_mt>("toriid"));
    if (settings.file) {
        try {
            sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(*settings.file));
        } catch (const spdlog::spdlog_ex& error) {
            trouble = error.what();
        }
    }
    if (!spdlog::thread_pool()) spdlog::init_thread_pool(kQueuedLines, 1);
    logger_ = std::make_shared<spdlog::async_logger>("toriid", sinks.begin(), sinks.end(),
                                                     spdlog::thread_pool(),
                                                     spdlog::async_overflow_policy::overrun_oldest);
    logger_->set_level(spdlog::level::debug);
    logger_->set_pattern(settings.format == config::LogFormat::Json
                             ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%f%z",%v})"
                             : "ts=%Y-%m-%dT%H:%M:%S.%f%z %v");
    logger_->flush_on(spdlog::level::info);
    if (!trouble.empty()) emit({"LOG-FILE", "log file not opened: " + trouble, {}});
}

void Log::emit(Event event) {
    events_.append(event, std::chrono::system_clock::now());
    if (!logger_ || static_cast<int>(event.id.severity()) < static_cast<int>(settings_.level))
        return;
    logger_->log(level_of(event.id.severity()), "{}",
                 settings_.format == config::LogFormat::Json ? json(event) : logfmt(event));
}

}  // namespace torii::app
