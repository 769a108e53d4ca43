#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>

#include "config/config.hpp"
#include "config/frr_import.hpp"
#include "mgmt/cli/cli.hpp"

// The `torii` command: the client of the API, and what other rooms can do
// without a running router.
namespace {

torii::cli::Imported import_frr(const std::string& file, bool by_range) {
    using namespace torii;
    cli::Imported out;
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        out.code = cli::kUsage;
        out.problems.push_back("error: cannot read " + file);
        return out;
    }
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto imported =
        config::import_frr(text, by_range ? config::Members::ByRange : config::Members::AsWritten);
    const auto printed = config::print(imported.model, config::Secrets::Shown);
    out.configuration = "# Imported from " + file + ".\n" + printed;
    for (const auto& item : imported.left_out)
        out.left_out.push_back(
            {item.line, item.text, item.why, std::string{config::to_string(item.effect)}});
    const auto loaded = config::load_text(printed, "imported");
    const auto& problems = loaded ? loaded->warnings : loaded.error();
    for (const auto& problem : problems) out.problems.push_back(problem.to_string());
    if (!loaded || !imported.is_safe()) out.code = cli::kRefused;
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `torii route list | head` ends in peace
    return torii::cli::run({argv + 1, argv + argc}, std::cout, std::cerr, {import_frr});
}
