// Yamux (version 0) as a pure machine: bytes of a peer in, bytes for it out, many streams over one connection. No I/O, no
// clock: the session (net/yamux.h) is the shell around it.
//
// Frame: version 0, type, flags (16 bits), stream id (32), length (32), big endian; data frames carry `length` bytes. Every
// stream starts with 256 KiB of credit each way. Clients open odd ids, servers even ones.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/stream.h"

namespace drover::net {

struct YamuxLimits {
  uint32_t window = 256 * 1024;       // per stream and direction; the protocol's initial credit, so not smaller
  size_t backlog = 256;               // streams of the peer not yet accepted, and ours not yet acknowledged
  size_t max_streams = 16 * 1024;
  size_t max_output = 1 << 20;        // bytes waiting to be written: beyond it writers wait
};

class YamuxCore {
 public:
  YamuxCore(bool client, YamuxLimits limits);

  // Bytes from the peer, in any pieces. An error breaks the session.
  Status receive(std::string_view bytes);

  // `streams exhausted`, `remote end is not accepting connections`, `session shutdown`.
  Result<uint32_t> open();
  // The next stream that the peer has opened.
  std::optional<uint32_t> accept();

  Attempt read(uint32_t id, char* to, size_t size);
  Attempt write(uint32_t id, std::string_view bytes);
  // No more bytes from this side.
  void finish(uint32_t id);
  // The stream's owner has gone: finishes it, and forgets it once the peer has finished too.
  void release(uint32_t id);

  void ping(uint32_t value);
  void go_away();
  // Everything fails with `why` from now on; data that came before can still be read.
  void end(Error why);
  bool ended() const { return ended_.has_value(); }
  const Error& end_error() const { return *ended_; }
  size_t streams() const { return streams_.size(); }

  // Bytes to send. Hand over one batch at a time and tell when it is written.
  std::string take_output();
  void wrote_output();
  bool has_output() const { return !out_.empty(); }

  // What has changed since the last call, for waking those that wait.
  struct Changes {
    std::set<uint32_t> readable, writable;
    bool acceptable = false;
    std::optional<uint32_t> pong;
    bool any() const { return acceptable || pong || !readable.empty() || !writable.empty(); }
  };
  Changes take_changes();
  bool has_changes() const { return changes_.any(); }

 private:
  struct StreamState {
    uint32_t send_window, receive_window;  // credit left
    uint32_t incoming = 0;                 // bytes of the current frame still to come
    std::string in;
    size_t in_read = 0;                    // of `in`, already taken
    bool acknowledged = false;
    bool local_end = false, remote_end = false, reset = false, released = false;
    size_t unread() const { return in.size() - in_read; }
  };

  Status on_header();
  Status on_data_header(uint32_t id, uint16_t flags, uint32_t length);
  Status on_window_update(uint32_t id, uint16_t flags, uint32_t delta);
  Status on_ping(uint16_t flags, uint32_t value);
  Status on_go_away(uint32_t code);
  // The stream a frame is for, made when it opens one; null when the frame is to be dropped.
  Result<StreamState*> stream_of_frame(uint32_t id, uint16_t flags);
  void apply_flags(uint32_t id, StreamState& s, uint16_t flags);
  void take_data(std::string_view bytes);
  void frame(uint8_t type, uint16_t flags, uint32_t id, uint32_t length);
  void credit(uint32_t id, StreamState& s);
  void forget_if_over(uint32_t id);
  void wake(uint32_t id);
  StreamState* find(uint32_t id);
  Error stream_error(const StreamState* s) const;

  bool client_;
  YamuxLimits limits_;
  uint32_t next_id_;
  std::map<uint32_t, StreamState> streams_;
  std::deque<uint32_t> backlog_;
  size_t unacknowledged_ = 0;

  std::string header_;          // of the frame that is coming
  uint32_t data_id_ = 0;        // stream of the data that is coming; 0 for none or to drop
  uint32_t data_left_ = 0;
  uint16_t data_flags_ = 0;

  std::string out_;
  size_t writing_ = 0;
  std::set<uint32_t> blocked_on_output_;
  Changes changes_;
  bool local_go_away_ = false, remote_go_away_ = false;
  std::optional<Error> ended_;
};

}  // namespace drover::net
