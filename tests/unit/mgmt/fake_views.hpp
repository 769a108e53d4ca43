#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mgmt/views.hpp"

// A router of cardboard: answers at once, or from another thread, or never.
namespace torii::mgmt {

class FakeRouter final : public RouteView,
                         public NeighborView,
                         public PortView,
                         public AdjacencyView,
                         public MetricView,
                         public HealthView,
                         public StaticRouteControl,
                         public BgpControl,
                         public ExplainView,
                         public ConfigControl,
                         public DrainControl,
                         public OffloadControl,
                         public VerifyControl,
                         public CaptureControl {
public:
    std::map<Prefix, RouteRow> table;
    HealthReport report;
    std::vector<std::string> actions;
    std::uint64_t running_revision = 7, edits = 0;
    std::size_t route_questions = 0;
    std::size_t looks_at = 1'000'000;  // prefixes, for one question
    bool silent = false;               // keeps questions unanswered
    bool drops = false;                // forgets them
    std::string captured, committed;
    std::vector<Done<std::vector<NeighborRow>>> kept;

    FakeRouter();

    Views views();

    void add(const char* prefix, const char* via, const char* source);

    static std::vector<ProblemDetail> problems();

    DrainState drain_state{false, "", "", 1000, 1};
    std::uint64_t forwards_between_questions = 0;

    void drain(Done<DrainState> done) override;
    void set_drain(bool drained, std::string reason, Done<DrainState> done) override;

    void routes(RouteQuery query, Done<RoutePage> done) override;

    static NeighborRow node();

    void neighbors(Done<std::vector<NeighborRow>> done) override;
    void neighbor(std::string address, Done<NeighborRow> done) override;
    void groups(Done<std::vector<GroupRow>> done) override;
    void ports(Done<std::vector<PortRow>> done) override;
    void adjacencies(Done<std::vector<AdjacencyRow>> done) override;
    void liveness(Done<std::vector<LivenessRow>> done) override;
    std::set<std::string> dropped{"198.51.100.0/24"};
    void offload(Done<OffloadReport> done) override;
    ProofReport proof{12, 3, 4, 0, {}, true, 0.01};
    void verify(Done<ProofReport> done) override { done(ProofReport{proof}); }
    void put_drop_source(Prefix source, Done<bool> done) override;
    void erase_drop_source(Prefix source, Done<Nothing> done) override;
    void metrics(Done<std::vector<Metric>> done) override;
    void health(Done<HealthReport> done) override;
    void put(StaticRouteRequest route, Done<bool> done) override;
    void erase(Prefix prefix, Done<Nothing> done) override;
    void act_on_neighbor(std::string address, PeerAction action, std::string reason,
                         Done<Nothing> done) override;
    void act_on_group(std::string name, PeerAction action, std::string reason,
                      Done<Nothing> done) override;
    void dump_table(Done<MrtRow> done) override;
    void record_updates(seconds time, Done<MrtRow> done) override;
    void explain(ExplainQuery query, Done<Explanation> done) override;
    void start(CaptureRequest request, Done<std::vector<std::string>> done) override;
    void take(Done<CaptureBatch> done) override;
    void stop() override;
    void running(bool with_defaults, Done<ConfigText> done) override;
    void check(std::string text, Done<std::vector<ProblemDetail>> done) override;
    void diff(std::string text, Done<ConfigDiff> done) override;
    void diff_to(std::uint64_t to, Done<ConfigDiff> done) override;
    bool matches(const ChangeRequest& request, const Done<CommitState>& done) const;
    void text(Done<ConfigText> done) override;
    void reload(ChangeRequest request, Done<CommitState> done) override;
    void commit(CommitRequest request, Done<CommitState> done) override;
    void confirm(Done<CommitState> done) override;
    void abort(std::string author, Done<CommitState> done) override;
    void roll_back(std::uint64_t to, ChangeRequest request, Done<CommitState> done) override;
    void save(Done<Nothing> done) override;
    void revisions(Done<std::vector<Revision>> done) override;
    void revision(std::uint64_t number, Done<ConfigText> done) override;
};

}  // namespace torii::mgmt
