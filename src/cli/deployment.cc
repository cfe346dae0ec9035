// deployment list, status, fail, pause, resume, promote, unblock.
#include <fmt/format.h>

#include <functional>

#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/monitor.h"
#include "cli/newest.h"
#include "cli/output.h"
#include "cli/regions.h"
#include "cli/resolve.h"
#include "cli/tables.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

int list(Context& c, Api& api) {
  Params params;
  if (auto filter = c.args.text("filter"); !filter.empty()) params.emplace_back("filter", filter);
  auto found = api.get_as<List<Deployment>>("/v1/deployments", params);
  if (!found) return c.fail("Error retrieving deployments: " + found.error().message);
  newest_first(*found);
  if (auto done = print_formatted(c, *found)) return *done;
  c.ui.output(deployment_list(*found, c.verbose()));
  return 0;
}

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  return api ? list(c, *api) : 1;
}

// The deployment of the argument; nullopt after saying why there is none.
std::optional<Deployment> resolve(Context& c, Api& api) {
  auto found = find_deployment(api, c.args.rest[0]);
  if (!found) {
    c.fail("Error retrieving deployment: " + found.error().message);
    return std::nullopt;
  }
  if (!found->one) {
    c.fail("Prefix matched multiple deployments\n\n" + deployment_list(found->several, c.verbose()));
    return std::nullopt;
  }
  return std::move(found->one);
}

int run_status(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes one argument: <deployment id>");
  bool monitor = c.args.on("monitor");
  if (monitor && formatted(c)) return c.fail("The monitor flag cannot be used with the '-json' or '-t' flags");
  auto* api = c.connect();
  if (!api) return 1;
  if (c.args.rest.empty()) return list(c, *api);
  auto deployment = resolve(c, *api);
  if (!deployment) return 1;
  if (auto done = print_formatted(c, *deployment)) return *done;
  if (monitor) {
    c.ui.output(fmt::format("{}: Monitoring deployment \"{}\"", absolute_time(c.now()), short_id(deployment->ID, c.verbose())));
    (void)monitor_deployment(c, *api, deployment->ID.str(), 0, c.args.duration("wait"), c.verbose());
    return 0;
  }
  c.ui.output(deployment_block(c.ui, &*deployment, c.verbose(), region_deployments(*api, *deployment, c.verbose())));
  return 0;
}

// Finds the deployment, sends the change, says what was done, and follows the evaluation.
struct Change {
  std::string_view path;   // "/v1/deployment/fail/"
  std::string_view doing;  // "failing"
  std::string_view done;   // "failed"; "": nothing is said
  bool blank_line;         // before the evaluation is followed
};

int change(Context& c, const Change& what, const std::function<std::string(const std::string& id)>& body) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <deployment id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto deployment = resolve(c, *api);
  if (!deployment) return 1;
  auto id = deployment->ID.str();
  Params params{{"namespace", deployment->Namespace}};
  auto answer = api->typed<DeploymentUpdateResponse>("PUT", std::string(what.path) + id, params, body(id));
  if (!answer) return c.fail(fmt::format("Error {} deployment: {}", what.doing, answer.error().message));
  if (!what.done.empty()) {
    auto text = fmt::format("Deployment \"{}\" {}", id, what.done);
    if (answer->RevertedJobVersion) text += fmt::format(". Auto-reverted to job version {}.", *answer->RevertedJobVersion);
    c.ui.output(text);
  }
  if (answer->EvalID.empty()) return 0;
  if (c.args.on("detach")) {
    c.ui.output("Evaluation ID: " + answer->EvalID);
    return 0;
  }
  if (what.blank_line) c.ui.output("");
  return monitor_evaluation(c, *api, answer->EvalID, c.verbose());
}

std::string pause_body(const std::string& id, bool pause) {
  DeploymentPauseRequest request;
  request.DeploymentID = id;
  request.Pause = pause;
  return to_json(request);
}

int run_fail(Context& c) {
  return change(c, {"/v1/deployment/fail/", "failing", "failed", true}, [](auto&) { return std::string(); });
}
int run_pause(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <deployment id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto deployment = resolve(c, *api);
  if (!deployment) return 1;
  auto id = deployment->ID.str();
  auto done = api->call("PUT", "/v1/deployment/pause/" + id, {{"namespace", deployment->Namespace}}, pause_body(id, true));
  if (!done) return c.fail("Error pausing deployment: " + done.error().message);
  c.ui.output(fmt::format("Deployment \"{}\" paused", id));
  return 0;
}
int run_resume(Context& c) {
  return change(c, {"/v1/deployment/pause/", "resuming", "resumed", true}, [](auto& id) { return pause_body(id, false); });
}
int run_promote(Context& c) {
  return change(c, {"/v1/deployment/promote/", "promoting", "", false}, [&](auto& id) {
    DeploymentPromoteRequest request;
    request.DeploymentID = id;
    auto groups = c.args.list("group");
    request.All = groups.empty();
    for (auto& g : groups) request.Groups.push_back(g);
    return to_json(request);
  });
}
int run_unblock(Context& c) {
  return change(c, {"/v1/deployment/unblock/", "unblocking", "unblocked", true}, [](auto& id) {
    DeploymentUnblockRequest request;
    request.DeploymentID = id;
    return to_json(request);
  });
}

constexpr Flag kListFlags[] = {kJsonFlag, kTemplateFlag, kFilterFlag, kVerboseFlag};
constexpr Flag kStatusFlags[] = {
    {"monitor", FlagKind::kBool, "", "Follow the deployment until it is over.", ""},
    {"wait", FlagKind::kDuration, "=<duration>", "With -monitor: how long to wait for news. Defaults to 2s.", "2s"},
    kJsonFlag, kTemplateFlag, kVerboseFlag,
};
constexpr Flag kChangeFlags[] = {kDetachFlag, kVerboseFlag};
constexpr Flag kPauseFlags[] = {kVerboseFlag};
constexpr Flag kPromoteFlags[] = {
    {"group", FlagKind::kList, "=<group>", "Promote this group only. May be given several times.", ""}, kDetachFlag,
    kVerboseFlag};

constexpr Command kCommands[] = {
    {.name = "deployment list",
     .synopsis = "List all deployments",
     .usage = "Usage: nomad deployment list [options]",
     .about = "Lists deployments, the newest first.",
     .general = General::kAll,
     .options = "List Options",
     .flags = kListFlags,
     .run = run_list},
    {.name = "deployment status",
     .synopsis = "Display the status of a deployment",
     .usage = "Usage: nomad deployment status [options] <deployment id>",
     .about = "Shows a deployment and how far each group is.",
     .general = General::kAll,
     .options = "Status Options",
     .flags = kStatusFlags,
     .run = run_status},
    {.name = "deployment fail",
     .synopsis = "Manually fail a deployment",
     .usage = "Usage: nomad deployment fail [options] <deployment id>",
     .about = "Marks a deployment as failed: it goes no further, and where groups ask for it the job goes\n"
              "back to its last stable version.",
     .general = General::kAll,
     .options = "Fail Options",
     .flags = kChangeFlags,
     .run = run_fail},
    {.name = "deployment pause",
     .synopsis = "Pause a deployment",
     .usage = "Usage: nomad deployment pause [options] <deployment id>",
     .about = "Stops a deployment from replacing further allocations until it is resumed.",
     .general = General::kAll,
     .options = "Pause Options",
     .flags = kPauseFlags,
     .run = run_pause},
    {.name = "deployment resume",
     .synopsis = "Resume a paused deployment",
     .usage = "Usage: nomad deployment resume [options] <deployment id>",
     .about = "Lets a paused deployment go on.",
     .general = General::kAll,
     .options = "Resume Options",
     .flags = kChangeFlags,
     .run = run_resume},
    {.name = "deployment promote",
     .synopsis = "Promote a deployment's canaries",
     .usage = "Usage: nomad deployment promote [options] <deployment id>",
     .about = "Promotes the canaries of all groups, or of those that are named: the rest is replaced.",
     .general = General::kAll,
     .options = "Promote Options",
     .flags = kPromoteFlags,
     .run = run_promote},
    {.name = "deployment unblock",
     .synopsis = "Unblock a blocked deployment",
     .usage = "Usage: nomad deployment unblock [options] <deployment id>",
     .about = "Lets a multi-region deployment end that waits for its other regions.",
     .general = General::kAll,
     .options = "Unblock Options",
     .flags = kChangeFlags,
     .run = run_unblock},
};

}  // namespace

std::span<const Command> deployment_commands() { return kCommands; }

}  // namespace drover::cli
