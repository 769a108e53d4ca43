#include "config/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace torii::config {
namespace {

constexpr std::string_view kUnfinished = ".new";
constexpr std::string_view kSuffix = ".cfg";

// A comment ends with its line.
std::string in_a_line(std::string_view text) {
    std::string out{text.substr(0, 1000)};
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    return out;
}

struct Entry {
    std::string_view key;
    std::string RevisionNote::*member;
};
constexpr Entry kEntries[] = {
    {"# time ", &RevisionNote::time},
    {"# author ", &RevisionNote::author},
    {"# comment ", &RevisionNote::comment},
    {"# changes ", &RevisionNote::summary},
};

std::string head(const RevisionNote& note) {
    std::string out = "# revision " + std::to_string(note.number) + '\n';
    for (const auto& [key, member] : kEntries)
        out += std::string{key} + in_a_line(note.*member) + '\n';
    return out;
}

// The note at the top of a file; number 0 where there is none.
RevisionNote note_of(const std::string& path, std::uint64_t number) {
    RevisionNote out;
    std::ifstream in{path};
    std::string line;
    if (!std::getline(in, line) || line != "# revision " + std::to_string(number)) return out;
    out.number = number;
    for (const auto& [key, member] : kEntries)
        if (std::getline(in, line) && line.starts_with(key)) out.*member = line.substr(key.size());
    return out;
}

std::uint64_t number_of(const std::filesystem::path& path) {
    const auto stem = path.stem().string();
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    const bool whole = error == std::errc{} && rest == stem.data() + stem.size();
    return whole && path.extension() == kSuffix ? number : 0;
}

// Synced to disk, with the owner, group and mode of the file it replaces.
bool write_all(int fd, std::string_view text, const std::string& replaced) {
    struct stat old {};
    if (stat(replaced.c_str(), &old) == 0) {
        // A user that may not give files away keeps it readable for itself alone.
        if (fchown(fd, old.st_uid, old.st_gid) == 0 && fchmod(fd, old.st_mode & 07777) != 0)
            return false;
    }
    while (!text.empty()) {
        const auto n = write(fd, text.data(), text.size());
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return fsync(fd) == 0;
}

// The file itself where the path is a link to it: the link stays.
std::string behind_links(const std::string& path) {
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(path, error);
    return error ? path : real.string();
}

}  // namespace

FileReplacement::FileReplacement(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}
FileReplacement::FileReplacement(FileReplacement&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}
FileReplacement::~FileReplacement() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<FileReplacement, SystemError> FileReplacement::prepare(const std::string& path,
                                                              std::string_view text) {
    static std::atomic<unsigned> number{0};
    const auto real = behind_links(path);
    FileReplacement out{real, real + '.' + std::to_string(number++) + std::string{kUnfinished}};
    const int fd = open(out.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        auto error = last_system_error("open " + std::exchange(out.temporary_, {}));
        return Failure{std::move(error)};
    }
    const bool good = write_all(fd, text, real);
    auto error = last_system_error("write " + out.temporary_);
    close(fd);
    if (!good) return Failure{std::move(error)};
    return out;
}

Result<void, SystemError> FileReplacement::commit() {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
        return Failure{last_system_error("rename to " + path_)};
    temporary_.clear();
    // The name is on disk once its directory is.
    const auto directory = path_.substr(0, path_.find_last_of('/') + 1);
    if (const int d = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
        d >= 0) {
        fsync(d);
        close(d);
    }
    return {};
}

Result<void, SystemError> replace_file(const std::string& path, std::string_view text) {
    auto prepared = FileReplacement::prepare(path, text);
    if (!prepared) return Failure{prepared.error()};
    return prepared->commit();
}

RevisionStore::RevisionStore(std::string directory) : directory_(std::move(directory)) {
    if (directory_.empty()) return;
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    std::vector<std::filesystem::path> unfinished;
    for (std::filesystem::directory_iterator it{directory_, error}, end; !error && it != end;
         it.increment(error))
        if (it->path().extension() == kUnfinished) unfinished.push_back(it->path());
    for (const auto& path : unfinished) std::filesystem::remove(path, error);
}

std::string RevisionStore::file_of(std::uint64_t number) const {
    return directory_ + '/' + std::to_string(number) + std::string{kSuffix};
}

std::vector<RevisionNote> RevisionStore::list() const {
    std::vector<RevisionNote> out;
    for (const auto& kept : memory_) out.push_back(kept.note);
    if (directory_.empty()) return out;
    std::error_code error;
    for (std::filesystem::directory_iterator it{directory_, error}, end; !error && it != end;
         it.increment(error))
        if (const auto number = number_of(it->path()))
            if (auto note = note_of(it->path().string(), number); note.number != 0)
                out.push_back(std::move(note));
    std::ranges::sort(out, {}, &RevisionNote::number);
    return out;
}

Result<void, SystemError> RevisionStore::put(const RevisionNote& note, std::string_view text) {
    if (directory_.empty()) {
        memory_.push_back({note, std::string{text}});
        if (memory_.size() > kKept) memory_.erase(memory_.begin());
        return {};
    }
    if (auto written = replace_file(file_of(note.number), head(note).append(text)); !written)
        return written;
    const auto kept = list();
    for (std::size_t i = 0; i + kKept < kept.size(); ++i) unlink(file_of(kept[i].number).c_str());
    return {};
}

Result<std::string, SystemError> RevisionStore::text(std::uint64_t number) const {
    const auto missing = [&] {
        return Failure{SystemError{"revision " + std::to_string(number) + " is not kept", 0}};
    };
    if (directory_.empty()) {
        const auto at = std::ranges::find(memory_, number,
                                          [](const InMemory& kept) { return kept.note.number; });
        if (at == memory_.end()) return missing();
        return at->text;
    }
    const auto path = file_of(number);
    if (note_of(path, number).number == 0) return missing();
    std::ostringstream content;
    if (!(content << std::ifstream{path, std::ios::binary}.rdbuf()))
        return Failure{last_system_error("read " + path)};
    auto text = std::move(content).str();
    // Without its note.
    for (std::size_t lines = 1 + std::size(kEntries); lines > 0; --lines)
        text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
    return text;
}

}  // namespace torii::config
