#include "config/reader.hpp"

#include <set>

#include "config/fields.hpp"
#include "config/schema.hpp"
#include "config/suggest.hpp"

namespace torii::config {

std::optional<std::string> get_neighbor_address(const Neighbor& neighbor) {
    return neighbor.address.to_string() + (neighbor.port ? '@' + *neighbor.port : "");
}

Complaint set_neighbor_address(Neighbor& neighbor, const std::string& text) {
    const auto at = text.find('@');
    const auto address = IpAddress::parse(text.substr(0, at));
    if (!address || at + 1 == text.size())
        return {"expected an IP address, found " + in_quotes(text),
                "for example \"10.0.0.2\", \"fd00::2\" or \"fe80::1@uplink\""};
    neighbor.address = *address;
    if (at != std::string::npos) neighbor.port = text.substr(at + 1);
    return {};
}

std::optional<std::string> get_socket_mode(const Management& management) {
    constexpr char kDigits[] = "01234567";
    std::string out = "0";
    for (int shift = 6; shift >= 0; shift -= 3) out += kDigits[management.socket_mode >> shift & 7];
    return out;
}

Complaint set_socket_mode(Management& management, const std::string& text) {
    unsigned mode = 0;
    for (const char c : text)
        mode = c >= '0' && c <= '7' ? mode * 8 + static_cast<unsigned>(c - '0') : 0x10000;
    if (text.empty() || text.size() > 4 || mode > 0777)
        return {in_quotes(text) + " is no file mode", "write it in octal: \"0660\""};
    management.socket_mode = static_cast<std::uint16_t>(mode);
    return {};
}

namespace {

class Reader {
public:
    Reader(SourceMap& sources, Problems& problems) : sources_(sources), problems_(problems) {}

    template <Block T>
    void block(const Node& node, T& out, const std::string& path) {
        sources_.put(path, {node.file, node.line});
        if (node.kind != Node::Kind::Group) {
            if constexpr (ShorthandBlock<T>) {
                shorthand(node, out, path);
            } else {
                complain(node, path, {"expected a group { }, found " + shown(node), ""});
            }
            return;
        }
        std::vector<std::string_view> known;
        for_each_field<T>([&](const auto& entry, auto reach) {
            known.push_back(entry.key);
            const Node* child = node.find(entry.key);
            const auto child_path =
                path.empty() ? std::string{entry.key} : path + '.' + std::string{entry.key};
            if (child)
                value(*child, entry, reach(out), child_path);
            else if (entry.facts.required)
                complain(node, path,
                         {std::string{entry.key} + " is missing", example(entry.facts)});
        });
        for (const Node& child : node.children) unknown(child, known, path);
    }

private:
    static std::string example(const Facts& facts) { return std::string{facts.doc}; }

    template <class T>
    void shorthand(const Node& node, T& out, const std::string& path) {
        bool first = true;
        for_each_field<T>([&](const auto& entry, auto reach) {
            if (first) value(node, entry, reach(out), path);
            first = false;
        });
    }

    template <class Owner, class T>
    void value(const Node& node, const Field<Owner, T>& entry, Owner& owner,
               const std::string& path) {
        T& out = owner.*entry.member;
        if constexpr (Block<T>) {
            block(node, out, path);
        } else if constexpr (kIsOptionalBlock<T>) {
            block(node, out.emplace(), path);
        } else if constexpr (kIsBlockList<T>) {
            blocks(node, out, path);
        } else {
            sources_.put(path, {node.file, node.line});
            complain(node, path, Codec<T>::read(node, out, entry.facts.limits));
        }
    }

    template <class Owner, class T>
    void value(const Node& node, const Projected<Owner, T>& entry, Owner& owner,
               const std::string& path) {
        sources_.put(path, {node.file, node.line});
        T parsed{};
        auto complaint = Codec<T>::read(node, parsed, entry.facts.limits);
        if (!complaint.any()) complaint = entry.set(owner, parsed);
        complain(node, path, complaint);
    }

    template <class T>
    void blocks(const Node& node, std::vector<T>& out, const std::string& path) {
        sources_.put(path, {node.file, node.line});
        if constexpr (NamedBlock<T>) {
            if (node.kind != Node::Kind::Group) {
                complain(node, path,
                         {"expected named blocks, found " + shown(node),
                          "write { NAME = " +
                              std::string{ShorthandBlock<T> ? "[ ... ]" : "{ ... }"} + "; }"});
                return;
            }
            for (const Node& child : node.children) {
                T& item = out.emplace_back();
                item.name = child.name;
                block(child, item, path + '.' + child.name);
            }
        } else {
            if (!node.is_sequence() && node.kind != Node::Kind::Group) {
                complain(node, path,
                         {"expected a list of groups, found " + shown(node), "write ( { ... } )"});
                return;
            }
            if (node.kind == Node::Kind::Group) {  // one needs no brackets
                block(node, out.emplace_back(), path + "[0]");
                return;
            }
            for (std::size_t i = 0; i < node.children.size(); ++i)
                block(node.children[i], out.emplace_back(), path + '[' + std::to_string(i) + ']');
        }
    }

    void unknown(const Node& node, const std::vector<std::string_view>& known,
                 const std::string& path) {
        for (const auto key : known)
            if (key == node.name) return;
        const auto full = path.empty() ? node.name : path + '.' + node.name;
        std::string way_out;
        if (const auto near = suggest(node.name, known); !near.empty()) {
            way_out = "did you mean " + near + "?";
        } else if (const auto elsewhere = paths_of_key(node.name); !elsewhere.empty()) {
            way_out = "it belongs to " + elsewhere;
        } else {
            for (const auto key : known)
                way_out += (way_out.empty() ? "known here: " : ", ") + std::string{key};
        }
        complain(node, full, {"unknown key " + node.name, way_out});
    }

    void complain(const Node& node, const std::string& path, const Complaint& complaint) {
        if (!complaint.any()) return;
        problems_.push_back(
            {Gravity::Error, node.file, node.line, path, complaint.message, complaint.way_out});
    }

    SourceMap& sources_;
    Problems& problems_;
};

}  // namespace

Model read(const Node& root, SourceMap& sources, Problems& problems) {
    Model out;
    Reader{sources, problems}.block(root, out, "");
    return out;
}

}  // namespace torii::config
