// A job's diff as text with colour marks (reference cli section 9.7).
#pragma once

#include <string>

#include "model/diff.h"

namespace drover::cli {

// Marks are those of Ui::colorize. Ends without a newline; callers trim.
std::string diff_text(const JobDiff& diff, bool verbose);

}  // namespace drover::cli
