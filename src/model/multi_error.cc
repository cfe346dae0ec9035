#include "model/multi_error.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace drover {

std::string MultiError::text() const {
  if (items_.empty()) return "";
  std::string out = items_.size() == 1 ? "1 error occurred:" : fmt::format("{} errors occurred:", items_.size());
  for (auto& item : items_) {
    out += "\n\t* ";
    out += item;
  }
  return out + "\n\n";
}

std::string warnings_text(const std::vector<std::string>& warnings) {
  if (warnings.empty()) return "";
  std::string out = warnings.size() == 1 ? "1 warning:\n" : fmt::format("{} warnings:\n", warnings.size());
  for (auto& warning : warnings) {
    out += "\n* ";
    out += trim_space(warning);
  }
  return out;
}

}  // namespace drover
