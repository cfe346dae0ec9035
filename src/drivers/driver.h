// The one interface of task drivers.
//
// Loop: every function is called on the loop of the World it was built with, and answers there. A driver blocks that
// loop nowhere; an Async may be dropped at any suspension point, which cancels the call and leaves the task itself alone.
// A driver outlives the Asyncs it handed out.
//
// Life of a task: prepare -> (the client persists the handle) -> start -> wait, stop, signal, exec ... -> destroy.
// After an agent restart: recover(handle) -> the same. A handle whose task never started, or is gone, makes recover
// answer kNotFound; then nothing of it runs, and nothing of it will.
//
// Task ids are TaskSpec::id. An unknown one gives kNotFound "task not found for given id".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/async.h"
#include "base/world.h"
#include "drivers/config_schema.h"
#include "drivers/task_spec.h"

namespace drover {
class FdWatcher;
}

namespace drover::drivers {

enum class FsIsolation : unsigned char { kNone = 0, kChroot = 1, kImage = 2 };
std::string_view to_string(FsIsolation v);  // "none", "chroot", "image"

// Facts about a driver that the client reads before it builds task directories, networks and mounts.
struct Capabilities {
  bool send_signals = false;
  bool exec = false;
  FsIsolation fs_isolation = FsIsolation::kNone;
  std::vector<NetIsolation> network_isolation_modes;
  bool must_create_network = false;
  bool mounts = true;  // false: host volumes and CSI volumes are refused
  bool remote_tasks = false;
  bool disable_log_collection = false;
};

enum class Health : unsigned char { kUndetected = 0, kUnhealthy = 1, kHealthy = 2 };
std::string_view to_string(Health v);  // "undetected", "unhealthy", "healthy"

struct Fingerprint {
  std::map<std::string, std::string> attributes;  // Node.Drivers[name].Attributes ("driver.raw_exec" -> "true")
  Health health = Health::kUndetected;
  std::string description;  // Node.Drivers[name].HealthDescription
};

// What a fingerprint adds to Node.Attributes: its attributes, with "driver.<name>" -> "1" as the node has always shown
// it; nothing when undetected (the caller removes what it had added before).
std::map<std::string, std::string> node_attributes(std::string_view driver, const Fingerprint& f);

struct Started {
  TaskHandle handle;  // equal to the prepared one, or a fuller one that replaces it on disk
  std::optional<DriverNetwork> network;
};

struct ExecResult {
  std::string stdout_data;  // the last 4 KiB; combined with stderr where the driver cannot keep them apart
  std::string stderr_data;
  ExitResult exit;
};

struct ExecOptions {
  std::vector<std::string> command;
  bool tty = false;
};

struct ExecOutput {
  enum class Kind : unsigned char { kStdout, kStderr, kExit };
  Kind kind = Kind::kStdout;
  std::string data;   // at most 4096 bytes
  bool close = false;  // the stream has ended
  ExitResult result;  // for kExit, which is the last one
};

// A command running beside a task, with its streams. Dropping the session kills the command. One reader and one writer
// may be suspended at the same time.
class ExecSession {
 public:
  virtual ~ExecSession() = default;
  virtual Async<Result<ExecOutput>> read() = 0;
  virtual Async<Status> write_stdin(std::string data) = 0;
  virtual Async<Status> close_stdin() = 0;
  virtual Async<Status> resize(int height, int width) = 0;
};

struct CreatedNetwork {
  NetworkIsolation spec;
  bool created = false;
};

// What a driver is built with. References outlive it.
struct DriverContext {
  World& world;
  FdWatcher* fds = nullptr;   // of the loop; null only where no driver runs processes
  std::string state_dir;     // private directory for supervisors' sockets and exit files; survives the agent
  std::string shim_path;     // the unpacked drover-shim (drivers/shim_binary.h)
  std::string cgroup_parent; // of task groups; empty: "/nomad" (v1), "/nomad.slice" (v2)
  std::function<void(TaskEvent)> emit;  // may be empty
  double total_compute_mhz = 0;         // of the node, for TotalTicks
  int cpu_cores = 1;
};

class Driver {
 public:
  virtual ~Driver() = default;

  virtual std::string_view name() const = 0;
  virtual const Capabilities& capabilities() const = 0;

  // Schemas of `plugin "<name>" { config { } }` and of a task's `config { }`.
  virtual const ConfigSpec& plugin_config_spec() const = 0;
  virtual const ConfigSpec& task_config_spec() const = 0;
  // Takes the plugin config, decoded with plugin_config_spec(). Called before anything else.
  virtual Status configure(const Value& config) = 0;

  // The next fingerprint; the caller asks again `fingerprint_period()` after each answer. A driver that is told of news
  // by somebody else has the period 0 and answers when there is some.
  virtual Duration fingerprint_period() const { return std::chrono::seconds(30); }
  virtual Async<Fingerprint> fingerprint() = 0;

  // The handle to persist before start(). Touches nothing.
  virtual Result<TaskHandle> prepare(const TaskSpec& spec) = 0;
  // Starts the task. The code kUnavailable marks an error worth another try under the restart policy (the reference's
  // recoverable error); every other code is final. When the call is dropped the task may run all the same: recover(handle)
  // tells, and then it can be destroyed.
  virtual Async<Result<Started>> start(TaskSpec spec, TaskHandle handle) = 0;
  // Takes a task over from its handle. Ok at once when the id is known already.
  virtual Async<Status> recover(TaskHandle handle) = 0;
  // Answers when the task has exited, also long after; for any number of callers.
  virtual Async<Result<ExitResult>> wait(std::string task_id) = 0;
  // Sends `signal` ("" is the driver's default), lets `timeout` pass, then kills. No clean-up. Answers after the exit.
  virtual Async<Status> stop(std::string task_id, Duration timeout, std::string signal) = 0;
  // Forgets the task and cleans up. A running one is killed if `force`, else it is an error.
  virtual Async<Status> destroy(std::string task_id, bool force) = 0;
  virtual Async<Status> signal(std::string task_id, std::string signal);
  virtual Async<Result<ExecResult>> exec(std::string task_id, std::vector<std::string> command, Duration timeout);
  virtual Async<Result<std::unique_ptr<ExecSession>>> exec_stream(std::string task_id, ExecOptions options);
  virtual Async<Result<TaskResourceUsage>> stats(std::string task_id) = 0;
  virtual Async<Result<TaskStatus>> inspect(std::string task_id) = 0;

  // Only with capabilities().must_create_network.
  virtual Async<Result<CreatedNetwork>> create_network(std::string alloc_id, std::string hostname);
  virtual Async<Status> destroy_network(std::string alloc_id, NetworkIsolation spec);
};

// "task not found for given id"; callers match the text.
Error task_not_found();

}  // namespace drover::drivers
