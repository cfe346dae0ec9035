// What a command touches of the process: streams, environment, terminal, clock. Tests give their own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace drover::cli {

struct Io {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  // One line of standard input without its newline; nullopt when the input ended before a newline.
  std::function<std::optional<std::string>()> read_line;
  // All that is left of standard input.
  std::function<std::string()> read_all;
  std::vector<std::string> env;  // "KEY=value"
  std::function<Time()> now;
  std::function<void(Duration)> sleep;
  std::string program = "nomad";  // as it was called
  bool stdin_tty = false;
  bool stdin_piped = true;  // no character device: /dev/null is one
  bool stdout_tty = false;
  int stdin_fd = -1;   // for commands that pump or set up a terminal; -1: none
  int stdout_fd = -1;

  // "" when unset.
  std::string getenv(std::string_view name) const;
};

// The streams, terminal and environment of this process.
Io process_io();

// Lets ^C and SIGTERM end the command cleanly instead of killing the process; undone by destruction. `fn` runs in
// a signal handler's stead, on a thread of its own.
class OnInterrupt {
 public:
  explicit OnInterrupt(std::function<void()> fn, std::vector<int> more_signals = {});
  ~OnInterrupt();
  OnInterrupt(const OnInterrupt&) = delete;
  OnInterrupt& operator=(const OnInterrupt&) = delete;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace drover::cli
