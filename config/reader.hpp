#pragma once

#include "config/config.hpp"
#include "config/node.hpp"
#include "config/source_map.hpp"

namespace torii::config {

// Gives a file's tree its meaning, by the table of keys. Whatever is wrong is
// added to `problems` and left at its default.
Model read(const Node& root, SourceMap& sources, Problems& problems);

}  // namespace torii::config
