// libFuzzer's entry for the target that the build names.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  drover::fuzz::FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
