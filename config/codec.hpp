#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/model.hpp"
#include "config/value_text.hpp"

// How a value of each type is written in a file: one Codec a type. Included by the
// files of the key table alone (keys_*.cpp), which hand the codecs out as ValueTypes.
namespace torii::config {

template <class T>
struct Codec;  // type(), read(Node, T&, Limits) -> Complaint, write(T) -> text

template <>
struct Codec<bool> {
    static std::string type() { return "true or false"; }
    static Complaint read(const Node& node, bool& out, const Limits&) {
        if (node.kind != Node::Kind::Bool) return wrong_kind(node, type());
        out = node.integer != 0;
        return {};
    }
    static std::string write(bool value) { return value ? "true" : "false"; }
};

template <std::unsigned_integral T>
requires(!std::same_as<T, bool>) struct Codec<T> {
    static std::string type() { return "number"; }
    static Complaint read(const Node& node, T& out, const Limits& limits) {
        std::int64_t value = 0;
        const Limits narrowed{std::max<std::int64_t>(limits.min, 0),
                              std::min<std::int64_t>(limits.max, std::numeric_limits<T>::max())};
        if (auto complaint = read_integer(node, value, narrowed); complaint.any()) return complaint;
        out = static_cast<T>(value);
        return {};
    }
    static std::string write(T value) { return write_number(value); }
};

template <>
struct Codec<seconds> {
    static std::string type() { return "seconds"; }
    static Complaint read(const Node& node, seconds& out, const Limits& limits) {
        return read_duration(node, out, limits);
    }
    static std::string write(seconds value) { return write_number(value.count()); }
};

template <>
struct Codec<milliseconds> {
    static std::string type() { return "milliseconds"; }
    static Complaint read(const Node& node, milliseconds& out, const Limits& limits) {
        std::int64_t value = 0;
        auto complaint = read_integer(node, value, limits);
        if (!complaint.any()) out = milliseconds{value};
        return complaint;
    }
    static std::string write(milliseconds value) { return write_number(value.count()); }
};

template <>
struct Codec<std::string> {
    static std::string type() { return "text"; }
    static Complaint read(const Node& node, std::string& out, const Limits&) {
        if (node.kind != Node::Kind::String) return wrong_kind(node, type());
        out = node.text;
        return {};
    }
    static std::string write(const std::string& value) { return in_quotes(value); }
};

template <>
struct Codec<Asn> {
    static std::string type() { return "AS number"; }
    static Complaint read(const Node& node, Asn& out, const Limits&) { return read_asn(node, out); }
    static std::string write(const Asn& value) { return write_number(value.number); }
};

template <>
struct Codec<RemoteAs> {
    static std::string type() { return "AS number, \"external\" or \"internal\""; }
    static Complaint read(const Node& node, RemoteAs& out, const Limits&);
    static std::string write(const RemoteAs& value);
};

// Types with a text form of their own: parse() and to_string().
template <class T>
struct TextForm;  // kType, kExample
template <>
struct TextForm<IpAddress> {
    static constexpr std::string_view kType = "IP address", kExample = "10.0.0.1";
};
template <>
struct TextForm<MacAddress> {
    static constexpr std::string_view kType = "MAC address", kExample = "02:00:00:00:00:01";
};
template <>
struct TextForm<InterfaceAddress> {
    static constexpr std::string_view kType = "address/length", kExample = "10.0.0.1/24";
};
template <>
struct TextForm<Via> {
    static constexpr std::string_view kType = "ADDRESS[@PORT] [weight N]",
                                      kExample = "fe80::1@uplink weight 2";
};
template <>
struct TextForm<PrefixRule> {
    static constexpr std::string_view kType = "[permit|deny] PREFIX [ge N] [le N]",
                                      kExample = "10.244.0.0/16 ge 24 le 24";
};
template <>
struct TextForm<Endpoint> {
    static constexpr std::string_view kType = "ADDRESS:PORT", kExample = "127.0.0.1:8080";
};

template <>
struct TextForm<AsPathRule> {
    static constexpr std::string_view kType = "[permit|deny] AS-PATH PATTERN or list",
                                      kExample = "originated 65001";
};
template <>
struct TextForm<CommunityRule> {
    static constexpr std::string_view kType = "[permit|deny] COMMUNITY ... or list",
                                      kExample = "65000:*";
};
template <>
struct TextForm<CommunityPattern> {
    static constexpr std::string_view kType = "community", kExample = "65000:1";
};
template <>
struct TextForm<NextHopEdit> {
    static constexpr std::string_view kType = "\"self\", \"unchanged\", \"peer\" or address",
                                      kExample = "10.0.0.1";
};

template <class T>
requires requires {
    TextForm<T>::kType;
}
struct Codec<T> {
    static std::string type() { return std::string{TextForm<T>::kType}; }
    static Complaint read(const Node& node, T& out, const Limits&) {
        if (node.kind == Node::Kind::String) {
            if (const auto parsed = T::parse(node.text)) {
                out = *parsed;
                return {};
            }
        }
        return not_a(node, TextForm<T>::kType, TextForm<T>::kExample);
    }
    static std::string write(const T& value) { return in_quotes(value.to_string()); }
};

template <>
struct Codec<MedEdit> {
    static std::string type() { return "number, \"+N\", \"-N\" or \"none\""; }
    static Complaint read(const Node& node, MedEdit& out, const Limits&);
    static std::string write(const MedEdit& value);
};

template <>
struct Codec<Prefix> {
    static std::string type() { return "prefix"; }
    static Complaint read(const Node& node, Prefix& out, const Limits&);
    static std::string write(const Prefix& value) { return in_quotes(value.to_string()); }
};

// The words of an enumeration, in the order of its values.
template <class E>
struct Words;
template <>
struct Words<Family> {
    static constexpr std::string_view kWords[] = {"ipv4", "ipv6"};
};
template <>
struct Words<MaxPrefixAction> {
    static constexpr std::string_view kWords[] = {"warn", "drop", "close"};
};
template <>
struct Words<GracefulRestart> {
    static constexpr std::string_view kWords[] = {"off", "helper", "full"};
};
template <>
struct Words<SendCommunity> {
    static constexpr std::string_view kWords[] = {"none", "standard", "extended", "large", "all"};
};
template <>
struct Words<AddPath> {
    static constexpr std::string_view kWords[] = {"off", "receive", "send", "both"};
};
template <>
struct Words<PeerRole> {
    static constexpr std::string_view kWords[] = {"provider", "route-server", "route-server-client",
                                                  "customer", "peer"};
};
template <>
struct Words<RemovePrivateAs> {
    static constexpr std::string_view kWords[] = {"off", "private", "all", "replace"};
};
template <>
struct Words<RouteOrigin> {
    static constexpr std::string_view kWords[] = {"igp", "egp", "incomplete"};
};
template <>
struct Words<RouteFrom> {
    static constexpr std::string_view kWords[] = {"own", "external", "internal"};
};
template <>
struct Words<TermAction> {
    static constexpr std::string_view kWords[] = {"accept", "reject", "next"};
};
template <>
struct Words<Detect> {
    static constexpr std::string_view kWords[] = {"off", "auto", "echo", "probe"};
};
template <>
struct Words<OnDeath> {
    static constexpr std::string_view kWords[] = {"teardown", "suppress"};
};
template <>
struct Words<BfdAuth> {
    static constexpr std::string_view kWords[] = {"keyed-md5", "meticulous-md5", "keyed-sha1",
                                                  "meticulous-sha1"};
};
template <>
struct Words<Hugepages> {
    static constexpr std::string_view kWords[] = {"auto", "on", "off"};
};
template <>
struct Words<PollMode> {
    static constexpr std::string_view kWords[] = {"adaptive", "busy"};
};
template <>
struct Words<Lookup> {
    static constexpr std::string_view kWords[] = {"auto", "scalar", "avx2", "avx512"};
};
template <>
struct Words<Redistribute> {
    static constexpr std::string_view kWords[] = {"connected", "static"};
};
template <>
struct Words<GuardMode> {
    static constexpr std::string_view kWords[] = {"off", "alert", "enforce"};
};
template <>
struct Words<Role> {
    static constexpr std::string_view kWords[] = {"read", "operate", "admin"};
};
template <>
struct Words<LogLevel> {
    static constexpr std::string_view kWords[] = {"debug", "info", "notice", "warning", "error"};
};
template <>
struct Words<LogFormat> {
    static constexpr std::string_view kWords[] = {"logfmt", "json"};
};

template <class E>
constexpr std::string_view word(E value) {
    return Words<E>::kWords[static_cast<std::size_t>(value)];
}

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
    static std::string type() {
        std::string out;
        for (const auto word : Words<E>::kWords)
            out += (out.empty() ? "\"" : ", \"") + std::string{word} + '"';
        return out;
    }
    static Complaint read(const Node& node, E& out, const Limits&) {
        std::uint8_t value = 0;
        for (const auto word : Words<E>::kWords) {
            if (node.kind == Node::Kind::String && node.text == word) {
                out = static_cast<E>(value);
                return {};
            }
            ++value;
        }
        return unknown_word(node, {std::begin(Words<E>::kWords), std::end(Words<E>::kWords)});
    }
    static std::string write(E value) { return in_quotes(word(value)); }
};

template <class T>
struct Codec<std::optional<T>> {
    static std::string type() { return Codec<T>::type(); }
    static Complaint read(const Node& node, std::optional<T>& out, const Limits& limits) {
        T value{};
        auto complaint = Codec<T>::read(node, value, limits);
        if (!complaint.any()) out = std::move(value);
        return complaint;
    }
    static std::string write(const std::optional<T>& value) {
        return value ? Codec<T>::write(*value) : "";
    }
};

// A list; a single value may stand without its brackets.
template <class T>
struct Codec<std::vector<T>> {
    static std::string type() { return "list of " + Codec<T>::type(); }
    static Complaint read(const Node& node, std::vector<T>& out, const Limits& limits) {
        std::vector<T> items;
        if (!node.is_sequence()) {
            if (auto complaint = Codec<T>::read(node, items.emplace_back(), limits);
                complaint.any())
                return complaint;
        }
        for (const Node& child : node.children)
            if (auto complaint = Codec<T>::read(child, items.emplace_back(), limits);
                complaint.any())
                return complaint;
        out = std::move(items);
        return {};
    }
    static std::string write(const std::vector<T>& value) {
        if (value.size() == 1 && std::same_as<T, std::string>) return Codec<T>::write(value[0]);
        std::vector<std::string> items;
        bool wide = false;
        for (const T& item : value) {
            items.push_back(Codec<T>::write(item));
            wide |= std::unsigned_integral<T> || std::same_as<T, Asn> ? items.back().ends_with('L')
                                                                      : false;
        }
        // libconfig wants all numbers of a list to be of one kind.
        std::string out = "[";
        for (const auto& item : items)
            out += (out.size() > 1 ? ", " : "") + item + (wide && !item.ends_with('L') ? "L" : "");
        return out + "]";
    }
};

}  // namespace torii::config
