#include "drivers/driver.h"

namespace drover::drivers {

std::string_view to_string(FsIsolation v) {
  static constexpr std::string_view kNames[] = {"none", "chroot", "image"};
  return kNames[static_cast<size_t>(v)];
}

std::string_view to_string(Health v) {
  static constexpr std::string_view kNames[] = {"undetected", "unhealthy", "healthy"};
  return kNames[static_cast<size_t>(v)];
}

std::map<std::string, std::string> node_attributes(std::string_view driver, const Fingerprint& f) {
  if (f.health == Health::kUndetected) return {};
  auto out = f.attributes;
  out["driver." + std::string(driver)] = "1";
  return out;
}

Error task_not_found() { return not_found("task not found for given id"); }

namespace {
Error unsupported(const char* text) { return {ErrorCode::kNotImplemented, text}; }
}  // namespace

Async<Status> Driver::signal(std::string, std::string) { co_return unsupported("SignalTask is not supported by this driver"); }

Async<Result<ExecResult>> Driver::exec(std::string, std::vector<std::string>, Duration) {
  co_return unsupported("ExecTask is not supported by this driver");
}

Async<Result<std::unique_ptr<ExecSession>>> Driver::exec_stream(std::string, ExecOptions) {
  co_return unsupported("driver does not support exec");
}

Async<Result<CreatedNetwork>> Driver::create_network(std::string, std::string) {
  co_return unsupported("CreateNetwork RPC not supported by driver");
}

Async<Status> Driver::destroy_network(std::string, NetworkIsolation) {
  co_return unsupported("DestroyNetwork RPC not supported by driver");
}

}  // namespace drover::drivers
