#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/loop.hpp"
#include "mgmt/connection.hpp"
#include "mgmt/server.hpp"
#include "mgmt/wire/tls.hpp"

namespace torii::mgmt {

// The sockets the API listens on and their certificate, kept as the settings want them: what
// cannot be had now is an event, a problem, and tried again every second; a certificate whose
// files change is read again. On the server's thread, but for the constructor.
class Listeners {
public:
    // A connection came in on a TCP or a Unix socket.
    using Accepted = std::function<void(int socket, std::unique_ptr<Transport> transport,
                                        ConnectionList& list, Origin origin)>;
    // The lists end after the loop, whose last handlers hold connections.
    struct Connections {
        ConnectionList tcp, unix_socket;
    };
    Listeners(Loop& loop, const ServerSettings& settings, Connections& connections,
              EventSink* events, Accepted accepted);
    ~Listeners();
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;

    void reconcile();  // after the settings changed
    void start_accepting();
    void close();                               // every listener and every connection
    std::vector<std::string> problems() const;  // any thread
    std::vector<std::uint16_t> tcp_ports() const;

private:
    struct Listener;
    struct CertificateFiles;

    void tick();
    void forget_problems();
    void refresh_tls();
    void refuse_or_open(const ServerSettings::Tcp& where);
    void open_unix();
    void note(const std::string& what, const std::string& why);
    Result<int, SystemError> tcp_socket(const ServerSettings::Tcp& where) const;
    Result<int, SystemError> unix_socket() const;
    void accept(Listener& listener);

    Loop& loop_;
    const ServerSettings& settings_;
    Connections& connections_;
    EventSink* events_;
    Accepted accepted_;
    std::list<Listener> listeners_;
    std::unique_ptr<TlsContext> tls_;
    std::unique_ptr<CertificateFiles> tls_from_;  // what tls_ was read from, and when those changed
    std::vector<std::pair<std::string, std::string>> problems_;  // what, why
    mutable std::mutex problems_mutex_;
    Timer timer_;
    bool accepting_ = false;
};

}  // namespace torii::mgmt
