#pragma once

#include "mgmt/server.hpp"
#include "mgmt/views.hpp"

namespace torii::config {
struct Management;
}

namespace torii::app {

class Gateway;

mgmt::ServerSettings server_settings(const config::Management& from);

// What mgmt/ may see of the gateway. Every view posts its question to the
// control thread, which answers with rows of its own making.
class ManagementViews {
public:
    explicit ManagementViews(Gateway& gateway);
    ~ManagementViews();
    ManagementViews(const ManagementViews&) = delete;
    ManagementViews& operator=(const ManagementViews&) = delete;

    mgmt::Views views() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace torii::app
