#include <cstdio>

#include "app/gateway.hpp"
#include "app/management.hpp"
#include "app/options.hpp"
#include "base/event_list.hpp"
#include "config/config.hpp"
#include "config/schema.hpp"

namespace {

void print(std::FILE* to, const torii::config::Problems& problems) {
    for (const auto& problem : problems) std::fprintf(to, "%s\n", problem.to_string().c_str());
}

}  // namespace

int main(int argc, char** argv) {
    using namespace torii;
    const auto options = app::parse_options(argc, argv);
    if (!options) return options.error().code;

    if (options->reference) {
        std::fputs(config::reference().c_str(), stdout);
        return 0;
    }
    if (options->events) {
        std::fputs(events_document().c_str(), stdout);
        return 0;
    }
    auto loaded = config::load(options->config);
    if (!loaded) {
        print(stderr, loaded.error());
        return 1;
    }
    print(stderr, loaded->warnings);
    if (options->check) {
        // No error: the gateway starts and forwards, and serves the API when it can.
        if (const auto tls = app::server_settings(loaded->model.management).tls)
            if (const auto good = mgmt::check_tls(*tls); !good)
                std::fprintf(stderr, "%s: warning: management.tls: %s\n", options->config.c_str(),
                             good.error().message().c_str());
        std::printf("%s: good\n", options->config.c_str());
        return 0;
    }

    app::Gateway gateway{options->config, options->state};
    if (const auto started = gateway.start(std::move(loaded->model)); !started) {
        std::fprintf(stderr, "toriid: %s\n", started.error().message().c_str());
        return 1;
    }
    gateway.run();
    return 0;
}
