// alloc stop, restart, signal, checks.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/alloc_commands.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/monitor.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "model/requests.h"

namespace drover::cli {

// The body of a restart request; the reference's clients name it so.
struct AllocRestartBody {
  std::string TaskName;
  bool AllTasks = false;
};
struct AllocSignalBody {
  std::string Task;
  std::string Signal;
};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::AllocRestartBody)
DROVER_TYPE(cli::AllocSignalBody)
}  // namespace drover
DROVER_DESCRIBE(drover::cli::AllocRestartBody, "api.AllocationRestartRequest", DROVER_FIELD(TaskName), DROVER_FIELD(AllTasks))
DROVER_DESCRIBE(drover::cli::AllocSignalBody, "api.AllocSignalRequest", DROVER_FIELD(Task), DROVER_FIELD(Signal))

namespace drover::cli {

Status restart_alloc(Api& api, const std::string& id, const std::string& task, bool all_tasks) {
  return api.put("/v1/client/allocation/" + id + "/restart", AllocRestartBody{task, all_tasks});
}

namespace {

int run_alloc_stop(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <alloc-id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto alloc = find_alloc(c, *api, c.args.rest[0]);
  if (!alloc) return 1;
  Params params{{"namespace", alloc->Namespace.str()}};
  if (c.args.on("no-shutdown-delay")) params.emplace_back("no_shutdown_delay", "true");
  auto answer = api->typed<AllocStopResponse>("PUT", "/v1/allocation/" + alloc->ID.str() + "/stop", params, "");
  if (!answer) return c.fail("Error stopping allocation: " + answer.error().message);
  if (c.args.on("detach")) {
    c.ui.output(answer->EvalID);
    return 0;
  }
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

// The task of the flag, else of the argument.
std::string named_task(const Context& c) {
  auto task = c.args.text("task");
  return task.empty() && c.args.rest.size() > 1 ? c.args.rest[1] : task;
}

int run_alloc_restart(Context& c) {
  if (c.args.rest.empty() || c.args.rest.size() > 2)
    return c.misuse("This command takes one or two arguments: <alloc-id> <task-name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto alloc = find_alloc(c, *api, c.args.rest[0]);
  if (!alloc) return 1;
  auto task = named_task(c);
  bool all = c.args.on("all-tasks");
  if (!task.empty() && all) return c.fail("The -all-tasks option is not allowed when restarting a specific task.");
  if (!task.empty())
    if (auto known = check_task(task, *alloc); !known) return c.fail(known.error().message);
  if (auto done = restart_alloc(*api, alloc->ID.str(), task, all); !done)
    return c.fail(fmt::format("Failed to restart {}:\n\n{}", task.empty() ? "allocation" : "task", done.error().message));
  return 0;
}

int run_alloc_signal(Context& c) {
  if (c.args.rest.empty() || c.args.rest.size() > 2)
    return c.misuse("This command takes up to two arguments: <alloc-id> <task>");
  auto* api = c.connect();
  if (!api) return 1;
  auto alloc = find_alloc(c, *api, c.args.rest[0]);
  if (!alloc) return 1;
  auto task = named_task(c);
  if (!task.empty())
    if (auto known = check_task(task, *alloc); !known) return c.fail(known.error().message);
  auto done = api->put("/v1/client/allocation/" + alloc->ID.str() + "/signal", AllocSignalBody{task, c.args.text("s")});
  if (!done) return c.fail("Error signalling allocation: " + done.error().message);
  return 0;
}

int run_alloc_checks(Context& c) {
  if (c.args.rest.empty()) return c.misuse("An allocation ID is required");
  if (c.args.rest.size() > 1) return c.misuse("This command takes one argument (allocation ID)");
  auto* api = c.connect();
  if (!api) return 1;
  auto stub = find_alloc_stub(c, *api, c.args.rest[0]);
  if (!stub) return 1;
  auto checks = api->get_as<Map<CheckQueryResult>>("/v1/client/allocation/" + stub->ID.str() + "/checks");
  if (!checks) return c.fail("Error querying allocation health: " + checks.error().message);
  if (auto done = print_formatted(c, *checks)) return *done;
  c.ui.output(fmt::format("Status of {} Nomad Service Checks", checks->size()));
  c.ui.output("");
  for (auto& [id, r] : *checks) {
    Rows rows{"ID|=|" + r.ID,           "Name|=|" + r.Check,     "Group|=|" + r.Group,
              "Task|=|" + (r.Task.empty() ? "(group)" : r.Task), "Service|=|" + r.Service, "Status|=|" + r.Status};
    if (r.StatusCode > 0) rows.push_back(fmt::format("StatusCode|=|{}", r.StatusCode));
    rows.push_back("Mode|=|" + r.Mode);
    rows.push_back("Timestamp|=|" + task_time(r.Timestamp ? Time::from_unix_seconds(r.Timestamp) : Time{}));
    rows.push_back("Output|=|" + r.Output);
    c.ui.output(table(rows));
    c.ui.output("");
  }
  return 0;
}

constexpr Flag kTaskFlag{"task", FlagKind::kText, " <task>", "The task that is meant.", ""};
constexpr Flag kStopFlags[] = {
    kDetachFlag,
    {"no-shutdown-delay", FlagKind::kBool, "", "Ignore the shutdown_delay of the group and its tasks.", ""},
    kVerboseFlag,
};
constexpr Flag kRestartFlags[] = {
    {"all-tasks", FlagKind::kBool, "", "Restart tasks that are not running too, in the order of their lifecycles.", ""},
    kTaskFlag,
    kVerboseFlag,
};
constexpr Flag kSignalFlags[] = {
    {"s", FlagKind::kText, " <signal>", "The signal to send. Defaults to SIGKILL.", "SIGKILL"}, kTaskFlag, kVerboseFlag};
constexpr Flag kChecksFlags[] = {kVerboseFlag, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "alloc stop",
     .synopsis = "Stop and reschedule a running allocation",
     .usage = "Usage: nomad alloc stop [options] <allocation>\nAlias: nomad stop",
     .about = "Stops an allocation; the scheduler places another in its stead. Follows the evaluation.",
     .general = General::kAll,
     .options = "Stop Specific Options",
     .flags = kStopFlags,
     .run = run_alloc_stop},
    {.name = "alloc restart",
     .synopsis = "Restart a running allocation",
     .usage = "Usage: nomad alloc restart [options] <allocation> <task>",
     .about = "Restarts an allocation's running tasks, or one task, on the node where they are.",
     .general = General::kAll,
     .options = "Restart Specific Options",
     .flags = kRestartFlags,
     .run = run_alloc_restart},
    {.name = "alloc signal",
     .synopsis = "Signal a running allocation",
     .usage = "Usage: nomad alloc signal [options] <allocation> <task>",
     .about = "Sends a signal to an allocation's tasks, or to one of them.",
     .general = General::kAll,
     .options = "Signal Specific Options",
     .flags = kSignalFlags,
     .run = run_alloc_signal},
    {.name = "alloc checks",
     .synopsis = "Outputs service health check status information",
     .usage = "Usage: nomad alloc checks [options] <allocation>",
     .about = "Shows the latest results of the checks of an allocation's built-in services.",
     .general = General::kAll,
     .options = "Checks Specific Options",
     .flags = kChecksFlags,
     .run = run_alloc_checks},
};

}  // namespace

std::span<const Command> alloc_action_commands() { return kCommands; }

}  // namespace drover::cli
