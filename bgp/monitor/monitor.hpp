#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/event.hpp"
#include "base/loop.hpp"
#include "bgp/monitor/file_writer.hpp"
#include "bgp/monitor/mrt.hpp"
#include "bgp/rib/loc_rib.hpp"
#include "bgp/settings.hpp"
#include "bgp/views.hpp"

namespace torii::bgp {

// Writes the speaker's table and received messages to MRT files, on demand and by timer.
// Tables are written in slices with other work between them; files by
// threads of their own.
class Monitor {
public:
    using Done = std::function<void(Result<MrtFile, SystemError>)>;

    Monitor(Loop& loop, LocRib& rib, EventSink& events);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    void configure(const MrtSettings& settings, std::uint32_t router_id, std::uint32_t asn);
    // No dump by timer before this.
    void start();

    // All paths in use, as they were received; one dump after the other.
    void dump_table(Done done);
    // Records all received messages for that time; a recording in progress goes on.
    // Returns the file's name at once, calls `done` when it is complete.
    Result<std::string, SystemError> record_updates(std::chrono::seconds time, Done done);

    bool records() const { return updates_ != nullptr; }
    // The body of an UPDATE.
    void update(const mrt::Ends& ends, bool four_octet_as, bool add_path,
                std::span<const std::uint8_t> body);
    void state_change(const mrt::Ends& ends, bool up);

private:
    struct Dump;
    void next_dump();
    void slice();
    void watch(std::shared_ptr<FileWriter> file, MrtFile result, Done done);
    Result<std::shared_ptr<FileWriter>, SystemError> create(std::string_view kind);
    void arm_tables();
    void roll_updates();
    void flush_updates();
    void say(EventId id, std::string text, const std::string& file);

    Loop& loop_;
    LocRib& rib_;
    EventSink& events_;
    MrtSettings settings_;
    std::uint32_t router_id_ = 0, asn_ = 0;
    bool started_ = false;
    Timer table_timer_, roll_timer_, flush_timer_;
    std::deque<Done> waiting_;
    std::unique_ptr<Dump> dump_;
    std::shared_ptr<FileWriter> updates_;
    std::vector<std::uint8_t> pending_;
    MrtFile recorded_;
    std::vector<Done> recording_done_;
    unsigned numbered_ = 0;  // files of one second
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace torii::bgp
