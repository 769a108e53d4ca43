#include "mgmt/cli/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace torii::cli {
namespace {

namespace json = boost::json;

Json convert(const json::value& from) {
    Json out;
    switch (from.kind()) {
        case json::kind::null:
            break;
        case json::kind::bool_:
            out.kind = Json::Kind::Flag;
            out.flag = from.get_bool();
            break;
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_: {
            json::error_code inexact;
            out.kind = Json::Kind::Number;
            out.real = from.to_number<double>(inexact);
            out.whole = from.to_number<std::int64_t>(inexact);
            break;
        }
        case json::kind::string:
            out.kind = Json::Kind::Text;
            out.text = from.get_string().c_str();
            break;
        case json::kind::array:
            out.kind = Json::Kind::List;
            for (const auto& item : from.get_array()) out.items.push_back(convert(item));
            break;
        case json::kind::object:
            out.kind = Json::Kind::Object;
            for (const auto& member : from.get_object()) {
                out.items.push_back(convert(member.value()));
                out.items.back().name = member.key();
            }
            break;
    }
    return out;
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
    json::error_code error;
    const auto value = json::parse({text.data(), text.size()}, error);
    if (error) return std::nullopt;
    return convert(value);
}

const Json* find(const Json& row, std::string_view key) {
    if (row.kind != Json::Kind::Object) return nullptr;
    for (const auto& member : row.items)
        if (member.name == key) return &member;
    return nullptr;
}

std::string text(const Json& row, std::string_view key) {
    const auto* value = find(row, key);
    return value ? value->text : "";
}

std::int64_t number(const Json& row, std::string_view key) {
    const auto* value = find(row, key);
    return value ? value->whole : 0;
}

double real(const Json& row, std::string_view key) {
    const auto* value = find(row, key);
    return value ? value->real : 0;
}

bool flag(const Json& row, std::string_view key) {
    const auto* value = find(row, key);
    return value && value->flag;
}

const std::vector<Json>& list(const Json& row, std::string_view key) {
    static const std::vector<Json> none;
    const auto* value = find(row, key);
    return value && value->kind == Json::Kind::List ? value->items : none;
}

std::string words(const Json& row, std::string_view key) {
    std::string out;
    for (const auto& item : list(row, key))
        if (item.kind == Json::Kind::Text) out += (out.empty() ? "" : " ") + item.text;
    return out;
}

}  // namespace torii::cli
