// The table of builtin drivers.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "drivers/driver.h"

namespace drover::drivers {

struct BuiltinDriver {
  std::string_view name;
  std::unique_ptr<Driver> (*make)(DriverContext);
  // Offered to simulations and tests, and in an agent only when it is asked for: the reference's release has it not.
  bool for_tests = false;
  bool runs_processes = true;  // needs DriverContext::fds, state_dir and shim_path
};

std::span<const BuiltinDriver> builtin_drivers();
// Null when there is none of that name.
const BuiltinDriver* find_builtin_driver(std::string_view name);

}  // namespace drover::drivers
