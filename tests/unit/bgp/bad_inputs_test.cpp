// Each bad or unusual message through a live session, judged by what the
// speaker then holds and what an observer on a second session learns.
#include "tests/unit/bgp/raw_peer.hpp"
#include "tests/unit/bgp/vectors.hpp"

namespace torii::bgp::test {
namespace {

struct Case {
    std::string id, description, hex, state, context, action, baseline;
    Prefix probe;
    int code = 0, subcode = 0, attribute = 0;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.id << ": " << c.description;
}

std::string replaced(std::string text, std::string_view marker, std::string_view with) {
    for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 8))
        text.replace(at, marker.size(), with);
    return text;
}

std::string contexts() {
    const auto all = read_vectors("bgp_bad_inputs.json");
    return all.substr(all.find("\"contexts\""), all.find("\"cases\"") - all.find("\"contexts\""));
}

std::vector<Case> load() {
    const auto all = read_vectors("bgp_bad_inputs.json");
    std::vector<Case> out;
    auto at = all.find("\"cases\"");
    for (at = all.find("\"id\":", at); at != std::string::npos;) {
        const auto next = all.find("\"id\":", at + 5);
        const std::string_view object = std::string_view{all}.substr(at, next - at);
        const auto begin = object.find("\"expected\":");
        const auto expected = object.substr(begin, object.find('}', begin) - begin + 1);
        Case c;
        c.id = field(object, "id");
        c.description = field(object, "description");
        c.hex = replaced(replaced(field(object, "hex"), "40524944", "0a6300fe"), "404e4853",
                         "0a6300fe");
        c.state = field(object, "state");
        c.context = field(object, "context");
        c.baseline = field(object, "baseline");
        c.probe = prefix(field(object, "probe"));
        c.action = field(expected, "action");
        c.code = std::atoi(field(expected, "code").c_str());
        c.subcode = std::atoi(field(expected, "subcode").c_str());
        c.attribute = std::atoi(field(object, "attr_type").c_str());
        out.push_back(std::move(c));
        at = next;
    }
    return out;
}

class BadInput : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        const auto& c = GetParam();
        const auto all = contexts();
        const auto context = std::string_view{all}.substr(all.find("\"" + c.context + "\": {"));
        open_ = unhex(field(context, "open_hex"));
        peer_as_ = static_cast<std::uint32_t>(std::atoi(field(context, "peer_as").c_str()));
        four_octet_ = c.context != "ebgp2";
        const bool extended = c.context == "ebgp4-extmsg";

        auto s = settings();
        s.neighbors = {neighbor("10.99.0.1", peer_as_), neighbor("10.99.0.9", 65100)};
        if (c.context == "ebgp4-addpath") s.neighbors[0].peer.add_path = AddPath::Receive;
        world_.tracker.unreachable.insert(address("192.0.2.77"));
        world_.speaker->apply(s);
        ASSERT_TRUE(world_.speaker->start());

        auto capabilities = World::defaults();
        capabilities.extended_message = extended;
        observer_ = world_.up("10.99.0.9", 65100, capabilities);
        ASSERT_EQ(world_.view("10.99.0.9").state, "Established");
        tester_ = world_.connect("10.99.0.1");
        ASSERT_EQ(tester_->opens, 1u);
    }

    void establish() {
        tester_->send(open_);
        tester_->keepalive();
        world_.settle();
        ASSERT_EQ(world_.view("10.99.0.1").state, "Established");
    }

    void send_canary() {
        std::vector<std::uint32_t> path{peer_as_, 64500};
        if (peer_as_ == 65000) path.erase(path.begin());
        tester_->send(announce(
            {"198.51.100.0/24"}, path, "10.99.0.1",
            [&](Attributes& a) {
                if (peer_as_ != 65000) return;
                a.set(Attribute::LocalPref);
                a.local_pref = 100;
            },
            four_octet_, GetParam().context == "ebgp4-addpath"));
        world_.settle();
    }

    void expect_alive() {
        EXPECT_FALSE(tester_->notification) << to_string(*tester_->notification);
        EXPECT_FALSE(tester_->closed);
        EXPECT_EQ(world_.view("10.99.0.1").state, "Established");
        EXPECT_TRUE(observer_->routes.contains(prefix("198.51.100.0/24"))) << "no canary";
    }

    World world_;
    Bytes open_;
    std::uint32_t peer_as_ = 0;
    bool four_octet_ = true;
    std::shared_ptr<RawPeer> observer_, tester_;
};

TEST_P(BadInput, HasTheExpectedOutcome) {
    const Case& c = GetParam();
    if (c.state == "Established") establish();
    if (c.state == "OpenConfirm") {
        tester_->send(open_);
        world_.settle();
        ASSERT_EQ(world_.view("10.99.0.1").state, "OpenConfirm");
    }
    if (!c.baseline.empty()) {
        tester_->send(unhex(c.baseline));
        world_.settle();
        ASSERT_TRUE(world_.in_table(c.probe)) << "the baseline itself was not accepted";
    }
    tester_->send(unhex(c.hex));
    world_.settle();

    if (c.action == "notification" || c.action == "close") {
        EXPECT_TRUE(tester_->closed);
        if (c.action == "close") {
            EXPECT_FALSE(tester_->notification);
        } else {
            ASSERT_TRUE(tester_->notification);
            EXPECT_EQ(static_cast<int>(tester_->notification->code), c.code);
            EXPECT_EQ(int{tester_->notification->subcode}, c.subcode);
        }
        EXPECT_FALSE(world_.in_table(c.probe));
        EXPECT_EQ(world_.view("10.99.0.9").state, "Established") << "the observer suffered";
        return;
    }
    if (c.state == "OpenSent") {
        EXPECT_EQ(c.action, "accept");
        tester_->keepalive();
        world_.settle();
        send_canary();
        return expect_alive();
    }
    send_canary();
    expect_alive();
    if (c.action == "treat-as-withdraw") {
        EXPECT_FALSE(world_.in_table(c.probe));
        EXPECT_FALSE(observer_->routes.contains(c.probe));
        EXPECT_FALSE(world_.sink.routes.contains(c.probe));
        return;
    }
    EXPECT_TRUE(world_.in_table(c.probe));
    EXPECT_EQ(world_.sink.routes.contains(c.probe), true);
    EXPECT_FALSE(world_.sink.routes.contains(prefix("127.0.0.0/8")));
    if (c.id == "COM-006") {  // NO_ADVERTISE: used, not passed on
        EXPECT_FALSE(observer_->routes.contains(c.probe));
        return;
    }
    // With our AS in front these no longer fit into a message.
    if (c.id == "HDR-014" || c.id == "HDR-017") {
        EXPECT_FALSE(observer_->routes.contains(c.probe)) << "RFC 8654 §4";
        return;
    }
    ASSERT_TRUE(observer_->routes.contains(c.probe));
    if (c.action == "attribute-discard") {
        const auto& told = observer_->routes[c.probe].attributes;
        if (c.description.find("duplicated") == std::string::npos) {
            EXPECT_FALSE(told.contains(static_cast<std::uint8_t>(c.attribute)));
        } else if (c.id == "ORG-007") {
            EXPECT_EQ(told.at(1), Bytes{0});
        } else if (c.id == "COM-005") {
            EXPECT_EQ(told.at(8), unhex("fde90001"));
        } else if (c.id == "UNK-009") {
            EXPECT_EQ(told.at(200), Bytes{1});
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, BadInput, testing::ValuesIn(load()),
                         [](const auto& one) { return replaced(one.param.id, "-", "_"); });

TEST(BadInputs, AreAllThere) {
    EXPECT_EQ(load().size(), 149u);
}

}  // namespace
}  // namespace torii::bgp::test
