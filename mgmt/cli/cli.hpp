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
    kRefused = 1,      // torii understood and refused
    kUsage = 2,        // the command line is wrong
    kUnreachable = 3,  // no answer
    kNotReady = 4,     // `torii status`: not ready
};

// Another router's configuration in our words.
struct Imported {
    struct LeftOut {
        unsigned line = 0;
        std::string text, why;
        std::string effect = "lost";  // or "wider", "dead", "narrower", "changed"
    };
    int code = kOk;
    std::string configuration;
    std::vector<LeftOut> left_out;
    std::vector<std::string> problems;  // of ours, for the reader
};

// What needs no router and is in other modules; app supplies it.
struct LocalCommands {
    // FILE in FRR's words; `by_range` turns plain group members into listen ranges.
    std::function<Imported(const std::string& file, bool by_range)> import_frr;
};

// `arguments` without the program's name.
int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err,
        const LocalCommands& local = {});

// Translates commands of vtysh, birdc and others to ours. A command that has no single
// counterpart gives a hint, the commands that do the same, in its place.
struct Translated {
    std::vector<std::string> arguments;
    std::string hint;
};
Translated translate_alias(std::vector<std::string> arguments);

}  // namespace torii::cli
