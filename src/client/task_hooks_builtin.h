// Makers of the task hooks that need nothing outside the client; see task_hooks.cc for their order.
#pragma once

#include <memory>

#include "client/task_hooks.h"

namespace drover::client {

std::unique_ptr<TaskHook> make_validate_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_task_dir_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_identity_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_dispatch_payload_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_volumes_hook(const TaskHookContext& ctx);
// These refuse the task for good, under the event of the reference's failure: this build cannot do what it needs.
std::unique_ptr<TaskHook> make_artifacts_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_template_hook(const TaskHookContext& ctx);
std::unique_ptr<TaskHook> make_task_services_hook(const TaskHookContext& ctx);

}  // namespace drover::client
