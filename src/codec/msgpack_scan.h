#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace drover {

// Finds the end of one MessagePack value in a growing buffer, without reading a byte twice.
class MsgpackScanner {
 public:
  // True once the value that starts at the front of `buffer` is whole; size() then is its length. The buffer only grows
  // between calls. Bad input and nesting beyond the limit are errors.
  Result<bool> scan(std::string_view buffer);
  size_t size() const { return at_; }

 private:
  size_t at_ = 0;
  uint64_t values_left_ = 1;
};

}  // namespace drover
