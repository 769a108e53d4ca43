#include "mgmt/cli/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "mgmt/json_writer.hpp"

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

void write(mgmt::JsonWriter& json, const Json& value) {
    switch (value.kind) {
        case Json::Kind::Null:
            json.null();
            break;
        case Json::Kind::Flag:
            json.value(value.flag);
            break;
        case Json::Kind::Number:
            if (static_cast<double>(value.whole) == value.real)
                json.value(value.whole);
            else
                json.value(value.real);
            break;
        case Json::Kind::Text:
            json.value(value.text);
            break;
        case Json::Kind::List:
            json.array();
            for (const auto& item : value.items) write(json, item);
            json.end_array();
            break;
        case Json::Kind::Object:
            json.object();
            for (const auto& member : value.items) {
                json.key(member.name);
                write(json, member);
            }
            json.end_object();
            break;
    }
}

}  // namespace

std::string to_text(const Json& value) {
    std::string out;
    mgmt::JsonWriter json{out};
    write(json, value);
    return out;
}

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
