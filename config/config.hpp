#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/model.hpp"

// The front door of config/: text in, a checked model out. Nothing here has
// state or a thread; every function may be called from any.
namespace torii::config {

enum class Gravity : std::uint8_t { Error, Warning };

// Something wrong, written so that its reader can mend it: where, what, and
// what to write instead.
struct Problem {
    Gravity gravity = Gravity::Error;
    std::string file;
    unsigned line = 0;
    std::string path;  // "bgp.neighbors[2].group"
    std::string message;
    std::string hint;  // "" when the message is enough

    std::string to_string() const;  // "FILE:LINE: error: PATH: MESSAGE (HINT)"
    friend bool operator==(const Problem&, const Problem&) = default;
};
using Problems = std::vector<Problem>;

bool has_errors(const Problems& problems);

struct Loaded {
    Model model;
    Problems warnings;
};

// Reads FILE and, sorted by name, DIR/conf.d/*.cfg next to it; checks
// everything; collects every problem of every file before it gives up. On
// failure the problems hold the warnings as well.
Result<Loaded, Problems> load(const std::string& file);
// The files of DIR/conf.d that load() reads with FILE, in that order.
std::vector<std::string> parts_of(const std::string& file);
// The same for text that is not in a file; `name` is used in messages.
Result<Loaded, Problems> load_text(std::string_view text, const std::string& name);

// The model of text that is not in a file, read but not checked as a whole.
Result<Model, Problems> read_text(std::string_view text, const std::string& name);

// The files besides FILE that load() reads with it: those it includes and the parts of conf.d.
std::vector<std::string> companions_of(const std::string& file);

// The text of FILE where it is all that load() reads; else "".
std::string own_text(const std::string& file);

enum class Secrets : bool { Masked, Shown };
enum class Defaults : bool { Hidden, Shown };

// Writes the model as a configuration file: load_text(print(m)) gives m again,
// given that secrets are shown.
std::string print(const Model& model, Secrets secrets = Secrets::Masked,
                  Defaults defaults = Defaults::Hidden);

// An effective value of a peer with its origin; secrets are masked.
struct SettingText {
    std::string key;
    std::string value;   // in the syntax of the file
    std::string origin;  // "neighbor", "group nodes", "bgp.defaults", "built-in"
};
std::vector<SettingText> describe(const EffectivePeer& peer);

}  // namespace torii::config
