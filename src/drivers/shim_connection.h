// A framed connection to a shim: its control socket, or the pipe that answers a launch.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fd_watcher.h"
#include "base/result.h"
#include "base/async.h"
#include "base/unique_fd.h"
#include "shim/protocol.h"

namespace drover::drivers {

struct ShimFrame {
  shim::Message type{};
  std::string body;

  // The struct at the front of the body; false when it is too short.
  template <class T>
  bool as(T& out) const {
    if (body.size() < sizeof out) return false;
    __builtin_memcpy(&out, body.data(), sizeof out);
    return true;
  }
};

// One reader and one writer may be suspended at a time. Everything on the loop.
class ShimConnection {
 public:
  ShimConnection(FdWatcher& fds, UniqueFd fd) : fds_(fds), fd_(std::move(fd)) {}

  // To the socket in `dir`; does not block. kUnavailable when nobody listens there.
  static Result<std::unique_ptr<ShimConnection>> connect(FdWatcher& fds, const std::string& dir);

  // The next frame; kUnavailable "the connection is closed" at the end.
  Async<Result<ShimFrame>> read();
  Async<Status> write(shim::Message type, std::string body);
  // A request and its answer; an error frame becomes an Error.
  Async<Result<ShimFrame>> call(shim::Message type, std::string body);
  // Makes a suspended read() answer that the connection is closed.
  void shut_down();

 private:
  FdWatcher& fds_;
  UniqueFd fd_;
  std::string buffer_;  // read, not yet a whole frame
};

template <class T>
std::string pod_bytes(const T& v) {
  return std::string(reinterpret_cast<const char*>(&v), sizeof v);
}

// "<operation>: <errno text>".
Error shim_error(const ShimFrame& frame);

}  // namespace drover::drivers
