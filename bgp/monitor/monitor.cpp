#include "bgp/monitor/monitor.hpp"

#include <ctime>
#include <filesystem>
#include <map>

#include "base/byte_writer.hpp"
#include "base/event_list.hpp"

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSlice = 2048;         // prefixes written before others have a turn
constexpr std::size_t kChunk = 1024 * 1024;  // bytes handed to the writer at once
constexpr Family kBoth[] = {Family::Ip4, Family::Ip6};

std::uint32_t now() {
    return static_cast<std::uint32_t>(std::time(nullptr));
}

std::string stamp() {
    const std::time_t time = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%d.%H%M%S", &utc);
    return text;
}

}  // namespace

struct Monitor::Dump {
    std::shared_ptr<FileWriter> file;
    Done done;
    MrtFile result;
    std::uint32_t time = now(), sequence = 0;
    std::map<PeerId, std::uint16_t> index;
    std::size_t family = 0;
    std::optional<Prefix> after;
    std::vector<std::uint8_t> buffer;
};

Monitor::Monitor(Loop& loop, LocRib& rib, EventSink& events)
    : loop_(loop),
      rib_(rib),
      events_(events),
      table_timer_(loop),
      roll_timer_(loop),
      flush_timer_(loop) {}

Monitor::~Monitor() {
    *alive_ = false;
    flush_updates();
}

void Monitor::configure(const MrtSettings& settings, std::uint32_t router_id, std::uint32_t asn) {
    const auto before = std::exchange(settings_, settings);
    router_id_ = router_id;
    asn_ = asn;
    if (!started_ || before == settings_) return;
    arm_tables();
    if (before.updates != settings_.updates || before.directory != settings_.directory)
        roll_updates();
}

void Monitor::start() {
    started_ = true;
    arm_tables();
    if (settings_.updates) roll_updates();
}

void Monitor::say(EventId id, std::string text, const std::string& file) {
    events_.emit({id, std::move(text), {{"file", file}}});
}

Result<std::shared_ptr<FileWriter>, SystemError> Monitor::create(std::string_view kind) {
    std::error_code there;  // ignored: opening the file reports the cause
    std::filesystem::create_directories(settings_.directory, there);
    auto name = settings_.directory + '/' + std::string{kind} + '.' + stamp();
    // Two of one second have different names.
    auto file = FileWriter::create(name + ".mrt");
    if (!file && file.error().number == EEXIST)
        file = FileWriter::create(name + '.' + std::to_string(++numbered_) + ".mrt");
    if (!file) return Failure{file.error()};
    return std::shared_ptr<FileWriter>{std::move(*file)};
}

void Monitor::arm_tables() {
    table_timer_.cancel();
    if (settings_.table_interval.count() == 0) return;
    table_timer_.start(settings_.table_interval, [this] {
        dump_table([](const auto&) {});
        arm_tables();
    });
}

void Monitor::dump_table(Done done) {
    if (waiting_.size() >= 16) return done(Failure{SystemError{"too many dumps wait already", 0}});
    waiting_.push_back(std::move(done));
    if (dump_ == nullptr) next_dump();
}

void Monitor::next_dump() {
    dump_.reset();
    if (waiting_.empty()) return;
    auto done = std::move(waiting_.front());
    waiting_.pop_front();
    auto file = create("rib");
    if (!file) {
        say("BGP-MRT-FAILED", "MRT file not written: " + file.error().message(),
            settings_.directory);
        done(Failure{file.error()});
        return next_dump();
    }
    dump_ = std::make_unique<Dump>();
    dump_->file = *file;
    dump_->done = std::move(done);
    dump_->result.file = dump_->file->path();
    std::vector<mrt::Peer> peers;
    for (PeerId id = 0; id < rib_.peers().size() && peers.size() < 0xffff; ++id) {
        const auto& facts = rib_.peers()[id];
        if (!facts.alive) continue;
        dump_->index[id] = static_cast<std::uint16_t>(peers.size());
        if (id == 0)
            peers.push_back({router_id_, IpAddress{}, asn_});
        else
            peers.push_back({facts.identifier, facts.address, facts.as});
    }
    mrt::put_peer_table(dump_->time, router_id_, "", peers, dump_->buffer);
    loop_.post([this, alive = alive_] {
        if (*alive) slice();
    });
}

void Monitor::slice() {
    auto& d = *dump_;
    std::vector<mrt::Entry> entries;
    std::size_t n = 0;
    // A disk that is slower than we are is waited for with open hands.
    const bool may = d.file->waiting() < FileWriter::kMostWaiting;
    while (may && d.family < kFamilies && n < kSlice) {
        const auto family = kBoth[d.family];
        const auto& table = rib_.table(family);
        bool whole = true;
        const auto first = d.after.value_or(Prefix::default_route(family));
        table.walk_from(first, [&](const Prefix& prefix, EntryId id) {
            if (d.after && prefix == *d.after) return true;
            if (n++ >= kSlice) {
                whole = false;
                return false;
            }
            d.after = prefix;
            entries.clear();
            bool add_path = false;
            for (const Path& path : table.paths(id)) {
                const auto peer = d.index.find(path.peer);
                if (path.attributes == 0 || peer == d.index.end() || entries.size() == 0xffff)
                    continue;
                const auto& stored = rib_.pool()[path.received];
                auto hop = rib_.next_hops()[stored.next_hop].key.address;
                if (stored.next_hop == 0 && family == Family::Ip6) hop = IpAddress::v6({});
                add_path |= path.path_id != 0;
                entries.push_back({peer->second, d.time, path.path_id, stored.view(), hop});
            }
            if (entries.empty()) return true;
            mrt::put_rib(d.time, d.sequence++, prefix, add_path, entries, d.buffer);
            ++d.result.prefixes;
            d.result.records += entries.size();
            return true;
        });
        if (!whole) break;
        ++d.family;
        d.after.reset();
    }
    const bool end = d.family == kFamilies;
    if (d.buffer.size() >= kChunk || end) d.file->write(std::exchange(d.buffer, {}));
    if (!end) {
        // The disk is looked at again a little later.
        if (may)
            return loop_.post([this, alive = alive_] {
                if (*alive) slice();
            });
        return loop_.post_after(20ms, [this, alive = alive_] {
            if (*alive) slice();
        });
    }
    d.file->finish();
    watch(d.file, d.result, std::move(d.done));
    next_dump();
}

// Answers when the file has its name.
void Monitor::watch(std::shared_ptr<FileWriter> file, MrtFile result, Done done) {
    if (!file->done()) {
        return loop_.post_after(
            10ms, [this, file = std::move(file), result, done = std::move(done), alive = alive_] {
                if (*alive) watch(file, result, done);
            });
    }
    if (file->error() != 0) {
        const SystemError error{"write " + file->path(), file->error()};
        say("BGP-MRT-FAILED", "MRT file not written: " + error.message(), file->path());
        return done(Failure{error});
    }
    result.bytes = file->written();
    say("BGP-MRT-WRITTEN", std::to_string(result.records) + " records written", file->path());
    done(result);
}

Result<std::string, SystemError> Monitor::record_updates(std::chrono::seconds time, Done done) {
    if (updates_ == nullptr) {
        auto file = create("updates");
        if (!file) return Failure{file.error()};
        updates_ = *file;
        recorded_ = {updates_->path(), 0, 0, 0};
    }
    recording_done_.push_back(std::move(done));
    roll_timer_.start(time, [this] { roll_updates(); });
    return recorded_.file;
}

// Ends the file of updates, and begins the next where they are always recorded.
void Monitor::roll_updates() {
    flush_updates();
    if (updates_ != nullptr) {
        updates_->finish();
        watch(std::exchange(updates_, nullptr), std::exchange(recorded_, {}),
              [waiting = std::exchange(recording_done_, {})](const auto& result) {
                  for (const auto& done : waiting) done(result);
              });
    }
    roll_timer_.cancel();
    if (!settings_.updates) return;
    auto file = create("updates");
    if (!file)
        say("BGP-MRT-FAILED", "MRT file not written: " + file.error().message(),
            settings_.directory);
    else
        updates_ = *file;
    if (updates_ != nullptr) recorded_.file = updates_->path();
    roll_timer_.start(settings_.updates_interval, [this] { roll_updates(); });
}

void Monitor::flush_updates() {
    if (updates_ != nullptr && !pending_.empty()) updates_->write(std::exchange(pending_, {}));
}

void Monitor::update(const mrt::Ends& ends, bool four_octet_as, bool add_path,
                     std::span<const std::uint8_t> body) {
    if (updates_->waiting() > FileWriter::kMostWaiting) return;  // the disk is full or dead
    std::vector<std::uint8_t> message;
    ByteWriter out{message};
    const auto begin = begin_message(out, MessageType::Update);
    out.bytes(body);
    finish_message(out, begin);
    mrt::put_message(now(), ends, four_octet_as, add_path, message, pending_);
    ++recorded_.records;
    if (pending_.size() >= kChunk) return flush_updates();
    if (!flush_timer_.running()) flush_timer_.start(1s, [this] { flush_updates(); });
}

void Monitor::state_change(const mrt::Ends& ends, bool up) {
    if (updates_ == nullptr) return;
    constexpr std::uint16_t kIdle = 1, kOpenConfirm = 5, kEstablished = 6;
    mrt::put_state_change(now(), ends, up ? kOpenConfirm : kEstablished, up ? kEstablished : kIdle,
                          pending_);
    ++recorded_.records;
}

}  // namespace torii::bgp
