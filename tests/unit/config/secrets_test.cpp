#include "config/secrets.hpp"

#include <gtest/gtest.h>

namespace torii::config {
namespace {

constexpr std::string_view kText = R"(# of the operators: "********" is no secret here
bgp = {
    asn = 64512;
    defaults = { password = "all of them"; };  // "all of them"
    groups = { nodes = { password = [ "first", "second" ]; description = "nodes"; }; };
    neighbors = ( { address = "10.0.0.2"; remote_as = 64513; password = "only two"; },
                  { address = "10.0.0.3"; remote_as = 64513; bfd = { key = "b"; }; } );
};
)";

Model model_of(std::string_view text) {
    auto read = read_text(text, "test");
    EXPECT_TRUE(read) << (read ? "" : read.error()[0].to_string());
    return read ? *read : Model{};
}

TEST(Secrets, AreMaskedInTheOperatorsOwnTextAndComeBack) {
    const auto masked = mask(kText, model_of(kText));
    ASSERT_TRUE(masked);
    for (const char* secret : {"\"first\"", "\"second\"", "\"only two\"", "\"b\""})
        EXPECT_EQ(masked->find(secret), std::string::npos) << secret;
    EXPECT_NE(masked->find("# of the operators"), std::string::npos);
    EXPECT_NE(masked->find("description = \"nodes\""), std::string::npos);
    const auto back = unmask(*masked, "edited", model_of(kText));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, kText);
}

TEST(Secrets, AreThoseOfTheSameNeighborInAnotherOrder) {
    const auto edited = R"(bgp = { asn = 64512; neighbors = (
        { address = "10.0.0.3"; remote_as = 64513; bfd = { key = "********"; }; },
        { address = "10.0.0.2"; remote_as = 64513; password = "********"; } ); };)";
    const auto back = unmask(edited, "edited", model_of(kText));
    ASSERT_TRUE(back) << back.error()[0].to_string();
    const auto model = model_of(*back);
    EXPECT_EQ(*model.bgp->neighbors[0].settings.bfd->key, "b");
    EXPECT_EQ(model.bgp->neighbors[1].settings.passwords->front(), "only two");
}

TEST(Secrets, AMaskedOneThatIsNotKnownIsAnErrorOfItsLine) {
    const auto back = unmask(
        "bgp = { asn = 1; neighbors = (\n { address = \"10.9.9.9\"; "
        "remote_as = 2;\n password = \"********\"; } ); };",
        "edited", model_of(kText));
    ASSERT_FALSE(back);
    ASSERT_EQ(back.error().size(), 1u);
    EXPECT_EQ(back.error()[0].line, 3u);
    // Nor is one where no secret stands.
    EXPECT_FALSE(unmask("router = { hostname = \"********\"; };", "", model_of(kText)));
}

TEST(Secrets, ATextThatHidesASecretIsNotShownAtAll) {
    for (const char* text : {R"(bgp = { asn = 1; defaults = { password = "a\x62"; }; };)",
                             R"(bgp = { asn = 1; defaults = { password = "x" "y"; }; };)"}) {
        const auto model = read_text(text, "");
        if (!model) continue;  // refused altogether is as good
        EXPECT_FALSE(mask(text, *model)) << text;
    }
}

TEST(Secrets, AreInNoMessage) {
    for (const char* text : {"bgp = { defaults = { password = 8472911; }; };",
                             "bgp = { defaults = { password = hunter2; }; };",
                             "bgp = { defaults = { password = 10.9.8.7; }; };",
                             "bgp = { defaults = { password = [\n\"hunter2\" \"8472911\" ]; }; };",
                             "bgp = { defaults = { bfd = { key = hunter2; }; }; };",
                             "management = { tokens = ( { name = \"a\"; hash = 8472911; } ); };",
                             "bgp = { defaults = { password = \"hunter2\" asn } };"}) {
        const auto loaded = load_text(text, "test");
        ASSERT_FALSE(loaded) << text;
        for (const auto& problem : loaded.error())
            for (const char* secret : {"hunter2", "8472911", "10.9.8.7"})
                EXPECT_EQ(problem.to_string().find(secret), std::string::npos)
                    << problem.to_string();
    }
}

}  // namespace
}  // namespace torii::config
