#include "client/exec_frames.h"

#include <utility>

namespace drover::client {

Async<void> feed_exec(drivers::ExecSession& session, const ExecTaskStreamingRequest& frame) {
  if (frame.TtySize) (void)co_await session.resize(frame.TtySize->Height, frame.TtySize->Width);
  if (frame.Stdin && !frame.Stdin->Data.empty()) (void)co_await session.write_stdin(frame.Stdin->Data.data);
  if (frame.Stdin && frame.Stdin->Close) (void)co_await session.close_stdin();
}

ExecTaskStreamingResponse exec_frame(drivers::ExecOutput out) {
  ExecTaskStreamingResponse frame;
  if (out.kind == drivers::ExecOutput::Kind::kExit) {
    frame.Exited = true;
    auto& result = frame.Result.ensure();
    result.ExitCode = out.result.exit_code;
    result.Signal = out.result.signal;
    result.OomKilled = out.result.oom_killed;
  } else {
    auto& io = (out.kind == drivers::ExecOutput::Kind::kStdout ? frame.Stdout : frame.Stderr).ensure();
    io.Data.data = std::move(out.data);
    io.Close = out.close;
  }
  return frame;
}

}  // namespace drover::client
