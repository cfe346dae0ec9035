#include "cli/frames.h"

namespace drover::cli {

bool FrameSplitter::feed(std::string_view bytes, const std::function<bool(std::string_view)>& on_frame) {
  for (char c : bytes) {
    if (depth_ == 0 && c != '{') continue;
    held_ += c;
    if (in_string_) {
      if (escaped_) escaped_ = false;
      else if (c == '\\') escaped_ = true;
      else if (c == '"') in_string_ = false;
      continue;
    }
    if (c == '"') in_string_ = true;
    if (c == '{') ++depth_;
    if (c == '}' && --depth_ == 0) {
      auto object = std::move(held_);
      held_.clear();
      if (!on_frame(object)) return false;
    }
  }
  return true;
}

}  // namespace drover::cli
