#include "client/task_hooks.h"

#include "client/service_core.h"
#include "client/task_hooks_builtin.h"

namespace drover::client {

namespace {

bool always(const TaskHookContext&) { return true; }
bool has_payload(const TaskHookContext& ctx) { return ctx.task->DispatchPayload && !ctx.task->DispatchPayload->File.empty(); }
bool has_identity(const TaskHookContext& ctx) { return static_cast<bool>(ctx.task->Identity); }
bool has_services(const TaskHookContext& ctx) { return ctx.services && has_nomad_services(*ctx.alloc, ctx.task->Name); }
bool has_artifacts(const TaskHookContext& ctx) { return !ctx.task->Artifacts.empty(); }
bool has_templates(const TaskHookContext& ctx) { return !ctx.task->Templates.empty(); }
bool has_mounts(const TaskHookContext& ctx) { return !ctx.task->VolumeMounts.empty(); }

}  // namespace

const std::vector<TaskHookRow>& task_hook_rows() {
  static const std::vector<TaskHookRow> rows = {
      {"validate", always, make_validate_hook},
      {"task_dir", always, make_task_dir_hook},
      {"identity", has_identity, make_identity_hook},
      {"dispatch_payload", has_payload, make_dispatch_payload_hook},
      {"volumes", has_mounts, make_volumes_hook},
      {"artifacts", has_artifacts, make_artifacts_hook},
      {"template", has_templates, make_template_hook},
      {"task_services", has_services, make_task_services_hook},
  };
  return rows;
}

std::vector<NamedTaskHook> make_task_hooks(const TaskHookContext& ctx) {
  std::vector<NamedTaskHook> out;
  for (auto& row : task_hook_rows())
    if (row.wanted(ctx)) out.push_back({row.name, row.make(ctx)});
  return out;
}

}  // namespace drover::client
