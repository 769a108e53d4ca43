#include "config/codec.hpp"

#include "base/suggest.hpp"

namespace torii::config {

Complaint Codec<MedEdit>::read(const Node& node, MedEdit& out, const Limits&) {
    std::optional<MedEdit> value;
    if (node.kind == Node::Kind::String) value = MedEdit::parse(node.text);
    if (node.kind == Node::Kind::Integer && node.integer >= 0 && node.integer <= 0xffffffffLL)
        value = MedEdit{MedEdit::Kind::Set, static_cast<std::uint32_t>(node.integer)};
    if (!value)
        return {shown(node) + " is no change of a MED", "write 100, \"+10\", \"-10\" or \"none\""};
    out = *value;
    return {};
}

std::string Codec<MedEdit>::write(const MedEdit& value) {
    return value.kind == MedEdit::Kind::Set ? write_number(value.number)
                                            : in_quotes(value.to_string());
}

Complaint Codec<Prefix>::read(const Node& node, Prefix& out, const Limits&) {
    if (node.kind == Node::Kind::String && node.text.find('/') != std::string::npos) {
        if (const auto strict = Prefix::parse_strict(node.text)) {
            out = *strict;
            return {};
        }
        if (const auto loose = Prefix::parse(node.text))
            return {in_quotes(node.text) + " has bits set behind its length",
                    "did you mean " + in_quotes(loose->to_string()) + "?"};
    }
    return not_a(node, "prefix", "10.244.0.0/16");
}

Complaint Codec<RemoteAs>::read(const Node& node, RemoteAs& out, const Limits&) {
    if (node.kind == Node::Kind::String && (node.text.empty() || node.text[0] > '9')) {
        constexpr std::string_view kWords[] = {"external", "internal"};
        if (node.text == kWords[0] || node.text == kWords[1]) {
            out.kind = node.text == kWords[0] ? RemoteAs::Kind::External : RemoteAs::Kind::Internal;
            out.asn = {};
            return {};
        }
        const auto near = suggest(node.text, {kWords[0], kWords[1]});
        return {in_quotes(node.text) + " is no AS number, \"external\" or \"internal\"",
                near.empty() ? "" : "did you mean " + in_quotes(near) + "?"};
    }
    out.kind = RemoteAs::Kind::Number;
    return read_asn(node, out.asn);
}

std::string Codec<RemoteAs>::write(const RemoteAs& value) {
    if (value.kind == RemoteAs::Kind::External) return "\"external\"";
    if (value.kind == RemoteAs::Kind::Internal) return "\"internal\"";
    return Codec<Asn>::write(value.asn);
}

}  // namespace torii::config
