#include "app/options.hpp"

#include <CLI/CLI.hpp>

namespace torii::app {

Result<Options, ExitCode> parse_options(int argc, char** argv) {
    Options options;
    std::string checked;
    CLI::App cli{
        "toriid: the gate in front of a Kubernetes cluster. Forwards by DPDK, learns pod\n"
        "prefixes by BGP, answers REST and the `torii` command."};
    cli.set_version_flag("--version", "torii " TORII_VERSION);
    cli.add_option("-c,--config", options.config, "Configuration file")
        ->capture_default_str()
        ->type_name("FILE");
    // systemd names StateDirectory= so.
    cli.add_option("--state", options.state, "Directory of what outlives the process")
        ->envname("STATE_DIRECTORY")
        ->type_name("DIRECTORY");
    auto* check = cli.add_option("--check", checked,
                                 "Validate FILE, print every problem, change nothing.\n"
                                 "Exits with 1 when there are errors");
    check->type_name("FILE");
    cli.add_flag("--reference", options.reference, "Print the reference of all keys");
    cli.footer(
        "Signals: SIGHUP applies the changed configuration, SIGTERM ends sessions and stops.");
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return Failure{ExitCode{cli.exit(error)}};
    }
    if (check->count() > 0) {
        options.check = true;
        options.config = checked;
    }
    return options;
}

}  // namespace torii::app
