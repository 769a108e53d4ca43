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

int import_frr(const std::string& file, bool by_range, std::ostream& out, std::ostream& err) {
    using namespace torii;
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        err << "error: cannot read " << file << '\n';
        return cli::kUsage;
    }
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto imported =
        config::import_frr(text, by_range ? config::Members::ByRange : config::Members::AsWritten);
    const auto printed = config::print(imported.model, config::Secrets::Shown);
    out << "# Imported from " << file << ".\n" << printed;
    for (const auto& item : imported.left_out)
        err << file << ':' << item.line << ": left out: " << item.text << " (" << item.why << ")\n";
    const auto loaded = config::load_text(printed, "imported");
    const auto& problems = loaded ? loaded->warnings : loaded.error();
    for (const auto& problem : problems) err << problem.to_string() << '\n';
    return loaded ? cli::kOk : cli::kRefused;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `torii route list | head` ends in peace
    return torii::cli::run({argv + 1, argv + argc}, std::cout, std::cerr, {import_frr});
}
