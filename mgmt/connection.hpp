#pragma once

#include <list>
#include <memory>
#include <string>

#include "base/event.hpp"
#include "mgmt/auth.hpp"
#include "mgmt/idempotency.hpp"
#include "mgmt/router.hpp"
#include "mgmt/wire/stream.hpp"

namespace torii::mgmt {

// One client's connection: requests one after the other, each answered before
// the next is read. Runs on the management thread, kept alive by what it waits for.
class Connection {
public:
    virtual ~Connection() = default;
    virtual void close() = 0;
};

// Open connections of one kind, the one that did nothing for longest in front.
using ConnectionList = std::list<Connection*>;

// What all connections share. Outlives them.
struct Shared {
    const ServerSettings& settings;
    const Api& api;
    Authenticator& authenticator;
    IdempotencyStore& idempotency;
    EventSink* audit;
    Loop& loop;
    std::uint64_t generation = 0;  // of tokens and certificates
};

// Where a connection came from and what that alone allows.
struct Origin {
    bool unix_socket = false;
    std::string peer;
};

// Takes the socket, and is in the list until it ends.
void serve(int socket, std::unique_ptr<Transport> transport, const Shared& shared,
           ConnectionList& list, Origin origin);

}  // namespace torii::mgmt
