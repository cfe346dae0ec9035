// eval list, status, delete.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/monitor.h"
#include "cli/newest.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/resolve.h"
#include "cli/tables.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

int run_eval_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto params = page_params(c);
  if (auto job = c.args.text("job"); !job.empty()) params.emplace_back("job", job);
  if (auto status = c.args.text("status"); !status.empty()) params.emplace_back("status", status);
  auto evals = api->get_as<List<Evaluation>>("/v1/evaluations", params);
  if (!evals) return c.fail("Error querying evaluations: " + evals.error().message);
  auto token = api->last().next_token;
  newest_first(*evals);
  if (auto done = print_formatted(c, *evals)) return *done;
  if (evals->empty()) {
    c.ui.output("No evals found");
    return 0;
  }
  c.ui.output(eval_list(*evals, c.verbose()));
  show_next_page(c, token);
  return 0;
}

int run_eval_status(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument");
  auto* api = c.connect();
  if (!api) return 1;
  auto id = find_eval_id(c, *api, c.args.rest[0]);
  if (!id) return 1;
  bool verbose = c.verbose();
  if (c.args.on("monitor")) return monitor_evaluation(c, *api, *id, verbose);
  auto found = api->get_as<Evaluation>("/v1/evaluation/" + *id);
  if (!found) return c.fail("Error querying evaluation: " + found.error().message);
  auto& e = *found;
  if (auto done = print_formatted(c, e)) return *done;
  auto when = [&](int64_t t) { return verbose ? absolute_time(t) : age(t, c.now()); };
  Rows rows{"ID|" + short_id(e.ID, verbose),
            "Create Time|" + when(e.CreateTime),
            "Modify Time|" + when(e.ModifyTime),
            "Status|" + e.Status,
            "Status Description|" + (e.StatusDescription.empty() ? e.Status : e.StatusDescription),
            "Type|" + e.Type,
            "TriggeredBy|" + e.TriggeredBy,
            "Job ID|" + e.JobID,
            "Namespace|" + e.Namespace};
  if (e.TriggeredBy == "node-update") rows.push_back("Node ID|" + short_id(e.NodeID, verbose));
  if (e.TriggeredBy == "max-plan-attempts") rows.push_back("Previous Eval|" + short_id(e.PreviousEval, verbose));
  rows.push_back(fmt::format("Priority|{}", e.Priority));
  rows.push_back("Placement Failures|" + placement_failures(e));
  if (!e.WaitUntil.unset()) rows.push_back("Wait Until|" + absolute_time(e.WaitUntil));
  if (verbose) {
    rows.push_back("Previous Eval|" + e.PreviousEval.str());
    rows.push_back("Next Eval|" + e.NextEval.str());
    rows.push_back("Blocked Eval|" + e.BlockedEval.str());
  }
  c.ui.output(key_values(rows));
  if (e.FailedTGAllocs.empty()) return 0;
  c.ui.output("\n" + c.ui.bold("Failed Placements"));
  for (auto& [group, metric] : e.FailedTGAllocs) {
    c.ui.output(failed_group_title(group, metric));
    c.ui.output(metrics_text(metric, false, "  "));
    c.ui.output("");
  }
  if (e.BlockedEval)
    c.ui.output(fmt::format("Evaluation \"{}\" waiting for additional capacity to place remainder", short_id(e.BlockedEval, verbose)));
  return 0;
}

int deleted(const Context& c, int64_t n) {
  c.ui.output(n > 0 ? fmt::format("Successfully deleted {} {}", n, plural("evaluation", n)) : "No evaluations were deleted");
  return 0;
}

int delete_by_filter(Context& c, Api& api, const std::string& filter) {
  if (!c.args.on("yes")) {
    auto count = api.get_as<EvalCountResponse>("/v1/evaluations/count", {{"filter", filter}});
    if (!count) return c.fail("Error counting evaluations: " + count.error().message);
    auto code = confirm(c, fmt::format("Are you sure you want to delete {} evals? [y/N]", count->Count), "Cancelling eval deletion");
    if (code) {
      if (*code == 0) {
        c.ui.output("");
        return deleted(c, 0);
      }
      return *code;
    }
  }
  EvalDeleteRequest request;
  request.Filter = filter;
  auto answer = api.typed<EvalDeleteResponse>("DELETE", "/v1/evaluations", {}, to_json(request));
  if (!answer) return c.fail("Error deleting evaluations: " + answer.error().message);
  return deleted(c, answer->Count);
}

int run_eval_delete(Context& c) {
  auto filter = c.args.text("filter");
  auto given = c.args.rest.size();
  if ((given == 0) == filter.empty())
    return c.fail("Error validating command args and flags: evaluation ID or filter flag required");
  if (given > 1) return c.fail(fmt::format("Error validating command args and flags: expected 1 argument, got {}", given));
  auto* api = c.connect();
  if (!api) return 1;
  auto config = api->get_as<SchedulerConfigurationResponse>("/v1/operator/scheduler/configuration");
  if (!config) return c.fail("Error querying scheduler configuration: " + config.error().message);
  if (!config->SchedulerConfig || !config->SchedulerConfig->PauseEvalBroker) {
    c.ui.error("Eval broker is not paused");
    c.ui.output("To delete evaluations you must first pause the eval broker by running \"nomad operator scheduler set-config "
                "-pause-eval-broker=true\"");
    c.ui.output("After the deletion is complete, unpause the eval broker by running \"nomad operator scheduler set-config "
                "-pause-eval-broker=false\"");
    return 1;
  }
  if (!filter.empty()) return delete_by_filter(c, *api, filter);
  auto eval = api->get_as<Evaluation>("/v1/evaluation/" + escape(c.args.rest[0]));
  if (!eval) return c.fail("Error collecting evaluation: " + eval.error().message);
  EvalDeleteRequest request;
  request.EvalIDs = {eval->ID.str()};
  auto answer = api->call("DELETE", "/v1/evaluations", {}, to_json(request));
  if (!answer) return c.fail("Error deleting evaluation: " + answer.error().message);
  return deleted(c, 1);
}

constexpr Flag kListFlags[] = {
    {"monitor", FlagKind::kBool, "", "", ""},
    kVerboseFlag, kPerPageFlag, kPageTokenFlag, kFilterFlag,
    {"job", FlagKind::kText, "=<job>", "List evaluations of this job only.", ""},
    {"status", FlagKind::kText, "=<status>", "List evaluations with this status only.", ""},
    kJsonFlag, kTemplateFlag,
};
constexpr Flag kStatusFlags[] = {
    {"monitor", FlagKind::kBool, "", "Follow the evaluation until it is over.", ""}, kVerboseFlag, kJsonFlag, kTemplateFlag};
constexpr Flag kDeleteFlags[] = {
    kFilterFlag, {"yes", FlagKind::kBool, "", "Do not ask before deleting what the filter selects.", ""}};

constexpr Command kCommands[] = {
    {.name = "eval list",
     .synopsis = "List the set of evaluations tracked by Nomad",
     .usage = "Usage: nomad eval list [options]",
     .about = "Lists evaluations, the newest first.",
     .general = General::kAll,
     .options = "Eval List Options",
     .flags = kListFlags,
     .run = run_eval_list},
    {.name = "eval status",
     .synopsis = "Display evaluation status and placement failure reasons",
     .usage = "Usage: nomad eval status [options] <evaluation>",
     .about = "Shows an evaluation, and why something could not be placed. The argument is the id of the\n"
              "evaluation or the beginning of it.",
     .general = General::kAll,
     .options = "Eval Status Options",
     .flags = kStatusFlags,
     .run = run_eval_status},
    {.name = "eval delete",
     .synopsis = "Delete evaluations by ID or using a filter",
     .usage = "Usage: nomad eval delete [options] <evaluation>",
     .about = "Deletes an evaluation, or all that a filter selects. For clusters with so many that they\n"
              "do harm; the eval broker has to be paused.",
     .general = General::kNoNamespace,
     .options = "Eval Delete Options",
     .flags = kDeleteFlags,
     .run = run_eval_delete},
};

}  // namespace

std::span<const Command> eval_commands() { return kCommands; }

}  // namespace drover::cli
