#include "config/config.hpp"
#include "config/fields.hpp"

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

    template <Block T>
    std::vector<Item> block(const T& value, const T& unset) const {
        std::vector<Item> out;
        for_each_field<T>(
            [&](const auto& entry, auto reach) { one(entry, reach(value), reach(unset), out); });
        return out;
    }

private:
    template <class Owner, class T>
    void one(const Field<Owner, T>& entry, const Owner& owner, const Owner& unset,
             std::vector<Item>& out) const {
        const T& value = owner.*entry.member;
        const std::string key{entry.key};
        if constexpr (Block<T>) {
            auto inner = defaults_ == Defaults::Shown && std::same_as<T, PeerSettings>
                             ? peer_block(value)
                             : block(value, T{});
            if (!inner.empty()) out.push_back({key, "", '{', '}', std::move(inner)});
        } else if constexpr (kIsOptionalBlock<T>) {
            if (value) out.push_back(whole(key, *value));
        } else if constexpr (kIsBlockList<T>) {
            using Inner = typename T::value_type;
            if (value.empty()) return;
            Item list{key, "", '(', ')', {}};
            if (NamedBlock<Inner>) list.open = '{', list.close = '}';
            for (const Inner& item : value) {
                std::string name;
                if constexpr (NamedBlock<Inner>) name = item.name;
                list.children.push_back(whole(name, item));
            }
            out.push_back(std::move(list));
        } else {
            const auto text = Codec<T>::write(value);
            if (text.empty()) return;  // an optional that is unset
            if (!entry.facts.required && defaults_ == Defaults::Hidden &&
                value == unset.*entry.member)
                return;
            out.push_back({key, mask(entry.facts, text), 0, 0, {}});
        }
    }

    template <class Owner, class T>
    void one(const Projected<Owner, T>& entry, const Owner& owner, const Owner& unset,
             std::vector<Item>& out) const {
        const auto value = entry.get(owner);
        if (!value) return;
        if (!entry.facts.required && defaults_ == Defaults::Hidden && value == entry.get(unset))
            return;
        out.push_back({std::string{entry.key}, Codec<T>::write(*value), 0, 0, {}});
    }

    template <class T>
    Item whole(const std::string& key, const T& value) const {
        auto children = block(value, T{});
        if constexpr (ShorthandBlock<T>) {
            std::string first;
            for_each_field<T>([&](const auto& entry, auto) {
                if (first.empty()) first = entry.key;
            });
            if (children.empty()) return {key, "[]", 0, 0, {}};
            if (children.size() == 1 && children[0].key == first) {
                children[0].key = key;
                return children[0];
            }
        }
        return {key, "", '{', '}', std::move(children)};
    }

    template <class T>
    std::vector<Item> peer_block(const T& value) const {
        if constexpr (std::same_as<T, PeerSettings>)
            return block(inherit(value, built_in_peer_settings()), T{});
        else
            return {};
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
    for (const Item& item : Printer{secrets, defaults}.block(model, Model{}))
        put(out, item, 0, ';');
    return out;
}

namespace {

// A setting in a line, blocks too.
template <class T>
std::string in_a_line(const T& value) {
    return Codec<T>::write(value);
}
std::string in_a_line(const MaxPrefix& max) {
    return std::to_string(max.limit) + ", then " +
           std::string{Words<MaxPrefixAction>::kWords[static_cast<std::size_t>(max.action)]};
}
std::string in_a_line(const Liveness& liveness) {
    if (liveness.detect == Detect::Off) return "off";
    return std::string{Words<Detect>::kWords[static_cast<std::size_t>(liveness.detect)]} + ", " +
           std::to_string(liveness.multiplier) + " x " + std::to_string(liveness.interval.count()) +
           " ms, then " +
           std::string{Words<OnDeath>::kWords[static_cast<std::size_t>(liveness.on_death)]};
}
std::string in_a_line(const Bfd& bfd) {
    if (bfd.shutdown) return "shutdown";
    return std::to_string(bfd.multiplier) + " x " + std::to_string(bfd.transmit.count()) + '/' +
           std::to_string(bfd.receive.count()) + " ms" +
           (bfd.key ? ", " +
                          std::string{
                              Words<BfdAuth>::kWords[static_cast<std::size_t>(bfd.authentication)]}
                    : "");
}

}  // namespace

std::vector<SettingText> describe(const EffectivePeer& peer) {
    std::vector<SettingText> out;
    for_each_field<PeerSettings>([&](const auto& entry, auto) {
        const auto& value = peer.settings.*entry.member;
        const auto why = peer.why.find(entry.key);
        if (!value || why == peer.why.end()) return;
        auto text = in_a_line(*value);
        if (entry.facts.secret) text = "********";
        std::string origin{to_string(why->second.origin)};
        if (!why->second.group.empty()) origin += ' ' + why->second.group;
        out.push_back({std::string{entry.key}, std::move(text), std::move(origin)});
    });
    return out;
}

}  // namespace torii::config
