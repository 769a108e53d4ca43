#pragma once

#include <functional>
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

// What needs no router and lives in other rooms; app gives it. Each returns an
// exit code.
struct LocalCommands {
    // FILE in FRR's words to our configuration on `out`, what was left out to
    // `err`; `by_range` turns plain group members into listen ranges.
    std::function<int(const std::string& file, bool by_range, std::ostream& out, std::ostream& err)>
        import_frr;
};

// `arguments` without the program's name.
int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err,
        const LocalCommands& local = {});

// vtysh's, birdc's and other trained fingers' ways to say it, in ours.
std::vector<std::string> translate_alias(std::vector<std::string> arguments);

}  // namespace torii::cli
