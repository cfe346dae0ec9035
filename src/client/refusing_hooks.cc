// Blocks of a task that this build accepts and cannot carry out. Starting such a task without them would be worse than
// not starting it, and trying again would not help: the restart policy is not asked.
#include "base/strings.h"
#include "client/task_hooks_builtin.h"
#include "model/task_events.h"

namespace drover::client {

namespace {

class ArtifactsHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override {
    ctx.emit(make_task_event(kTaskDownloadingArtifacts, ctx.world.clock.now()));
    auto why = "failed to download artifact " + go_quote(ctx.task->Artifacts[0].GetterSource) +
               ": this build of Drover cannot fetch artifacts yet";
    PrestartResult out;
    out.status = internal(why);
    out.failure_event = with_download_error(make_task_event(kTaskArtifactDownloadFailed, ctx.world.clock.now()), why);
    co_return out;
  }
};

class TemplateHook final : public TaskHook {
 public:
  Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState&) override {
    constexpr std::string_view kWhy = "Template failed: this build of Drover cannot render templates yet";
    PrestartResult out;
    out.status = internal(std::string(kWhy));
    out.failure_event = failing_task(with_display(make_task_event(kTaskKilling, ctx.world.clock.now()), kWhy));
    co_return out;
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_artifacts_hook(const TaskHookContext&) { return std::make_unique<ArtifactsHook>(); }
std::unique_ptr<TaskHook> make_template_hook(const TaskHookContext&) { return std::make_unique<TemplateHook>(); }

}  // namespace drover::client
