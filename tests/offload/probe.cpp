// What a guest has no tools for: sends frames, and asks DPDK's telemetry.
//
//   probe send INTERFACE HEX...        each frame once, through the interface's queues
//   probe telemetry SOCKET COMMAND     the answer, a line of JSON
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

int failed(const char* what) {
    std::perror(what);
    return 1;
}

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
    std::vector<std::uint8_t> out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return out;
}

// With the protocol of the frame, which is what the rules of the kernel look at.
int send_frames(const char* interface, int count, char** frames) {
    const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) return failed("socket");
    for (int i = 0; i < count; ++i) {
        const auto frame = bytes_of(frames[i]);
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
        std::memcpy(&to.sll_protocol, frame.data() + 12, 2);
        if (::sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                     sizeof to) < 0)
            return failed("send");
    }
    return 0;
}

int ask_telemetry(const char* path, const char* command) {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0)
        return failed("connect");
    std::vector<char> answer(65536);
    if (::read(fd, answer.data(), answer.size()) < 0 ||
        ::write(fd, command, std::strlen(command)) < 0)
        return failed("ask");
    const auto size = ::read(fd, answer.data(), answer.size());
    if (size < 0) return failed("read");
    std::printf("%.*s\n", static_cast<int>(size), answer.data());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "send" && argc > 3) return send_frames(argv[2], argc - 3, argv + 3);
    if (what == "telemetry" && argc == 4) return ask_telemetry(argv[2], argv[3]);
    std::puts("probe send INTERFACE HEX... | probe telemetry SOCKET COMMAND");
    return 2;
}
