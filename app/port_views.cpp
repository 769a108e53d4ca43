#include "app/gateway.hpp"
#include "app/views.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {

void Ports::ports(mgmt::Done<std::vector<mgmt::PortRow>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::PortRow> rows;
        const auto* dataplane = gateway_.dataplane();
        if (dataplane == nullptr) return done(std::move(rows));

        // Drops are counted by exit and port of entry.
        const auto exits = dataplane->exits();
        for (const auto& view : dataplane->ports()) {
            mgmt::PortRow to;
            to.name = view.name;
            to.parent = view.parent;
            to.vlan = view.vlan;
            to.device = view.device;
            to.driver = view.driver;
            to.mac = view.mac.to_string();
            for (const auto& a : view.addresses)
                to.addresses.push_back(a.address.to_string() + '/' + std::to_string(a.length));
            to.mtu = view.mtu;
            to.link_up = view.up;
            to.speed_mbps = view.speed_mbps;
            to.queues = view.rx_queues;
            if (const auto* port = gateway_.running().find_port(view.name)) {
                to.description = port->description.value_or("");
                to.admin_up = !gateway_.running().is_shut_down(*port);
            }
            to.kernel_name = view.name;
            to.rx_packets = view.rx.packets;
            to.rx_bytes = view.rx.bytes;
            to.rx_errors = view.rx_errors;
            to.rx_dropped = view.rx_missed;
            for (const auto& exit : exits)
                if (exit.port == view.name && exit.kind == "drop") to.rx_dropped += exit.packets;
            to.tx_packets = view.tx.packets;
            to.tx_bytes = view.tx.bytes;
            to.tx_errors = view.tx_errors;
            rows.push_back(std::move(to));
        }
        done(std::move(rows));
    });
}

void Adjacencies::adjacencies(mgmt::Done<std::vector<mgmt::AdjacencyRow>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::AdjacencyRow> rows;
        if (const auto* dataplane = gateway_.dataplane()) {
            for (const auto& view : dataplane->neighbors()) {
                mgmt::AdjacencyRow to;
                to.address = view.address.to_string();
                to.port = gateway_.port_name(view.port);
                if (!view.mac.is_zero()) to.mac = view.mac.to_string();
                to.state = to_string(view.state);
                to.sent_packets = view.sent.packets;
                to.sent_bytes = view.sent.bytes;
                rows.push_back(std::move(to));
            }
        }
        done(std::move(rows));
    });
}

}  // namespace torii::app
