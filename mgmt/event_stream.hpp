#pragma once

#include "mgmt/event_log.hpp"
#include "mgmt/http.hpp"

namespace torii::mgmt {

// Events behind `after`, at or above `least`, as server-sent events, without end. An empty piece
// means that nothing has happened; the server asks again a little later.
Pieces event_pieces(const EventLog& events, std::uint64_t after, Severity least = Severity::Debug);

}  // namespace torii::mgmt
