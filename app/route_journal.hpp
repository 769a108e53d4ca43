#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/background_thread.hpp"
#include "base/loop.hpp"
#include "base/prefix.hpp"
#include "rib/route.hpp"

namespace torii::app {

// A learnt route as it outlives the process.
struct KeptRoute {
    std::uint8_t distance = 0;
    rib::RouteKind kind = rib::RouteKind::Forward;
    std::vector<rib::NextHop> next_hops, backup;

    rib::RouteSpec spec() const { return {rib::Source::Bgp, distance, kind, next_hops, backup}; }
    friend bool operator==(const KeptRoute&, const KeptRoute&) = default;
};
using KeptRoutes = std::unordered_map<Prefix, KeptRoute, PrefixHash>;

// What a journal that was found holds; `why` instead when it is not to be used.
struct FoundJournal {
    KeptRoutes routes;
    std::string why;
    std::chrono::milliseconds age{0};  // since its process last reported that it lives
};

// The routes learnt by BGP in a file that outlives the process: changes are appended, and the
// file is written anew when most of it is outdated. The control thread only fills a buffer,
// which a thread of its own writes every 50 ms; a disk that is full costs the journal, not the
// gateway. Control thread, but for read().
class RouteJournal {
public:
    // `identity` is of the configuration that the routes make sense in.
    RouteJournal(Loop& loop, std::string file, std::string identity);
    ~RouteJournal();

    // Reads what an earlier process left. Whatever the file holds, there are either its routes,
    // each record checked, or the reason why not.
    static FoundJournal read(const std::string& file, const std::string& identity,
                             std::chrono::seconds oldest);

    void put(const Prefix& prefix, const rib::RouteSpec& route);
    void remove(const Prefix& prefix);
    // The configuration became another one, and the routes with it.
    void set_identity(std::string identity);
    // Notes that a process begins to live by what it found; how many did within the minute
    // before: one that dies by it does so again.
    static int count_use(const std::string& file);
    // Why it keeps nothing; "" while it does.
    std::string failure() const;

private:
    struct Writer;
    void flush();

    std::string buffer_;
    std::shared_ptr<Writer> writer_;
    BackgroundThread thread_;
    Timer timer_;
};

}  // namespace torii::app
