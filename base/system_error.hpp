#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace torii {

// What the operating system refused, and during what. `operation` is written
// for the operator: "bind [::]:179", "open /dev/net/tun".
struct SystemError {
    std::string operation;
    int number = 0;  // errno; 0 where the operation explains itself

    std::string message() const {
        return number == 0 ? operation : operation + ": " + std::strerror(number);
    }
};

inline SystemError last_system_error(std::string operation) {
    return {std::move(operation), errno};
}

}  // namespace torii
