#include "drivers/raw_exec.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/strings.h"

namespace drover::drivers {
namespace {

bool is_file(const std::string& path, struct stat& st) { return ::stat(path.c_str(), &st) == 0 && !S_ISDIR(st.st_mode); }

Status make_executable(const std::string& path, const struct stat& st) {
  if ((st.st_mode & 0555) == 0555) return {};
  if (::chmod(path.c_str(), (st.st_mode & 07777) | 0555) == 0) return {};
  Error e = errno_error("chmod " + path, errno);
  return Error(e.code, "error making " + go_quote(path) + " executable: " + e.message);
}

}  // namespace

Result<std::string> find_host_program(const std::string& task_dir, const std::string& command) {
  struct stat st;
  for (const char* below : {"/local/", "/"}) {
    std::string path = task_dir + below + command;
    if (!is_file(path, st)) continue;
    // Only here: a program of the host keeps its mode.
    DROVER_CHECK(make_executable(path, st));
    return path;
  }
  if (command.starts_with('/') && is_file(command, st)) return command;
  if (command.find('/') == std::string::npos) {
    const char* path_env = std::getenv("PATH");
    for (auto& dir : split(path_env ? path_env : "", ':')) {
      std::string path = (dir.empty() ? "." : dir) + "/" + command;
      if (is_file(path, st) && ::access(path.c_str(), X_OK) == 0) return path;
    }
  }
  return not_found("binary " + go_quote(command) + " could not be found");
}

void contain_in_cgroup(const TaskSpec& task, const std::string& parent, ShimSpec& spec) {
  isolate::Path mount;
  bool unified = isolate::cgroups_unified();
  if (!isolate::find_cgroup_mount(unified ? nullptr : "freezer", mount)) return;
  std::string base = mount.c_str();
  if (unified) {
    spec.cgroup_kind = isolate::CgroupKind::kV2;
    spec.cgroup_path = !task.resources.cpuset_cgroup.empty()
                           ? task.resources.cpuset_cgroup
                           : base + (parent.empty() ? "/nomad.slice" : parent) + "/" + task.alloc_id + "." + task.name + ".scope";
    return;
  }
  // The id is unique for every start, so a group is never met twice.
  std::string leaf = replace_all(task.id, "/", ".");
  if (leaf.size() > 200) leaf.erase(0, leaf.size() - 200);
  spec.cgroup_kind = isolate::CgroupKind::kV1Freezer;
  spec.cgroup_path = base + (parent.empty() ? "/nomad" : parent) + "/" + leaf;
}

const Capabilities& RawExecDriver::capabilities() const {
  static const Capabilities c = [] {
    Capabilities c;
    c.send_signals = true;
    c.exec = true;
    c.fs_isolation = FsIsolation::kNone;
    c.network_isolation_modes = {NetIsolation::kHost, NetIsolation::kGroup};
    c.mounts = false;
    return c;
  }();
  return c;
}

const ConfigSpec& RawExecDriver::plugin_config_spec() const {
  static const ConfigSpec spec = {
      attr_or("enabled", ConfigType::boolean(), Value(false)),
      attr_or("no_cgroups", ConfigType::boolean(), Value(false)),
  };
  return spec;
}

const ConfigSpec& RawExecDriver::task_config_spec() const {
  static const ConfigSpec spec = {
      attr("command", ConfigType::string(), true),
      attr("args", ConfigType::list(ConfigType::string())),
  };
  return spec;
}

Status RawExecDriver::configure(const Value& config) {
  enabled_ = config_bool(config, "enabled");
  no_cgroups_ = config_bool(config, "no_cgroups");
  return {};
}

Async<Fingerprint> RawExecDriver::fingerprint() {
  Fingerprint f;
  if (!enabled_) {
    f.description = "disabled";
    co_return f;
  }
  f.health = Health::kHealthy;
  f.description = "Healthy";
  f.attributes["driver.raw_exec"] = "true";
  co_return f;
}

Status RawExecDriver::check_start(const TaskSpec&) const {
  if (!enabled_) return Error(ErrorCode::kConflict, "raw_exec is disabled");
  return {};
}

Result<ShimSpec> RawExecDriver::build(const TaskSpec& task) const {
  ShimSpec spec;
  DROVER_TRY(spec.command, find_host_program(task.task_dir(), config_string(task.driver_config, "command")));
  spec.argv = {spec.command};
  for (auto& a : config_strings(task.driver_config, "args")) spec.argv.push_back(a);
  spec.env = env_list(task.env);
  spec.cwd = task.task_dir();
  spec.logs = task.logs;
  if (!task.user.empty()) {
    DROVER_TRY(spec.user, lookup_user(task.user));
  }
  if (task.network) spec.network_path = task.network->path;
  if (!no_cgroups_ && ::geteuid() == 0) contain_in_cgroup(task, context_.cgroup_parent, spec);
  return spec;
}

}  // namespace drover::drivers
