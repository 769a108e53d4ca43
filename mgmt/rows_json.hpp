#pragma once

#include "mgmt/event_log.hpp"
#include "mgmt/json_writer.hpp"
#include "mgmt/liveness_rows.hpp"
#include "mgmt/rows.hpp"

namespace torii::mgmt {

void write(JsonWriter& json, const RouteRow& row);
void write(JsonWriter& json, const NeighborRow& row);
void write(JsonWriter& json, const GroupRow& row);
void write(JsonWriter& json, const PortRow& row);
void write(JsonWriter& json, const AdjacencyRow& row);
void write(JsonWriter& json, const LivenessRow& row);
void write(JsonWriter& json, const Metric& row);
void write(JsonWriter& json, const HealthReport& row);
void write(JsonWriter& json, const DrainState& row);
void write(JsonWriter& json, const Explanation& row);
void write(JsonWriter& json, const ConfigDiff& row);
void write(JsonWriter& json, const ConfigText& row);
void write(JsonWriter& json, const Revision& row);
void write(JsonWriter& json, const CommitState& row);
void write(JsonWriter& json, const MrtRow& row);
void write(JsonWriter& json, const LoggedEvent& event);

std::string rfc3339(std::chrono::system_clock::time_point time);

template <class T>
std::string to_json(const T& row) {
    std::string out;
    JsonWriter json{out};
    write(json, row);
    return out;
}

// {"NAME": [ ... ]}
template <class T>
std::string list_to_json(std::string_view name, const std::vector<T>& rows) {
    std::string out;
    JsonWriter json{out};
    json.object().key(name).array();
    for (const T& row : rows) write(json, row);
    json.end_array().end_object();
    return out;
}

}  // namespace torii::mgmt
