// The frames of a running exec between its session and whoever carries them: a websocket of the API or a stream of the RPC port.
#pragma once

#include "base/async.h"
#include "drivers/driver.h"
#include "model/client_stats.h"

namespace drover::client {

// Gives one frame of the caller to the command: a new size of its terminal, input, the end of input. What the command does
// not take any more is dropped. Both must outlive the call; on the loop.
Async<void> feed_exec(drivers::ExecSession& session, const ExecTaskStreamingRequest& frame);

// The frame that tells the caller what the command wrote, or that it has ended (`Exited`).
ExecTaskStreamingResponse exec_frame(drivers::ExecOutput out);

}  // namespace drover::client
