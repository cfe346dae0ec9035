#include "shim/exec_session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "shim/child.h"

namespace drover::shim {

using isolate::Fault;
using isolate::fault;
using isolate::ok;

namespace {

// A process that the command left behind may hold its pipes open; output is awaited this long after the exit.
constexpr uint64_t kLingerMs = 250;

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

void set_window(int fd, uint32_t rows, uint32_t columns) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  (void)ioctl(fd, TIOCSWINSZ, &size);
}

void set_nonblocking(int fd) { (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

ExecExit decode_status(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1, 0};
}

Fault ExecSession::open_streams(bool tty, int child[3]) {
  if (tty) {
    in_ = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (in_ < 0) return fault("open terminal");
    int unlock = 0;
    if (ioctl(in_, TIOCSPTLCK, &unlock) != 0) return fault("unlock terminal");
    child[0] = ioctl(in_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (child[0] < 0) return fault("open terminal");
    child[1] = child[2] = child[0];
    out_ = fcntl(in_, F_DUPFD_CLOEXEC, 3);
    if (out_ < 0) return fault("duplicate descriptor");
  } else {
    int pipes[3][2];
    for (int i = 0; i < 3; i++) {
      if (pipe2(pipes[i], O_CLOEXEC) != 0) return fault("create pipe");
      child[i] = pipes[i][i == 0 ? 0 : 1];
      (i == 0 ? in_ : i == 1 ? out_ : err_) = pipes[i][i == 0 ? 1 : 0];
    }
    set_nonblocking(err_);
  }
  set_nonblocking(in_);
  set_nonblocking(out_);
  return ok();
}

Fault ExecSession::start(const Spec& task, bool contained, const Frame& request) {
  static Spec what;  // one at a time; too large for the stack
  what = Spec();
  if (parse_spec(request.body, request.length, what) || what.args.size == 0) {
    what.release();
    return {EINVAL, "exec request"};
  }
  int child[3] = {-1, -1, -1};
  Fault f = open_streams(what.tty, child);
  if (!f) {
    if (what.tty && what.rows > 0) set_window(in_, what.rows, what.columns);
    tty_ = what.tty;
    Launch launch;
    launch.place = &task;
    launch.command = what.command ? what.command : what.args.items[0];
    launch.argv = const_cast<char**>(what.args.items);
    static const char* const kNoEnv[] = {nullptr};
    const TextList& env = what.env.size > 0 ? what.env : task.env;
    launch.env = const_cast<char**>(env.items ? env.items : kNoEnv);
    launch.cwd = what.cwd ? what.cwd : task.cwd;
    launch.in = child[0], launch.out = child[1], launch.err = child[2];
    launch.terminal = tty_;
    launch.contained = contained;
    Child started;
    f = start_child(launch, started);
    pid_ = f ? 0 : started.pid;
  }
  close_fd(child[0]);
  if (!what.tty) close_fd(child[1]), close_fd(child[2]);
  what.release();
  if (f) end();
  return f;
}

bool ExecSession::handle(Connection& c, const Frame& frame) {
  switch (frame.type) {
    case Message::kStdin:
      if (in_ < 0 || stdin_closes_ || frame.length == 0) return true;
      // The owner reads no further frame while this one waits.
      stdin_ = static_cast<uint8_t*>(malloc(frame.length));
      if (!stdin_) return true;
      memcpy(stdin_, frame.body, frame.length);
      stdin_size_ = frame.length;
      stdin_sent_ = 0;
      write_stdin();
      return true;
    case Message::kStdinClose:
      stdin_closes_ = true;
      if (!stdin_pending()) close_input();
      return true;
    case Message::kResize: {
      WindowSize size;
      if (frame.as(size) && tty_ && out_ >= 0) set_window(out_, size.rows, size.columns);
      return true;
    }
    default: return c.send_error(EINVAL, "frame of an exec session");
  }
}

void ExecSession::write_stdin() {
  while (stdin_sent_ < stdin_size_ && in_ >= 0) {
    ssize_t n = ::write(in_, stdin_ + stdin_sent_, stdin_size_ - stdin_sent_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {  // the command does not read any more: the rest is dropped
      close_fd(in_);
      break;
    }
    stdin_sent_ += static_cast<uint32_t>(n);
  }
  free(stdin_);
  stdin_ = nullptr;
  stdin_size_ = stdin_sent_ = 0;
  if (stdin_closes_) close_input();
}

void ExecSession::close_input() {
  // A terminal cannot be half closed; its reader is told by the end-of-file character.
  if (tty_ && in_ >= 0) (void)!::write(in_, "\4", 1);
  close_fd(in_);
}

bool ExecSession::forward(Connection& c, int& fd, Message type) {
  uint8_t chunk[kChunk];
  while (fd >= 0 && !c.pending()) {
    ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) {  // the end; of a terminal it is EIO
      close_fd(fd);
      return c.send(type);
    }
    if (!c.send(type, chunk, static_cast<size_t>(n))) return false;
  }
  return true;
}

bool ExecSession::pump(Connection& c, uint64_t now_ms) {
  if (!forward(c, out_, Message::kStdout) || !forward(c, err_, Message::kStderr)) return false;
  if (!exited_ || c.pending()) return true;
  if ((out_ >= 0 || err_ >= 0) && now_ms < deadline_ms_) return true;
  ExecExit exit = decode_status(status_);
  bool sent = (out_ < 0 || c.send(Message::kStdout)) && (err_ < 0 || c.send(Message::kStderr)) &&
              c.send(Message::kExecExit, &exit, sizeof exit);
  end();
  return sent;
}

void ExecSession::exited(int status, uint64_t now_ms) {
  exited_ = true;
  status_ = status;
  deadline_ms_ = now_ms + kLingerMs;
}

void ExecSession::kill_group() {
  if (active() && !exited_) (void)kill(-pid_, SIGKILL);
}

void ExecSession::end() {
  kill_group();
  close_fd(in_);
  close_fd(out_);
  close_fd(err_);
  free(stdin_);
  *this = ExecSession();
}

}  // namespace drover::shim
