#include "client/exec_frames.h"

#include <memory>
#include <utility>

#include "base/cancel.h"

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

Async<Status> run_exec(Loop& loop, Async<void> input, Async<Status> output) {
  CancellableAwait<Status> work(std::move(output));
  auto here = std::make_shared<CancellableAwait<Status>*>(&work);
  Running watch([](Async<void> input, Loop& loop, std::weak_ptr<CancellableAwait<Status>*> work) -> Async<void> {
    co_await std::move(input);
    loop.post([work] {
      if (auto w = work.lock()) (*w)->cancel();
    });
  }(std::move(input), loop, here));
  auto done = co_await work;
  here.reset();
  co_return done ? std::move(*done) : Status(Error(ErrorCode::kCancelled, "the exec session was broken off"));
}

}  // namespace drover::client
