#pragma once

#include <string>
#include <vector>

#include "mgmt/views.hpp"
#include "rib/table.hpp"

namespace torii::app {

class Gateway;

// The implementations of what mgmt/ asks for. Their functions are called on the
// management thread, post one question to the control thread and return.

class Routes final : public mgmt::RouteView {
public:
    explicit Routes(Gateway& gateway) : gateway_(gateway) {}
    void routes(mgmt::RouteQuery query, mgmt::Done<mgmt::RoutePage> done) override;

private:
    mgmt::RoutePage of_table(const mgmt::RouteQuery& query) const;
    Result<mgmt::RoutePage, mgmt::Problem> of_bgp(const mgmt::RouteQuery& query) const;
    void append(std::vector<mgmt::RouteRow>& rows, const std::vector<rib::RouteRow>& candidates,
                const mgmt::RouteQuery& query) const;

    Gateway& gateway_;
};

class Neighbors final : public mgmt::NeighborView {
public:
    explicit Neighbors(Gateway& gateway) : gateway_(gateway) {}
    void neighbors(mgmt::Done<std::vector<mgmt::NeighborRow>> done) override;
    void neighbor(std::string address, mgmt::Done<mgmt::NeighborRow> done) override;
    void groups(mgmt::Done<std::vector<mgmt::GroupRow>> done) override;

private:
    Gateway& gateway_;
};

class BgpActions final : public mgmt::BgpControl {
public:
    explicit BgpActions(Gateway& gateway) : gateway_(gateway) {}
    void act_on_neighbor(std::string address, mgmt::PeerAction action, std::string reason,
                         mgmt::Done<mgmt::Nothing> done) override;
    void act_on_group(std::string name, mgmt::PeerAction action, std::string reason,
                      mgmt::Done<mgmt::Nothing> done) override;
    void dump_table(mgmt::Done<mgmt::MrtRow> done) override;
    void record_updates(std::chrono::seconds time, mgmt::Done<mgmt::MrtRow> done) override;

private:
    Gateway& gateway_;
};

class Ports final : public mgmt::PortView {
public:
    explicit Ports(Gateway& gateway) : gateway_(gateway) {}
    void ports(mgmt::Done<std::vector<mgmt::PortRow>> done) override;

private:
    Gateway& gateway_;
};

class Adjacencies final : public mgmt::AdjacencyView {
public:
    explicit Adjacencies(Gateway& gateway) : gateway_(gateway) {}
    void adjacencies(mgmt::Done<std::vector<mgmt::AdjacencyRow>> done) override;
    void liveness(mgmt::Done<std::vector<mgmt::LivenessRow>> done) override;

private:
    Gateway& gateway_;
};

class Metrics final : public mgmt::MetricView {
public:
    explicit Metrics(Gateway& gateway) : gateway_(gateway) {}
    void metrics(mgmt::Done<std::vector<mgmt::Metric>> done) override;

private:
    Gateway& gateway_;
};

class Health final : public mgmt::HealthView {
public:
    explicit Health(Gateway& gateway) : gateway_(gateway) {}
    void health(mgmt::Done<mgmt::HealthReport> done) override;

private:
    Gateway& gateway_;
};

class Explain final : public mgmt::ExplainView {
public:
    explicit Explain(Gateway& gateway) : gateway_(gateway) {}
    void explain(mgmt::ExplainQuery query, mgmt::Done<mgmt::Explanation> done) override;

private:
    Gateway& gateway_;
};

class Drains final : public mgmt::DrainControl {
public:
    explicit Drains(Gateway& gateway) : gateway_(gateway) {}
    void drain(mgmt::Done<mgmt::DrainState> done) override;
    void set_drain(bool drained, std::string reason, mgmt::Done<mgmt::DrainState> done) override;

private:
    mgmt::DrainState state() const;

    Gateway& gateway_;
};

class Verify final : public mgmt::VerifyControl {
public:
    explicit Verify(Gateway& gateway) : gateway_(gateway) {}
    void verify(mgmt::Done<mgmt::ProofReport> done) override;

private:
    Gateway& gateway_;
};

class Offload final : public mgmt::OffloadControl {
public:
    explicit Offload(Gateway& gateway) : gateway_(gateway) {}
    void offload(mgmt::Done<mgmt::OffloadReport> done) override;
    void put_drop_source(Prefix source, mgmt::Done<bool> done) override;
    void erase_drop_source(Prefix source, mgmt::Done<mgmt::Nothing> done) override;

private:
    Gateway& gateway_;
};

class StaticRoutes final : public mgmt::StaticRouteControl {
public:
    explicit StaticRoutes(Gateway& gateway) : gateway_(gateway) {}
    void put(mgmt::StaticRouteRequest route, mgmt::Done<bool> done) override;
    void erase(Prefix prefix, mgmt::Done<mgmt::Nothing> done) override;

private:
    Gateway& gateway_;
};

}  // namespace torii::app
