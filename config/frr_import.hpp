#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.hpp"

namespace torii::config {

// A line that was not carried over, and why.
struct LeftOut {
    unsigned line = 0;
    std::string text;
    std::string why;
};

struct FrrImport {
    Model model;
    std::vector<LeftOut> left_out;
};

enum class Members : bool {
    AsWritten,
    ByRange,  // members with nothing of their own become a listen range
};

// Reads an FRR configuration (the integrated one). Every line is either in the
// model, without meaning here, or in `left_out`; the model still wants
// validate(), because FRR allows things that torii does not.
FrrImport import_frr(std::string_view text, Members members = Members::AsWritten);

}  // namespace torii::config
