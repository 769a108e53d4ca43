#include <fstream>

#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {

void capture(Session& session, const CaptureOptions& options) {
    std::string path = "/api/v1/capture?packets=" + std::to_string(options.packets) +
                       "&seconds=" + std::to_string(options.seconds) +
                       "&snap=" + std::to_string(options.snap) +
                       "&one_in=" + std::to_string(options.one_in);
    for (const auto& exit : options.exits) path += "&exit=" + percent_encode(exit);
    if (!options.port.empty()) path += "&port=" + percent_encode(options.port);
    if (!options.prefix.empty()) path += "&prefix=" + percent_encode(options.prefix);

    const bool to_output = options.file == "-";
    std::ofstream file;
    std::uint64_t bytes = 0;
    const auto answer = stream(
        session.target, path, {{"Accept", "application/x-pcapng"}}, [&](std::string_view piece) {
            // Not before there is something: a refusal leaves no file.
            if (bytes == 0 && !to_output) file.open(options.file, std::ios::binary);
            std::ostream& out = to_output ? session.out : file;
            out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush();
            bytes += piece.size();
            return static_cast<bool>(out);
        });
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
    } else if (answer->status >= 300) {
        print_problem(session, *answer);
    } else if (!to_output && !file) {
        session.err << "error: cannot write " << options.file << '\n';
        session.code = kRefused;
    } else if (!to_output && session.as_json) {
        std::string said;
        mgmt::JsonWriter{said}
            .object()
            .member("file", options.file)
            .member("bytes", bytes)
            .end_object();
        session.out << said << '\n';
    } else if (!to_output) {
        session.out << options.file << ": " << grouped(bytes)
                    << " bytes; the exit of each packet is in its comment\n";
    }
}

}  // namespace torii::cli
