// Frames of streams: JSON objects one after the other.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/client_stats.h"

namespace drover::cli {

// Takes the bytes as they come and gives each whole object's text.
class FrameSplitter {
 public:
  // Stops early when `on_frame` says false; then gives false.
  bool feed(std::string_view bytes, const std::function<bool(std::string_view object)>& on_frame);
  // What is left of a frame that never ended.
  bool partial() const { return depth_ > 0; }

 private:
  std::string held_;
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace drover::cli
