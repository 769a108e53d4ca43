#include "tests/bench/hugepages.hpp"

#include <fcntl.h>
#include <rte_eal.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace torii::bench {
namespace {

constexpr const char* kTotal = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
constexpr const char* kFree = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";

unsigned read_number(const char* path) {
    unsigned n = 0;
    std::ifstream{path} >> n;
    return n;
}

bool write_total(unsigned n) {
    std::ofstream file{kTotal};
    file << n;
    file.close();
    return !file.fail();
}

// What was there before, for the signal handler as well, which may call no more than
// open, write and _exit.
char before_text[16];

void reinject() {
    const int fd = ::open(kTotal, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    [[maybe_unused]] const auto written = ::write(fd, before_text, std::strlen(before_text));
    ::close(fd);
}

void interrupted(int signal) {
    reinject();
    ::_exit(128 + signal);
}

}  // namespace

Hugepages::Hugepages(unsigned wanted) : wanted_(wanted) {
    const auto free = read_number(kFree);
    if (free >= wanted) {
        enough_ = true;
        return;
    }
    const auto before = read_number(kTotal);
    std::snprintf(before_text, sizeof before_text, "%u", before);
    if (!write_total(before + wanted - free)) return;
    reserved_ = true;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, interrupted);
    enough_ = read_number(kFree) >= wanted;
    if (enough_) return;
    reinject();
    reserved_ = false;
}

Hugepages::~Hugepages() {
    if (reserved_) reinject();
}

std::string Hugepages::line() const {
    if (!enough_)
        return "{\"name\":\"memory\",\"value\":0,\"unit\":\"hugepages\",\"note\":\"ordinary pages: "
               "the "
               "host has too few hugepages and none could be reserved\"}";
    return "{\"name\":\"memory\",\"value\":" + std::to_string(wanted_) +
           ",\"unit\":\"hugepages\",\"note\":\"" +
           (reserved_ ? "reserved for this run" : "as the host has them") + "\"}";
}

void remove_runtime_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(rte_eal_get_runtime_dir(), ignored);
}

}  // namespace torii::bench
