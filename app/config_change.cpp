#include "app/config_change.hpp"

#include <utility>

#include "app/translate.hpp"
#include "app/uplinks.hpp"
#include "config/applicable.hpp"
#include "config/config.hpp"

namespace torii::app {
// Here alone: a plan's copies and ends are long.
ConfigChange::ConfigChange() = default;
ConfigChange::~ConfigChange() = default;
ConfigChange::ConfigChange(ConfigChange&& other) noexcept = default;
ConfigChange& ConfigChange::operator=(ConfigChange&& other) noexcept = default;

ConfigChange work_out(const config::Model& running, const config::Model& wanted_so_far,
                      config::Model wanted, std::string text, bool drained) {
    ConfigChange out;
    out.plan = config::plan(wanted_so_far, wanted);
    out.applied = config::applicable(running, wanted);
    for (const auto& waiting : config::plan(out.applied, wanted))
        out.waits.push_back(config::describe(waiting));
    out.any = !out.plan.empty() || !config::plan(running, out.applied).empty();
    out.speaker = speaker_settings(out.applied, drained);
    out.uplinks = uplinks_of(out.applied);
    out.identity = routes_identity(out.applied);
    if (out.any) out.revision = text.empty() ? config::print(wanted, config::Secrets::Shown) : text;
    out.text = std::move(text);
    out.wanted = std::move(wanted);
    return out;
}

}  // namespace torii::app
