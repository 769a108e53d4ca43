#pragma once

#include <ostream>
#include <string>
#include <vector>

// The `torii` command: a client of the REST API, and nothing more. Everything
// it shows can be had by curl; --json shows what came.
namespace torii::cli {

enum ExitCode : int {
    kOk = 0,
    kRefused = 1,      // torii understood and said no
    kUsage = 2,        // the command line is wrong
    kUnreachable = 3,  // nobody answers
    kNotReady = 4,     // `torii status`: not ready
};

// `arguments` without the program's name.
int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err);

// vtysh's, birdc's and other trained fingers' ways to say it, in ours.
std::vector<std::string> translate_alias(std::vector<std::string> arguments);

}  // namespace torii::cli
