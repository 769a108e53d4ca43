#include "app/restored_routes.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace torii::app {
namespace {

class Sink final : public EventSink {
public:
    void emit(Event event) override { names.emplace_back(event.id.name()); }
    bool saw(std::string_view name) const { return std::ranges::find(names, name) != names.end(); }
    std::vector<std::string> names;
};

Prefix prefix(const char* text) {
    return *Prefix::parse(text);
}
IpAddress address(const char* text) {
    return *IpAddress::parse(text);
}

class RestoredRoutesTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::remove_all(directory);
        std::filesystem::create_directories(directory);
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    // One process: its loop runs for a while after `work`.
    struct Process {
        explicit Process(const RestoredRoutesTest& test, const std::string& identity = "same")
            : routes(loop, table, events) {
            // Connected, so that next hops resolve.
            const rib::NextHop attached{address("10.0.0.0"), 0, 1};
            table.put(prefix("10.0.0.0/24"), {rib::Source::Connected, 0, rib::RouteKind::Attached,
                                              std::span{&attached, 1}});
            routes.ask_peers([this] { return back; });
            routes.start(test.file, identity, std::chrono::seconds{120});
        }
        void put(const char* to, std::vector<const char*> hops) {
            std::vector<rib::NextHop> next;
            for (const auto* hop : hops) next.push_back({address(hop), 0, 1});
            routes.put(prefix(to), {rib::Source::Bgp, 20, rib::RouteKind::Forward, next});
        }
        std::vector<std::string> hops(const char* to) {
            std::vector<std::string> out;
            for (const auto& row : table.candidates(prefix(to)))
                for (const auto& hop : row.next_hops) out.push_back(hop.address.to_string());
            return out;
        }
        void run(std::chrono::milliseconds time) {
            const auto until = std::chrono::steady_clock::now() + time;
            while (std::chrono::steady_clock::now() < until) {
                loop.poll();
                std::this_thread::sleep_for(std::chrono::milliseconds{5});
            }
        }
        Loop loop;
        rib::Table table;
        Sink events;
        RestoredRoutes routes;
        std::set<IpAddress> back;
    };
    std::string directory = testing::TempDir() + "torii-restored-" + std::to_string(::getpid());
    std::string file = directory + "/routes";
};

using Texts = std::vector<std::string>;

TEST_F(RestoredRoutesTest, TheNextProcessForwardsByThemAtOnce) {
    {
        Process first{*this};
        first.put("10.244.1.0/24", {"10.0.0.11"});
        first.put("10.244.2.0/24", {"10.0.0.12"});
        first.put("2001:db8::/32", {"10.0.0.12"});
        first.routes.remove(prefix("10.244.2.0/24"), rib::Source::Bgp);
    }
    Process second{*this};
    EXPECT_TRUE(second.events.saw("ROUTES-RESTORED"));
    EXPECT_EQ(second.hops("10.244.1.0/24"), Texts{"10.0.0.11"});
    EXPECT_EQ(second.hops("2001:db8::/32"), Texts{"10.0.0.12"});
    EXPECT_TRUE(second.hops("10.244.2.0/24").empty());
    EXPECT_TRUE(second.routes.is_restored(prefix("10.244.1.0/24")));
}

TEST_F(RestoredRoutesTest, TheFirstAnnouncementTakesThePlaceOfOneOwner) {
    { Process{*this}.put("10.244.1.0/24", {"10.0.0.11"}); }
    Process second{*this};
    second.put("10.244.1.0/24", {"10.0.0.12"});
    EXPECT_EQ(second.hops("10.244.1.0/24"), Texts{"10.0.0.12"});
    EXPECT_FALSE(second.routes.is_restored(prefix("10.244.1.0/24")));
    second.routes.remove(prefix("10.244.1.0/24"), rib::Source::Bgp);
    EXPECT_TRUE(second.hops("10.244.1.0/24").empty()) << "the former owner does not come back";
}

TEST_F(RestoredRoutesTest, MembersOfASharedAddressStayUntilTheirPeerIsBack) {
    { Process{*this}.put("10.200.0.1/32", {"10.0.0.11", "10.0.0.12", "10.0.0.13"}); }
    Process second{*this};
    second.put("10.200.0.1/32", {"10.0.0.11"});
    EXPECT_EQ(second.hops("10.200.0.1/32"), (Texts{"10.0.0.11", "10.0.0.12", "10.0.0.13"}));
    second.back = {address("10.0.0.11"), address("10.0.0.12")};
    second.run(std::chrono::milliseconds{1300});
    EXPECT_EQ(second.hops("10.200.0.1/32"), (Texts{"10.0.0.11", "10.0.0.13"}));
    second.back.insert(address("10.0.0.13"));
    second.run(std::chrono::milliseconds{1300});
    EXPECT_EQ(second.hops("10.200.0.1/32"), Texts{"10.0.0.11"});
    EXPECT_EQ(second.routes.count(), 0u);
}

TEST_F(RestoredRoutesTest, WhatItsPeerDoesNotSayAgainIsSwept) {
    { Process{*this}.put("10.244.1.0/24", {"10.0.0.11"}); }
    Process second{*this};
    second.back = {address("10.0.0.11")};
    second.run(std::chrono::milliseconds{1300});
    EXPECT_TRUE(second.hops("10.244.1.0/24").empty());
    EXPECT_TRUE(second.events.saw("RESTORED-ROUTES-SWEPT"));
    // Nor does a third process hear of it.
    second.run(std::chrono::milliseconds{100});
    EXPECT_TRUE(RouteJournal::read(file, "same", std::chrono::seconds{120}).routes.empty());
}

TEST_F(RestoredRoutesTest, AnotherConfigurationStartsCold) {
    { Process{*this}.put("10.244.1.0/24", {"10.0.0.11"}); }
    Process second{*this, "another"};
    EXPECT_TRUE(second.events.saw("ROUTES-NOT-RESTORED"));
    EXPECT_TRUE(second.hops("10.244.1.0/24").empty());
}

TEST_F(RestoredRoutesTest, AJournalThatItsProcessesDieByIsSetAside) {
    { Process{*this}.put("10.244.1.0/24", {"10.0.0.11"}); }
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(Process{*this}.events.saw("ROUTES-RESTORED"));
    EXPECT_TRUE(Process{*this}.events.saw("ROUTES-NOT-RESTORED"));
    EXPECT_TRUE(std::filesystem::exists(file + ".suspect"));
}

TEST_F(RestoredRoutesTest, AJournalGrowsOnlySoFar) {
    Process one{*this};
    for (int round = 0; round < 60; ++round) {
        for (int i = 0; i < 2000; ++i)
            one.put(
                ("10." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ".0/24").c_str(),
                {round % 2 == 0 ? "10.0.0.11" : "10.0.0.12"});
        one.run(std::chrono::milliseconds{60});
    }
    one.run(std::chrono::milliseconds{200});
    EXPECT_LT(std::filesystem::file_size(file), std::size_t{8} << 20);
    EXPECT_EQ(RouteJournal::read(file, "same", std::chrono::seconds{120}).routes.size(), 2000u);
}

// Each octet flipped, and cut at each place: there are the routes as they were, those of before
// the last change where that was cut, or none and a reason.
TEST_F(RestoredRoutesTest, ADamagedJournalIsNeverHalfBelieved) {
    {
        Process first{*this};
        first.put("10.244.1.0/24", {"10.0.0.11"});
        first.put("10.244.1.0/24", {"10.0.0.12"});
        first.put("10.244.2.0/24", {"10.0.0.13", "10.0.0.14"});
    }
    std::string whole;
    {
        std::ifstream in{file, std::ios::binary};
        whole.assign(std::istreambuf_iterator<char>{in}, {});
    }
    const auto read = [&](const std::string& text) {
        std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
        return RouteJournal::read(file, "same", std::chrono::seconds{120});
    };
    const auto good = read(whole);
    ASSERT_EQ(good.routes.size(), 2u);
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int bit : {0, 3, 7}) {
            auto damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            const auto found = read(damaged);
            EXPECT_FALSE(found.why.empty()) << at << ' ' << bit;
            EXPECT_TRUE(found.routes.empty());
        }
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_LE(read(whole.substr(0, size)).routes.size(), 2u);
    EXPECT_FALSE(read("").why.empty());
    EXPECT_FALSE(read(std::string(4096, 'x')).why.empty());
}

TEST_F(RestoredRoutesTest, ALinkAFifoAndAnUnreadablePlaceAreRefused) {
    std::filesystem::create_symlink("/etc/passwd", file);
    EXPECT_FALSE(RouteJournal::read(file, "same", std::chrono::seconds{120}).why.empty());
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_FALSE(RouteJournal::read(file, "same", std::chrono::seconds{120}).why.empty());
    std::filesystem::remove(file);
    // Nowhere to write to: the gateway goes on, and says so.
    Loop loop;
    RouteJournal journal{loop, directory + "/nowhere/routes", "same"};
    for (int i = 0; i < 100 && journal.failure().empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    EXPECT_NE(journal.failure(), "");
}

}  // namespace
}  // namespace torii::app
