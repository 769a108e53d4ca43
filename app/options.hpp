#pragma once

#include <string>

#include "base/result.hpp"

namespace torii::app {

// The options of the command line of toriid.
struct Options {
    std::string config = "/etc/torii/torii.cfg";
    std::string state;       // directory of what outlives the process; "": nothing does
    bool check = false;      // only validate the configuration
    bool reference = false;  // only print the reference of keys
    bool events = false;     // only print the list of events
};

// What to exit with when there is nothing to run: after --help, or an error
// that has been printed.
struct ExitCode {
    int code;
};

Result<Options, ExitCode> parse_options(int argc, char** argv);

}  // namespace torii::app
