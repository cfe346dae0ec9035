#include "drivers/shim_exec.h"

#include <algorithm>

namespace drover::drivers {

using shim::Message;

Async<Result<ExecOutput>> ShimExecSession::read() {
  for (;;) {
    auto frame = co_await connection_->read();
    if (!frame) co_return std::move(frame).error();
    ExecOutput out;
    shim::ExecExit exit;
    switch (frame->type) {
      case Message::kStdout:
      case Message::kStderr:
        out.kind = frame->type == Message::kStdout ? ExecOutput::Kind::kStdout : ExecOutput::Kind::kStderr;
        out.close = frame->body.empty();
        out.data = std::move(frame->body);
        co_return out;
      case Message::kExecExit:
        if (!frame->as(exit)) co_return Error(ErrorCode::kCorrupt, "failed to retrieve exec result");
        out.kind = ExecOutput::Kind::kExit;
        out.result.exit_code = exit.exit_code;
        out.result.signal = exit.signal;
        co_return out;
      default: break;  // an answer to nothing we asked here
    }
  }
}

Async<Status> ShimExecSession::write_stdin(std::string data) {
  for (size_t at = 0; at < data.size(); at += shim::kChunk)
    DROVER_CO_CHECK(co_await connection_->write(Message::kStdin, data.substr(at, shim::kChunk)));
  co_return Status{};
}

Async<Status> ShimExecSession::close_stdin() { return connection_->write(Message::kStdinClose, {}); }

Async<Status> ShimExecSession::resize(int height, int width) {
  auto clamp = [](int v) { return static_cast<uint16_t>(std::clamp(v, 0, 65535)); };
  return connection_->write(Message::kResize, pod_bytes(shim::WindowSize{clamp(height), clamp(width)}));
}

}  // namespace drover::drivers
