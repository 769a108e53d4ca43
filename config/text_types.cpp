#include <charconv>

#include "base/stable_sort.hpp"
#include "config/model.hpp"

namespace torii::config {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || rest != text.data() + text.size())
        return std::nullopt;
    return value;
}

// The next word of `text`, which is shortened by it.
std::string_view word(std::string_view& text) {
    const auto start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(start);
    const auto out = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(out.size());
    return out;
}

}  // namespace

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, slash));
    const auto length = number<std::uint8_t>(text.substr(slash + 1));
    if (!address || !length || *length > address->bits()) return std::nullopt;
    return InterfaceAddress{*address, *length};
}

std::string InterfaceAddress::to_string() const {
    return address.to_string() + '/' + std::to_string(length);
}

std::optional<Via> Via::parse(std::string_view text) {
    const auto where = word(text);
    Via out;
    const auto at = where.find('@');
    const auto address = IpAddress::parse(where.substr(0, at));
    if (!address) return std::nullopt;
    out.address = *address;
    if (at != std::string_view::npos) {
        out.port = std::string{where.substr(at + 1)};
        if (out.port->empty()) return std::nullopt;
    }
    const auto key = word(text);
    if (key.empty()) return out;
    const auto weight = number<std::uint16_t>(word(text));
    if (key != "weight" || !weight || !word(text).empty()) return std::nullopt;
    out.weight = *weight;
    return out;
}

std::string Via::to_string() const {
    return address.to_string() + (port ? '@' + *port : "") +
           (weight == 1 ? "" : " weight " + std::to_string(weight));
}

std::optional<PrefixRule> PrefixRule::parse(std::string_view text) {
    PrefixRule out;
    auto first = word(text);
    if (first == "permit" || first == "deny") {
        out.permit = first == "permit";
        first = word(text);
    }
    if (first == "any") {
        out.any = true;
        return word(text).empty() ? std::optional{out} : std::nullopt;
    }
    const auto prefix = Prefix::parse_strict(first);
    if (!prefix || first.find('/') == std::string_view::npos) return std::nullopt;
    out.prefix = *prefix;
    std::optional<std::uint8_t> ge, le;
    for (auto key = word(text); !key.empty(); key = word(text)) {
        const auto value = number<std::uint8_t>(word(text));
        auto& bound = key == "ge" ? ge : le;
        if ((key != "ge" && key != "le") || bound || !value || *value < prefix->length() ||
            *value > prefix->address().bits())
            return std::nullopt;
        bound = value;
    }
    // As everywhere: neither is exact, `ge` alone reaches down to hosts.
    out.ge = ge.value_or(prefix->length());
    out.le = le.value_or(ge ? prefix->address().bits() : prefix->length());
    if (out.ge > out.le) return std::nullopt;
    return out;
}

std::string PrefixRule::to_string() const {
    std::string out = permit ? "" : "deny ";
    if (any) return out + "any";
    out += prefix.to_string();
    const auto bits = prefix.address().bits();
    if (ge == prefix.length() && le == prefix.length()) return out;
    if (ge != prefix.length()) out += " ge " + std::to_string(ge);
    if (ge == prefix.length() || le != bits) out += " le " + std::to_string(le);
    return out;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    const auto port = number<std::uint16_t>(text.substr(colon + 1));
    if (!address || !port || *port == 0 || address->is_v6() != bracketed) return std::nullopt;
    return Endpoint{*address, *port};
}

std::string Endpoint::to_string() const {
    const auto host = address.to_string();
    return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

const PeerGroup* Bgp::find_group(std::string_view name) const {
    for (const auto& group : groups)
        if (group.name == name) return &group;
    return nullptr;
}

const Port* Model::find_port(std::string_view name) const {
    for (const auto& port : ports)
        if (port.name == name) return &port;
    return nullptr;
}

const Port* Model::parent_of(const Port& port) const {
    return port.parent ? find_port(*port.parent) : nullptr;
}

std::uint16_t Model::mtu_of(const Port& port) const {
    constexpr std::uint16_t kEthernet = 1500;
    if (port.mtu) return *port.mtu;
    const auto* parent = parent_of(port);
    return parent != nullptr ? parent->mtu.value_or(kEthernet) : kEthernet;
}

bool Model::is_shut_down(const Port& port) const {
    const auto* parent = parent_of(port);
    return port.shutdown || (parent != nullptr && parent->shutdown);
}

void Model::sort_ports() {
    stable_sort(ports, [](const Port& a, const Port& b) { return !a.parent && b.parent; });
}

const PrefixList* Model::find_prefix_list(std::string_view name) const {
    for (const auto& list : prefix_lists)
        if (list.name == name) return &list;
    return nullptr;
}

}  // namespace torii::config
