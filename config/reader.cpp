#include "config/reader.hpp"

#include "base/suggest.hpp"
#include "config/keys.hpp"
#include "config/schema.hpp"

namespace torii::config {
namespace {

class Reader {
public:
    Reader(SourceMap& sources, Problems& problems) : sources_(sources), problems_(problems) {}

    void block(const Node& node, void* out, const KeyTable& table, const std::string& path) {
        sources_.put(path, {node.file, node.line});
        if (node.kind != Node::Kind::Group) {
            if (table.shorthand)
                value(node, table.entries.front(), out, path);
            else
                complain(node, path, {"expected a group { }, found " + shown(node), ""});
            return;
        }
        for (const KeyEntry& entry : table.entries) {
            const std::string key{entry.key};
            if (const Node* child = node.find(entry.key))
                value(*child, entry, out, path.empty() ? key : path + '.' + key);
            else if (entry.facts.required)
                complain(node, path, {key + " is missing", std::string{entry.facts.doc}});
        }
        for (const Node& child : node.children) refuse_unknown(child, table, path);
    }

private:
    void value(const Node& node, const KeyEntry& entry, void* owner, const std::string& path) {
        switch (entry.kind) {
            case KeyEntry::Kind::Block:
                return block(node, entry.in(owner), entry.table(), path);
            case KeyEntry::Kind::OptionalBlock:
                return block(node, entry.nest->append(entry.in(owner)), entry.table(), path);
            case KeyEntry::Kind::BlockList:
                return blocks(node, entry, entry.in(owner), path);
            case KeyEntry::Kind::Value:
            case KeyEntry::Kind::Embedded:
                break;
        }
        sources_.put(path, {node.file, node.line});
        auto complaint = entry.read(node, owner);
        // What is there may be the secret itself.
        if (complaint.any() && entry.facts.secret)
            complaint = {"expected " + entry.value->words() + " in quotes",
                         "the value is a secret and not shown"};
        complain(node, path, complaint);
    }

    void blocks(const Node& node, const KeyEntry& entry, void* list, const std::string& path) {
        sources_.put(path, {node.file, node.line});
        const KeyTable& table = entry.table();
        const bool group = node.kind == Node::Kind::Group;
        if (table.is_named()) {
            if (!group) {
                const std::string form = table.shorthand ? "[ ... ]" : "{ ... }";
                complain(node, path,
                         {"expected named blocks, found " + shown(node),
                          "write { NAME = " + form + "; }"});
                return;
            }
            for (const Node& child : node.children) {
                void* item = entry.nest->append(list);
                table.name(item) = child.name;
                block(child, item, table, path + '.' + child.name);
            }
        } else if (group) {  // one needs no brackets
            block(node, entry.nest->append(list), table, path + "[0]");
        } else if (node.is_sequence()) {
            for (std::size_t i = 0; i < node.children.size(); ++i)
                block(node.children[i], entry.nest->append(list), table,
                      path + '[' + std::to_string(i) + ']');
        } else {
            complain(node, path,
                     {"expected a list of groups, found " + shown(node), "write ( { ... } )"});
        }
    }

    void refuse_unknown(const Node& node, const KeyTable& table, const std::string& path) {
        std::vector<std::string_view> known;
        for (const KeyEntry& entry : table.entries) {
            if (entry.key == node.name) return;
            known.push_back(entry.key);
        }
        const auto full = path.empty() ? node.name : path + '.' + node.name;
        std::string hint;
        if (const auto near = suggest(node.name, known); !near.empty()) {
            hint = "did you mean " + near + "?";
        } else if (const auto elsewhere = paths_of_key(node.name); !elsewhere.empty()) {
            hint = "it is a key of " + elsewhere;
        } else {
            for (const auto key : known)
                hint += (hint.empty() ? "known here: " : ", ") + std::string{key};
        }
        complain(node, full, {"unknown key " + node.name, hint});
    }

    void complain(const Node& node, const std::string& path, const Complaint& complaint) {
        if (!complaint.any()) return;
        problems_.push_back(
            {Gravity::Error, node.file, node.line, path, complaint.message, complaint.hint});
    }

    SourceMap& sources_;
    Problems& problems_;
};

}  // namespace

Model read(const Node& root, SourceMap& sources, Problems& problems) {
    Model out;
    Reader{sources, problems}.block(root, &out, keys_of<Model>(), "");
    return out;
}

}  // namespace torii::config
