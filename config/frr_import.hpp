#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/frr_report.hpp"
#include "config/model.hpp"

namespace torii::config {

struct FrrImport {
    Model model;
    std::vector<LeftOut> left_out;  // worst first

    // True when the model accepts or announces nothing that FRR did not, and no neighbor of
    // FRR's exchanges nothing any more.
    bool is_safe() const;
};

enum class Members : bool {
    AsWritten,
    ByRange,  // members with nothing of their own become a listen range
};

// Reads an FRR configuration (the integrated one, or what `show running-config` prints).
// Every line is either in the model, without meaning here, or in `left_out`. It fails
// closed: what is not wholly understood permits nothing. The model still wants validate(),
// because FRR allows things that torii does not.
FrrImport import_frr(std::string_view text, Members members = Members::AsWritten);

}  // namespace torii::config
