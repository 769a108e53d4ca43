#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/system_error.hpp"

// Configurations on disk. Everything here waits for the disk: not for the
// control thread.
namespace torii::config {

// Afterwards the file is `text`, or as it was: whole, whenever the process is
// killed or the power fails. Only its owner may read it: it may hold passwords.
Result<void, SystemError> replace_file(const std::string& path, std::string_view text);

// The same in two steps: what could fail for want of room or rights has been done before
// commit(). Without it nothing happens. Not for two threads at once.
class FileReplacement {
public:
    static Result<FileReplacement, SystemError> prepare(const std::string& path,
                                                        std::string_view text);
    FileReplacement(FileReplacement&& other) noexcept;
    FileReplacement& operator=(FileReplacement&&) = delete;
    ~FileReplacement();

    Result<void, SystemError> commit();

private:
    FileReplacement(std::string path, std::string temporary);
    std::string path_, temporary_;  // "": there is nothing to remove
};

// Author, time and reason of a configuration in force.
struct RevisionNote {
    std::uint64_t number = 0;
    std::string time;  // RFC 3339
    std::string author;
    std::string comment;
    std::string summary;  // what it changed
    friend bool operator==(const RevisionNote&, const RevisionNote&) = default;
};

// The configurations that were in force, a file each: DIRECTORY/N.cfg, which
// begins with the note as comments and loads like any other. Without a
// directory ("") they are kept in memory. One thread at a time.
class RevisionStore {
public:
    static constexpr std::size_t kKept = 64;

    // Makes the directory where it is missing, and removes what a crash left.
    explicit RevisionStore(std::string directory);

    // Oldest first. A file that is no revision is left out, not touched.
    std::vector<RevisionNote> list() const;
    // Keeps it, and forgets the oldest above kKept.
    Result<void, SystemError> put(const RevisionNote& note, std::string_view text);
    // The configuration, as load_text() reads it.
    Result<std::string, SystemError> text(std::uint64_t number) const;

private:
    std::string file_of(std::uint64_t number) const;

    std::string directory_;
    struct InMemory {
        RevisionNote note;
        std::string text;
    };
    std::vector<InMemory> memory_;
};

}  // namespace torii::config
