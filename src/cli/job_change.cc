// job stop, eval, dispatch, periodic force, promote, revert, scale, scaling-events.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/job_commands.h"
#include "cli/job_input.h"
#include "cli/monitor.h"
#include "cli/resolve.h"
#include "model/api_requests.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

// ---- stop

int stop_one(Context& c, Api& api, const std::string& given, bool may_ask) {
  auto ref = find_job(api, given);
  if (!ref) return c.fail(ref.error().message);
  auto path = "/v1/job/" + escape(ref->id);
  auto job = api.get_as<Job>(path, ref->params());
  if (!job) return c.fail(fmt::format("Error deregistering job with id {} err: {}", given, job.error().message));
  if (may_ask && !c.args.on("yes")) {
    if (trim_space(given) != ref->id)
      if (auto code = confirm(c, fmt::format("Are you sure you want to stop job \"{}\"? [y/N]", ref->id), "Cancelling job stop"))
        return *code;
    if (job->Multiregion && !c.args.on("global"))
      if (auto code = confirm(c, fmt::format("Are you sure you want to stop multi-region job \"{}\" in a single region? [y/N]", ref->id),
                              "Cancelling job stop"))
        return *code;
  }
  auto params = ref->params();
  params.emplace_back("purge", yes_no(c.args.on("purge")));
  params.emplace_back("global", yes_no(c.args.on("global")));
  params.emplace_back("eval_priority", std::to_string(c.args.number("eval-priority")));
  params.emplace_back("no_shutdown_delay", yes_no(c.args.on("no-shutdown-delay")));
  auto answer = api.delete_as<JobDeregisterResponse>(path, params);
  if (!answer) return c.fail(fmt::format("Error deregistering job with id {} err: {}", given, answer.error().message));
  if (answer->EvalID.empty()) return 0;
  if (c.args.on("detach")) {
    c.ui.output(answer->EvalID);
    return 0;
  }
  return monitor_evaluation(c, api, answer->EvalID, c.verbose());
}

int run_job_stop(Context& c) {
  if (c.args.rest.empty()) return c.misuse("This command takes at least one argument: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  int code = 0;
  for (auto& job : c.args.rest)
    if (int one = stop_one(c, *api, job, c.args.rest.size() == 1); one && !code) code = one;
  return code;
}

// ---- what ends in an evaluation

int run_job_eval(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  JobEvaluateRequest request;
  request.JobID = ref->id;
  request.EvalOptions.ForceReschedule = c.args.on("force-reschedule");
  auto answer = api->put_as<JobRegisterResponse>("/v1/job/" + escape(ref->id) + "/evaluate", request, ref->params());
  if (!answer) return c.fail("Error evaluating job: " + answer.error().message);
  if (c.args.on("detach")) {
    c.ui.output(fmt::format("Created eval ID: \"{}\" ", short_id(answer->EvalID, c.verbose())));
    return 0;
  }
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

int run_job_dispatch(Context& c) {
  if (c.args.rest.empty() || c.args.rest.size() > 2)
    return c.misuse("This command takes one or two argument: <parameterized job> [input source]");
  JobDispatchRequest request;
  for (auto& pair : c.args.list("meta")) {
    auto equals = pair.find('=');
    if (equals == pair.npos) return c.fail("Error parsing meta value: " + pair);
    request.Meta.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (c.args.rest.size() == 2) {
    auto& source = c.args.rest[1];
    auto payload = source == "-" ? Result<std::string>(c.io.read_all()) : read_file(source);
    if (!payload) return c.fail("Error reading input data: " + payload.error().message);
    request.Payload.data = std::move(*payload);
  }
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0], [](const JobListStub& j) { return j.ParameterizedJob; });
  if (!ref) return c.fail(ref.error().message);
  request.JobID = ref->id;
  request.IdPrefixTemplate = c.args.text("id-prefix-template");
  auto params = ref->params();
  if (auto token = c.args.text("idempotency-token"); !token.empty()) params.emplace_back("idempotency_token", token);
  auto answer = api->put_as<JobDispatchResponse>("/v1/job/" + escape(ref->id) + "/dispatch", request, params);
  if (!answer) return c.fail("Failed to dispatch job: " + answer.error().message);
  Rows rows{"Dispatched Job ID|" + answer->DispatchedJobID};
  if (!answer->EvalID.empty()) rows.push_back("Evaluation ID|" + short_id(answer->EvalID, c.verbose()));
  c.ui.output(key_values(rows));
  if (c.args.on("detach") || answer->EvalID.empty()) return 0;
  c.ui.output("");
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

int run_job_periodic_force(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0], [](const JobListStub& j) { return j.Periodic; }, "periodic job");
  if (!ref) return c.fail(ref.error().message);
  auto answer = api->typed<PeriodicForceResponse>("PUT", "/v1/job/" + escape(ref->id) + "/periodic/force", ref->params(), "");
  if (!answer) return c.fail(fmt::format("Error forcing periodic job \"{}\": {}", ref->id, answer.error().message));
  if (c.args.on("detach")) {
    c.ui.output("Force periodic successful");
    c.ui.output("Evaluation ID: " + answer->EvalID);
    return 0;
  }
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

// Says the id of the evaluation, or follows it; nothing where none was made.
int end_with(Context& c, Api& api, const std::string& eval_id) {
  if (eval_id.empty()) return 0;
  if (c.args.on("detach")) {
    c.ui.output("Evaluation ID: " + eval_id);
    return 0;
  }
  return monitor_evaluation(c, api, eval_id, c.verbose());
}

int run_job_promote(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto latest = api->get_as<std::optional<Deployment>>("/v1/job/" + escape(ref->id) + "/deployment", ref->params());
  if (!latest)
    return c.fail(fmt::format("Error retrieving latest deployment for job \"{}\": {}", ref->id, latest.error().message));
  if (!*latest) return c.fail(fmt::format("Job \"{}\" has no deployment to promote", ref->id));
  DeploymentPromoteRequest request;
  request.DeploymentID = (*latest)->ID.str();
  auto groups = c.args.list("group");
  request.All = groups.empty();
  for (auto& g : groups) request.Groups.push_back(g);
  auto answer =
      api->put_as<DeploymentUpdateResponse>("/v1/deployment/promote/" + request.DeploymentID, request, ref->params());
  if (!answer)
    return c.fail(fmt::format("Error promoting deployment \"{}\" for job \"{}\": {}", request.DeploymentID, ref->id,
                              answer.error().message));
  return end_with(c, *api, answer->EvalID);
}

int run_job_revert(Context& c) {
  if (c.args.rest.size() != 2) return c.misuse("This command takes two arguments: <job> <version>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto version = parse_uint(c.args.rest[1]);
  if (!version)
    return c.fail(fmt::format("Failed to parse job-version flag: strconv.ParseUint: parsing {}: invalid syntax",
                              go_quote(c.args.rest[1])));
  auto token = [&](std::string_view flag, std::string_view variable) {
    auto value = c.args.text(flag);
    return value.empty() ? c.io.getenv(variable) : value;
  };
  JobRevertRequest request;
  request.JobID = ref->id;
  request.JobVersion = *version;
  request.ConsulToken = token("consul-token", "CONSUL_HTTP_TOKEN");
  request.VaultToken = token("vault-token", "VAULT_TOKEN");
  auto answer = api->put_as<JobRegisterResponse>("/v1/job/" + escape(ref->id) + "/revert", request, ref->params());
  if (!answer) return c.fail("Error retrieving job versions: " + answer.error().message);
  return end_with(c, *api, answer->EvalID);
}

// ---- scale

int run_job_scale(Context& c) {
  auto& words = c.args.rest;
  if (words.size() < 2 || words.size() > 3) return c.fail("Command requires at least two arguments and no more than three");
  auto* api = c.connect();
  if (!api) return 1;
  auto count = parse_int(words.back());
  if (!count)
    return c.fail(fmt::format("Failed to convert count string to int: strconv.Atoi: parsing {}: invalid syntax",
                              go_quote(words.back())));
  auto ref = find_job(*api, words[0]);
  if (!ref) return c.fail(ref.error().message);
  auto path = "/v1/job/" + escape(ref->id);
  auto job = api->get_as<Job>(path, ref->params());
  if (!job) return c.fail("Error querying job: " + job.error().message);
  std::string group = words.size() == 3 ? words[1] : "";
  if (group.empty()) {
    if (job->TaskGroups.size() != 1) return c.fail("Group name required");
    group = job->TaskGroups[0].Name;
  } else if (std::none_of(job->TaskGroups.begin(), job->TaskGroups.end(), [&](auto& g) { return g.Name == group; })) {
    return c.fail(fmt::format("Group {} not found within job", group));
  }
  api::ScalingRequest request;
  request.Count = *count;
  request.Target = {{"Job", ref->id}, {"Group", group}};
  request.Message = "submitted using the Nomad CLI";
  auto answer = api->put_as<JobRegisterResponse>(path + "/scale", request, ref->params());
  if (!answer) return c.fail("Error submitting scaling request: " + answer.error().message);
  show_warnings(c, answer->Warnings);
  return end_with(c, *api, answer->EvalID);
}

int run_job_scaling_events(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto status = api->get_as<JobScaleStatus>("/v1/job/" + escape(ref->id) + "/scale", ref->params());
  if (!status) return c.fail("Error listing scaling events: " + status.error().message);
  std::vector<std::pair<std::string, ScalingEvent>> events;
  for (auto& [group, g] : status->TaskGroups)
    for (auto& e : g.Events) events.emplace_back(group, e);
  if (events.empty()) {
    c.ui.output("No events found");
    return 0;
  }
  std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.second.Time > b.second.Time; });
  bool verbose = c.verbose();
  Rows rows{verbose ? "Task Group|Count|PrevCount|Error|Message|Eval ID|Date" : "Task Group|Count|PrevCount|Date"};
  for (auto& [group, e] : events) {
    auto count = e.Count ? std::to_string(*e.Count) : "";
    auto date = absolute_time(e.Time);
    rows.push_back(verbose ? fmt::format("{}|{}|{}|{}|{}|{}|{}", group, count, e.PreviousCount, e.Error, e.Message,
                                         e.EvalID.value_or(""), date)
                           : fmt::format("{}|{}|{}|{}", group, count, e.PreviousCount, date));
  }
  c.ui.output(table(rows));
  return 0;
}

constexpr Flag kStopFlags[] = {
    kDetachFlag,
    {"eval-priority", FlagKind::kInt, "=<n>", "Priority of the evaluation; 0 takes the job's.", "0"},
    {"global", FlagKind::kBool, "", "Stop a multi-region job in all its regions.", ""},
    {"no-shutdown-delay", FlagKind::kBool, "",
     "Ignore the shutdown_delay of groups and tasks; requests may still reach tasks that are going.", ""},
    {"purge", FlagKind::kBool, "", "Also remove the job from the servers' state at once.", ""},
    {"yes", FlagKind::kBool, "", "Answer yes to every question.", ""},
    kVerboseFlag,
};
constexpr Flag kEvalFlags[] = {
    {"force-reschedule", FlagKind::kBool, "", "Place failed allocations again even where their policy says to wait.", ""},
    kDetachFlag,
    kVerboseFlag,
};
constexpr Flag kDispatchFlags[] = {
    {"meta", FlagKind::kList, " <key>=<value>", "Metadata of the new job. May be given several times.", ""},
    {"idempotency-token", FlagKind::kText, "=<token>", "A job that was dispatched with the same token is not made again.", ""},
    {"id-prefix-template", FlagKind::kText, "=<template>", "Template of what comes first in the new job's id.", ""},
    kDetachFlag,
    kVerboseFlag,
};
constexpr Flag kDetachVerbose[] = {kDetachFlag, kVerboseFlag};
constexpr Flag kPromoteFlags[] = {
    {"group", FlagKind::kList, "=<group>", "Promote this group only. May be given several times.", ""}, kDetachFlag,
    kVerboseFlag};
constexpr Flag kRevertFlags[] = {
    {"consul-token", FlagKind::kText, "=<token>", "Consul token of the reverted job. Overrides CONSUL_HTTP_TOKEN.", ""},
    {"vault-token", FlagKind::kText, "=<token>", "Vault token of the reverted job. Overrides VAULT_TOKEN.", ""},
    kDetachFlag,
    kVerboseFlag,
};
constexpr Flag kVerboseOnly[] = {kVerboseFlag};

constexpr Command kCommands[] = {
    {.name = "job stop",
     .synopsis = "Stop a running job",
     .usage = "Usage: nomad job stop [options] <job>\nAlias: nomad stop",
     .about = "Stops jobs and follows the evaluation. The argument is the id of a job or the beginning\n"
              "of it; a beginning has to be confirmed. Several jobs may be named.",
     .general = General::kAll,
     .options = "Stop Options",
     .flags = kStopFlags,
     .run = run_job_stop},
    {.name = "job eval",
     .synopsis = "Force an evaluation for the job",
     .usage = "Usage: nomad job eval [options] <job_id>",
     .about = "Makes the scheduler look at a job again.",
     .general = General::kAll,
     .options = "Eval Options",
     .flags = kEvalFlags,
     .run = run_job_eval},
    {.name = "job dispatch",
     .synopsis = "Dispatch an instance of a parameterized job",
     .usage = "Usage: nomad job dispatch [options] <parameterized job> [input source]",
     .about = "Makes a job out of a parameterized one, with a payload from a file or from standard\n"
              "input (\"-\") and with metadata, and follows its evaluation.",
     .general = General::kAll,
     .options = "Dispatch Options",
     .flags = kDispatchFlags,
     .run = run_job_dispatch},
    {.name = "job periodic",
     .synopsis = "Interact with periodic jobs",
     .usage = "Usage: nomad job periodic <subcommand> [options] [args]",
     .about = "Commands for jobs that are launched again and again."},
    {.name = "job periodic force",
     .synopsis = "Force the launch of a periodic job",
     .usage = "Usage: nomad job periodic force <job id>",
     .about = "Launches a periodic job now, whatever its schedule.",
     .general = General::kAll,
     .options = "Periodic Force Options",
     .flags = kDetachVerbose,
     .run = run_job_periodic_force},
    {.name = "job promote",
     .synopsis = "Promote a job's canaries",
     .usage = "Usage: nomad job promote [options] <job id>",
     .about = "Promotes the canaries of the latest deployment of a job.",
     .general = General::kAll,
     .options = "Promote Options",
     .flags = kPromoteFlags,
     .run = run_job_promote},
    {.name = "job revert",
     .synopsis = "Revert to a prior version of the job",
     .usage = "Usage: nomad job revert [options] <job> <version>",
     .about = "Goes back to an earlier version of a job; 'job history' lists them.",
     .general = General::kAll,
     .options = "Revert Options",
     .flags = kRevertFlags,
     .run = run_job_revert},
    {.name = "job scale",
     .synopsis = "Change the count of a Nomad job group",
     .usage = "Usage: nomad job scale [options] <job> [<group>] <count>",
     .about = "Changes how many allocations a group of a job has. The group may be left out when the\njob has one only.",
     .general = General::kAll,
     .options = "Scale Options",
     .flags = kDetachVerbose,
     .run = run_job_scale},
    {.name = "job scaling-events",
     .synopsis = "Display the most recent scaling events for a job",
     .usage = "Usage: nomad job scaling-events [options] <args>",
     .about = "Lists how the counts of a job's groups were changed.",
     .general = General::kAll,
     .options = "Scaling-Events Options",
     .flags = kVerboseOnly,
     .run = run_job_scaling_events},
};

}  // namespace

std::span<const Command> job_change_commands() { return kCommands; }

}  // namespace drover::cli
