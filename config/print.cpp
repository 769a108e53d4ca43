#include "config/config.hpp"
#include "config/keys.hpp"

namespace torii::config {
namespace {

constexpr std::size_t kWidth = 100;

// `key = value;` or a block of such; key is "" in lists.
struct Item {
    std::string key;
    std::string value;         // when there are no brackets
    char open = 0, close = 0;  // brackets around children
    std::vector<Item> children;
};

std::string one_line(const Item& item) {
    std::string out = item.key.empty() ? "" : item.key + " = ";
    if (!item.open) return out + item.value;
    out += item.open;
    for (std::size_t i = 0; i < item.children.size(); ++i) {
        out += ' ' + one_line(item.children[i]);
        if (item.open == '{')
            out += ';';
        else if (i + 1 < item.children.size())
            out += ',';
    }
    return out + ' ' + item.close;
}

bool is_simple(const Item& item) {
    for (const Item& child : item.children)
        if (child.open) return false;
    return true;
}

void put(std::string& out, const Item& item, std::size_t indent, char end) {
    const std::string margin(indent, ' ');
    const auto line = one_line(item);
    if (!item.open || (indent > 0 && is_simple(item) && indent + line.size() < kWidth)) {
        out += margin + line;
    } else {
        out += margin + (item.key.empty() ? "" : item.key + " = ") + item.open + '\n';
        for (std::size_t i = 0; i < item.children.size(); ++i)
            put(out, item.children[i], indent + 4,
                item.open == '{'               ? ';'
                : i + 1 < item.children.size() ? ','
                                               : '\0');
        out += margin + item.close;
    }
    if (end) out += end;
    out += '\n';
}

class Printer {
public:
    Printer(Secrets secrets, Defaults defaults) : secrets_(secrets), defaults_(defaults) {}

    std::vector<Item> block(const void* value, const KeyTable& table) const {
        std::vector<Item> out;
        for (const KeyEntry& entry : table.entries) one(entry, value, table.defaults, out);
        return out;
    }

private:
    void one(const KeyEntry& entry, const void* owner, const void* unset,
             std::vector<Item>& out) const {
        const std::string key{entry.key};
        if (entry.kind == KeyEntry::Kind::Block) {
            auto inner = inner_block(entry.in(owner), entry.table());
            if (!inner.empty()) out.push_back({key, "", '{', '}', std::move(inner)});
        } else if (entry.kind == KeyEntry::Kind::OptionalBlock) {
            if (entry.is_set(owner))
                out.push_back(whole(key, entry.nest->at(entry.in(owner), 0), entry.table()));
        } else if (entry.kind == KeyEntry::Kind::BlockList) {
            list(entry, entry.in(owner), out);
        } else {
            const auto text = entry.write(owner);
            if (text.empty()) return;  // an optional that is unset
            if (!entry.facts.required && defaults_ == Defaults::Hidden && entry.same(owner, unset))
                return;
            out.push_back({key, mask(entry.facts, text), 0, 0, {}});
        }
    }

    // With defaults shown, those of peers are torii's own answers.
    std::vector<Item> inner_block(const void* value, const KeyTable& table) const {
        if (defaults_ == Defaults::Hidden || &table != &keys_of<PeerSettings>())
            return block(value, table);
        const auto folded =
            inherit(*static_cast<const PeerSettings*>(value), built_in_peer_settings());
        return block(&folded, table);
    }

    void list(const KeyEntry& entry, const void* blocks, std::vector<Item>& out) const {
        const KeyTable& table = entry.table();
        const auto size = entry.nest->size(blocks);
        if (size == 0) return;
        Item item{std::string{entry.key}, "", '(', ')', {}};
        if (table.is_named()) item.open = '{', item.close = '}';
        for (std::size_t i = 0; i < size; ++i) {
            const void* inner = entry.nest->at(blocks, i);
            item.children.push_back(whole(table.name_of(inner), inner, table));
        }
        out.push_back(std::move(item));
    }

    Item whole(const std::string& key, const void* value, const KeyTable& table) const {
        auto children = block(value, table);
        if (table.shorthand && children.empty()) return {key, "[]", 0, 0, {}};
        if (table.shorthand && children.size() == 1 &&
            children[0].key == table.entries.front().key) {
            children[0].key = key;
            return children[0];
        }
        return {key, "", '{', '}', std::move(children)};
    }

    std::string mask(const Facts& facts, const std::string& text) const {
        return facts.secret && secrets_ == Secrets::Masked ? "\"********\"" : text;
    }

    Secrets secrets_;
    Defaults defaults_;
};

}  // namespace

std::string print(const Model& model, Secrets secrets, Defaults defaults) {
    std::string out;
    for (const Item& item : Printer{secrets, defaults}.block(&model, keys_of<Model>()))
        put(out, item, 0, ';');
    return out;
}

std::vector<SettingText> describe(const EffectivePeer& peer) {
    std::vector<SettingText> out;
    for (const KeyEntry& entry : keys_of<PeerSettings>().entries) {
        const auto why = peer.why.find(entry.key);
        if (!entry.is_set(&peer.settings) || why == peer.why.end()) continue;
        auto text = entry.is_value()
                        ? entry.write(&peer.settings)
                        : entry.table().line(entry.nest->at(entry.in(&peer.settings), 0));
        if (entry.facts.secret) text = "********";
        std::string origin{to_string(why->second.origin)};
        if (!why->second.group.empty()) origin += ' ' + why->second.group;
        out.push_back({std::string{entry.key}, std::move(text), std::move(origin)});
    }
    return out;
}

}  // namespace torii::config
