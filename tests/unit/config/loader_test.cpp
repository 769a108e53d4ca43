#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.hpp"
#include "config/schema.hpp"

namespace torii::config {
namespace {

namespace fs = std::filesystem;

std::string all(const Problems& problems) {
    std::string out;
    for (const auto& problem : problems) out += problem.to_string() + '\n';
    return out;
}

Model model(const std::string& text) {
    auto loaded = load_text(text, "test.cfg");
    if (!loaded) ADD_FAILURE() << all(loaded.error());
    return loaded ? loaded->model : Model{};
}

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "torii-config-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    std::string write(const std::string& name, const std::string& text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream{path_ / name} << text;
        return (path_ / name).string();
    }

private:
    fs::path path_;
};

TEST(Load, TakesAnAsNumberAbove2To31InEveryForm) {
    for (const auto* asn : {"4200000001", "4200000001L", "\"4200000001\"", "\"64086.59905\""})
        EXPECT_EQ(model(std::string{"bgp = { router_id = \"10.0.0.1\"; asn = "} + asn + "; };")
                      .bgp->asn.number,
                  4200000001u)
            << asn;
}

TEST(Load, RefusesANegativeAsNumber) {
    for (const auto* asn : {"-1", "-94967296", "0", "4294967295", "\"x\"", "1.5", "true"})
        EXPECT_FALSE(
            load_text(std::string{"bgp = { router_id = \"10.0.0.1\"; asn = "} + asn + "; };", "f"))
            << asn;
}

TEST(Load, TakesASingleValueWhereAListIsMeant) {
    const auto m = model(
        "ports = { a = { netdev = \"eth1\"; addresses = \"10.0.0.1/24\"; }; };"
        "routes = ( { prefix = \"0.0.0.0/0\"; via = \"10.0.0.2\"; } );");
    EXPECT_EQ(m.ports[0].addresses.size(), 1u);
    EXPECT_EQ(m.routes[0].via.size(), 1u);
}

TEST(Load, ASubPortHasItsParentsMtuUnlessItSaysASmallerOne) {
    auto m = model(
        "ports = { a = { parent = \"t\"; vlan = 1; }; b = { parent = \"t\"; vlan = 4094; mtu = "
        "1400; };"
        "t = { netdev = \"eth1\"; mtu = 9000; shutdown = true; }; u = { netdev = \"eth2\"; }; };");
    ASSERT_EQ(m.ports.size(), 4u);
    EXPECT_EQ(m.mtu_of(m.ports[0]), 9000);
    EXPECT_EQ(m.mtu_of(m.ports[1]), 1400);
    EXPECT_EQ(m.mtu_of(m.ports[3]), 1500);
    EXPECT_TRUE(m.is_shut_down(m.ports[0]));
    EXPECT_FALSE(m.is_shut_down(m.ports[3]));
    // What they are opened on goes before, the rest stays as it is.
    m.sort_ports();
    std::string order;
    for (const auto& port : m.ports) order += port.name;
    EXPECT_EQ(order, "tuab");
}

TEST(Load, TakesTimesWithUnits) {
    const auto m = model(
        "bgp = { asn = 64512; router_id = \"10.0.0.1\"; defaults = { hold_time = \"3m\"; "
        "connect_retry = 7; }; };");
    EXPECT_EQ(m.bgp->defaults.hold_time, seconds{180});
    EXPECT_EQ(m.bgp->defaults.connect_retry, seconds{7});
}

TEST(Load, MergesTheFilesOfConfDInTheOrderOfTheirNames) {
    const Folder folder;
    const auto main = folder.write("torii.cfg", "ports = { a = { netdev = \"eth1\"; }; };");
    folder.write("conf.d/20.cfg", "routes = ( { prefix = \"10.2.0.0/16\"; discard = true; } );");
    folder.write("conf.d/10.cfg",
                 "ports = { b = { netdev = \"eth2\"; }; };\n"
                 "routes = ( { prefix = \"10.1.0.0/16\"; discard = true; } );");
    folder.write("conf.d/30.txt", "nonsense");
    const auto loaded = load(main);
    ASSERT_TRUE(loaded) << all(loaded.error());
    ASSERT_EQ(loaded->model.ports.size(), 2u);
    EXPECT_EQ(loaded->model.ports[1].name, "b");
    ASSERT_EQ(loaded->model.routes.size(), 2u);
    EXPECT_EQ(loaded->model.routes[0].prefix, Prefix::parse("10.1.0.0/16"));
}

TEST(Load, NamesBothPlacesOfAValueThatIsSetTwice) {
    const Folder folder;
    const auto main = folder.write("torii.cfg", "log = { level = \"info\"; };");
    const auto part = folder.write("conf.d/a.cfg", "\n\nlog = { level = \"debug\"; };");
    const auto loaded = load(main);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error()[0].to_string(),
              part + ":3: error: log.level: already set in " + main + ":1 (keep one of them)");
}

TEST(Load, CollectsTheProblemsOfAllFiles) {
    const Folder folder;
    const auto main = folder.write("torii.cfg", "logg = { };\nports = { a = { }; };");
    folder.write("conf.d/a.cfg", "a = yes;");
    folder.write("conf.d/b.cfg", "b = ;");
    const auto loaded = load(main);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().size(), 3u) << all(loaded.error());
}

TEST(Load, IncludesFilesBesideTheFileAndRefusesCircles) {
    const Folder folder;
    const auto main = folder.write("torii.cfg", "@include \"more/ports.cfg\"\nlog = { };");
    folder.write("more/ports.cfg", "ports = { a = { netdev = \"eth1\"; }; };");
    const auto loaded = load(main);
    ASSERT_TRUE(loaded) << all(loaded.error());
    EXPECT_EQ(loaded->model.ports.size(), 1u);
    const auto circle = folder.write("circle.cfg", "@include \"circle.cfg\"\n");
    EXPECT_FALSE(load(circle));
}

TEST(Load, TextFromTheNetworkReadsNoFiles) {
    EXPECT_FALSE(load_text("@include \"/etc/passwd\"\n", "request"));
}

TEST(Load, NeverPrintsAPasswordInAMessage) {
    const auto loaded = load_text("a = { password = \"hush\" \"hush\"; ; x", "f");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(all(loaded.error()).find("hush"), std::string::npos);
}

TEST(Load, TheExamplesAreGood) {
    for (const auto& entry :
         fs::directory_iterator{fs::path{TORII_SOURCE_DIR} / "config/examples"}) {
        const auto loaded = load(entry.path().string());
        ASSERT_TRUE(loaded) << all(loaded.error());
        EXPECT_TRUE(loaded->warnings.empty()) << all(loaded->warnings);
    }
}

TEST(Load, ReadsFiveThousandNeighborsQuickly) {
    std::string text =
        "ports = { a = { netdev = \"e\"; addresses = \"10.0.0.1/8\"; }; };"
        "bgp = { asn = 64512; groups = { g = { remote_as = \"external\"; "
        "import = \"any\"; }; }; neighbors = (";
    for (int i = 0; i < 5000; ++i)
        text += std::string{i ? ",\n" : ""} + "{ address = \"10.1." + std::to_string(i / 250) +
                '.' + std::to_string(i % 250 + 1) + "\"; group = \"g\"; }";
    const auto m = model(text + "); };");
    EXPECT_EQ(m.bgp->neighbors.size(), 5000u);
}

TEST(Load, RandomBytesAreAProblemAndNotACrash) {
    EXPECT_TRUE(rc::check([](const std::string& text) { (void)load_text(text, "random"); }));
    EXPECT_TRUE(rc::check([] {
        const auto words =
            *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                "bgp", "=", "{", "}", "(", ")", "[", "]", ";", ",", "\"10.0.0.1\"", "ports",
                "4294967296", "neighbors", "address", "true", "\"", "@include", "\n", "a", "via",
                "prefix", "0x"));
        std::string text;
        for (const auto& word : words) text += word + ' ';
        (void)load_text(text, "random");
    }));
}

TEST(Reference, IsCurrent) {
    std::ifstream in{fs::path{TORII_SOURCE_DIR} / "config/reference.md"};
    std::stringstream text;
    text << in.rdbuf();
    if (std::getenv("UPDATE_VECTORS"))
        std::ofstream{fs::path{TORII_SOURCE_DIR} / "config/reference.md"} << reference();
    else
        EXPECT_EQ(text.str(), reference())
            << "write it again: UPDATE_VECTORS=1 build/.../config_test";
}

TEST(Schema, EveryKeyIsDocumented) {
    for (const auto& key : schema()) {
        EXPECT_FALSE(key.doc.empty()) << key.path;
        EXPECT_FALSE(key.type.empty()) << key.path;
    }
}

}  // namespace
}  // namespace torii::config
