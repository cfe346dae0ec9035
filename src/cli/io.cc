#include "cli/io.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "net/real_world.h"

extern char** environ;

namespace drover::cli {
namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd p{fd, POLLOUT, 0};
      ::poll(&p, 1, -1);
      continue;
    }
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

ssize_t read_some(int fd, char* to, size_t size) {
  for (;;) {
    ssize_t n = ::read(fd, to, size);
    if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
    if (errno == EAGAIN) {
      pollfd p{fd, POLLIN, 0};
      ::poll(&p, 1, -1);
    }
  }
}

}  // namespace

std::string Io::getenv(std::string_view name) const {
  for (auto& entry : env)
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
      return entry.substr(name.size() + 1);
  return {};
}

Io process_io() {
  Io io;
  io.out = [](std::string_view text) { write_all(1, text); };
  io.err = [](std::string_view text) { write_all(2, text); };
  io.read_line = []() -> std::optional<std::string> {
    std::string line;
    char c;
    while (read_some(0, &c, 1) == 1) {
      if (c == '\n') return line;
      line += c;
    }
    return std::nullopt;
  };
  io.read_all = [] {
    std::string all;
    char buffer[16384];
    ssize_t n;
    while ((n = read_some(0, buffer, sizeof buffer)) > 0) all.append(buffer, static_cast<size_t>(n));
    return all;
  };
  for (char** e = environ; e && *e; ++e) io.env.emplace_back(*e);
  io.now = [] { return net::RealClock().now(); };
  io.sleep = [](Duration d) { std::this_thread::sleep_for(d); };
  io.stdin_tty = isatty(0);
  struct stat input;
  io.stdin_piped = fstat(0, &input) == 0 && !S_ISCHR(input.st_mode);
  io.stdout_tty = isatty(1);
  io.stdin_fd = 0;
  io.stdout_fd = 1;
  return io;
}

struct OnInterrupt::Impl {
  int pipe[2] = {-1, -1};
  std::vector<std::pair<int, struct sigaction>> old;  // signal, what it did before
  std::thread thread;
};

namespace {
std::atomic<int> interrupt_fd{-1};

void note_interrupt(int) {
  int saved = errno;
  int fd = interrupt_fd.load();
  if (fd >= 0) (void)!::write(fd, "i", 1);
  errno = saved;
}
}  // namespace

OnInterrupt::OnInterrupt(std::function<void()> fn, std::vector<int> more_signals) : impl_(new Impl) {
  if (::pipe2(impl_->pipe, O_CLOEXEC) != 0) return;
  interrupt_fd = impl_->pipe[1];
  struct sigaction action{};
  action.sa_handler = note_interrupt;
  action.sa_flags = SA_RESTART;
  more_signals.insert(more_signals.end(), {SIGINT, SIGTERM});
  for (int signal : more_signals) {
    impl_->old.emplace_back(signal, (struct sigaction){});
    sigaction(signal, &action, &impl_->old.back().second);
  }
  impl_->thread = std::thread([fn = std::move(fn), fd = impl_->pipe[0]] {
    char c;
    while (read_some(fd, &c, 1) == 1 && c == 'i') fn();
  });
}

OnInterrupt::~OnInterrupt() {
  if (impl_->pipe[0] >= 0) {
    for (auto& [signal, action] : impl_->old) sigaction(signal, &action, nullptr);
    interrupt_fd = -1;
    (void)!::write(impl_->pipe[1], "q", 1);
    impl_->thread.join();
    ::close(impl_->pipe[0]);
    ::close(impl_->pipe[1]);
  }
  delete impl_;
}

}  // namespace drover::cli
