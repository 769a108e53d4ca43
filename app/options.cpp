#include "app/options.hpp"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace torii::app {
namespace {

constexpr int kUnexpected = 109;  // an option or argument that there is not
constexpr int kMissing = 114;     // an option without its argument

void print_help(const char* program, const Options& options) {
    std::printf(
        "toriid: the gate in front of a Kubernetes cluster. Forwards by DPDK, learns pod\n"
        "prefixes by BGP, answers REST and the `torii` command.\n"
        "Usage: %s [OPTIONS]\n"
        "\n"
        "Options:\n"
        "  -h, --help           Print this help and exit\n"
        "      --version        Print the version and exit\n"
        "  -c, --config FILE    Configuration file (default: %s)\n"
        "      --state DIRECTORY\n"
        "                       Directory of what outlives the process (default: the\n"
        "                       environment's STATE_DIRECTORY; without one, nothing does)\n"
        "      --check FILE     Validate FILE, print every problem, change nothing.\n"
        "                       Exits with 1 when there are errors\n"
        "      --reference      Print the reference of all keys\n"
        "      --events         Print the list of all events\n"
        "\n"
        "Signals: SIGHUP applies the changed configuration, SIGTERM ends sessions and stops.\n",
        program, options.config.c_str());
}

Failure<ExitCode> wrong(int code, const std::string& why) {
    std::fprintf(stderr, "%s\nRun with --help for more information.\n", why.c_str());
    return Failure{ExitCode{code}};
}

}  // namespace

Result<Options, ExitCode> parse_options(int argc, char** argv) {
    enum Option { Help = 'h', Config = 'c', Version = 1, State, Check, Reference, Events };
    static constexpr option kOptions[] = {
        {"help", no_argument, nullptr, Help},
        {"version", no_argument, nullptr, Version},
        {"config", required_argument, nullptr, Config},
        {"state", required_argument, nullptr, State},
        {"check", required_argument, nullptr, Check},
        {"reference", no_argument, nullptr, Reference},
        {"events", no_argument, nullptr, Events},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    std::string checked;
    // systemd names StateDirectory= so.
    if (const char* state = std::getenv("STATE_DIRECTORY")) options.state = state;
    optind = 0;  // from the beginning, also when it is called again
    for (;;) {
        // '+': stops at an argument; ':': leaves the messages to us.
        const int found = ::getopt_long(argc, argv, "+:hc:", kOptions, nullptr);
        if (found == -1) break;
        switch (found) {
            case Help:
                print_help(argv[0], options);
                return Failure{ExitCode{0}};
            case Version:
                std::puts("torii " TORII_VERSION);
                return Failure{ExitCode{0}};
            case Config:
                options.config = optarg;
                break;
            case State:
                options.state = optarg;
                break;
            case Check:
                options.check = true;
                checked = optarg;
                break;
            case Reference:
                options.reference = true;
                break;
            case Events:
                options.events = true;
                break;
            case ':':
                return wrong(kMissing, std::string{argv[optind - 1]} + ": its argument is missing");
            default:
                // A letter may stand in the middle of a word.
                return wrong(
                    kUnexpected,
                    "not expected: " + (optopt >= ' ' ? std::string{'-', static_cast<char>(optopt)}
                                                      : argv[optind - 1]));
        }
    }
    if (optind < argc) return wrong(kUnexpected, "not expected: " + std::string{argv[optind]});
    if (options.check) options.config = std::move(checked);
    return options;
}

}  // namespace torii::app
