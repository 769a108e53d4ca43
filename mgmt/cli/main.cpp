#include <csignal>
#include <iostream>

#include "mgmt/cli/cli.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `torii route list | head` ends in peace
    return torii::cli::run({argv + 1, argv + argc}, std::cout, std::cerr);
}
