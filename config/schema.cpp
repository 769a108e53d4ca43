#include "config/schema.hpp"

#include <limits>
#include <set>

#include "config/fields.hpp"

namespace torii::config {
namespace {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

std::string range_of(const Limits& limits) {
    const bool low = limits.min != std::numeric_limits<std::int64_t>::min();
    const bool high = limits.max != std::numeric_limits<std::int64_t>::max();
    if (!low && !high) return "";
    return std::to_string(limits.min) + " to " + std::to_string(limits.max);
}

class Collector {
public:
    template <Block T>
    void block(const T& defaults, const std::string& path) {
        for_each_field<T>([&](const auto& entry, auto reach) {
            one(entry, reach(defaults),
                path.empty() ? std::string{entry.key} : path + '.' + std::string{entry.key});
        });
    }
    std::vector<Key> keys;

private:
    template <class Owner, class T>
    void one(const Field<Owner, T>& entry, const Owner& defaults, const std::string& path) {
        // The keys of a peer stand under bgp.defaults alone.
        if constexpr (std::same_as<Owner, PeerSettings>)
            if (!path.starts_with("bgp.defaults.")) return;
        const Facts& facts = entry.facts;
        Key key{path, "", range_of(facts.limits), "", facts.doc, facts.cost, facts.required, true};
        if constexpr (Block<T>) {
            key.type = "block";
            keys.push_back(key);
            if constexpr (std::same_as<T, PeerSettings>)
                block(built_in_peer_settings(), path);
            else
                block(defaults.*entry.member, path);
        } else if constexpr (kIsOptionalBlock<T>) {
            using Inner = typename T::value_type;
            key.type = ShorthandBlock<Inner> ? "number or block" : "block";
            key.fallback = facts.unset.empty() ? "absent" : facts.unset;
            keys.push_back(key);
            block(Inner{}, path);
        } else if constexpr (kIsBlockList<T>) {
            using Inner = typename T::value_type;
            key.type = NamedBlock<Inner>
                           ? (ShorthandBlock<Inner> ? "lists by name" : "blocks by name")
                           : "list of blocks";
            key.fallback = "none";
            keys.push_back(key);
            block(Inner{}, path + (NamedBlock<Inner> ? ".NAME" : "[]"));
        } else {
            key.block = false;
            key.type = Codec<T>::type();
            key.fallback = fallback(defaults.*entry.member, facts);
            keys.push_back(key);
        }
    }

    template <class Owner, class T>
    void one(const Projected<Owner, T>& entry, const Owner& defaults, const std::string& path) {
        const auto value = entry.get(defaults);
        const Facts& facts = entry.facts;
        keys.push_back({path, Codec<T>::type(), range_of(facts.limits),
                        facts.required ? ""
                        : value        ? Codec<T>::write(*value)
                                       : "",
                        facts.doc, facts.cost, facts.required, false});
    }

    template <class T>
    static std::string fallback(const T& value, const Facts& facts) {
        if (facts.required) return "";
        if constexpr (IsOptional<T>::value) {
            if (!value) return std::string{facts.unset};
        }
        if constexpr (IsVector<T>::value) {
            if (value.empty()) return facts.unset.empty() ? "none" : std::string{facts.unset};
        }
        return Codec<T>::write(value);
    }
};

std::string parent(std::string_view path) {
    return std::string{path.substr(0, path.rfind('.'))};
}

}  // namespace

const std::vector<Key>& schema() {
    static const std::vector<Key> keys = [] {
        Collector collector;
        Model defaults;
        defaults.bgp.emplace();
        collector.block(defaults, "");
        return collector.keys;
    }();
    return keys;
}

std::string paths_of_key(std::string_view name) {
    std::set<std::string> places;
    for (const Key& key : schema()) {
        if (key.path == name) return "the outermost level";
        if (!key.path.ends_with(name) || key.path[key.path.size() - name.size() - 1] != '.')
            continue;
        if (key.path.starts_with("bgp.defaults."))
            return "bgp.neighbors[], bgp.groups.NAME or bgp.defaults";
        places.insert(parent(key.path));
    }
    std::string out;
    for (const auto& place : places) out += (out.empty() ? "" : " or ") + place;
    return out;
}

std::string reference() {
    std::string out =
        "# Configuration reference\n\n"
        "Generated from the table of keys (`toriid --reference`); do not edit.\n\n"
        "The file is `/etc/torii/torii.cfg`; `conf.d/*.cfg` beside it is merged in the order of "
        "the "
        "names.\n`key = value;` sets a value, `{ }` holds a block, `[ ]` and `( )` hold lists; a "
        "list of one may stand without\nits brackets. Text and addresses are quoted. Times are "
        "seconds, or text with a unit: `\"3m\"`. AS numbers are\nnumbers or text, asdot included. "
        "`#` begins a comment. `toriid --check FILE` finds every mistake.\n\n"
        "*A change costs* says what a reload disturbs: nothing (-), `refresh` (routes are read or "
        "sent again),\n`next session` (holds from the peer's next session on), `reset` (the "
        "sessions concerned restart), `port`\n(the port restarts), `restart` (needs a restart of "
        "toriid).\n";
    // A block's own keys come before those of the blocks inside it.
    std::vector<std::string> sections;
    std::set<std::string> seen;
    for (const Key& key : schema()) {
        const auto section = key.path.find('.') == std::string::npos ? "" : parent(key.path);
        if (seen.insert(section).second) sections.push_back(section);
    }
    for (const auto& section : sections) {
        out += section.empty() ? "\n## The outermost level\n\n" : "\n## `" + section + "`\n\n";
        if (section == "bgp.defaults")
            out +=
                "The same keys stand in `bgp.groups.NAME` and in `bgp.neighbors[]`; what a "
                "neighbor does not say, its group\nsays, then the groups that one inherits "
                "from, then `bgp.defaults`, then the column *unset*.\n\n";
        out += "| key | value | unset | a change costs | |\n| --- | --- | --- | --- | --- |\n";
        for (const Key& key : schema()) {
            if ((key.path.find('.') == std::string::npos ? "" : parent(key.path)) != section)
                continue;
            const auto name = key.path.substr(key.path.rfind('.') + 1);
            const auto code = [](const std::string& text) {
                return text.empty() || text.find(' ') != std::string::npos ? text
                                                                           : '`' + text + '`';
            };
            out += "| `" + name + "` | " + key.type + (key.range.empty() ? "" : ", " + key.range) +
                   " | " + (key.required ? "**required**" : code(key.fallback)) + " | " +
                   (key.block || key.cost == Cost::None ? "-" : std::string{to_string(key.cost)}) +
                   " | " + std::string{key.doc} + " |\n";
        }
    }
    return out;
}

}  // namespace torii::config
