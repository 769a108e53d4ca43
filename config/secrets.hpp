#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"

// Secrets in a text that people see, edit and send back: in its place stands kMaskedSecret,
// which a commit takes for "as it is". Pure; any thread.
namespace torii::config {

constexpr std::string_view kMaskedSecret = "********";

// The operator's own text of `model`, comments and all, with its secrets masked. Nothing
// when the text hides a secret in a way that cannot be masked: then print() has to do.
std::optional<std::string> mask(std::string_view text, const Model& model);

// The text with each masked secret replaced by what `known` has in the same place: of the
// same neighbor, group or token. A text without masked secrets is returned as it is.
Result<std::string, Problems> unmask(std::string_view text, const std::string& name,
                                     const Model& known);

}  // namespace torii::config
