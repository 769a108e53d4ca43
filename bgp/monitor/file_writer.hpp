#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/system_error.hpp"

namespace torii::bgp {

// A new file, written by a thread of its own, because writes to a disk block. All calls come from
// one thread and return at once. The file has the suffix ".part" until it is whole.
class FileWriter {
public:
    static constexpr std::size_t kMostWaiting = 64 * 1024 * 1024;

    static Result<std::unique_ptr<FileWriter>, SystemError> create(const std::string& path);
    // Ends the file as it is, after what waits is written.
    ~FileWriter();
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;

    void write(std::vector<std::uint8_t> bytes);
    // The file is to get its name; done() when it has, or failed.
    void finish();

    const std::string& path() const;
    std::size_t waiting() const;    // bytes; above kMostWaiting wait with the next
    std::uint64_t written() const;  // bytes
    bool done() const;
    int error() const;  // errno, 0: none

private:
    struct State;
    explicit FileWriter(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace torii::bgp
