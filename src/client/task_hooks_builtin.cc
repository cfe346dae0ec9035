#include "client/task_hooks_builtin.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/snappy.h"
#include "base/strings.h"
#include "model/client_status.h"
#include "model/task_events.h"

namespace drover::client {

namespace {

// ---- validate

class ValidateHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override {
    auto checked = option_list(ctx.config, {"user.checked_drivers"}, kDefaultUserCheckedDrivers);
    auto denied = option_list(ctx.config, {"user.denylist", "user.blacklist"}, kDefaultUserDenylist);
    auto in = [](auto& list, const std::string& name) { return std::find(list.begin(), list.end(), name) != list.end(); };
    PrestartResult out;
    if (!ctx.task->User.empty() && in(checked, ctx.task->Driver) && in(denied, ctx.task->User))
      out.status = invalid("running as user " + go_quote(ctx.task->User) + " is disallowed");
    co_return out;
  }
};

// ---- task_dir

class TaskDirHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState& before) override {
    PrestartResult out;
    // The marker guards only the chroot: a successor finds the rest, and finding it costs nothing.
    out.data.set("task_dir_isolation", std::string(drivers::to_string(ctx.isolation)));
    TaskDirOptions options;
    options.skip = ctx.config.alloc_dir;
    options.isolation = ctx.isolation;
    options.mount_secrets = ctx.config.mount_secrets;
    if (before.Data.get_or("task_dir_isolation") != out.data.at("task_dir_isolation")) {
      ctx.emit(with_message(make_task_event(kTaskSetup, ctx.world.clock.now()), kTaskBuildingTaskDir));
      options.chroot = ctx.config.chroot_env;
      if (options.chroot.empty())
        for (auto* dir : kDefaultChroot) options.chroot[dir] = dir;
    }
    out.status = co_await on_pool(ctx.world, [paths = ctx.paths, task = ctx.task->Name, options] {
      return build_task_dir(paths, task, options);
    });
    co_return out;
  }
};

// ---- identity

class IdentityHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override { return write_token(ctx); }
  Async<Status> update(TaskHookContext& ctx) override {
    auto result = co_await write_token(ctx);
    co_return result.status;
  }

 private:
  static Async<PrestartResult> write_token(TaskHookContext& ctx) {
    PrestartResult out;
    auto token = ctx.alloc->SignedIdentities.get_or(ctx.task->Name);
    if (token.empty()) co_return out;
    if (ctx.task->Identity->Env) out.env.set("NOMAD_TOKEN", token);
    if (!ctx.task->Identity->File) co_return out;
    auto path = ctx.paths.secrets(ctx.task->Name) + "/nomad_token";
    out.status = co_await on_pool(ctx.world, [path, token, user = ctx.task->User]() -> Status {
      DROVER_CHECK(write_file(path, token, 0600));
      auto* owner = user.empty() ? nullptr : ::getpwnam(user.c_str());
      if (owner && ::chown(path.c_str(), owner->pw_uid, owner->pw_gid) == 0) return {};
      return write_file(path, token, 0666);
    });
    co_return out;
  }
};

// ---- dispatch_payload

class DispatchPayloadHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override {
    PrestartResult out;
    out.done = true;
    auto& job = ctx.alloc->Job;
    if (!job || job->Payload.empty()) co_return out;
    auto payload = snappy_decode(job->Payload.data);
    if (!payload) {
      out.status = std::move(payload).error().with_context("failed to decode the payload");
      co_return out;
    }
    auto base = ctx.paths.local(ctx.task->Name);
    auto path = clean_join(base, ctx.task->DispatchPayload->File);
    out.status = co_await on_pool(ctx.world, [base, path, data = std::move(*payload)]() -> Status {
      if (!stays_within(base, path)) return invalid("dispatch payload file escapes the task directory");
      DROVER_CHECK(make_dir(path.substr(0, path.rfind('/')), 0777));
      return write_file(path, data, 0777);
    });
    co_return out;
  }
};

// ---- volumes (of the host; CSI mounts join with their own issue)

class VolumesHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override {
    PrestartResult out;
    auto env = ctx.env();
    for (auto& mount : ctx.task->VolumeMounts)
      if (auto status = add(ctx, env, mount, out); !status) {
        out.status = status;
        break;
      }
    co_return out;
  }

 private:
  static Status add(const TaskHookContext& ctx, const RunEnv& env, const VolumeMount& mount, PrestartResult& out) {
    auto* group = task_group_of(*ctx.alloc);
    auto* request = group ? group->Volumes.find(mount.Volume) : nullptr;
    if (!request) return invalid("missing " + mount.Volume);
    bool csi = request->Type == "csi";
    if (!ctx.driver->capabilities().mounts)
      return invalid(fmt::format("task driver {} for {} does not support {}", go_quote(ctx.task->Driver),
                                 go_quote(ctx.task->Name), csi ? "CSI" : "host volumes"));
    if (csi) return invalid("No CSI Mount Point found for volume: " + mount.Volume);
    auto source = env.replace(request->Source);
    auto* volume = ctx.node->HostVolumes.find(source);
    if (!volume) return invalid("missing " + source);
    drivers::Mount m;
    m.host_path = volume->Path;
    m.task_path = env.replace(mount.Destination);
    m.readonly = volume->ReadOnly || request->ReadOnly || mount.ReadOnly;
    if (mount.PropagationMode == "host-to-task") m.propagation = drivers::MountPropagation::kHostToTask;
    if (mount.PropagationMode == "bidirectional") m.propagation = drivers::MountPropagation::kBidirectional;
    out.mounts.push_back(std::move(m));
    return {};
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_validate_hook(const TaskHookContext&) { return std::make_unique<ValidateHook>(); }
std::unique_ptr<TaskHook> make_task_dir_hook(const TaskHookContext&) { return std::make_unique<TaskDirHook>(); }
std::unique_ptr<TaskHook> make_identity_hook(const TaskHookContext&) { return std::make_unique<IdentityHook>(); }
std::unique_ptr<TaskHook> make_dispatch_payload_hook(const TaskHookContext&) {
  return std::make_unique<DispatchPayloadHook>();
}
std::unique_ptr<TaskHook> make_volumes_hook(const TaskHookContext&) { return std::make_unique<VolumesHook>(); }

}  // namespace drover::client
