#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <libconfig.h++>

#include "base/stable_sort.hpp"
#include "config/config.hpp"
#include "config/node.hpp"
#include "config/reader.hpp"
#include "config/scan.hpp"
#include "config/schema.hpp"
#include "config/validate.hpp"

// The only file that uses libconfig++; its exceptions end here.
namespace torii::config {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr int kMostIncludes = 16;  // inside of each other

Node convert(const libconfig::Setting& setting, const std::string& file) {
    using libconfig::Setting;
    Node node;
    if (const char* name = setting.getName()) node.name = name;
    node.file = file;
    node.line = setting.getSourceLine();
    switch (setting.getType()) {
        case Setting::TypeInt:
            node.kind = Node::Kind::Integer;
            node.integer = static_cast<int>(setting);
            break;
        case Setting::TypeInt64:
            node.kind = Node::Kind::Integer;
            node.integer = static_cast<long long>(setting);
            break;
        case Setting::TypeFloat:
            node.kind = Node::Kind::Float;
            node.real = static_cast<double>(setting);
            break;
        case Setting::TypeBoolean:
            node.kind = Node::Kind::Bool;
            node.integer = static_cast<bool>(setting) ? 1 : 0;
            break;
        case Setting::TypeString:
            node.kind = Node::Kind::String;
            node.text = static_cast<const char*>(setting);
            break;
        case Setting::TypeArray:
            node.kind = Node::Kind::Array;
            break;
        case Setting::TypeList:
            node.kind = Node::Kind::List;
            break;
        default:
            node.kind = Node::Kind::Group;
    }
    if (!node.is_scalar())
        for (int i = 0; i < setting.getLength(); ++i)
            node.children.push_back(convert(setting[i], file));
    return node;
}

// Blocks merge, lists grow, a value is set once.
void merge(Node& into, Node from, const std::string& path, Problems& problems) {
    for (Node& child : from.children) {
        Node* had = into.find(child.name);
        const auto child_path = path.empty() ? child.name : path + '.' + child.name;
        if (!had)
            into.children.push_back(std::move(child));
        else if (had->kind == Node::Kind::Group && child.kind == Node::Kind::Group)
            merge(*had, std::move(child), child_path, problems);
        else if (had->is_sequence() && child.is_sequence())
            std::move(child.children.begin(), child.children.end(),
                      std::back_inserter(had->children));
        else
            problems.push_back({Gravity::Error, child.file, child.line, child_path,
                                "already set in " + had->file + ':' + std::to_string(had->line),
                                "keep one of them"});
    }
}

class Files {
public:
    void add_file(const std::string& file, int depth, unsigned from_line, const std::string& from) {
        std::error_code error;
        if (depth > kMostIncludes) {
            fail(from, from_line, "includes go round in a circle at " + file, "");
            return;
        }
        std::string why;
        if (std::filesystem::is_directory(file, error)) {
            why = "is a directory";
        } else if (std::ifstream in{file, std::ios::binary}; !in) {
            why = std::strerror(errno);
        } else {
            // As much as is there: room for the most would cost more than the reading.
            std::string text;
            std::array<char, 64 * 1024> piece;
            while (text.size() <= kMostBytes && (in.read(piece.data(), piece.size()), in.gcount()))
                text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
            if (text.size() <= kMostBytes) {
                add_text(text, file, depth);
                return;
            }
            why = "is larger than 64 MiB";
        }
        if (from.empty())
            fail(file, 0, "cannot read the file: " + why, "");
        else
            fail(from, from_line, "cannot read " + file + ": " + why, "");
    }

    // Text that came over the network must not make us read files.
    void add_text(std::string_view text, const std::string& name, int depth,
                  bool may_include = true) {
        Scanned scanned = scan(text, name);
        const bool broken = !scanned.problems.empty();
        std::move(scanned.problems.begin(), scanned.problems.end(), std::back_inserter(problems));
        if (!broken) parse(scanned.text, name);
        const auto folder = std::filesystem::path{name}.parent_path();
        for (const auto& include : scanned.includes) {
            if (may_include) {
                // By itself: the list grows while what it names is read.
                const auto file = (folder / include.file).string();
                included.push_back(file);
                add_file(file, depth + 1, include.line, name);
            } else {
                fail(name, include.line, "@include is only for files", "put the text here");
            }
        }
    }

    Node root;
    Problems problems;
    std::vector<std::string> included;

private:
    void fail(const std::string& file, unsigned line, std::string message, std::string hint) {
        problems.push_back({Gravity::Error, file, line, "", std::move(message), std::move(hint)});
    }

    void parse(const std::string& text, const std::string& name) {
        try {
            libconfig::Config config;
            config.readString(text);
            Node tree = convert(config.getRoot(), name);
            if (root.file.empty()) {
                root.file = name;
                root.line = 1;
            }
            merge(root, std::move(tree), "", problems);
        } catch (const libconfig::ParseException& e) {
            const auto line = static_cast<unsigned>(std::max(e.getLine(), 0));
            const std::string_view said = e.getError() ? e.getError() : "syntax error";
            if (said == "duplicate setting name")
                fail(name, line, "a key stands twice in its block" + near(text, line),
                     "keep one of them");
            else if (said == "mismatched element type in array")
                fail(name, line, "values of different types in [ ]" + near(text, line),
                     "give all of them quotes, or none; ( ) takes a mixture");
            else
                fail(name, line, std::string{said} + near(text, line),
                     "each key is written: key = value;");
        } catch (const libconfig::ConfigException& e) {
            fail(name, 0, std::string{"libconfig: "} + e.what(), "");
        }
    }

    static bool names_a_secret(std::string_view line) {
        for (std::size_t at = 0, end = 0; at < line.size(); at = end + 1) {
            end = std::min(line.find_first_of(" \t={}();,", at), line.size());
            if (is_secret_key(line.substr(at, end - at))) return true;
        }
        return false;
    }

    static std::string near(const std::string& text, unsigned line) {
        std::size_t at = 0;
        for (unsigned i = 1; i < line && at != std::string::npos; ++i) {
            at = text.find('\n', at);
            if (at != std::string::npos) ++at;
        }
        if (at == std::string::npos || line == 0) return "";
        auto content = text.substr(at, std::min<std::size_t>(text.find('\n', at) - at, 60));
        content.erase(0, content.find_first_not_of(" \t"));
        // A secret must not reach a log by way of a message: neither behind its key nor in a
        // list that began on an earlier line.
        return content.find('=') == std::string::npos || names_a_secret(content)
                   ? ""
                   : " in: " + content;
    }
};

// Leaves out what only follows from a value that could not be read.
void add_findings(Problems& problems, Problems found) {
    const auto read = problems;
    for (Problem& finding : found) {
        const bool follows = std::ranges::any_of(read, [&](const Problem& cause) {
            return finding.gravity == Gravity::Warning || cause.path.starts_with(finding.path);
        });
        if (!follows) problems.push_back(std::move(finding));
    }
}

Result<Loaded, Problems> understand(Files files) {
    const bool broken = !files.problems.empty();
    SourceMap sources;
    Loaded out;
    out.model = read(files.root, sources, files.problems);
    // Validating half of a file would only report references to the other half.
    if (!broken) {
        Problems found;
        validate(out.model, sources, found);
        add_findings(files.problems, std::move(found));
    }
    stable_sort(files.problems, [](const Problem& a, const Problem& b) {
        return a.file != b.file ? a.file < b.file : a.line < b.line;
    });
    if (has_errors(files.problems)) return Failure{std::move(files.problems)};
    out.warnings = std::move(files.problems);
    return out;
}

}  // namespace

bool has_errors(const Problems& problems) {
    return std::ranges::any_of(
        problems, [](const Problem& problem) { return problem.gravity == Gravity::Error; });
}

std::string Problem::to_string() const {
    std::string out = file;
    if (line != 0) out += ':' + std::to_string(line);
    out += gravity == Gravity::Error ? ": error: " : ": warning: ";
    if (!path.empty()) out += path + ": ";
    out += message;
    if (!hint.empty()) out += " (" + hint + ')';
    return out;
}

std::vector<std::string> parts_of(const std::string& file) {
    const auto folder = std::filesystem::path{file}.parent_path() / "conf.d";
    std::vector<std::string> parts;
    std::error_code error;
    for (std::filesystem::directory_iterator it{folder, error}, end; !error && it != end;
         it.increment(error))
        if (it->path().extension() == ".cfg") parts.push_back(it->path().string());
    std::ranges::sort(parts);
    return parts;
}

Result<Loaded, Problems> load(const std::string& file) {
    Files files;
    files.add_file(file, 0, 0, "");
    for (const auto& part : parts_of(file)) files.add_file(part, 0, 0, "");
    return understand(std::move(files));
}

std::vector<std::string> companions_of(const std::string& file) {
    Files files;
    files.add_file(file, 0, 0, "");
    auto out = std::move(files.included);
    for (auto& part : parts_of(file)) out.push_back(std::move(part));
    return out;
}

std::string own_text(const std::string& file) {
    if (!companions_of(file).empty()) return "";
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

Result<Model, Problems> read_text(std::string_view text, const std::string& name) {
    Files files;
    files.add_text(text, name, 0, false);
    SourceMap sources;
    auto model = read(files.root, sources, files.problems);
    if (has_errors(files.problems)) return Failure{std::move(files.problems)};
    return model;
}

Result<Loaded, Problems> load_text(std::string_view text, const std::string& name) {
    Files files;
    files.add_text(text, name, 0, false);
    return understand(std::move(files));
}

}  // namespace torii::config
