#include "tests/support/test_eal.hpp"

#include <rte_eal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace torii::support {

void start_test_eal(const std::string& name) {
    const auto prefix = name + '-' + std::to_string(::getpid());
    const char* words[] = {"test",
                           "--no-huge",
                           "--no-pci",
                           "-m",
                           "192",
                           "--lcores",
                           "0@0",
                           "--no-telemetry",
                           "--file-prefix",
                           prefix.c_str(),
                           "--no-shconf",
                           "--log-level",
                           "lib.*:4",
                           "--vdev=net_null0",
                           "--vdev=net_null1"};
    std::vector<char*> arguments;
    for (const char* word : words) arguments.push_back(const_cast<char*>(word));
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) std::abort();
    std::error_code ignored;
    std::filesystem::remove_all(rte_eal_get_runtime_dir(), ignored);
}

}  // namespace torii::support
