// alloc exec: a command in a task, over a websocket (reference cli section 9.3, http-api section 13).
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "base/strings.h"
#include "cli/alloc_commands.h"
#include "cli/api.h"
#include "cli/resolve.h"
#include "codec/json.h"
#include "net/blocking_http.h"

namespace drover::cli {

// What comes from the task. Names are those of the wire.
struct ExecOutput {
  Bytes data;
  bool close = false;
};
struct ExecResult {
  int64_t exit_code = 0;
};
struct ExecMessage {
  Box<ExecOutput> out;
  Box<ExecOutput> err;
  bool exited = false;
  Box<ExecResult> result;
};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::ExecOutput)
DROVER_TYPE(cli::ExecResult)
DROVER_TYPE(cli::ExecMessage)
}  // namespace drover
DROVER_DESCRIBE(drover::cli::ExecOutput, "api.ExecStreamingIOOperation", DROVER_FIELD(data), DROVER_FIELD(close))
DROVER_DESCRIBE(drover::cli::ExecResult, "api.ExecStreamingExitResult", DROVER_FIELD(exit_code))
DROVER_DESCRIBE(drover::cli::ExecMessage, "api.ExecStreamingOutput", DROVER_FIELD(out).json("stdout"),
                DROVER_FIELD(err).json("stderr"), DROVER_FIELD(exited), DROVER_FIELD(result))

namespace drover::cli {
namespace {

constexpr Duration kHeartbeat = std::chrono::seconds(10);
constexpr size_t kChunk = 2048;

// A terminal in raw mode until it is destroyed.
class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    if (fd < 0 || tcgetattr(fd, &saved_) != 0) return;
    termios raw = saved_;
    cfmakeraw(&raw);
    active_ = tcsetattr(fd, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() { restore(); }
  void restore() {
    if (active_) tcsetattr(fd_, TCSANOW, &saved_);
    active_ = false;
  }

 private:
  int fd_;
  termios saved_{};
  bool active_ = false;
};

// Finds "~." at the start of a line.
class EscapeFilter {
 public:
  explicit EscapeFilter(std::optional<char> escape) : escape_(escape) {}
  // The text to send on; `closed` is set when the user asked for the end.
  std::string pass(std::string_view text, bool& closed) {
    if (!escape_) return std::string(text);
    std::string out;
    for (char c : text) {
      if (held_) {
        held_ = false;
        if (c == '.') {
          closed = true;
          return out;
        }
        out += *escape_;
        line_start_ = c == '\r' || c == '\n';
        if (c != *escape_) out += c;
        continue;
      }
      if (line_start_ && c == *escape_) {
        held_ = true;
        continue;
      }
      line_start_ = c == '\r' || c == '\n';
      out += c;
    }
    return out;
  }

 private:
  std::optional<char> escape_;
  bool line_start_ = true, held_ = false;
};

class ExecSession {
 public:
  struct Options {
    bool stdin_on = true, tty = false;
    std::optional<char> escape;
  };
  ExecSession(Context& c, Api& api, Options options)
      : c_(c), http_(api.http()), options_(options), terminal_(options.tty ? c.io.stdin_fd : -1) {
    cancel_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  }
  ~ExecSession() {
    stop_reader();
    ::close(cancel_);
  }

  // The task's exit code.
  Result<int> run(net::HttpCall call) {
    OnInterrupt on_interrupt([this] {
      terminal_.restore();
      ::_exit(1);
    });
    auto result = http_.run(session(std::move(call)));
    stop_reader();
    terminal_.restore();
    if (closed_by_user_) {
      c_.io.err("\nConnection closed\n");
      return internal("connection closed by the user");
    }
    return result;
  }

 private:
  Async<Result<int>> session(net::HttpCall call) {
    net::HttpResponse refused;
    auto opened = co_await http_.client().websocket(std::move(call), &refused);
    if (!opened) {
      if (refused.status) co_return internal(fmt::format("Unexpected response code: {} ({})", refused.status, refused.body));
      co_return std::move(opened).error();
    }
    socket_ = opened->get();
    Running beats(heartbeats());
    if (options_.tty) {
      co_await send_size();
      http_.loop().on_signal(SIGWINCH, [this] { resize_.emplace(send_size()); });
    }
    start_reader();
    auto code = co_await read_all();
    socket_ = nullptr;
    write_.reset();
    resize_.reset();
    co_return code;
  }

  Async<Result<int>> read_all() {
    for (;;) {
      auto message = co_await socket_->read();
      if (closed_by_user_) co_return internal("closed");
      if (!message) {
        auto reason = socket_->close_reason();
        co_return reason.empty() ? std::move(message).error() : internal(std::move(reason));
      }
      auto parsed = from_json<ExecMessage>(message->data);
      if (!parsed) co_return std::move(parsed).error();
      if (parsed->out && !parsed->out->data.empty()) c_.io.out(parsed->out->data.data);
      if (parsed->err && !parsed->err->data.empty()) c_.io.err(parsed->err->data.data);
      if (parsed->exited) co_return parsed->result ? static_cast<int>(parsed->result->exit_code) : 0;
    }
  }

  Async<void> heartbeats() {
    for (;;) {
      co_await sleep_for(http_.loop(), kHeartbeat);
      if (!socket_ || !co_await socket_->write("{}")) co_return;
    }
  }

  Async<void> send_size() {
    winsize size{};
    if (!socket_ || ::ioctl(c_.io.stdout_fd, TIOCGWINSZ, &size) != 0) co_return;
    (void)co_await socket_->write(fmt::format("{{\"tty_size\":{{\"height\":{},\"width\":{}}}}}", size.ws_row, size.ws_col));
  }

  // Standard input is read on a thread of its own; the loop sends one piece at a time, so little is held.
  void start_reader() {
    if (!options_.stdin_on) {
      queue(R"({"stdin":{"close":true}})");
      return;
    }
    reader_ = std::thread([this] { read_input(); });
  }

  void read_input() {
    EscapeFilter filter(options_.tty ? options_.escape : std::nullopt);
    if (c_.io.stdin_fd < 0) {
      send_piece(c_.io.read_all());
      queue_and_wait(R"({"stdin":{"close":true}})");
      return;
    }
    char buffer[kChunk];
    for (;;) {
      pollfd wait[2] = {{c_.io.stdin_fd, POLLIN, 0}, {cancel_, POLLIN, 0}};
      if (::poll(wait, 2, -1) < 0 && errno != EINTR) return;
      if (wait[1].revents) return;
      if (!wait[0].revents) continue;
      ssize_t n = ::read(c_.io.stdin_fd, buffer, sizeof buffer);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) break;
      bool closed = false;
      auto text = filter.pass({buffer, static_cast<size_t>(n)}, closed);
      if (!text.empty()) send_piece(text);
      if (closed) {
        http_.loop().post([this] {
          closed_by_user_ = true;
          if (socket_) write_.emplace(close_socket());
        });
        return;
      }
    }
    queue_and_wait(R"({"stdin":{"close":true}})");
  }

  void send_piece(const std::string& text) {
    queue_and_wait(fmt::format("{{\"stdin\":{{\"data\":\"{}\"}}}}", base64_encode(text)));
  }

  // From the reader's thread: returns when the message is on its way, or the session over.
  void queue_and_wait(std::string message) {
    http_.loop().post([this, message = std::move(message)]() mutable { queue(std::move(message)); });
    while (!sent_.try_acquire_for(std::chrono::milliseconds(100)))
      if (stopping_) return;
  }

  void queue(std::string message) {
    if (!socket_) return;
    write_.emplace(write_one(std::move(message)));
  }
  Async<void> write_one(std::string message) {
    (void)co_await socket_->write(message);
    sent_.release();
  }
  Async<void> close_socket() { (void)co_await socket_->close(1000, ""); }

  void stop_reader() {
    stopping_ = true;
    uint64_t one = 1;
    (void)!::write(cancel_, &one, sizeof one);
    if (reader_.joinable()) reader_.join();
  }

  Context& c_;
  net::BlockingHttp& http_;
  Options options_;
  RawTerminal terminal_;
  net::WebSocket* socket_ = nullptr;
  std::optional<Running> write_, resize_;
  std::counting_semaphore<> sent_{0};
  std::atomic<bool> stopping_ = false;
  bool closed_by_user_ = false;
  std::thread reader_;
  int cancel_ = -1;
};

std::string command_json(std::span<const std::string> words) {
  std::string out = "[";
  for (auto& w : words) {
    if (out.size() > 1) out += ",";
    json_quote(w, out);
  }
  return out + "]";
}

int run_alloc_exec(Context& c) {
  auto& words = c.args.rest;
  bool job = c.args.on("job");
  if (words.empty()) return c.misuse(job ? "A job ID is required" : "An allocation ID is required");
  if (words.size() < 2) return c.misuse("A command is required");
  bool terminals = c.io.stdin_tty && c.io.stdout_tty;
  ExecSession::Options options;
  options.stdin_on = c.args.on("i");
  options.tty = c.args.given("t") ? c.args.on("t") : terminals;
  if (!c.args.given("t") && !options.stdin_on) options.tty = false;
  if (options.tty && !options.stdin_on) return c.fail("-i must be enabled if running with tty");
  auto escape = c.args.text("e");
  if (escape == "none") escape.clear();
  if (escape.size() > 1) return c.fail("-e requires 'none' or a single character");
  if (!escape.empty()) options.escape = escape[0];
  auto* api = c.connect();
  if (!api) return 1;
  auto id = words[0];
  if (job) {
    auto chosen = random_alloc_of_job(c, *api, id);
    if (!chosen) return 1;
    id = *chosen;
  }
  auto alloc = find_alloc(c, *api, id, "Alloc ID must contain at least two characters");
  if (!alloc) return 1;
  auto task = c.args.text("task");
  if (task.empty()) {
    auto only = only_task(*alloc);
    if (!only) return c.fail(only.error().message);
    task = *only;
  } else if (auto known = check_task(task, *alloc); !known) {
    return c.fail(known.error().message);
  }
  api->set_namespace(alloc->Namespace.str());
  auto node = api->for_node(alloc->NodeID.str());
  if (!node) return c.fail("failed to exec into task: " + node.error().message);
  net::HttpCall call;
  call.url = (*node)->url("/v1/client/allocation/" + alloc->ID.str() + "/exec",
                          {{"task", task}, {"tty", options.tty ? "true" : "false"},
                           {"command", command_json(std::span(words).subspan(1))}});
  (*node)->add_headers(call.headers);
  auto code = ExecSession(c, **node, options).run(std::move(call));
  if (code) return *code;
  return c.fail("failed to exec into task: " + code.error().message);
}

constexpr Flag kFlags[] = {
    {"task", FlagKind::kText, " <task>", "The task to run the command in.", ""},
    {"job", FlagKind::kBool, "", "The argument is a job; one of its allocations is chosen.", ""},
    {"i", FlagKind::kBool, "", "Pass standard input to the command. Defaults to true.", "true"},
    {"t", FlagKind::kBool, "", "Give the command a terminal. Defaults to true in a terminal.", ""},
    {"e", FlagKind::kText, " <character>",
     "The character that, at the start of a line and with a dot behind it, ends the session; \"none\" for none. Defaults "
     "to \"~\".", "~"},
};

constexpr Command kCommands[] = {
    {.name = "alloc exec",
     .synopsis = "Execute commands in task",
     .usage = "Usage: nomad alloc exec [options] <allocation> <command>",
     .about = "Runs a command in the environment of a task and ends with its exit code.",
     .general = General::kAll,
     .options = "Exec Specific Options",
     .flags = kFlags,
     .run = run_alloc_exec},
};

}  // namespace

std::span<const Command> alloc_exec_commands() { return kCommands; }

}  // namespace drover::cli
