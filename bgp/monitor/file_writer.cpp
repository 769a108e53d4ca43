#include "bgp/monitor/file_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

namespace torii::bgp {

// Shared with the thread, which outlives the writer until all is on disk.
struct FileWriter::State {
    std::string path;
    int file = -1;
    std::mutex mutex;
    std::condition_variable news;
    std::deque<std::vector<std::uint8_t>> queue;
    std::size_t waiting = 0;
    std::uint64_t written = 0;
    bool finish = false, done = false;
    int error = 0;

    std::string part() const { return path + ".part"; }

    bool put(const std::vector<std::uint8_t>& bytes) const {
        std::size_t at = 0;
        while (at < bytes.size()) {
            const auto n = ::write(file, bytes.data() + at, bytes.size() - at);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            at += static_cast<std::size_t>(n);
        }
        return true;
    }

    void run() {
        std::unique_lock lock{mutex};
        for (;;) {
            news.wait(lock, [&] { return !queue.empty() || finish; });
            if (queue.empty()) break;
            const auto bytes = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            const bool good = error == 0 && put(bytes);
            const int failure = good ? 0 : errno;
            lock.lock();
            waiting -= bytes.size();
            if (good)
                written += bytes.size();
            else if (error == 0)
                error = failure;
        }
        ::close(file);
        if (error == 0 && std::rename(part().c_str(), path.c_str()) != 0) error = errno;
        if (error != 0) ::unlink(part().c_str());
        done = true;
    }
};

Result<std::unique_ptr<FileWriter>, SystemError> FileWriter::create(const std::string& path) {
    auto state = std::make_shared<State>();
    state->path = path;
    state->file = ::open(state->part().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (state->file < 0) return Failure{last_system_error("create " + path)};
    std::thread{[state] { state->run(); }}.detach();
    return std::unique_ptr<FileWriter>{new FileWriter{std::move(state)}};
}

FileWriter::FileWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}

FileWriter::~FileWriter() {
    finish();
}

void FileWriter::write(std::vector<std::uint8_t> bytes) {
    if (bytes.empty()) return;
    const std::lock_guard lock{state_->mutex};
    if (state_->finish) return;
    state_->waiting += bytes.size();
    state_->queue.push_back(std::move(bytes));
    state_->news.notify_one();
}

void FileWriter::finish() {
    const std::lock_guard lock{state_->mutex};
    state_->finish = true;
    state_->news.notify_one();
}

const std::string& FileWriter::path() const {
    return state_->path;
}
std::size_t FileWriter::waiting() const {
    const std::lock_guard lock{state_->mutex};
    return state_->waiting;
}
std::uint64_t FileWriter::written() const {
    const std::lock_guard lock{state_->mutex};
    return state_->written;
}
bool FileWriter::done() const {
    const std::lock_guard lock{state_->mutex};
    return state_->done;
}
int FileWriter::error() const {
    const std::lock_guard lock{state_->mutex};
    return state_->error;
}

}  // namespace torii::bgp
