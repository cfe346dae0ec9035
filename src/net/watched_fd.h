// WatchedFd: a descriptor registered with the loop for its whole life; what sockets wait on. Cheaper than
// base/fd_watcher.h's one-off requests, because the registration stays.
#pragma once

#include "base/fd_watcher.h"
#include "base/async.h"

namespace drover::net {

// The descriptor stays the caller's: destroy this before closing it. A flow that still waits when this is destroyed
// is never resumed, so drop it first or `wake` it. Used on the loop only.
class WatchedFd {
 public:
  virtual ~WatchedFd() = default;
  // Resumes when the descriptor is ready or has failed: the next call on it tells. May resume without cause. Any
  // number of flows may wait.
  virtual Async<void> wait(FdEvent event) = 0;
  // Resumes all that wait, soon, from the loop.
  virtual void wake() = 0;
};

}  // namespace drover::net
