#include "config/schema.hpp"

#include <limits>
#include <set>

#include "config/keys.hpp"

namespace torii::config {
namespace {

std::string range_of(const Limits& limits) {
    const bool low = limits.min != std::numeric_limits<std::int64_t>::min();
    const bool high = limits.max != std::numeric_limits<std::int64_t>::max();
    if (!low && !high) return "";
    return std::to_string(limits.min) + " to " + std::to_string(limits.max);
}

// What holds when the key is not written.
std::string fallback(const KeyEntry& entry, const void* defaults) {
    if (entry.facts.required) return "";
    if (!entry.is_set(defaults)) {
        const bool list = entry.value->shape == ValueType::Shape::List;
        return list && entry.facts.unset.empty() ? "none" : std::string{entry.facts.unset};
    }
    return entry.write(defaults);
}

class Collector {
public:
    void block(const KeyTable& table, const void* defaults, const std::string& path) {
        for (const KeyEntry& entry : table.entries) {
            // The keys of a peer stand under bgp.defaults alone.
            if (entry.embedded) continue;
            const std::string key{entry.key};
            one(entry, defaults, path.empty() ? key : path + '.' + key);
        }
    }
    std::vector<Key> keys;

private:
    void one(const KeyEntry& entry, const void* defaults, const std::string& path) {
        const Facts& facts = entry.facts;
        Key key{path,        "",         range_of(facts.limits), "",
                facts.doc,   facts.cost, facts.required,         !entry.is_value(),
                facts.secret};
        if (entry.is_value()) {
            key.type = entry.value->words();
            key.fallback = fallback(entry, defaults);
            keys.push_back(key);
            return;
        }
        const KeyTable& table = entry.table();
        auto inner_path = path;
        const void* inner = table.defaults;
        if (entry.kind == KeyEntry::Kind::Block) {
            key.type = "block";
            inner =
                &table == &keys_of<PeerSettings>() ? &built_in_peer_settings() : entry.in(defaults);
        } else if (entry.kind == KeyEntry::Kind::OptionalBlock) {
            key.type = table.shorthand ? "number or block" : "block";
            key.fallback = facts.unset.empty() ? "absent" : facts.unset;
        } else {
            key.type = !table.is_named() ? "list of blocks"
                       : table.shorthand ? "lists by name"
                                         : "blocks by name";
            key.fallback = "none";
            inner_path += table.is_named() ? ".NAME" : "[]";
        }
        keys.push_back(key);
        block(table, inner, inner_path);
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
        collector.block(keys_of<Model>(), &defaults, "");
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

bool is_secret_key(std::string_view name) {
    static const std::set<std::string, std::less<>> names = [] {
        std::set<std::string, std::less<>> out;
        for (const Key& key : schema())
            if (key.secret) out.insert(key.path.substr(key.path.rfind('.') + 1));
        return out;
    }();
    return names.contains(name);
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
        "*A change costs*: what a reload disturbs: nothing (-), `refresh` (routes are read or "
        "sent again),\n`next session` (holds from the peer's next session on), `reset` (the "
        "sessions concerned restart),\n`restart` (needs a restart of toriid).\n";
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
                "The same keys stand in `bgp.groups.NAME` and in `bgp.neighbors[]`; a key "
                "that is unset at a neighbor is inherited\nfrom its group, then from the groups "
                "that one inherits from, then `bgp.defaults`, then the column *unset*.\n\n";
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
