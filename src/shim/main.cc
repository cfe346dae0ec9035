// drover-shim: supervises one task and outlives the agent that started it. See protocol.h.
//
// Usage: drover-shim <task id>, with the StartSpec as descriptor 0 and a pipe for the answer as descriptor 1.
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim/supervisor.h"

namespace drover::shim {
namespace {

using isolate::Fault;
using isolate::fault;
using isolate::ok;

constexpr int kAnswerFd = 3;

void answer(Message type, const void* a, size_t a_size, const void* b = nullptr, size_t b_size = 0) {
  // Small enough for one atomic write to a pipe.
  uint8_t frame[512];
  FrameHeader h{static_cast<uint32_t>(a_size + b_size), static_cast<uint32_t>(type)};
  if (sizeof h + a_size + b_size > sizeof frame) return;
  memcpy(frame, &h, sizeof h);
  memcpy(frame + sizeof h, a, a_size);
  if (b_size > 0) memcpy(frame + sizeof h + a_size, b, b_size);
  (void)!write(kAnswerFd, frame, sizeof h + a_size + b_size);
}

int refuse(Fault f) {
  ErrorReply e{f.err};
  answer(Message::kError, &e, sizeof e, f.op, strlen(f.op));
  return 1;
}

// Descriptor 0 becomes the spec in memory, 1 becomes kAnswerFd, and nothing else of the agent's stays open.
Fault take_input(Spec& spec) {
  if (dup2(1, kAnswerFd) < 0) return fault("duplicate descriptor");
  (void)fcntl(kAnswerFd, F_SETFD, FD_CLOEXEC);
  (void)close_range(kAnswerFd + 1, ~0u, 0);
  struct stat st;
  if (fstat(0, &st) != 0) return fault("read spec");
  if (st.st_size <= 0 || st.st_size > static_cast<off_t>(kMaxSpec)) return {EINVAL, "read spec"};
  void* bytes = mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, 0, 0);
  if (bytes == MAP_FAILED) return fault("read spec");
  if (const char* wrong = parse_spec(static_cast<const uint8_t*>(bytes), static_cast<size_t>(st.st_size), spec))
    return {EINVAL, wrong};
  if (!spec.dir || !spec.command || spec.args.size == 0) return {EINVAL, "spec without directory, command or arguments"};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return fault("open /dev/null");
  for (int fd = 0; fd < 3; fd++) (void)dup2(null, fd);
  close(null);
  return ok();
}

// Away from the agent: own session, own parent.
Fault leave_agent() {
  (void)setsid();  // fails only for a group leader, which then forks out of its group all the same
  pid_t pid = fork();
  if (pid < 0) return fault("fork");
  if (pid > 0) _exit(0);
  (void)setsid();
  return ok();
}

// Holds the directory's lock until exit. An agent that found no shim here has given the task up.
Fault claim_directory(const char* dir) {
  if (chdir(dir) != 0) return fault("enter shim directory");
  int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fault("open lock");
  // An agent that looks whether we live holds the lock for a moment.
  for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
    if (errno != EWOULDBLOCK || i == 200) return fault("lock shim directory");
    timespec ms{0, 5000000};
    nanosleep(&ms, nullptr);
  }
  if (access("abandoned", F_OK) == 0) return {ECANCELED, "start abandoned task"};
  if (access("exit", F_OK) == 0) return {EEXIST, "start finished task"};
  return ok();
}

int run() {
  static Spec spec;
  if (Fault f = take_input(spec)) return refuse(f);
  if (Fault f = leave_agent()) return refuse(f);
  if (Fault f = claim_directory(spec.dir)) return refuse(f);
  static Supervisor supervisor(spec);
  if (Fault f = supervisor.start()) return refuse(f);
  StatusReply status = supervisor.status();
  answer(Message::kStarted, &status, sizeof status);
  close(kAnswerFd);
  supervisor.run();
  return 0;
}

}  // namespace
}  // namespace drover::shim

int main() { return drover::shim::run(); }
