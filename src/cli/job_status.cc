// job status, allocs, deployments.
#include <algorithm>
#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/job_commands.h"
#include "cli/newest.h"
#include "cli/output.h"
#include "cli/regions.h"
#include "cli/resolve.h"
#include "cli/tables.h"
#include "model/cron.h"
#include "model/job.h"

namespace drover::cli {
namespace {

constexpr size_t kFailedGroupsShown = 5;

class StatusPage {
 public:
  StatusPage(Context& c, Api& api, Job job, JobRef ref) : c_(c), api_(api), job_(std::move(job)), ref_(std::move(ref)) {}

  int show() {
    facts();
    if (c_.args.on("short")) return 0;
    Status done;
    if (job_.Periodic && !job_.ParameterizedJob) done = periodic();
    else if (job_.ParameterizedJob && !job_.Dispatched) done = parameterized();
    else done = normal();
    return done ? 0 : c_.fail(done.error().message);
  }

 private:
  void title(std::string_view text) const { c_.ui.output("\n" + c_.ui.bold(text)); }
  std::string path(std::string_view below = "") const { return "/v1/job/" + escape(job_.ID) + std::string(below); }

  void facts() const {
    Rows rows{"ID|" + job_.ID,
              "Name|" + job_.Name,
              "Submit Date|" + absolute_time(job_.SubmitTime),
              "Type|" + job_.Type,
              fmt::format("Priority|{}", job_.Priority),
              "Datacenters|" + join(std::vector<std::string>(job_.Datacenters.begin(), job_.Datacenters.end()), ","),
              "Namespace|" + job_.Namespace,
              "Status|" + status_text(job_.Status, job_.Stop),
              "Periodic|" + yes_no(static_cast<bool>(job_.Periodic)),
              "Parameterized|" + yes_no(static_cast<bool>(job_.ParameterizedJob))};
    if (!job_.DispatchIdempotencyToken.empty()) rows.push_back("Idempotency Token|" + job_.DispatchIdempotencyToken);
    if (job_.Periodic && !job_.ParameterizedJob) {
      if (job_.Stop) {
        rows.emplace_back("Next Periodic Launch|none (job stopped)");
      } else if (auto next = next_launch(*job_.Periodic, c_.now())) {
        rows.push_back(fmt::format("Next Periodic Launch|{} ({} from now)", format_launch(*next, job_.Periodic->TimeZone),
                                   whole_seconds(*next - c_.now())));
      }
    }
    c_.ui.output(key_values(rows));
  }

  Status periodic() {
    DROVER_CHECK(summary());
    return children_list("/periodic-", "Previously Launched Jobs", "No instances of periodic job found");
  }

  Status parameterized() {
    auto list = [](const List<std::string>& l) { return join(std::vector<std::string>(l.begin(), l.end()), ", "); };
    auto& p = *job_.ParameterizedJob;
    title("Parameterized Job");
    c_.ui.output(key_values({"Payload|" + p.Payload, "Required Metadata|" + list(p.MetaRequired),
                             "Optional Metadata|" + list(p.MetaOptional)}));
    DROVER_CHECK(summary());
    return children_list("/dispatch-", "Dispatched Jobs", "No dispatched instances of parameterized job found");
  }

  Status children_list(std::string_view infix, std::string_view heading, std::string_view nothing) {
    Params params = ref_.params();
    params.emplace_back("prefix", job_.ID + std::string(infix));
    auto found = api_.get_as<List<JobListStub>>("/v1/jobs", params);
    if (!found) return internal("Error querying job: " + found.error().message);
    Rows rows{"ID|Status"};
    for (auto& child : *found)
      if (child.ParentID == job_.ID) rows.push_back(child.ID + "|" + child.Status);
    if (rows.size() == 1) {
      c_.ui.output("\n" + std::string(nothing));
      return {};
    }
    title(heading);
    c_.ui.output(table(rows));
    return {};
  }

  Status summary() {
    auto found = api_.get_as<JobSummary>(path("/summary"), ref_.params());
    if (!found) return internal("Error querying job summary: " + found.error().message);
    bool has_children = job_.Periodic || (job_.ParameterizedJob && !job_.Dispatched);
    if (!has_children && !found->Summary.empty()) {
      Rows rows{"Task Group|Queued|Starting|Running|Failed|Complete|Lost|Unknown"};
      for (auto& [name, s] : found->Summary)
        rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", name, s.Queued, s.Starting, s.Running, s.Failed, s.Complete, s.Lost,
                                   s.Unknown));
      title("Summary");
      c_.ui.output(table(rows));
    }
    if (has_children && found->Children) {
      title(job_.ParameterizedJob ? "Parameterized Job Summary" : "Children Job Summary");
      c_.ui.output(table({"Pending|Running|Dead", fmt::format("{}|{}|{}", found->Children->Pending, found->Children->Running,
                                                               found->Children->Dead)}));
    }
    return {};
  }

  Status normal() {
    Params params = ref_.params();
    if (c_.args.on("all-allocs")) params.emplace_back("all", "true");
    auto allocs = api_.get_as<List<AllocListStub>>(path("/allocations"), params);
    if (!allocs) return internal("Error querying job allocations: " + allocs.error().message);
    newest_first(*allocs);
    auto evals = api_.get_as<List<Evaluation>>(path("/evaluations"), ref_.params());
    if (!evals) return internal("Error querying job evaluations: " + evals.error().message);
    newest_first(*evals);
    auto deployment = api_.get_as<std::optional<Deployment>>(path("/deployment"), ref_.params());
    if (!deployment) return internal("Error querying latest job deployment: " + deployment.error().message);
    DROVER_CHECK(summary());
    if (c_.verbose() || c_.args.on("evals")) evaluations(*evals);
    placement_failure(*evals);
    rescheduling(*allocs);
    if (*deployment) latest_deployment(**deployment);
    title("Allocations");
    c_.ui.output(alloc_stub_list(*allocs, c_.verbose(), c_.now()));
    return {};
  }

  void evaluations(const List<Evaluation>& evals) const {
    Rows rows{"ID|Priority|Triggered By|Status|Placement Failures"};
    for (auto& e : evals)
      rows.push_back(fmt::format("{}|{}|{}|{}|{}", short_id(e.ID, c_.verbose()), e.Priority, e.TriggeredBy, e.Status,
                                 placement_failures(e)));
    title("Evaluations");
    c_.ui.output(table(rows));
  }

  void placement_failure(const List<Evaluation>& evals) const {
    const Evaluation* latest = nullptr;
    bool blocked = false;
    for (auto& e : evals) {
      blocked |= e.Status == "blocked";
      if (!e.FailedTGAllocs.empty() && (!latest || e.CreateIndex > latest->CreateIndex)) latest = &e;
    }
    if (!blocked || !latest) return;
    title("Placement Failure");
    size_t shown = 0;
    for (auto& [group, metric] : latest->FailedTGAllocs) {
      if (shown == kFailedGroupsShown) break;
      if (shown++) c_.ui.output("");
      c_.ui.output(fmt::format("Task Group \"{}\":", group));
      c_.ui.output(metrics_text(metric, false, "  "));
    }
    if (latest->FailedTGAllocs.size() > kFailedGroupsShown)
      c_.ui.output("\nPlacement failures truncated. To see remainder run:\nnomad eval-status " + latest->ID.str());
  }

  void rescheduling(const List<AllocListStub>& allocs) {
    std::map<std::string, const AllocListStub*> latest;
    for (auto& a : allocs) {
      auto& held = latest[a.TaskGroup];
      if (!held || a.ModifyTime > held->ModifyTime) held = &a;
    }
    bool verbose = c_.verbose();
    Rows rows{verbose ? "Task Group|Reschedule Policy|Eval ID|Eval Time" : "Task Group|Eval ID|Eval Time"};
    for (auto& [group, alloc] : latest) {
      if (!alloc->FollowupEvalID) continue;
      auto eval = api_.get_as<Evaluation>("/v1/evaluation/" + alloc->FollowupEvalID.str());
      if (!eval || eval->WaitUntil.unset() || eval->WaitUntil < c_.now()) continue;
      auto when = age(eval->WaitUntil, c_.now());
      auto id = short_id(eval->ID, verbose);
      rows.push_back(verbose ? fmt::format("{}|{}|{}|{}", group, policy_text(group), id, when)
                             : fmt::format("{}|{}|{}", group, id, when));
    }
    if (rows.size() == 1) return;
    title("Future Rescheduling Attempts");
    c_.ui.output(table(rows));
  }

  std::string policy_text(const std::string& group) const {
    for (auto& g : job_.TaskGroups) {
      if (g.Name != group || !g.ReschedulePolicy) continue;
      auto& p = *g.ReschedulePolicy;
      if (p.Unlimited)
        return fmt::format("unlimited with {} delay, max_delay = {}", p.DelayFunction, format_duration(p.MaxDelay));
      return fmt::format("{} in {} with {} delay, max_delay = {}", p.Attempts, format_duration(p.Interval), p.DelayFunction,
                         format_duration(p.MaxDelay));
    }
    return {};
  }

  void latest_deployment(const Deployment& d) const {
    title("Latest Deployment");
    auto text = key_values({"ID|" + short_id(d.ID, c_.verbose()), "Status|" + d.Status, "Description|" + d.StatusDescription});
    if (auto regions = region_deployments(api_, d, c_.verbose()); !regions.empty())
      text += "\n\n" + c_.ui.bold("Multiregion Deployment") + "\n" + regions;
    if (!d.TaskGroups.empty()) text += "\n\n" + c_.ui.bold("Deployed") + "\n" + deployment_groups(d);
    c_.ui.output(text);
  }

  Context& c_;
  Api& api_;
  Job job_;
  JobRef ref_;
};

int run_job_status(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  if (c.args.rest.empty()) {
    auto jobs = api->get_as<List<JobListStub>>("/v1/jobs");
    if (!jobs) return c.fail("Error querying jobs: " + jobs.error().message);
    auto& rows = jobs->vec();
    std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.ID < b.ID; });
    c.ui.output(jobs->empty() ? "No running jobs" : job_list(*jobs, api->all_namespaces()));
    return 0;
  }
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto job = api->get_as<Job>("/v1/job/" + escape(ref->id), ref->params());
  if (!job) return c.fail("Error querying job: " + job.error().message);
  return StatusPage(c, *api, std::move(*job), *ref).show();
}

int run_job_allocs(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto params = ref->params();
  if (c.args.on("all")) params.emplace_back("all", "true");
  auto allocs = api->get_as<List<AllocListStub>>("/v1/job/" + escape(ref->id) + "/allocations", params);
  if (!allocs) return c.fail("Error retrieving allocations: " + allocs.error().message);
  newest_first(*allocs);
  if (auto done = print_formatted(c, *allocs)) return *done;
  c.ui.output(alloc_stub_list(*allocs, c.verbose(), c.now()));
  return 0;
}

int run_job_deployments(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto path = "/v1/job/" + escape(ref->id);
  if (c.args.on("latest")) {
    auto latest = api->get_as<std::optional<Deployment>>(path + "/deployment", ref->params());
    if (!latest) return c.fail("Error retrieving deployments: " + latest.error().message);
    if (auto done = print_formatted(c, *latest)) return *done;
    auto* found = *latest ? &**latest : nullptr;
    c.ui.output(deployment_block(c.ui, found, c.verbose(), found ? region_deployments(*api, *found, c.verbose()) : ""));
    return 0;
  }
  auto params = ref->params();
  if (c.args.on("all")) params.emplace_back("all", "true");
  auto found = api->get_as<List<Deployment>>(path + "/deployments", params);
  if (!found) return c.fail("Error retrieving deployments: " + found.error().message);
  newest_first(*found);
  if (auto done = print_formatted(c, *found)) return *done;
  c.ui.output(deployment_list(*found, c.verbose()));
  return 0;
}

constexpr Flag kStatusFlags[] = {
    {"short", FlagKind::kBool, "", "Show the job's facts only.", ""},
    {"evals", FlagKind::kBool, "", "Show the job's evaluations.", ""},
    {"all-allocs", FlagKind::kBool, "", "Show allocations of earlier jobs of the same id too.", ""},
    kVerboseFlag,
};
constexpr Flag kAllocsFlags[] = {
    {"all", FlagKind::kBool, "", "Show allocations of earlier jobs of the same id too.", ""}, kJsonFlag, kTemplateFlag,
    kVerboseFlag};
constexpr Flag kDeploymentsFlags[] = {
    {"latest", FlagKind::kBool, "", "Show the latest deployment only.", ""},
    {"all", FlagKind::kBool, "", "Show deployments of earlier jobs of the same id too.", ""},
    kJsonFlag,
    kTemplateFlag,
    kVerboseFlag,
};

constexpr Command kCommands[] = {
    {.name = "job status",
     .synopsis = "Display status information about a job",
     .usage = "Usage: nomad status [options] <job>",
     .about = "Shows a job: facts, how many of its allocations are in which state, its latest deployment\n"
              "and its allocations. The argument is the id of the job or the beginning of it; without\none, all jobs are listed.",
     .general = General::kAll,
     .options = "Status Options",
     .flags = kStatusFlags,
     .run = run_job_status,
     .self = "status"},
    {.name = "job allocs",
     .synopsis = "List allocations for a job",
     .usage = "Usage: nomad job allocs [options] <job>",
     .about = "Lists the allocations of a job.",
     .general = General::kAll,
     .options = "Allocs Options",
     .flags = kAllocsFlags,
     .run = run_job_allocs},
    {.name = "job deployments",
     .synopsis = "List deployments for a job",
     .usage = "Usage: nomad job deployments [options] <job>",
     .about = "Lists the deployments of a job.",
     .general = General::kAll,
     .options = "Deployments Options",
     .flags = kDeploymentsFlags,
     .run = run_job_deployments},
};

}  // namespace

std::span<const Command> job_status_commands() { return kCommands; }

}  // namespace drover::cli
