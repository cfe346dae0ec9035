#include "drivers/registry.h"

#include "drivers/mock_driver.h"
#include "drivers/raw_exec.h"

namespace drover::drivers {
namespace {

template <class D>
std::unique_ptr<Driver> make(DriverContext context) {
  return std::make_unique<D>(std::move(context));
}

constexpr BuiltinDriver kDrivers[] = {
    {.name = "raw_exec", .make = make<RawExecDriver>},
    {.name = "mock_driver", .make = make<MockDriver>, .for_tests = true, .runs_processes = false},
};

}  // namespace

std::span<const BuiltinDriver> builtin_drivers() { return kDrivers; }

const BuiltinDriver* find_builtin_driver(std::string_view name) {
  for (auto& d : kDrivers)
    if (d.name == name) return &d;
  return nullptr;
}

}  // namespace drover::drivers
