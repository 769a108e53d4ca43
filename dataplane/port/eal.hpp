#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/system_error.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// What EAL became, once in the life of a process.
struct Eal {
    std::string file_prefix;
    bool hugepages = false;
    std::vector<unsigned> lcores;     // one a worker
    std::vector<std::uint32_t> cpus;  // the same, as CPUs
};

// The control thread becomes EAL's main lcore and keeps floating over all CPUs.
Result<Eal, SystemError> start_eal(const Settings& settings, std::uint64_t buffer_bytes);
void stop_eal(const Eal& eal);

bool is_pci_address(const std::string& device);

}  // namespace torii::dataplane
