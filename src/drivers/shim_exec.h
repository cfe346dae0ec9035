// The streams of a command that a shim runs beside its task.
#pragma once

#include <memory>
#include <string>

#include "drivers/driver.h"
#include "drivers/shim_connection.h"

namespace drover::drivers {

inline constexpr size_t kExecTail = 4096;  // bytes kept of a one-shot command's output

class ShimExecSession : public ExecSession {
 public:
  explicit ShimExecSession(std::unique_ptr<ShimConnection> c) : connection_(std::move(c)) {}
  Async<Result<ExecOutput>> read() override;
  Async<Status> write_stdin(std::string data) override;
  Async<Status> close_stdin() override;
  Async<Status> resize(int height, int width) override;

 private:
  std::unique_ptr<ShimConnection> connection_;
};

}  // namespace drover::drivers
