// What events, alert rules and documents name exists: keys of the configuration
// and events. Here, because app alone may include both lists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "base/event_list.hpp"
#include "config/schema.hpp"

namespace torii::app {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream in{path};
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

// Of the tree, by the ends of their names.
std::vector<fs::path> files(const std::vector<std::string>& folders,
                            const std::set<std::string>& extensions) {
    std::vector<fs::path> out;
    for (const auto& folder : folders)
        for (const auto& file :
             fs::recursive_directory_iterator{fs::path{TORII_SOURCE_DIR} / folder})
            if (extensions.contains(file.path().extension())) out.push_back(file.path());
    return out;
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern,
                                 std::size_t group = 0) {
    std::vector<std::string> out;
    for (std::sregex_iterator at{text.begin(), text.end(), pattern}, end; at != end; ++at)
        out.push_back((*at)[group]);
    return out;
}

// The keys of a peer are listed under bgp.defaults; they stand in groups and neighbors too.
bool is_key(const std::string& path) {
    static const auto paths = [] {
        std::set<std::string> out;
        for (const auto& key : config::schema()) {
            out.insert(key.path);
            if (key.path.starts_with("bgp.defaults."))
                for (const char* owner : {"bgp.groups.NAME.", "bgp.neighbors[]."})
                    out.insert(owner + key.path.substr(std::string{"bgp.defaults."}.size()));
        }
        return out;
    }();
    return paths.contains(path);
}

bool is_outermost_key(const std::string& path) {
    return is_key(path.substr(0, path.find_first_of(".[")));
}

TEST(EventTexts, NameOnlyKeysThatExist) {
    const std::regex quoted{"`([a-z][a-z0-9_]*([.\\[][A-Za-z0-9_.\\[\\]]*)?)`"};
    std::size_t found = 0;
    for (const auto& kind : kEvents)
        for (const auto& key :
             matches(std::string{kind.meaning} + std::string{kind.action}, quoted, 1)) {
            EXPECT_TRUE(is_key(key)) << kind.name << ": " << key;
            ++found;
        }
    EXPECT_GT(found, 30u);
}

TEST(EventTexts, QuoteACommandOrAKeyInBackticks) {
    const std::regex quoted{"`([^`]*)`"};
    const std::regex good{
        "(torii|toriid|systemctl|ip) .*|[a-z][a-z0-9_]*([.\\[][A-Za-z0-9_.\\[\\]]*)?"};
    for (const auto& kind : kEvents)
        for (const auto& text :
             matches(std::string{kind.meaning} + std::string{kind.action}, quoted, 1))
            EXPECT_TRUE(std::regex_match(text, good)) << kind.name << ": " << text;
}

// Literals in the files that emit events: "raise dataplane.next_hop_groups".
TEST(EventTexts, NameOnlyKeysThatExistWhereTheyAreEmitted) {
    const std::regex literal{"\"(([^\"\\\\\\n]|\\\\.)*)\""};
    const std::regex dotted{"(^|[ `(])([a-z][a-z0-9_]*(\\.[a-z0-9_]+)+)"};
    std::size_t emitters = 0, keys = 0;
    for (const auto& file : files({"app", "bgp", "dataplane", "mgmt"}, {".cpp", ".hpp"})) {
        auto code = read(file);
        if (code.find("\"base/event_list.hpp\"") == std::string::npos) continue;
        ++emitters;
        code = std::regex_replace(code, std::regex{"#include.*"}, "");
        for (const auto& text : matches(code, literal, 1))
            for (const auto& key : matches(text, dotted, 2)) {
                EXPECT_TRUE(is_key(key)) << file << ": " << text;
                ++keys;
            }
    }
    EXPECT_GT(emitters, 10u);
    EXPECT_GT(keys, 1u);
}

TEST(Documents, NameOnlyEventsThatExist) {
    const std::regex name{"\\b[A-Z]+(-[A-Z][A-Z0-9]*)+\\b"};
    std::set<std::string> families;
    for (const auto& kind : kEvents)
        if (const auto dash = kind.name.find('-'); dash != kind.name.npos)
            families.insert(std::string{kind.name.substr(0, dash)});
    std::size_t found = 0;
    auto all = files({"docs", "monitoring", "ansible", "debian", "mgmt"},
                     {".md", ".yml", ".yaml", ".json", ".js", ".j2", ".1", ".html"});
    all.push_back(fs::path{TORII_SOURCE_DIR} / "README.md");
    for (const auto& file : all)
        for (const auto& event : matches(read(file), name)) {
            if (!families.contains(event.substr(0, event.find('-')))) continue;
            EXPECT_NE(find_event(event), nullptr) << file << ": " << event;
            ++found;
        }
    EXPECT_GT(found, std::size(kEvents));
}

TEST(AlertRules, NameOnlyKeysThatExist) {
    const std::regex dotted{"(^|[ `(])([a-z][a-z0-9_]*(\\.[a-z0-9_]+)+)"};
    std::size_t found = 0;
    for (const auto& file : files({"monitoring"}, {".yml"}))
        for (const auto& key : matches(read(file), dotted, 2))
            if (is_outermost_key(key)) {
                EXPECT_TRUE(is_key(key)) << file << ": " << key;
                ++found;
            }
    EXPECT_GT(found, 0u);
}

TEST(Documents, NameOnlyKeysThatExistInBackticks) {
    const std::regex quoted{"`([a-z][a-z0-9_]*(\\.[a-z0-9_]+(\\[\\])?)+)`"};
    for (const auto& file : files({"docs"}, {".md"}))
        for (const auto& key : matches(read(file), quoted, 1))
            if (is_outermost_key(key)) {
                EXPECT_TRUE(is_key(key)) << file << ": " << key;
            }
}

}  // namespace
}  // namespace torii::app
