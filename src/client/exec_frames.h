// The frames of a running exec between its session and whoever carries them: a websocket of the API or a stream of the RPC port.
#pragma once

#include "base/async.h"
#include "base/world.h"
#include "drivers/driver.h"
#include "model/client_stats.h"

namespace drover::client {

// Gives one frame of the caller to the command: a new size of its terminal, input, the end of input. What the command does
// not take any more is dropped. Both must outlive the call; on the loop.
Async<void> feed_exec(drivers::ExecSession& session, const ExecTaskStreamingRequest& frame);

// The frame that tells the caller what the command wrote, or that it has ended (`Exited`).
ExecTaskStreamingResponse exec_frame(drivers::ExecOutput out);

// Runs both ways of a session; gives what `output` ends with. Whoever asked is gone when `input` ends: then `output` is
// dropped, and with the session, that the caller holds, the command ends. On the loop.
Async<Status> run_exec(Loop& loop, Async<void> input, Async<Status> output);

}  // namespace drover::client
