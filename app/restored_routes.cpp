#include "app/restored_routes.hpp"

#include <algorithm>
#include <utility>

#include "base/event_list.hpp"

namespace torii::app {
namespace {

constexpr std::chrono::seconds kInterval{1};

KeptRoute kept_of(const rib::RouteSpec& route) {
    return {route.distance,
            route.kind,
            {route.next_hops.begin(), route.next_hops.end()},
            {route.backup.begin(), route.backup.end()}};
}

// Next hops of both, each once, as a table wants them.
std::vector<rib::NextHop> together(std::vector<rib::NextHop> a,
                                   const std::vector<rib::NextHop>& b) {
    for (const auto& hop : b)
        if (std::ranges::find(a, hop.address, &rib::NextHop::address) == a.end()) a.push_back(hop);
    std::ranges::sort(a);
    return a;
}

bool is_shared(const KeptRoute& route) {
    return route.kind == rib::RouteKind::Forward && route.next_hops.size() > 1;
}

}  // namespace

RestoredRoutes::RestoredRoutes(Loop& loop, rib::Table& table, EventSink& events)
    : table_(table), events_(events), loop_(loop), timer_(loop) {}
RestoredRoutes::~RestoredRoutes() = default;

void RestoredRoutes::start(const std::string& file, const std::string& identity,
                           std::chrono::seconds bound) {
    if (file.empty()) return;
    auto found = RouteJournal::read(file, identity, bound);
    constexpr int kMostTries = 2;
    if (found.why.empty() && !found.routes.empty() && RouteJournal::count_use(file) >= kMostTries) {
        // Kept for the search for the reason.
        (void)std::rename(file.c_str(), (file + ".suspect").c_str());
        found.why = "toriid ended " + std::to_string(kMostTries) +
                    " times within a minute after it had used it; it is kept as " + file +
                    ".suspect";
        found.routes.clear();
    }
    refused_ = found.why;
    took_over_ = found.why.empty();
    restored_ = std::move(found.routes);
    journal_ = std::make_unique<RouteJournal>(loop_, file, identity);
    for (const auto& [prefix, route] : restored_) install(prefix, route);
    if (restored_.empty()) {
        events_.emit({"ROUTES-NOT-RESTORED",
                      "no routes of an earlier process: " +
                          (refused_.empty() ? std::string{"it had none"} : refused_),
                      {}});
        return;
    }
    until_ = std::chrono::steady_clock::now() + bound;
    events_.emit({"ROUTES-RESTORED",
                  std::to_string(restored_.size()) +
                      " routes of the earlier process are forwarded by until peers announce them",
                  {{"age_ms", std::to_string(found.age.count())}}});
    timer_.start(kInterval, [this] { sweep(); });
}

void RestoredRoutes::install(const Prefix& prefix, const KeptRoute& kept) {
    table_.put(prefix, kept.spec());
    if (journal_) journal_->put(prefix, kept.spec());
}

// What is announced and what is restored of a shared prefix.
KeptRoute RestoredRoutes::merged(const Prefix& prefix) const {
    const auto old = restored_.find(prefix);
    const auto now = announced_.find(prefix);
    if (now == announced_.end()) return old->second;
    if (old == restored_.end()) return now->second;
    auto out = now->second;
    out.next_hops = together(std::move(out.next_hops), old->second.next_hops);
    return out;
}

void RestoredRoutes::put(const Prefix& prefix, const rib::RouteSpec& route) {
    if (!restored_.empty() && route.source == rib::Source::Bgp) {
        if (const auto old = restored_.find(prefix); old != restored_.end()) {
            const bool joins = is_shared(old->second) && route.kind == rib::RouteKind::Forward &&
                               route.distance == old->second.distance;
            if (joins) {
                announced_.insert_or_assign(prefix, kept_of(route));
                return install(prefix, merged(prefix));
            }
            restored_.erase(old);
            announced_.erase(prefix);
        }
    }
    table_.put(prefix, route);
    if (journal_ && route.source == rib::Source::Bgp) journal_->put(prefix, route);
}

void RestoredRoutes::remove(const Prefix& prefix, rib::Source source) {
    if (source == rib::Source::Bgp && !restored_.empty()) {
        announced_.erase(prefix);
        if (restored_.contains(prefix)) return install(prefix, merged(prefix));
    }
    table_.remove(prefix, source);
    if (journal_ && source == rib::Source::Bgp) journal_->remove(prefix);
}

// Takes out what peers that are back did not announce again.
void RestoredRoutes::sweep() {
    const bool over = std::chrono::steady_clock::now() >= until_;
    const auto back = returned_ ? returned_() : std::set<IpAddress>{};
    std::size_t gone = 0;
    for (auto it = restored_.begin(); it != restored_.end();) {
        auto& [prefix, route] = *it;
        const auto before = route.next_hops.size();
        std::erase_if(route.next_hops,
                      [&](const rib::NextHop& hop) { return over || back.contains(hop.address); });
        if (route.next_hops.size() == before && !over) {
            ++it;
            continue;
        }
        const auto touched = prefix;
        const bool empty = route.next_hops.empty();
        if (empty)
            it = restored_.erase(it);
        else
            ++it;
        const bool announced = announced_.contains(touched);
        if (!empty || announced) {
            install(touched, merged(touched));
            if (empty) announced_.erase(touched);
            continue;
        }
        ++gone;
        table_.remove(touched, rib::Source::Bgp);
        if (journal_) journal_->remove(touched);
    }
    if (gone > 0)
        events_.emit({"RESTORED-ROUTES-SWEPT",
                      std::to_string(gone) + " restored routes are not announced any more",
                      {{"left", std::to_string(restored_.size())}}});
    if (!restored_.empty()) timer_.start(kInterval, [this] { sweep(); });
}

}  // namespace torii::app
