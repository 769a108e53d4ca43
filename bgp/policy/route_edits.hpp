#pragma once

#include "bgp/policy/route_policy.hpp"

namespace torii::bgp {

// Makes the edits of one term. True when the AS path is no longer what it was.
bool edit(const TermEdits& edits, PolicyRoute& route, PolicyStorage& storage);

}  // namespace torii::bgp
