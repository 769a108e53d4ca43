#pragma once

#include <string>

namespace torii::bench {

// Hugepages of 2 MiB for one run. Taken from what the host has; when it has too few
// and lets us, reserved, and given back at the end, also at an interrupt.
class Hugepages {
public:
    explicit Hugepages(unsigned wanted);
    ~Hugepages();
    Hugepages(const Hugepages&) = delete;
    Hugepages& operator=(const Hugepages&) = delete;

    bool enough() const { return enough_; }
    // Where the memory is, as a JSON line.
    std::string line() const;

private:
    unsigned wanted_;
    bool enough_ = false;
    bool reserved_ = false;
};

// Removes what the EAL of this process left below its run-time directory.
void remove_runtime_directory();

}  // namespace torii::bench
