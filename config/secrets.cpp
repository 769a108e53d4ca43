#include "config/secrets.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "config/keys.hpp"
#include "config/scan.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

// Written values of secret keys, by place: "bgp.neighbors[10.0.0.1].password".
using SecretsByPlace = std::map<std::string, std::vector<std::string>>;

std::vector<std::string> literals_of(const std::string& text) {
    std::vector<std::string> out;
    for (const auto [at, size] : string_literals(text)) out.push_back(text.substr(at, size));
    return out;
}

// What an item of a list is known by, so that it is found again in another order.
std::string identity(const void* item, const KeyTable& table, std::size_t index) {
    if (table.is_named()) return table.name_of(item);
    for (const KeyEntry& entry : table.entries)
        if (entry.facts.required && entry.is_value()) return entry.write(item);
    return std::to_string(index);
}

void collect(const void* owner, const KeyTable& table, const std::string& path,
             SecretsByPlace& out) {
    for (const KeyEntry& entry : table.entries) {
        const auto place = path + '.' + std::string{entry.key};
        if (entry.is_value()) {
            if (entry.facts.secret) out.emplace(place, literals_of(entry.write(owner)));
        } else if (entry.kind == KeyEntry::Kind::Block) {
            collect(entry.in(owner), entry.table(), place, out);
        } else {
            const void* nest = entry.in(owner);
            for (std::size_t i = 0; i < entry.nest->size(nest); ++i) {
                const void* item = entry.nest->at(nest, i);
                collect(item, entry.table(), place + '[' + identity(item, entry.table(), i) + ']',
                        out);
            }
        }
    }
}

SecretsByPlace secrets_of(const Model& model) {
    SecretsByPlace out;
    collect(&model, keys_of<Model>(), "", out);
    return out;
}

// The text with each literal that `value` has something for replaced by that.
template <class F>
std::string replace_literals(std::string_view text, F value) {
    std::string out;
    std::size_t done = 0;
    for (const auto [at, size] : string_literals(text)) {
        const std::optional<std::string> other = value(text.substr(at, size), at);
        if (!other) continue;
        out += text.substr(done, at - done);
        out += *other;
        done = at + size;
    }
    return out += text.substr(done);
}

}  // namespace

std::optional<std::string> mask(std::string_view text, const Model& model) {
    std::set<std::string, std::less<>> secrets;
    for (auto& [place, values] : secrets_of(model)) secrets.insert(values.begin(), values.end());
    auto out = replace_literals(text, [&](std::string_view literal, std::size_t) {
        return secrets.contains(literal) ? std::optional{in_quotes(kMaskedSecret)} : std::nullopt;
    });
    const auto back = unmask(out, "", model);
    if (!back || *back != text) return std::nullopt;
    // A secret may have been put together of two literals, or written with escapes.
    const auto shown = read_text(out, "");
    if (!shown) return std::nullopt;
    for (const auto& [place, values] : secrets_of(*shown))
        for (const auto& value : values)
            if (value != in_quotes(kMaskedSecret)) return std::nullopt;
    return out;
}

Result<std::string, Problems> unmask(std::string_view text, const std::string& name,
                                     const Model& known) {
    if (text.find(kMaskedSecret) == std::string_view::npos) return std::string{text};
    // Each masked secret gets a mark of its own, and the reader reports where that stands.
    std::vector<std::size_t> masked;
    const auto mark = [](std::size_t i) { return in_quotes("masked-secret-" + std::to_string(i)); };
    const auto marked = replace_literals(text, [&](std::string_view literal, std::size_t at) {
        if (literal != in_quotes(kMaskedSecret)) return std::optional<std::string>{};
        masked.push_back(at);
        return std::optional{mark(masked.size() - 1)};
    });
    const auto candidate = read_text(marked, name);
    if (!candidate) return Failure{candidate.error()};

    std::map<std::string, std::string> values;  // by mark
    const auto kept = secrets_of(known);
    for (const auto& [place, found] : secrets_of(*candidate)) {
        const auto at = kept.find(place);
        for (std::size_t i = 0; at != kept.end() && i < found.size() && i < at->second.size(); ++i)
            values.emplace(found[i], at->second[i]);
    }
    Problems problems;
    std::size_t next = 0;
    auto out = replace_literals(text, [&](std::string_view, std::size_t at) {
        if (next >= masked.size() || masked[next] != at) return std::optional<std::string>{};
        const auto value = values.find(mark(next++));
        if (value != values.end()) return std::optional{value->second};
        const auto line = static_cast<unsigned>(
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
        problems.push_back({Gravity::Error, name, line + 1, "",
                            "a masked secret where none is known",
                            "write the secret itself; masked means: as it is now"});
        return std::optional<std::string>{};
    });
    if (!problems.empty()) return Failure{std::move(problems)};
    return out;
}

}  // namespace torii::config
