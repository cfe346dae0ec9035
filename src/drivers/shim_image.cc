// The bytes of drover-shim, taken in by the assembler. DROVER_SHIM_FILE is its path in the build tree.
#include "drivers/shim_binary.h"

asm(R"(
  .section .rodata
  .balign 16
drover_shim_begin:
  .incbin ")" DROVER_SHIM_FILE R"("
drover_shim_end:
  .byte 0
  .previous
)");

extern "C" const char drover_shim_begin[];
extern "C" const char drover_shim_end[];

namespace drover::drivers {

std::string_view shim_image() { return {drover_shim_begin, static_cast<size_t>(drover_shim_end - drover_shim_begin)}; }

}  // namespace drover::drivers
