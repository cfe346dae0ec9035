// A command beside the task, whose streams travel over one connection.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>

#include "isolate/fault.h"
#include "shim/connection.h"
#include "shim/spec.h"

namespace drover::shim {

class ExecSession {
 public:
  // Starts the command of a kExec request in the task's surroundings. An environment or directory that the request
  // does not give is the task's.
  isolate::Fault start(const Spec& task, bool contained, const Frame& request);
  bool active() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  // Each of the next three moves what can be moved; false when the connection is gone.
  bool handle(Connection& c, const Frame& frame);  // stdin, resize
  bool pump(Connection& c, uint64_t now_ms);       // output and the final kExecExit
  void write_stdin();
  bool stdin_pending() const { return stdin_size_ > 0; }

  // Descriptors to poll, -1 for none.
  int output_fd() const { return out_; }
  int error_fd() const { return err_; }
  int input_fd() const { return stdin_pending() ? in_ : -1; }
  // The command has exited; what it left in its pipes is still read.
  void exited(int status, uint64_t now_ms);
  uint64_t deadline_ms() const { return deadline_ms_; }  // 0: none

  void kill_group();
  void end();  // kills what runs and closes all

 private:
  isolate::Fault open_streams(bool tty, int child[3]);
  bool forward(Connection& c, int& fd, Message type);
  void close_input();

  pid_t pid_ = 0;
  bool tty_ = false;
  bool exited_ = false;
  int status_ = 0;
  uint64_t deadline_ms_ = 0;
  int in_ = -1, out_ = -1, err_ = -1;
  uint8_t* stdin_ = nullptr;
  uint32_t stdin_size_ = 0, stdin_sent_ = 0;
  bool stdin_closes_ = false;
};

// Exit code as a shell has it, and the signal.
ExecExit decode_status(int status);

}  // namespace drover::shim
