// The files of an allocation for operators: listing, reading, following, logs (reference client, section 20). Nothing
// outside the allocation's directory is reached, whatever links its tasks make, and no secret is read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "client/alloc_dir.h"
#include "model/client_stats.h"

namespace drover::client {

// A value; stays good when the allocation goes (reads then fail).
struct AllocFiles {
  AllocPaths paths;
  struct TaskFacts {
    bool started = false;
  };
  std::map<std::string, TaskFacts> tasks;
};

// `path` is relative to the allocation's directory; "" and "/" are the directory itself. Errors: kInternal "Path escapes
// the alloc directory", kNotFound "stat <path>: no such file or directory".
Async<Result<List<AllocFileInfo>>> list_files(World& world, AllocFiles files, std::string path);
Async<Result<AllocFileInfo>> stat_file(World& world, AllocFiles files, std::string path);

// Go's http.DetectContentType for the first 512 bytes of a file.
std::string sniff_content_type(std::string_view head);
// Go's text for a mode: "-rw-r--r--", "dtrwxrwxrwx".
std::string file_mode_text(unsigned mode);

enum class FileOrigin : unsigned char { kStart, kEnd };
// "" and "start", "end"; kInvalid "origin must be start or end".
Result<FileOrigin> parse_origin(std::string_view text);

inline constexpr size_t kFrameBytes = 64 << 10;
inline constexpr Duration kFollowPoll = std::chrono::milliseconds(100);

// Frames of a file or of a task's logs, one after the other. Offset is that after the data. nullopt: the end. Framing,
// batching and heartbeats are the caller's; a plain reader takes Data alone. Dropping the reader ends it.
class FrameReader {
 public:
  virtual ~FrameReader() = default;
  // The first call opens and so carries the errors that have an HTTP code of their own.
  virtual Async<Result<std::optional<StreamFrame>>> next() = 0;
};

struct FileStreamRequest {
  std::string path;
  int64_t offset = 0;
  FileOrigin origin = FileOrigin::kStart;
  int64_t limit = 0;      // bytes; 0: to the end
  bool follow = false;
};
// kInvalid: "must provide a file path", "file "x" is a directory", "Reading secret file prohibited: x", a missing file.
std::unique_ptr<FrameReader> stream_file(World& world, AllocFiles files, FileStreamRequest request);

struct LogStreamRequest {
  std::string task;
  std::string type;       // "stdout", "stderr"
  int64_t offset = 0;
  FileOrigin origin = FileOrigin::kStart;
  bool follow = false;
};
// kInvalid: "must provide task name", "must provide log type (stdout/stderr)", unknown task name "t". kNotFound: task "t"
// not started yet. No logs available; log entry for task "t" and log type "stdout" not found.
std::unique_ptr<FrameReader> stream_logs(World& world, AllocFiles files, LogStreamRequest request);

// One file, whole or in part, up to `limit` bytes (0: all): cat and readat.
Async<Result<std::string>> read_file(World& world, AllocFiles files, std::string path, int64_t offset, int64_t limit);

}  // namespace drover::client
