// The life of one task, from its start to its exit record: one thread, one poll loop.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>

#include "shim/child.h"
#include "shim/connection.h"
#include "shim/exec_session.h"
#include "shim/log_writer.h"
#include "shim/spec.h"

namespace drover::shim {

inline constexpr size_t kMaxPeers = 32;

class Supervisor {
 public:
  // `spec` outlives the supervisor. The current directory is the shim's, its lock is held.
  explicit Supervisor(const Spec& spec) : spec_(spec) {}

  // Opens logs and socket, starts the task. After a fault nothing runs and nothing is left.
  isolate::Fault start();
  StatusReply status() const;
  // Until the task has ended and its exit is recorded.
  void run();

 private:
  struct Output {
    int fd = -1;  // read end of the task's pipe
    LogWriter log;
  };
  struct Peer {
    Connection connection;
    ExecSession exec;
    bool reads() const { return !connection.pending() && !exec.stdin_pending(); }
  };
  enum class Watch : uint8_t { kSignals, kListen, kOutput, kPeer, kExecOut, kExecIn };
  struct Watched {
    Watch what;
    uint8_t index;
  };
  static constexpr size_t kMaxWatched = 4 + kMaxPeers * 4;

  isolate::Fault start_task(int child_stdio[3]);
  isolate::Fault open_output(int child_stdio[3]);
  isolate::Fault open_socket();
  isolate::Fault open_signals();
  void undo_start();

  size_t collect(pollfd* fds, Watched* watched) const;
  int timeout_ms() const;
  void dispatch(const pollfd& p, const Watched& w);
  void advance();
  bool cleaned_up();
  void finish();

  void reap();
  void pump(Output& output, size_t budget);
  void accept_peers();
  void serve(Peer& peer);
  bool answer(Peer& peer, const Frame& frame);
  bool shut_down(Connection& c, const Frame& frame);
  bool send_usage(Connection& c);
  void drop(Peer& peer);
  void kill_leftovers();

  const Spec& spec_;
  Child task_;
  bool cgroup_made_ = false;
  Phase phase_ = Phase::kRunning;
  bool exited_ = false;
  int exit_status_ = 0;
  uint64_t started_ns_ = 0, finished_ns_ = 0;
  uint64_t kill_at_ms_ = 0;     // 0: no shutdown asked for
  uint64_t rekill_at_ms_ = 0, clean_until_ms_ = 0, drain_until_ms_ = 0;
  uint64_t oom_before_ = 0;
  int signal_fd_ = -1, listen_fd_ = -1, exit_fd_ = -1;
  Output output_[2];
  Peer peers_[kMaxPeers];
};

}  // namespace drover::shim
