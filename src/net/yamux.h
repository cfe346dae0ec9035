// A yamux session over a stream: each of its streams is a Stream again. The wire of ports 4647 (types 0x03 and 0x06).
#pragma once

#include <memory>

#include "net/stream.h"
#include "net/yamux_core.h"

namespace drover::net {

struct YamuxOptions {
  YamuxLimits limits;
  Duration keepalive = 30s;        // between pings; 0: none
  Duration write_timeout = 10s;    // for a ping's answer, and for the connection to take bytes
};

// Streams may outlive the session; they fail once it has ended. All on the loop.
class YamuxSession {
 public:
  YamuxSession(Loop& loop, std::unique_ptr<Stream> connection, bool client, YamuxOptions options = {});
  ~YamuxSession();  // ends it: "session shutdown"

  Result<std::unique_ptr<Stream>> open();
  // The next stream of the peer; fails when the session has ended.
  Async<Result<std::unique_ptr<Stream>>> accept();
  // Pings now instead of at the next interval: a peer that hangs is found out within `write_timeout`.
  void probe();
  // Tells the peer to open no more streams; those open go on.
  void go_away();
  void close();
  bool ended() const;
  Error end_error() const;  // why, once ended
  size_t streams() const;
  const Stream& connection() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::net
