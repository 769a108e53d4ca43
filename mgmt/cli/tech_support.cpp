// Everything that remote support needs to understand a gateway, in one file,
// without its secrets.
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include "mgmt/cli/doctor.hpp"
#include "mgmt/cli/host_files.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

// What toriid reports, masked by itself.
constexpr std::pair<const char*, const char*> kQuestions[] = {
    {"status", "/api/v1/status"},
    {"drain", "/api/v1/drain"},
    {"configuration", "/api/v1/config"},
    {"revisions", "/api/v1/config/revisions"},
    {"ports", "/api/v1/ports"},
    {"neighbors", "/api/v1/neighbors?limit=1000"},
    {"peer-groups", "/api/v1/peer-groups"},
    {"adjacencies", "/api/v1/adjacencies"},
    {"routes", "/api/v1/routes?limit=1000"},
    {"counters", "/api/v1/counters"},
    {"events", "/api/v1/events?limit=1000"},
};

// What the host reports. Constant commands: no input of the user reaches the shell.
constexpr std::pair<const char*, const char*> kCommands[] = {
    {"journal", "journalctl -u torii -n 2000 --no-pager -o short-iso 2>&1"},
    {"service", "systemctl show torii --no-pager 2>&1"},
    {"links", "ip -s -d link show 2>&1"},
    {"addresses", "ip address show 2>&1"},
    {"kernel-rules", "ip rule show 2>&1; ip -6 rule show 2>&1"},
    {"nics", "lspci -nnk -d ::0200 2>&1"},
    {"packages", "dpkg-query -W torii 'libdpdk*' 'librte*' 2>/dev/null"},
};
constexpr std::size_t kMostOfOne = 4u << 20;

std::string output_of(const char* command) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen(command, "re"), ::pclose};
    if (!pipe) return "cannot be run\n";
    std::string out;
    std::array<char, 4096> piece;
    while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe.get()))
        if (out.size() < kMostOfOne) out.append(piece.data(), n);
    return out;
}

std::string host(const std::string& root) {
    std::string out;
    utsname about{};
    if (::uname(&about) == 0)
        out += std::string{about.nodename} + ' ' + about.release + ' ' + about.machine + '\n';
    for (const auto* file : {"/etc/os-release", "/proc/cmdline", "/proc/loadavg", "/proc/meminfo",
                             "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/isolated"})
        out += std::string{"# "} + file + '\n' + content(root + file) + '\n';
    return out;
}

std::string findings() {
    std::string out;
    constexpr const char* kMarks[] = {"ok    ", "hint  ", "WRONG "};
    for (const auto& finding : examine_host()) {
        out += kMarks[static_cast<std::size_t>(finding.kind)] + finding.what + '\n';
        if (!finding.mend.empty()) out += "        " + finding.mend + '\n';
    }
    return out;
}

using Sections = std::vector<std::pair<std::string, std::string>>;

Sections collect(const Session& session) {
    Sections out{{"version", TORII_VERSION "\n"}, {"host", host("")}, {"doctor", findings()}};
    for (const auto& [name, path] : kQuestions) {
        const auto answer = request(session.target, "GET", path);
        out.emplace_back(name, !answer ? "no answer: " + answer.error() + '\n'
                               : answer->status >= 300
                                   ? "HTTP " + std::to_string(answer->status) + ": " + answer->body
                                   : answer->body + '\n');
    }
    for (const auto& [name, command] : kCommands) out.emplace_back(name, output_of(command));
    for (auto& [name, text] : out) text = without_secrets(text);
    return out;
}

std::string default_name() {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char stamp[32] = "", name[256] = "torii";
    std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    ::gethostname(name, sizeof name - 1);
    return std::string{"torii-tech-support-"} + name + '-' + stamp + ".txt";
}

// For its owner alone, and never through a link that another user created.
bool write_file(const std::string& name, const std::string& text) {
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto n = ::write(fd, text.data() + at, text.size() - at);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
    }
    return ::close(fd) == 0 && at == text.size();
}

}  // namespace

// The API masks the secrets that it can identify; this is for what journals and
// command lines may contain besides.
std::string without_secrets(const std::string& text) {
    constexpr std::string_view kKeys[] = {"password", "hash", "token", "secret", "authorization"};
    std::string out;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line); out += line + '\n') {
        for (const auto key : kKeys) {
            for (std::size_t at = line.find(key); at != std::string::npos;
                 at = line.find(key, at + key.size())) {
                auto value = at + key.size();
                if (value < line.size() && line[value] == 's') ++value;
                while (value < line.size() && (line[value] == ' ' || line[value] == '"' ||
                                               line[value] == '[' || line[value] == '\\'))
                    ++value;
                if (value >= line.size() || (line[value] != '=' && line[value] != ':')) continue;
                ++value;
                const auto end = line.find_first_of(",;}\n", value);
                line.replace(value, (end == std::string::npos ? line.size() : end) - value,
                             " \"***\"");
            }
        }
    }
    return out;
}

void tech_support(Session& session, const std::string& file) {
    const auto sections = collect(session);
    std::string text;
    if (session.as_json) {
        mgmt::JsonWriter json{text};
        json.object().key("sections").object();
        for (const auto& [name, body] : sections) json.member(name, body);
        json.end_object().end_object();
        text += '\n';
    } else {
        for (const auto& [name, body] : sections) text += "==== " + name + '\n' + body + '\n';
    }
    if (file == "-") {
        session.out << text;
        return;
    }
    const auto name = file.empty() ? default_name() : file;
    if (write_file(name, text)) {
        session.out << name << ": " << text.size()
                    << " bytes, secrets masked; look before you send it\n";
    } else {
        session.err << "error: " << name << ": " << std::generic_category().message(errno) << '\n';
        session.code = kRefused;
    }
}

}  // namespace torii::cli
