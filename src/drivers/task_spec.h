// TaskSpec: all that a driver is told about one run of a task. A value, filled by the task runner from the job, the
// allocation and the node. External drivers get the same facts as TaskConfig on their wire.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "codec/value.h"

namespace drover::drivers {

// Where the task's output goes. Files are `<dir>/<stdout_name>.<N>`, N from 0 upward, mode 0644.
struct LogSpec {
  bool enabled = true;             // false: output is discarded
  std::string dir;                 // host path of the allocation's alloc/logs
  std::string stdout_name;         // "<task>.stdout"
  std::string stderr_name;         // "<task>.stderr"
  int max_files = 10;              // per stream
  int64_t max_file_bytes = 10 << 20;
};

struct PortMapping {
  std::string label;
  int value = 0;  // host port
  int to = 0;     // port inside the network namespace; 0: the same
  std::string host_ip;
};

struct TaskResources {
  int64_t cpu_shares = 0;        // MHz
  int64_t memory_mb = 0;
  int64_t memory_max_mb = 0;     // 0: no oversubscription
  int64_t memory_limit_bytes = 0;  // max(memory, memory_max) in bytes
  double percent_ticks = 0;      // cpu_shares / the node's total compute
  std::string cpuset_cpus;       // reserved cores, "0,2"; empty: none
  std::string cpuset_cgroup;     // absolute cgroup path of the task made by the client's cpuset manager
  std::vector<PortMapping> ports;
};

enum class MountPropagation : unsigned char { kPrivate, kHostToTask, kBidirectional };

struct Mount {
  std::string task_path;
  std::string host_path;
  bool readonly = false;
  MountPropagation propagation = MountPropagation::kPrivate;
};

struct DeviceNode {
  std::string task_path;
  std::string host_path;
  std::string cgroup_permissions;  // of "rwm"
};

// Values are the wire's.
enum class NetIsolation : unsigned char { kHost = 0, kGroup = 1, kTask = 2, kNone = 3 };

struct NetworkIsolation {
  NetIsolation mode = NetIsolation::kHost;
  std::string path;  // of the network namespace
  std::map<std::string, std::string> labels;
  std::string hostname;      // for /etc/hosts of the group
  std::string address;
};

struct DnsSpec {
  std::vector<std::string> servers, searches, options;
};

struct TaskSpec {
  std::string id;        // "<alloc id>/<task name>/<8 hex>", new for every start
  std::string name;
  std::string alloc_id;
  std::string job_id, job_name, task_group_name, ns, node_id, node_name;

  std::map<std::string, std::string> env;         // complete, device variables included
  std::map<std::string, std::string> device_env;  // those that came from device plugins only

  TaskResources resources;
  std::vector<Mount> mounts;
  std::vector<DeviceNode> devices;
  std::string user;       // empty: the driver's default

  std::string alloc_dir;  // host path "<client alloc dir>/<alloc id>"
  // Host path of the task's directory; it contains local/, secrets/, tmp/.
  std::string task_dir() const { return alloc_dir + "/" + name; }

  LogSpec logs;
  std::optional<NetworkIsolation> network;
  std::optional<DnsSpec> dns;

  // The task's `config`, interpolated and decoded by decode_config() with the driver's task schema: an object with
  // every key of the schema, nil where unset.
  Value driver_config;
};

// What is persisted so that a task survives its agent. `driver_state` is the driver's own and opaque to others.
struct TaskHandle {
  std::string driver;      // name of the driver that made it
  int version = 1;         // of driver_state's format; 0 is never valid
  std::string task_id;
  std::string driver_state;
  friend bool operator==(const TaskHandle&, const TaskHandle&) = default;
};

// Address of a task as its driver knows it (the reference's DriverNetwork).
struct DriverNetwork {
  std::map<std::string, int> port_map;
  std::string ip;
  bool auto_advertise = false;
};

struct ExitResult {
  int exit_code = 0;
  int signal = 0;
  bool oom_killed = false;
  std::string err;
  bool successful() const { return exit_code == 0 && signal == 0 && err.empty(); }
  friend bool operator==(const ExitResult&, const ExitResult&) = default;
};

enum class TaskRunState : unsigned char { kUnknown = 0, kRunning = 1, kExited = 2 };

struct TaskStatus {
  std::string id;
  std::string name;
  TaskRunState state = TaskRunState::kUnknown;
  Time started_at, completed_at;
  std::optional<ExitResult> result;  // set when exited
  std::map<std::string, std::string> driver_attributes;
  std::optional<DriverNetwork> network;
};

struct MemoryUsage {
  uint64_t rss = 0, cache = 0, swap = 0, mapped_file = 0, usage = 0, max_usage = 0, kernel_usage = 0, kernel_max_usage = 0;
  std::vector<std::string> measured;  // "RSS", "Cache", "Swap", "Usage", "Max Usage", ...
};

struct CpuUsage {
  double system_mode = 0, user_mode = 0, total_ticks = 0, percent = 0;
  uint64_t throttled_periods = 0, throttled_time = 0;
  std::vector<std::string> measured;  // "System Mode", "User Mode", "Throttled Periods", "Throttled Time", "Percent"
};

struct ResourceUsage {
  MemoryUsage memory;
  CpuUsage cpu;
};

struct TaskResourceUsage {
  ResourceUsage total;
  Time timestamp;
  std::map<std::string, ResourceUsage> pids;
};

// Something a driver wants shown among the task's events.
struct TaskEvent {
  std::string task_id, alloc_id, task_name;
  Time timestamp;
  std::string message;
  std::map<std::string, std::string> annotations;
};

}  // namespace drover::drivers
