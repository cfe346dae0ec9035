// alloc fs, alloc logs.
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/strings.h"
#include "cli/alloc_commands.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/frames.h"
#include "cli/resolve.h"
#include "model/client_stats.h"

namespace drover::cli {
namespace {

constexpr int64_t kBytesPerLine = 120;  // a guess: how far back to look for so many lines
constexpr int64_t kDefaultTailLines = 10;

struct Tail {
  int64_t bytes = 0;
  int64_t lines = 0;  // 0: bytes are meant exactly
};

// What -tail, -n and -c ask for; an error when both are given.
Result<Tail> read_tail(const Context& c) {
  auto lines = c.args.number("n"), bytes = c.args.number("c");
  bool has_lines = lines != -1, has_bytes = bytes != -1;
  if (has_lines && has_bytes) return invalid("Both -n and -c are not allowed");
  if ((has_lines && lines < 0) || (has_bytes && bytes < 0)) return invalid("Invalid size is specified");
  if (has_lines) return Tail{lines * kBytesPerLine, lines};
  if (has_bytes) return Tail{bytes, 0};
  return Tail{kDefaultTailLines * kBytesPerLine, kDefaultTailLines};
}

// Shows a stream as it comes, or only the last lines of what it has at first.
class Printer {
 public:
  Printer(Context& c, int64_t lines) : c_(c), lines_(lines) {}

  void add(std::string_view bytes) {
    if (!lines_) {
      c_.io.out(bytes);
      return;
    }
    held_ += bytes;
  }
  // No more of the old text comes: what follows is shown at once.
  void settle() {
    if (!lines_) return;
    int64_t seen = 0;
    size_t at = held_.size();
    while (at > 0) {
      if (held_[at - 1] == '\n' && at != held_.size() && ++seen == lines_) break;
      --at;
    }
    c_.io.out(std::string_view(held_).substr(at));
    held_.clear();
    lines_ = 0;
  }

 private:
  Context& c_;
  int64_t lines_;
  std::string held_;
};

// Streams frames to the printers until the end or an interrupt.
Status show_frames(Api& api, const std::string& path, const Params& params, const std::function<void(const StreamFrame&)>& show,
                   std::atomic<bool>& stopped) {
  FrameSplitter frames;
  auto done = api.stream(path, params, [&](std::string_view bytes) {
    return frames.feed(bytes, [&](std::string_view object) {
      if (auto frame = from_json<StreamFrame>(object)) show(*frame);
      return true;
    });
  });
  if (stopped) return {};
  return done;
}

// Resolves the argument: an allocation, or with -job one of a job's.
std::optional<Allocation> chosen_alloc(Context& c, Api& api) {
  auto id = c.args.rest[0];
  if (c.args.on("job")) {
    auto chosen = random_alloc_of_job(c, api, id);
    if (!chosen) return std::nullopt;
    id = *chosen;
  }
  return find_alloc(c, api, id);
}

// ---- fs

class FsCommand {
 public:
  FsCommand(Context& c, Api& api, std::string id, std::string node, std::string path)
      : c_(c), api_(api), id_(std::move(id)), node_(std::move(node)), path_(std::move(path)) {}

  int run() {
    auto info = api_.get_as<AllocFileInfo>("/v1/client/fs/stat/" + id_, {{"path", path_}});
    if (!info) return c_.fail(info.error().message);
    if (c_.args.on("stat")) return show_stat(*info);
    if (info->IsDir) return list();
    return show_file(*info);
  }

 private:
  std::string size(const AllocFileInfo& f) const {
    return c_.args.on("H") ? std::to_string(f.Size) : format_ibytes(static_cast<uint64_t>(f.Size));
  }
  static std::string name(const AllocFileInfo& f) { return f.IsDir ? f.Name + "/" : f.Name; }

  int show_stat(const AllocFileInfo& f) const {
    c_.ui.output(table({"Mode|Size|Modified Time|Content Type|Name",
                        fmt::format("{}|{}|{}|{}|{}", f.FileMode, size(f), absolute_time(f.ModTime), f.ContentType, name(f))}));
    return 0;
  }

  int list() {
    auto files = api_.get_as<List<AllocFileInfo>>("/v1/client/fs/ls/" + id_, {{"path", path_}});
    if (!files) return c_.fail("Error listing alloc dir: " + files.error().message);
    Rows rows{"Mode|Size|Modified Time|Name"};
    for (auto& f : *files)
      rows.push_back(fmt::format("{}|{}|{}|{}", f.FileMode, size(f), absolute_time(f.ModTime), name(f)));
    c_.ui.output(table(rows));
    return 0;
  }

  int show_file(const AllocFileInfo& info) {
    bool tail = c_.args.on("tail"), follow = c_.args.on("f");
    Tail wanted;
    if (tail) {
      auto read = read_tail(c_);
      if (!read) return c_.fail(read.error().message);
      wanted = *read;
      wanted.bytes = std::min(wanted.bytes, info.Size);
    }
    auto node = api_.for_node(node_);
    if (!node) return c_.fail("Error reading file: " + node.error().message);
    std::atomic<bool> stopped = false;
    OnInterrupt on_interrupt([&] {
      stopped = true;
      (*node)->interrupt();
    });
    Printer printer(c_, tail ? wanted.lines : 0);
    Status done;
    auto print = [&](std::string_view bytes) {
      printer.add(bytes);
      return true;
    };
    if (follow) {
      Params params{{"path", path_}, {"offset", std::to_string(tail ? wanted.bytes : 0)}, {"origin", tail ? "end" : "start"}};
      int64_t shown = 0;
      if (tail && wanted.bytes == 0) printer.settle();
      done = show_frames(**node, "/v1/client/fs/stream/" + id_, params,
                         [&](const StreamFrame& f) {
                           printer.add(f.Data.data);
                           shown += static_cast<int64_t>(f.Data.data.size());
                           if (shown >= wanted.bytes) printer.settle();
                         },
                         stopped);
    } else if (tail) {
      done = (*node)->stream("/v1/client/fs/readat/" + id_,
                             {{"path", path_}, {"offset", std::to_string(info.Size - wanted.bytes)}, {"limit", "-1"}}, print);
    } else {
      done = (*node)->stream("/v1/client/fs/cat/" + id_, {{"path", path_}}, print);
    }
    printer.settle();
    if (!done && !stopped) return c_.fail(fmt::format("Error {} file: {}", tail ? "tailing" : "reading", done.error().message));
    return 0;
  }

  Context& c_;
  Api& api_;
  std::string id_, node_, path_;
};

int run_alloc_fs(Context& c) {
  if (c.args.rest.empty())
    return c.misuse(c.args.on("job") ? "A job ID is required" : "An allocation ID is required");
  if (c.args.rest.size() > 2) return c.misuse("This command takes one or two arguments: <allocation> [<path>]");
  auto* api = c.connect();
  if (!api) return 1;
  if (c.args.on("tail"))
    if (auto wanted = read_tail(c); !wanted) return c.fail(wanted.error().message);
  auto alloc = chosen_alloc(c, *api);
  if (!alloc) return 1;
  auto path = c.args.rest.size() == 2 ? c.args.rest[1] : "/";
  api->set_namespace(alloc->Namespace.str());
  return FsCommand(c, *api, alloc->ID.str(), alloc->NodeID.str(), path).run();
}

// ---- logs

class LogsCommand {
 public:
  LogsCommand(Context& c, Api& node, std::string id, std::string task)
      : c_(c), node_(node), id_(std::move(id)), task_(std::move(task)) {}

  int run() {
    OnInterrupt on_interrupt([&] {
      stopped_ = true;
      node_.interrupt();
    });
    bool follow = c_.args.on("f"), tail = c_.args.on("tail");
    bool plain_follow = follow && !c_.args.on("stderr") && !c_.args.on("stdout") && !tail && c_.args.number("n") <= 0 &&
                        c_.args.number("c") <= 0;
    if (plain_follow) return follow_both();
    auto type = c_.args.on("stderr") ? "stderr" : "stdout";
    Tail wanted;
    if (tail) {
      auto read = read_tail(c_);
      if (!read) return c_.fail(read.error().message);
      wanted = *read;
    }
    return one(type, follow, tail, wanted);
  }

 private:
  Params params(std::string_view type, bool follow, std::string_view origin, int64_t offset) const {
    return {{"task", task_},
            {"type", std::string(type)},
            {"follow", yes_no(follow)},
            {"origin", std::string(origin)},
            {"offset", std::to_string(offset)}};
  }

  int one(std::string_view type, bool follow, bool tail, const Tail& wanted) {
    Printer printer(c_, wanted.lines);
    int64_t shown = 0;
    auto done = show_frames(node_, "/v1/client/fs/logs/" + id_,
                            params(type, follow, tail ? "end" : "start", tail ? wanted.bytes : 0),
                            [&](const StreamFrame& f) {
                              printer.add(f.Data.data);
                              shown += static_cast<int64_t>(f.Data.data.size());
                              if (follow && shown >= wanted.bytes) printer.settle();
                            },
                            stopped_);
    printer.settle();
    if (!done) return c_.fail(fmt::format("Failed to read {} file: error reading file: {}", type, done.error().message));
    return 0;
  }

  // Both streams from their ends on, each to its own. One connection each; they take turns on a thread of their own.
  int follow_both() {
    auto second = Api::make(node_.settings());
    if (!second) return c_.fail(second.error().message);
    std::string trouble;
    std::thread errors([&] {
      auto done = show_frames(**second, "/v1/client/fs/logs/" + id_, params("stderr", true, "end", 1),
                              [&](const StreamFrame& f) { write_error(f.Data.data); }, stopped_);
      if (!done && !stopped_) {
        trouble = fmt::format("Failed to read stderr file: error reading file: {}", done.error().message);
        node_.interrupt();
      }
    });
    auto done = show_frames(node_, "/v1/client/fs/logs/" + id_, params("stdout", true, "end", 1),
                            [&](const StreamFrame& f) { c_.io.out(f.Data.data); }, stopped_);
    bool broken = !done && !stopped_ && trouble.empty();
    (*second)->interrupt();
    errors.join();
    if (!trouble.empty() && !stopped_) return c_.fail(trouble);
    if (broken) return c_.fail(fmt::format("Failed to read stdout file: error reading file: {}", done.error().message));
    return 0;
  }

  void write_error(std::string_view text) const {
    c_.io.err(c_.ui.color() ? "\x1b[33m" + std::string(text) + "\x1b[0m" : std::string(text));
  }

  Context& c_;
  Api& node_;
  std::string id_, task_;
  std::atomic<bool> stopped_ = false;
};

int run_alloc_logs(Context& c) {
  if (c.args.rest.empty())
    return c.misuse(c.args.on("job") ? "A job ID is required" : "An allocation ID is required");
  if (c.args.rest.size() > 2) return c.misuse("This command takes one or two arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto alloc = chosen_alloc(c, *api);
  if (!alloc) return 1;
  auto task = c.args.text("task");
  if (task.empty() && c.args.rest.size() > 1) task = c.args.rest[1];
  if (task.empty()) {
    auto only = only_task(*alloc);
    if (!only) return c.fail("Failed to validate task: " + only.error().message);
    task = *only;
  }
  if (c.args.on("stdout") && c.args.on("stderr")) return c.fail("Unable to support both stdout and stderr");
  api->set_namespace(alloc->Namespace.str());
  auto node = api->for_node(alloc->NodeID.str());
  if (!node) return c.fail(fmt::format("Failed to read stdout file: error reading file: {}", node.error().message));
  return LogsCommand(c, **node, alloc->ID.str(), task).run();
}

constexpr Flag kJobFlag{"job", FlagKind::kBool, " <job>", "The argument is a job; one of its allocations is chosen.", ""};
constexpr Flag kTailFlag{"tail", FlagKind::kBool, "", "Show the end only: the last ten lines, or as -n and -c say.", ""};
constexpr Flag kLinesFlag{"n", FlagKind::kInt, " <lines>", "With -tail: how many lines.", "-1"};
constexpr Flag kBytesFlag{"c", FlagKind::kInt, " <bytes>", "With -tail: how many bytes.", "-1"};

constexpr Flag kFsFlags[] = {
    {"H", FlagKind::kBool, "", "Show sizes as plain numbers of bytes.", ""},
    {"stat", FlagKind::kBool, "", "Show facts about the file instead of its content.", ""},
    {"f", FlagKind::kBool, "", "Go on showing what is added to the file.", ""},
    kTailFlag, kLinesFlag, kBytesFlag, kJobFlag, kVerboseFlag,
};
constexpr Flag kLogsFlags[] = {
    {"stdout", FlagKind::kBool, "", "Show standard output. This is the default.", ""},
    {"stderr", FlagKind::kBool, "", "Show standard error.", ""},
    {"f", FlagKind::kBool, "", "Go on showing what is written; both streams where none is chosen.", ""},
    {"task", FlagKind::kText, " <task>", "The task whose output to show.", ""},
    kTailFlag, kLinesFlag, kBytesFlag, kJobFlag, kVerboseFlag,
};

constexpr Command kCommands[] = {
    {.name = "alloc fs",
     .synopsis = "Inspect the contents of an allocation directory",
     .usage = "Usage: nomad alloc fs [options] <allocation> <path>\nAlias: nomad fs",
     .about = "Shows a file of an allocation's directory, or lists a folder of it.",
     .general = General::kAll,
     .options = "FS Specific Options",
     .flags = kFsFlags,
     .run = run_alloc_fs},
    {.name = "alloc logs",
     .synopsis = "Streams the logs of a task.",
     .usage = "Usage: nomad alloc logs [options] <allocation> <task>\nAlias: nomad logs",
     .about = "Shows what a task wrote to standard output or standard error. The task may be left out when\nthere is one only.",
     .general = General::kAll,
     .options = "Logs Specific Options",
     .flags = kLogsFlags,
     .run = run_alloc_logs},
};

}  // namespace

std::span<const Command> alloc_file_commands() { return kCommands; }

}  // namespace drover::cli
