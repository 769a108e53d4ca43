#include "app/route_journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "base/system_error.hpp"

namespace torii::app {
namespace {

// A file is a head and records; each is `size, checksum, checksum of these two, octets`, in the
// machine's own order: it is for the next process on this machine, and of this boot. The head's
// octets are its version, the boot and the identity of the configuration.
constexpr std::string_view kVersion = "torii routes 1\n";
constexpr std::chrono::milliseconds kInterval{50};
constexpr std::chrono::seconds kAlive{1};
constexpr std::size_t kMostBytes = std::size_t{256} << 20;
// The file is written anew beyond this, if most of it is outdated.
constexpr std::size_t kRewriteAbove = std::size_t{4} << 20;

enum class Kind : std::uint8_t { Put, Remove };

std::uint32_t checksum(std::string_view octets) {
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(octets.data()), static_cast<uInt>(octets.size())));
}

template <class T>
void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
public:
    explicit Reader(std::string_view in) : in_(in) {}
    template <class T>
    T take() {
        T out{};
        if (in_.size() < sizeof out) {
            good_ = false;
            return out;
        }
        std::memcpy(&out, in_.data(), sizeof out);
        in_.remove_prefix(sizeof out);
        return out;
    }
    IpAddress address() {
        const bool v4 = take<std::uint8_t>() == 4;
        if (v4) return IpAddress::v4(take<std::uint32_t>());
        return IpAddress::v6(take<std::array<std::uint8_t, 16>>());
    }
    bool good() const { return good_; }
    bool empty() const { return in_.empty(); }

private:
    std::string_view in_;
    bool good_ = true;
};

void append(std::string& out, const IpAddress& address) {
    append<std::uint8_t>(out, address.is_v4() ? 4 : 6);
    if (address.is_v4())
        append(out, address.v4());
    else
        append(out, address.bytes());
}

void append(std::string& out, std::span<const rib::NextHop> hops) {
    append(out, static_cast<std::uint16_t>(hops.size()));
    for (const auto& hop : hops) {
        append(out, hop.address);
        append(out, hop.port);
        append(out, hop.weight);
    }
}

constexpr std::size_t kRecordHead = 12;

void add_record(std::string& out, std::string_view octets) {
    const auto at = out.size();
    append(out, static_cast<std::uint32_t>(octets.size()));
    append(out, checksum(octets));
    append(out, checksum(std::string_view{out}.substr(at, 8)));
    out += octets;
}

void begin(std::string& octets, Kind kind, const Prefix& prefix) {
    octets.clear();
    append(octets, kind);
    append(octets, prefix.address());
    append(octets, prefix.length());
}

void add_put(std::string& out, const Prefix& prefix, const rib::RouteSpec& route) {
    static thread_local std::string octets;
    begin(octets, Kind::Put, prefix);
    append(octets, route.distance);
    append(octets, route.kind);
    append(octets, route.next_hops);
    append(octets, route.backup);
    add_record(out, octets);
}

enum class Found : std::uint8_t {
    Record,
    Cut,  // the process was killed while it wrote the last one
    Damaged,
};

// The next record of `in`, taken from it.
Found take_record(std::string_view& in, std::string_view& octets) {
    if (in.size() < kRecordHead) return Found::Cut;
    Reader head{in.substr(0, kRecordHead)};
    const auto size = head.take<std::uint32_t>();
    const auto sum = head.take<std::uint32_t>();
    if (checksum(in.substr(0, 8)) != head.take<std::uint32_t>()) return Found::Damaged;
    if (in.size() - kRecordHead < size) return Found::Cut;
    octets = in.substr(kRecordHead, size);
    if (checksum(octets) != sum) return Found::Damaged;
    in.remove_prefix(kRecordHead + size);
    return Found::Record;
}

std::optional<std::vector<rib::NextHop>> take_hops(Reader& in) {
    std::vector<rib::NextHop> out(in.take<std::uint16_t>());
    for (auto& hop : out) {
        hop.address = in.address();
        hop.port = in.take<rib::PortIndex>();
        hop.weight = in.take<std::uint16_t>();
        if (!in.good()) return std::nullopt;
    }
    return out;
}

// False: the record makes no sense.
bool apply(std::string_view octets, KeptRoutes& routes) {
    Reader in{octets};
    const auto kind = in.take<Kind>();
    const auto address = in.address();
    const auto length = in.take<std::uint8_t>();
    if (!in.good() || length > address.bits()) return false;
    const Prefix prefix{address, length};
    if (kind == Kind::Remove) {
        routes.erase(prefix);
        return in.empty();
    }
    KeptRoute route;
    route.distance = in.take<std::uint8_t>();
    route.kind = in.take<rib::RouteKind>();
    auto hops = take_hops(in), backup = take_hops(in);
    if (kind != Kind::Put || !in.good() || !hops || !backup || !in.empty() ||
        route.kind > rib::RouteKind::Unreachable)
        return false;
    route.next_hops = std::move(*hops);
    route.backup = std::move(*backup);
    routes.insert_or_assign(prefix, std::move(route));
    return true;
}

std::string boot_id() {
    std::ifstream in{"/proc/sys/kernel/random/boot_id"};
    std::string out;
    std::getline(in, out);
    return out;
}

std::string head_of(const std::string& identity) {
    std::string octets{kVersion}, out;
    octets += boot_id() + '\n' + identity;
    add_record(out, octets);
    return out;
}

std::string attempts_of(const std::string& file) {
    return file + ".used";
}

// Notes that a process begins to live by the journal; how many did within the last minute.
int count_attempt(const std::string& file) {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    std::vector<long> recent;
    {
        std::ifstream in{attempts_of(file)};
        for (long at = 0; in >> at;)
            if (at <= now.tv_sec && now.tv_sec - at < 60) recent.push_back(at);
    }
    const int before = static_cast<int>(recent.size());
    recent.push_back(now.tv_sec);
    std::ofstream out{attempts_of(file)};
    for (const long at : recent) out << at << '\n';
    return before;
}

}  // namespace

// The thread's side.
struct RouteJournal::Writer {
    std::string file, identity, head;
    int fd = -1;
    std::size_t written = 0, live = 0;  // octets of the file, and those that still count
    std::chrono::steady_clock::time_point touched{};
    mutable std::mutex mutex;
    std::string failed;

    ~Writer() {
        if (fd >= 0) ::close(fd);
    }
    void fail(const std::string& what) {
        const auto why = last_system_error(what).message();
        const std::lock_guard lock{mutex};
        failed = why;
        if (fd >= 0) ::close(fd);
        fd = -1;
        // Half of the truth is none.
        ::unlink(file.c_str());
    }
    bool write_all(int to, std::string_view octets) {
        while (!octets.empty()) {
            const auto n = ::write(to, octets.data(), octets.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            octets.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    // A new file, whole before it has the name.
    void replace(std::string_view records) {
        const auto fresh = file + ".new";
        ::unlink(fresh.c_str());
        const int to = ::open(
            fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
        if (to < 0) return fail("open " + fresh);
        if (!write_all(to, head) || !write_all(to, records) ||
            ::rename(fresh.c_str(), file.c_str()) != 0) {
            fail("write " + fresh);
            ::close(to);
            ::unlink(fresh.c_str());
            return;
        }
        if (fd >= 0) ::close(fd);
        fd = to;
        written = live = head.size() + records.size();
    }
    void add(std::string_view records) {
        if (fd < 0) return;
        const auto now = std::chrono::steady_clock::now();
        if (!records.empty() && !write_all(fd, records)) return fail("write " + file);
        written += records.size();
        if (now - touched >= kAlive) {
            ::futimens(fd, nullptr);
            touched = now;
        }
        if (written > kRewriteAbove && written > 4 * live) rewrite(identity);
    }
    void rewrite(const std::string& next_identity) {
        const auto found = read(file, identity, std::chrono::hours{24});
        identity = next_identity;
        head = head_of(identity);
        std::string records;
        for (const auto& [prefix, route] : found.routes) add_put(records, prefix, route.spec());
        replace(records);
        live = std::max(written, kRewriteAbove / 4);
    }
};

RouteJournal::RouteJournal(Loop& loop, std::string file, std::string identity)
    : writer_(std::make_shared<Writer>()), timer_(loop) {
    writer_->head = head_of(identity);
    writer_->identity = std::move(identity);
    writer_->file = std::move(file);
    thread_.run([writer = writer_] { writer->replace(""); });
    timer_.start(kInterval, [this] { flush(); });
}

RouteJournal::~RouteJournal() {
    timer_.cancel();
    if (!buffer_.empty())
        thread_.run([writer = writer_, records = std::move(buffer_)] { writer->add(records); });
    thread_.finish();
}

void RouteJournal::flush() {
    thread_.run([writer = writer_, records = std::exchange(buffer_, {})] { writer->add(records); });
    timer_.start(kInterval, [this] { flush(); });
}

void RouteJournal::put(const Prefix& prefix, const rib::RouteSpec& route) {
    add_put(buffer_, prefix, route);
}

void RouteJournal::set_identity(std::string identity) {
    flush();
    thread_.run([writer = writer_, identity = std::move(identity)] {
        if (writer->fd >= 0 && identity != writer->identity) writer->rewrite(identity);
    });
}

void RouteJournal::remove(const Prefix& prefix) {
    static thread_local std::string octets;
    begin(octets, Kind::Remove, prefix);
    add_record(buffer_, octets);
}

std::string RouteJournal::failure() const {
    const std::lock_guard lock{writer_->mutex};
    return writer_->failed;
}

FoundJournal RouteJournal::read(const std::string& file, const std::string& identity,
                                std::chrono::seconds oldest) {
    FoundJournal out;
    const auto refuse = [&](std::string why) {
        out.routes.clear();
        out.why = std::move(why);
        return std::move(out);
    };
    const int fd = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return refuse(last_system_error("open " + file).message());
    struct stat status {};
    const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    const bool ours = status.st_uid == ::geteuid();
    std::string text;
    if (regular && ours && static_cast<std::size_t>(status.st_size) <= kMostBytes) {
        text.resize(static_cast<std::size_t>(status.st_size));
        const auto n = ::pread(fd, text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    }
    ::close(fd);
    if (!regular || !ours) return refuse(file + " is no file of this user");
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    out.age = std::chrono::milliseconds{(now.tv_sec - status.st_mtim.tv_sec) * 1000 +
                                        (now.tv_nsec - status.st_mtim.tv_nsec) / 1'000'000};
    if (out.age > oldest) return refuse("it is too old");

    std::string_view in{text}, octets;
    if (take_record(in, octets) != Found::Record) return refuse("it is damaged");
    if (!octets.starts_with(kVersion)) return refuse("it is of another version");
    if (!octets.substr(kVersion.size()).starts_with(boot_id() + '\n'))
        return refuse("it is of another boot");
    if (octets.substr(kVersion.size() + boot_id().size() + 1) != identity)
        return refuse("the configuration of ports or of BGP is another one");
    while (!in.empty()) {
        const auto found = take_record(in, octets);
        if (found == Found::Cut) break;
        if (found == Found::Damaged || !apply(octets, out.routes)) return refuse("it is damaged");
    }
    return out;
}

int RouteJournal::count_use(const std::string& file) {
    return count_attempt(file);
}

}  // namespace torii::app
