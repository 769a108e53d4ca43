#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

std::optional<std::string> read_file(const std::string& name) {
    std::ifstream in{name, std::ios::binary};
    if (!in) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{in}, {}};
}

// A copy for its owner alone: there are passwords in it.
std::optional<std::string> private_copy(const std::string& text) {
    auto name = (std::filesystem::temp_directory_path() / "torii-edit-XXXXXX.cfg").string();
    const int fd = ::mkostemps(name.data(), 4, O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    ::close(fd);
    std::ofstream out{name, std::ios::binary};
    out << text;
    out.close();
    return out ? std::optional{name} : std::nullopt;
}

bool run_editor(const std::string& file) {
    std::string name = file;
    char shell[] = "sh", option[] = "-c", script[] = "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"";
    char* arguments[] = {shell, option, script, shell, name.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments, environ) != 0) return false;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The first letter of the answer; 'n' when there is none.
char ask(Session& session, const std::string& question) {
    session.err << question << ' ' << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return 'n';
    return line.empty() ? '\0' : line[0];
}

// Edits until the candidate is good and wanted. False: it is not to be committed.
bool edit(Session& session, const std::string& candidate, const std::string& before, bool yes) {
    for (;;) {
        if (!run_editor(candidate)) {
            session.err << "error: the editor failed\n";
            session.code = kRefused;
            return false;
        }
        if (read_file(candidate) == before) {
            session.err << "nothing was changed\n";
            return false;
        }
        session.code = kOk;
        config_diff(session, candidate, "");
        const bool good = session.code == kOk;
        if (yes) return good;
        const char said = good ? ask(session, "commit it? [y]es, [e]dit again, [n]o:")
                               : ask(session, "edit again? [e]dit, [n]o:");
        if (good && said == 'y') return true;
        if (said != 'e') {
            if (good) session.err << "nothing was committed\n";
            return false;
        }
    }
}

}  // namespace

// Edits the target's own text, secrets masked, or a file of this machine.
void config_edit(Session& session, const EditOptions& options) {
    std::string own;
    const auto tag = config_tag(session, &own);
    if (!tag) return;
    const auto before = options.file.empty() ? std::optional{own} : read_file(options.file);
    if (!before) {
        session.err << "error: cannot read " << options.file << '\n';
        session.code = kUsage;
        return;
    }
    const auto candidate = private_copy(*before);
    if (!candidate) {
        session.err << "error: no file can be made in "
                    << std::filesystem::temp_directory_path().string() << '\n';
        session.code = kRefused;
        return;
    }
    bool keep = false;
    if (edit(session, *candidate, *before, options.yes)) {
        config_commit(session, *candidate, options.comment, options.confirm, true, *tag);
        keep = session.code != kOk;
        if (!keep && options.confirm > 0) {
            if (options.yes || ask(session, "keep it? [y]es, or it rolls back:") == 'y')
                config_simple(session, "/api/v1/config/confirm", "confirmed");
            else
                config_simple(session, "/api/v1/config/abort", "rolled back");
        }
    } else {
        keep = read_file(*candidate) != before;
    }
    if (keep)
        session.err << "what you wrote is in " << *candidate << '\n';
    else
        std::filesystem::remove(*candidate);
}

}  // namespace torii::cli
