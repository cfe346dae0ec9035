// Assertions for broken invariants, on in every build. Never on input: input errors are Results.
#pragma once

namespace drover {
[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line);
}

// Aborts with the condition, the reason and a backtrace.
#define DROVER_ASSERT(cond, why)                                                            \
  (static_cast<bool>(cond) ? static_cast<void>(0)                                           \
                           : ::drover::assertion_failed(#cond, why, __FILE__, __LINE__))
