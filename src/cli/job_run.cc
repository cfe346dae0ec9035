// job run, job plan, job validate.
#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/job_commands.h"
#include "cli/job_diff.h"
#include "cli/job_input.h"
#include "cli/monitor.h"
#include "cli/tables.h"
#include "model/canonicalize.h"
#include "model/requests.h"
#include "model/validate.h"
#include "model/multi_error.h"

namespace drover::cli {
namespace {

constexpr int kPlanError = 255;

struct CheckIndex {
  uint64_t index = 0;
  bool enforce = false;
};

Result<CheckIndex> read_check_index(const std::string& text) {
  if (text.empty()) return CheckIndex{};
  auto n = parse_uint(text);
  if (!n) return invalid(fmt::format("strconv.ParseUint: parsing {}: invalid syntax", go_quote(text)));
  return CheckIndex{*n, true};
}

// "Enforcing job modify index 9: job does not exist" out of the server's answer.
std::string conflict_text(const std::string& message) {
  auto begin = message.find("(Enforcing job modify index");
  auto end = message.rfind(')');
  if (begin == message.npos || end == message.npos || end < begin) return {};
  return message.substr(begin + 1, end - begin - 1);
}

int run_job_run(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <path>");
  auto input = read_job(c, c.args.rest[0]);
  if (!input) return 1;
  auto& job = input->job;
  auto* api = c.connect();
  if (!api) return 1;
  follow_job(*api, job);
  bool periodic = static_cast<bool>(job.Periodic), parameterized = static_cast<bool>(job.ParameterizedJob);
  bool multiregion = static_cast<bool>(job.Multiregion);
  add_vault(c, job);
  add_consul(c, job);
  if (c.args.on("output")) {
    api::JobRegisterRequest shown;
    std::string text;
    json_encode(type_of<api::Job>(), &job, text,
                {.pretty = true, .escape_html = true, .indent = 4, .trailing_newline = false, .float_point = false});
    c.ui.output("{\n    \"Job\": " + replace_all(text, "\n", "\n    ") + "\n}");
    return 0;
  }
  auto check = read_check_index(c.args.text("check-index"));
  if (!check)
    return c.fail(fmt::format("Error parsing check-index value {}: {}", go_quote(c.args.text("check-index")),
                              check.error().message));
  api::JobRegisterRequest request;
  request.Submission = std::move(input->submission);
  request.Job = job;
  request.EnforceIndex = check->enforce;
  request.JobModifyIndex = check->index;
  request.PolicyOverride = c.args.on("policy-override");
  request.PreserveCounts = c.args.on("preserve-counts");
  request.EvalPriority = c.args.number("eval-priority");
  auto answer = api->put_as<JobRegisterResponse>("/v1/jobs", request);
  if (!answer) {
    if (auto conflict = conflict_text(answer.error().message); !conflict.empty()) {
      c.ui.error(conflict);
      return c.fail("Job not updated");
    }
    return c.fail("Error submitting job: " + answer.error().message);
  }
  show_warnings(c, answer->Warnings);
  if (c.args.on("detach") || periodic || parameterized || multiregion) {
    c.ui.output("Job registration successful");
    if (periodic && !parameterized) {
      if (auto next = next_launch_text(job, c.now()); !next.empty()) c.ui.output("Approximate next launch time: " + next);
    } else if (!parameterized) {
      c.ui.output("Evaluation ID: " + answer->EvalID);
    }
    return 0;
  }
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

// ---- plan

std::string dry_run_text(const JobPlanResponse& plan, const api::Job& job, Time now) {
  std::string out;
  if (plan.FailedTGAllocs.empty()) {
    out += "[bold][green]- All tasks successfully allocated.[reset]\n";
  } else {
    auto type = job.Type.value_or("service");
    out += type == "system" || type == "sysbatch" ? "[bold][yellow]- WARNING: Failed to place allocations on all nodes.[reset]\n"
                             : "[bold][yellow]- WARNING: Failed to place all allocations.[reset]\n";
    for (auto& [group, metric] : plan.FailedTGAllocs)
      out += fmt::format("  [yellow]{}\n[yellow]{}[reset]\n\n", failed_group_title(group, metric),
                         metrics_text(metric, false, "    "));
  }
  for (auto& eval : plan.CreatedEvals)
    if (eval.TriggeredBy == "rolling-update")
      out += fmt::format("[green]- Rolling update, next evaluation will be in {}.\n", format_duration(eval.Wait));
  if (auto* launch = plan.NextPeriodicLaunch.as_string()) {
    auto at = parse_rfc3339(*launch);
    if (at && !at->unset())
      out += fmt::format("[green]- If submitted now, next periodic launch would be at {} ({} from now).\n", *launch,
                         whole_seconds(*at - now));
  }
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

std::string preemptions_text(const JobPlanResponse& plan) {
  std::map<std::pair<std::string, std::string>, int> by_job;  // id and namespace
  std::map<std::string, int> by_type;
  std::map<std::pair<std::string, std::string>, std::string> types;
  Rows rows{"Alloc ID|Job ID|Task Group"};
  auto& allocs = plan.Annotations->PreemptedAllocs;
  for (auto& a : allocs) {
    rows.push_back(fmt::format("{}|{}|{}", a.ID.str(), a.JobID, a.TaskGroup));
    ++by_job[{a.JobID, a.Namespace}];
    types[{a.JobID, a.Namespace}] = a.JobType;
    ++by_type[a.JobType];
  }
  if (allocs.size() < 10) return table(rows);
  if (by_job.size() < 10) {
    rows = {"Job ID|Namespace|Job Type|Preemptions"};
    for (auto& [job, n] : by_job) rows.push_back(fmt::format("{}|{}|{}|{}", job.first, job.second, types[job], n));
    return table(rows);
  }
  rows = {"Job Type|Preemptions"};
  for (auto& [type, n] : by_type) rows.push_back(fmt::format("{}|{}", type, n));
  return table(rows);
}

std::string modify_index_text(const Context& c, uint64_t index, const std::string& path) {
  std::string flags;
  for (auto& v : c.args.list("var")) flags += fmt::format("-var={} ", go_quote(v));
  for (auto& v : c.args.list("var-file")) flags += fmt::format("-var-file={} ", go_quote(v));
  if (auto space = c.args.text("namespace"); !space.empty()) flags += fmt::format("-namespace={} ", go_quote(space));
  return fmt::format(
      "[reset][bold]Job Modify Index: {0}[reset]\nTo submit the job with version verification run:\n\n"
      "nomad job run -check-index {0} {1}{2}\n\n"
      "When running the job with the check-index flag, the job will only be run if the\n"
      "job modify index given matches the server-side version. If the index has\n"
      "changed, another user has modified the job and the plan's results are\npotentially invalid.",
      index, flags, path);
}

int plan_exit_code(const JobPlanResponse& plan) {
  if (plan.Diff && plan.Diff->Type == "None") return 0;
  if (plan.Annotations)
    for (auto& [group, u] : plan.Annotations->DesiredTGUpdates)
      if (u.Stop + u.Place + u.Migrate + u.DestructiveUpdate + u.Canary > 0) return 1;
  return 0;
}

int show_plan(Context& c, const api::Job& job, const JobPlanResponse& plan, const std::string& path, bool with_index) {
  if (c.args.on("diff") && plan.Diff) {
    auto text = diff_text(*plan.Diff, c.verbose());
    c.ui.output(c.ui.colorize(trim_space(text)) + "\n");
  }
  c.ui.output(c.ui.colorize("[bold]Scheduler dry-run:[reset]"));
  c.ui.output(c.ui.colorize(dry_run_text(plan, job, c.now())));
  c.ui.output("");
  show_warnings(c, plan.Warnings);
  if (plan.Annotations && !plan.Annotations->PreemptedAllocs.empty()) {
    c.ui.output(c.ui.colorize("[bold][yellow]Preemptions:\n[reset]"));
    c.ui.output(preemptions_text(plan) + "\n");
  }
  if (with_index) c.ui.output(c.ui.colorize(modify_index_text(c, plan.JobModifyIndex, path)));
  return plan_exit_code(plan);
}

Result<JobPlanResponse> ask_plan(Context& c, Api& api, const api::Job& job) {
  api::JobPlanRequest request;
  request.Job = job;
  request.Diff = true;
  request.PolicyOverride = c.args.on("policy-override");
  return api.put_as<JobPlanResponse>("/v1/job/" + escape(job.ID.value_or("")) + "/plan", request);
}

int plan_regions(Context& c, Api& api, const api::Job& job) {
  int worst = 0;
  for (auto& region : job.Multiregion->Regions) {
    api.set_region(region.Name);
    c.ui.output(c.ui.colorize(fmt::format("[bold]Region: \"{}\"[reset]", region.Name)));
    api::Job local = job;
    local.Region = region.Name;
    auto plan = ask_plan(c, api, local);
    if (!plan) {
      c.fail(fmt::format("Error during plan: {}", plan.error().message));
      worst = kPlanError;
      continue;
    }
    worst = std::max(worst, show_plan(c, local, *plan, "", false));
  }
  return worst;
}

int run_job_plan(Context& c) {
  if (c.args.rest.size() != 1) {
    c.misuse("This command takes one argument: <path>");
    return kPlanError;
  }
  auto& path = c.args.rest[0];
  auto input = read_job(c, path);
  if (!input) return kPlanError;
  auto* api = c.connect();
  if (!api) return kPlanError;
  auto& job = input->job;
  follow_job(*api, job);
  add_vault(c, job);
  if (job.Multiregion) return plan_regions(c, *api, job);
  auto plan = ask_plan(c, *api, job);
  if (!plan) {
    c.fail("Error during plan: " + plan.error().message);
    return kPlanError;
  }
  return show_plan(c, job, *plan, path, true);
}

// ---- validate

// What an agent would say, without one.
JobValidateResponse validate_here(const api::Job& job) {
  JobValidateResponse out;
  auto server_job = job_from_api(job);
  canonicalize(server_job);
  auto errors = validate(server_job);
  for (auto& e : errors.items()) out.ValidationErrors.push_back(e);
  out.Error = errors.text();
  out.Warnings = warnings_text(job_warnings(server_job).items());
  return out;
}

int run_job_validate(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <path>");
  auto input = read_job(c, c.args.rest[0]);
  if (!input) return 1;
  auto made = c.api();
  if (!made) {
    c.fail("Error initializing client: " + made.error().message);
    return kPlanError;
  }
  auto& job = input->job;
  follow_job(**made, job);
  add_vault(c, job);
  api::JobValidateRequest request;
  request.Job = job;
  auto answer = (*made)->put_as<JobValidateResponse>("/v1/validate/job", request);
  auto told = answer ? std::move(*answer) : validate_here(job);
  if (!told.DriverConfigValidated)
    c.ui.output(c.ui.colorize("[bold][yellow]Driver configuration not validated since connection to Nomad agent couldn't be "
                              "established.[reset]\n"));
  if (!told.Error.empty()) {
    c.ui.error(c.ui.colorize("[bold][red]Job validation errors:[reset]"));
    return c.fail(told.Error);
  }
  show_warnings(c, told.Warnings);
  c.ui.output(c.ui.colorize("[bold][green]Job validation successful[reset]"));
  return 0;
}

constexpr Flag kRunFlags[] = {
    {"check-index", FlagKind::kText, "=<index>",
     "Submit only if the job's modify index on the server is this one; 0 means that the job must not exist.", ""},
    {"consul-token", FlagKind::kText, "=<token>",
     "Consul token to submit the job with. Overrides CONSUL_HTTP_TOKEN and the token of the file.", ""},
    {"consul-namespace", FlagKind::kText, "", "", ""},
    kDetachFlag,
    {"eval-priority", FlagKind::kInt, "=<n>", "Priority of the evaluation; 0 takes the job's.", "0"},
    kJobJsonFlag,
    kHcl1Flag,
    kHcl2StrictFlag,
    {"output", FlagKind::kBool, "", "Print the job in JSON and submit nothing.", ""},
    {"policy-override", FlagKind::kBool, "", "Run the job against soft mandatory Sentinel policies.", ""},
    {"preserve-counts", FlagKind::kBool, "", "Keep the present counts of groups that exist already.", ""},
    kVarFlag,
    kVarFileFlag,
    kVaultTokenFlag,
    kVaultNamespaceFlag,
    kVerboseFlag,
};

constexpr Flag kPlanFlags[] = {
    {"diff", FlagKind::kBool, "", "Whether to show what would change in the job. Defaults to true.", "true"},
    kJobJsonFlag,
    kHcl1Flag,
    kHcl2StrictFlag,
    {"policy-override", FlagKind::kBool, "", "Plan against soft mandatory Sentinel policies.", ""},
    kVarFlag,
    kVarFileFlag,
    kVaultTokenFlag,
    kVaultNamespaceFlag,
    kVerboseFlag,
};

constexpr Flag kValidateFlags[] = {kJobJsonFlag, kHcl1Flag, kHcl2StrictFlag, kVarFlag, kVarFileFlag, kVaultTokenFlag,
                                   kVaultNamespaceFlag};

constexpr Command kCommands[] = {
    {.name = "job run",
     .synopsis = "Run a new job or update an existing job",
     .usage = "Usage: nomad job run [options] <path>\nAlias: nomad run",
     .about = "Submits a job from a file, a URL, or standard input (\"-\"), and follows the evaluation\n"
              "until the job is placed and its deployment is over. Exit code 2 tells that not\n"
              "everything could be placed. Periodic and parameterized jobs are only registered.\n\n"
              "Variables NOMAD_VAR_<name> of the environment set input variables.\n\n"
              "With ACLs, a token with the 'submit-job' capability of the job's namespace is\nneeded.",
     .general = General::kAll,
     .options = "Run Options",
     .flags = kRunFlags,
     .run = run_job_run},
    {.name = "job plan",
     .synopsis = "Dry-run a job update to determine its effects",
     .usage = "Usage: nomad job plan [options] <path>\nAlias: nomad plan",
     .about = "Shows what submitting the job would change, and whether it could be placed. Nothing\n"
              "is changed. The printed modify index lets a later run make sure that the job is\n"
              "still the one that was planned against.\n\n"
              "Exit codes: 0 no allocation is created or destroyed, 1 some are, 255 an error.",
     .general = General::kAll,
     .options = "Plan Options",
     .flags = kPlanFlags,
     .run = run_job_plan,
     .bad_flags = kPlanError},
    {.name = "job validate",
     .synopsis = "Checks if a given job specification is valid",
     .usage = "Usage: nomad job validate [options] <path>\nAlias: nomad validate",
     .about = "Checks a job file. An agent also checks the drivers' configuration; without one the\nrest is checked here.",
     .general = General::kAll,
     .options = "Validate Options",
     .flags = kValidateFlags,
     .run = run_job_validate},
};

}  // namespace

std::span<const Command> job_run_commands() { return kCommands; }

}  // namespace drover::cli
