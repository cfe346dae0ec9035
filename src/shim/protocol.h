// What the agent and drover-shim say to each other. Shared by both; header only, free of libraries.
//
// They run on one machine but may be of different releases: a shim outlives its agent's upgrade. So a number, once given
// a meaning here, keeps it; fields are only appended; and either side ignores tags and trailing bytes it does not know.
// All integers are in the byte order of the machine.
//
// 1. Start. The agent runs `drover-shim <task id>` with the StartSpec (a sequence of tags, below) as file descriptor 0
//    and a pipe as 1. The shim leaves the agent's session and process group, starts the task and writes one frame to
//    the pipe: kStarted, or kError and is gone.
//
// 2. Control. The shim listens on the stream socket `sock` in its directory. A connection carries frames (FrameHeader,
//    then `length` bytes). Requests are answered in order, one at a time. A frame longer than kMaxFrame or of an unknown
//    type is answered with kError, and a too long one closes the connection. Nothing a peer sends ends the task, except
//    kSignal and kShutdown.
//
// 3. End. When the task has exited, what it left behind has been killed and its output is written, the shim renames the
//    file `exit` into its directory (synced to disk), answers the kWait requests, and exits.
//
// Files in the directory (0700, one per start of a task):
//   lock       held with flock while a shim lives
//   abandoned  made by an agent that found no shim: one that comes too late must not start the task
//   sock       the socket; stale when `lock` is free
//   state      "pid=<pid>\nstart=<ticks>\n...": which process is the task, for clean-up after a shim that was killed
//   exit       the exit record, text: see kExitMagic
#pragma once

#include <cstdint>

namespace drover::shim {

inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr uint32_t kMaxFrame = 64 << 10;
inline constexpr uint32_t kMaxSpec = 8 << 20;  // of a StartSpec: arguments and environment
inline constexpr uint32_t kChunk = 4096;       // of a stream, in one frame

struct FrameHeader {
  uint32_t length = 0;  // of what follows
  uint32_t type = 0;    // Message
};

enum class Message : uint32_t {
  // Requests.
  kInspect = 1,     // -> kStatus
  kSignal = 2,      // int32 signal, to the task's main process -> kOk
  kShutdown = 3,    // ShutdownRequest -> kOk at once; the end is seen by kWait
  kStats = 4,       // -> kUsage
  kWait = 5,        // -> kExit, after the end
  kExec = 6,        // tags kArg, kEnv, kCwd, kTty, kRows, kColumns -> kOk, then the frames of a session
  // Sent by the agent while the connection is an exec session.
  kStdin = 7,       // bytes
  kStdinClose = 8,
  kResize = 9,      // WindowSize
  // Answers.
  kOk = 64,
  kError = 65,      // ErrorReply, then the operation's name
  kStarted = 66,    // StatusReply
  kStatus = 67,     // StatusReply
  kUsage = 68,      // UsageReply, then `listed` times ProcessEntry
  kExit = 69,       // the text of the exit record
  kStdout = 70,     // bytes; none: closed
  kStderr = 71,
  kExecExit = 72,   // ExecExit, the session's last frame
};

struct ShutdownRequest {
  int32_t signal = 0;      // 0: none, only the kill
  uint32_t reserved = 0;
  uint64_t grace_ns = 0;   // 0: kill at once
};

struct WindowSize {
  uint16_t rows = 0, columns = 0;
};

struct ErrorReply {
  int32_t err = 0;  // errno
};

enum class Phase : uint32_t { kRunning = 1, kCleaning = 2 };

struct StatusReply {
  uint32_t version = kProtocolVersion;
  int32_t pid = 0;
  uint64_t started_ns = 0;  // Unix time
  Phase phase = Phase::kRunning;
  uint32_t contained = 0;   // 1: the task is in its cgroup
  uint64_t output_lost = 0; // bytes of output that could not be written (disk full)
};

struct UsageReply {
  uint64_t time_ns = 0;  // monotonic
  uint32_t processes = 0;  // in the sums
  uint32_t listed = 0;     // entries that follow, at most kMaxListed
  uint64_t rss_bytes = 0, swap_bytes = 0, user_ns = 0, system_ns = 0;
};

struct ProcessEntry {
  int32_t pid = 0;
  uint32_t reserved = 0;
  uint64_t rss_bytes = 0, swap_bytes = 0, user_ns = 0, system_ns = 0;
};
inline constexpr uint32_t kMaxListed = 1024;

struct ExecExit {
  int32_t exit_code = 0;  // 128 + signal when killed by one
  int32_t signal = 0;
};

// A StartSpec, and the body of kExec: TagHeader, then `length` bytes, padded with zeros to a multiple of 8. Texts are
// NUL-terminated within their length, so that the shim uses them where they lie.
struct TagHeader {
  uint32_t tag = 0;
  uint32_t length = 0;
};

enum class Tag : uint32_t {
  kDir = 1,            // text: the shim's directory
  kCommand = 2,        // text: path of the program
  kArg = 3,            // text, repeated; the first is argv[0]
  kEnv = 4,            // text "K=V", repeated
  kCwd = 5,            // text
  kUid = 6,            // u32; with kGid and kGroup
  kGid = 7,            // u32
  kGroup = 8,          // u32, repeated: supplementary groups
  kLogDir = 9,         // text; absent: output is discarded
  kStdoutName = 10,    // text "<task>.stdout"
  kStderrName = 11,    // text
  kLogMaxFiles = 12,   // u32
  kLogMaxBytes = 13,   // u64, per file
  kLimit = 14,         // LimitEntry, repeated
  kNetworkPath = 15,   // text: a network namespace to enter
  kCgroupKind = 16,    // u32 isolate::CgroupKind, of kCgroupPath
  kCgroupPath = 17,    // text: absolute; the task's containment, made if missing
  kCgroupJoin = 18,    // text, repeated: further groups to join, which exist
  kMemoryCgroup = 19,  // text: where OOM kills are counted
  kOomScoreAdj = 20,   // i32
  kTty = 21,           // u32, kExec: 1 for a terminal
  kRows = 22,          // u32
  kColumns = 23,       // u32
};

struct LimitEntry {
  uint32_t resource = 0;  // RLIMIT_*
  uint32_t reserved = 0;
  uint64_t soft = 0, hard = 0;
};

// The exit record: lines "key=value", closed by "end". Keys: code, signal, oom (0 or 1), started, finished (Unix
// nanoseconds), lost (bytes of output that could not be written), error (text of one line, may be missing).
inline constexpr const char* kExitMagic = "drover-exit 1\n";

}  // namespace drover::shim
