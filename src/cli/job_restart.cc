// job restart: a job's allocations, batch by batch (reference cli section 9.8).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/strings.h"
#include "cli/alloc_commands.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/job_commands.h"
#include "cli/newest.h"
#include "cli/resolve.h"
#include "model/deployment.h"
#include "model/job.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

constexpr auto kPollPeriod = std::chrono::seconds(1);
constexpr Duration kStillWaiting = std::chrono::minutes(1);

struct Options {
  int64_t batch = 1;
  bool percent = false;
  bool ask_wait = false;
  Duration wait{0};
  bool ask_on_error = false;
  bool all_tasks = false, reschedule = false, yes = false;
  std::vector<std::string> groups, tasks;
};

Result<Options> read_options(const Context& c) {
  auto& a = c.args;
  Options o;
  o.yes = a.on("yes");
  o.all_tasks = a.on("all-tasks");
  o.reschedule = a.on("reschedule");
  o.groups = a.list("group");
  o.tasks = a.list("task");
  bool terminal = c.io.stdin_tty;
  auto size = a.text("batch-size");
  auto bad_size = [&](std::string_view why) { return invalid(fmt::format("Invalid -batch-size value {}: {}", go_quote(size), why)); };
  auto digits = std::string_view(size);
  if (digits.ends_with('%')) {
    o.percent = true;
    digits.remove_suffix(1);
  }
  auto n = parse_uint(digits);
  if (!n) return bad_size("batch size must be an integer or a percentage");
  if (*n == 0) return bad_size("number value must be greater than zero");
  o.batch = static_cast<int64_t>(*n);
  auto wait = a.text("batch-wait");
  if (wait == "ask") {
    if (!terminal && !o.yes)
      return invalid("Invalid -batch-wait value \"ask\": \"ask\" cannot be used when terminal is not interactive");
    o.ask_wait = true;
  } else {
    auto d = parse_duration(wait);
    if (!d) return invalid(fmt::format("Invalid -batch-wait value {}: {}", go_quote(wait), d.error().message));
    o.wait = *d;
  }
  auto on_error = a.text("on-error");
  if (on_error == "ask") {
    if (!terminal && !o.yes)
      return invalid("Invalid -on-error value \"ask\": \"ask\" cannot be used when terminal is not interactive");
    o.ask_on_error = true;
  } else if (on_error != "fail") {
    return invalid(fmt::format("Invalid -on-error value {}: valid options are \"ask\" and \"fail\"", go_quote(on_error)));
  }
  if (o.all_tasks && !o.tasks.empty()) return invalid("The -all-tasks option cannot be used with -task");
  if (o.reschedule && !o.tasks.empty()) return invalid("The -reschedule option cannot be used with -task");
  return o;
}

class Restart {
 public:
  Restart(Context& c, Api& api, Options options, JobRef ref)
      : c_(c), api_(api), o_(std::move(options)), ref_(std::move(ref)), ui_(c.ui.with_prefixes("    ", "==> ", "    ")) {}

  int run() {
    auto job = api_.get_as<Job>(path(), ref_.params());
    if (!job) return c_.fail("Error retrieving job: " + job.error().message);
    job_ = std::move(*job);
    if (job_.Multiregion && !o_.yes && !go_on_in_one_region()) {
      c_.ui.output("\nJob restart canceled.");
      return 0;
    }
    auto params = ref_.params();
    params.emplace_back("all", "true");
    auto allocs = api_.get_as<List<AllocListStub>>(path("/allocations"), params);
    if (!allocs) return c_.fail(fmt::format("Error retrieving allocations for job \"{}\": {}", ref_.id, allocs.error().message));
    newest_first(*allocs);
    std::vector<AllocListStub> chosen;
    for (auto& a : *allocs)
      if (wanted(a)) chosen.push_back(a);
    if (chosen.empty()) {
      c_.ui.output("No allocations to restart");
      return 0;
    }
    return batches(chosen);
  }

  // On the interrupt's thread: no allocation is restarted until the answer is there. What was asked for before goes on.
  void interrupted() {
    if (prompting_) ::_exit(1);
    std::lock_guard lock(gate_);
    auto answer = c_.ui.ask("\nRestart interrupted, no more allocations will be restarted. Are you sure you want to stop the restart "
                            "process? [y/N]");
    if (!answer || to_lower(*answer) == "y") ::_exit(0);
  }

 private:
  // A question of the run itself; an interrupt ends it and the run.
  Result<std::string> question(std::string_view text) {
    prompting_ = true;
    auto answer = c_.ui.ask(text);
    prompting_ = false;
    return answer;
  }
  std::string path(std::string_view below = "") const { return "/v1/job/" + escape(ref_.id) + std::string(below); }
  std::string stamp() const { return absolute_time(c_.now()); }
  std::string brief(const Uuid& id) const { return short_id(id, c_.verbose()); }

  bool go_on_in_one_region() {
    auto answer = question(fmt::format("Are you sure you want to restart multi-region job \"{}\" in a single region? [y/N]", ref_.id));
    return answer && to_lower(*answer) == "y";
  }

  bool wanted(const AllocListStub& a) const {
    if (a.ClientStatus != "running" && a.DesiredStatus != "run") return false;
    if (!o_.groups.empty() && std::find(o_.groups.begin(), o_.groups.end(), a.TaskGroup) == o_.groups.end()) return false;
    if (o_.tasks.empty()) return true;
    return std::any_of(o_.tasks.begin(), o_.tasks.end(), [&](auto& t) { return has_task(a, t); });
  }
  bool has_task(const AllocListStub& a, const std::string& task) const {
    if (a.TaskStates.contains(task)) return true;
    for (auto& g : job_.TaskGroups)
      if (g.Name == a.TaskGroup)
        for (auto& t : g.Tasks)
          if (t.Name == task) return true;
    return false;
  }

  int batches(const std::vector<AllocListStub>& allocs) {
    auto total = static_cast<int64_t>(allocs.size());
    auto size = o_.percent ? (total * o_.batch + 99) / 100 : o_.batch;
    size = std::clamp<int64_t>(size, 1, total);
    c_.ui.output(c_.ui.bold(fmt::format("==> {}: Restarting {} {}", stamp(), total, plural("allocation", total))));
    std::vector<std::string> errors;
    for (int64_t begin = 0, number = 1; begin < total; begin += size, ++number) {
      auto end = std::min(begin + size, total);
      if (size > 1)
        c_.ui.output(c_.ui.bold(fmt::format("==> {}: Restarting {} batch of {} allocations", stamp(), ordinal(number), end - begin)));
      auto before = errors.size();
      bool hopeless = false;
      for (auto i = begin; i < end; ++i) one(allocs[static_cast<size_t>(i)], errors, hopeless);
      bool failed = errors.size() > before;
      if (failed && (!o_.ask_on_error || (o_.yes && hopeless))) {
        ui_.info(stamp() + ": Stopping job restart due to error");
        break;
      }
      if (end < total && !between(failed)) break;
    }
    return finish(errors);
  }

  int finish(const std::vector<std::string>& errors) const {
    if (errors.empty()) {
      c_.ui.output(c_.ui.bold(fmt::format("==> {}: Job restart finished", stamp())));
      c_.ui.output("\nJob restarted successfully!");
      return 0;
    }
    c_.ui.output(c_.ui.bold(fmt::format("==> {}: Job restart finished with errors", stamp())));
    auto n = static_cast<int64_t>(errors.size());
    auto text = fmt::format("\n{} {} occurred while restarting job:", n, plural("error", n));
    for (auto& e : errors) text += "\n* " + e;
    return c_.fail(text);
  }

  // What comes between two batches: a question, or a wait. Whether to go on.
  bool between(bool failed) {
    if ((failed && o_.ask_on_error && !o_.yes) || (o_.ask_wait && !o_.yes)) return ask(failed);
    if (o_.wait.count() > 0) {
      c_.ui.output(fmt::format("==> {}: Waiting {} before restarting the next batch", stamp(), format_duration(o_.wait)));
      c_.io.sleep(o_.wait);
    }
    return true;
  }

  bool ask(bool failed) {
    auto text = failed ? "Ignore the errors above and proceed with the next batch? [y/N/<wait duration>]"
                           : "Proceed with the next batch? [Y/n/<wait duration>]";
    for (;;) {
      auto answer = this->question(text);
      if (!answer) return false;
      auto word = to_lower(trim_space(*answer));
      if (word == "y" || word == "yes" || (word.empty() && !failed)) return true;
      if (word == "n" || word == "no" || word.empty()) return false;
      if (auto d = parse_duration(word)) {
        c_.ui.output(fmt::format("==> {}: Proceeding restarts with new wait time of {}", stamp(), format_duration(*d)));
        o_.wait = *d;
        o_.ask_wait = false;
        c_.io.sleep(*d);
        return true;
      }
      c_.ui.output(fmt::format("    Invalid answer \"{}\"", *answer));
    }
  }

  // Restarts one allocation; adds what went wrong to `errors`. `hopeless`: the next would fail the same way.
  void one(const AllocListStub& a, std::vector<std::string>& errors, bool& hopeless) {
    { std::lock_guard wait_for_an_answer(gate_); }
    auto note = [&](const std::string& why) {
      errors.push_back(fmt::format("Error restarting allocation \"{}\": {}", brief(a.ID), why));
      hopeless |= why.find("Permission denied") != why.npos;
    };
    if (auto clear = no_deployment(); !clear) return note(clear.error().message);
    if (o_.reschedule) {
      if (auto done = replace(a, hopeless); !done) note(done.error().message);
      return;
    }
    auto what = [&](std::string_view tasks) {
      c_.ui.output(fmt::format("    {}: Restarting {} in allocation \"{}\" for group \"{}\"", stamp(), tasks, brief(a.ID), a.TaskGroup));
    };
    auto id = a.ID.str();
    if (o_.tasks.empty()) {
      what(o_.all_tasks ? "all tasks" : "running tasks");
      if (auto done = restart_alloc(api_, id, "", o_.all_tasks); !done) note(done.error().message);
      return;
    }
    for (auto& task : o_.tasks) {
      if (!has_task(a, task)) continue;
      what(fmt::format("task \"{}\"", task));
      if (auto done = restart_alloc(api_, id, task, false); !done)
        note(fmt::format("Failed to restart task \"{}\": {}", task, done.error().message));
    }
  }

  Status no_deployment() {
    auto all = api_.get_as<List<Deployment>>(path("/deployments"), ref_.params());
    if (!all) return internal("Error retrieving deployments: " + all.error().message);
    for (auto& d : *all)
      if (d.Status != "failed" && d.Status != "successful" && d.Status != "cancelled")
        return internal(fmt::format("Deployment \"{}\" is \"{}\"", brief(d.ID), d.Status));
    return {};
  }

  // Stops the allocation and waits until the one in its stead runs.
  Status replace(const AllocListStub& a, bool& hopeless) {
    c_.ui.output(fmt::format("    {}: Rescheduling allocation \"{}\" for group \"{}\"", stamp(), brief(a.ID), a.TaskGroup));
    Params params{{"namespace", a.Namespace}};
    if (c_.args.on("no-shutdown-delay")) params.emplace_back("no_shutdown_delay", "true");
    DROVER_TRY(auto stop, api_.typed<AllocStopResponse>("PUT", "/v1/allocation/" + a.ID.str() + "/stop", params, ""));
    Uuid next;
    auto told = c_.now();
    for (;;) {
      if (!next) {
        DROVER_TRY(auto old, api_.get_as<Allocation>("/v1/allocation/" + a.ID.str(), {{"namespace", a.Namespace}}));
        next = old.NextAllocation;
        if (next)
          c_.ui.output(fmt::format("    {0}: Allocation \"{1}\" replaced by \"{2}\", waiting for \"{2}\" to start running", stamp(),
                                   brief(a.ID), brief(next)));
      }
      if (next) {
        DROVER_TRY(auto fresh, api_.get_as<Allocation>("/v1/allocation/" + next.str(), {{"namespace", a.Namespace}}));
        if (fresh.ClientStatus == "running") {
          c_.ui.output(fmt::format("    {}: Allocation \"{}\" is \"running\"", stamp(), brief(next)));
          return {};
        }
        if (fresh.ClientStatus == "failed" || fresh.ClientStatus == "lost" || fresh.ClientStatus == "complete")
          return internal(fmt::format("Allocation \"{}\" is \"{}\"", brief(next), fresh.ClientStatus.view()));
      } else {
        DROVER_CHECK(not_blocked(stop.EvalID, a, hopeless));
      }
      if (c_.now() - told >= kStillWaiting) {
        told = c_.now();
        c_.ui.output(fmt::format("    {}: Still waiting for allocation \"{}\" to be replaced", stamp(), brief(a.ID)));
      }
      c_.io.sleep(kPollPeriod);
    }
  }

  Status not_blocked(const std::string& eval_id, const AllocListStub& a, bool& hopeless) {
    DROVER_TRY(auto eval, api_.get_as<Evaluation>("/v1/evaluation/" + eval_id, {{"namespace", a.Namespace}}));
    if (!eval.BlockedEval || !eval.FailedTGAllocs.contains(a.TaskGroup)) return {};
    hopeless = true;
    return internal(fmt::format("Evaluation \"{}\" was blocked: no node can take the replacement of allocation \"{}\"",
                                brief(eval.ID), brief(a.ID)));
  }

  std::mutex gate_;  // held while an interrupt asks
  std::atomic<bool> prompting_ = false;
  Context& c_;
  Api& api_;
  Options o_;
  JobRef ref_;
  Job job_;
  Ui ui_;
};

int run_job_restart(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <job>");
  auto options = read_options(c);
  if (!options) return c.misuse(options.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  Restart restart(c, *api, std::move(*options), *ref);
  OnInterrupt on_interrupt([&] { restart.interrupted(); });
  return restart.run();
}

constexpr Flag kFlags[] = {
    {"all-tasks", FlagKind::kBool, "", "Restart all tasks, those that ended too.", ""},
    {"batch-size", FlagKind::kText, "=<n|n%>", "How many allocations to restart at once. Defaults to 1.", "1"},
    {"batch-wait", FlagKind::kText, "=<duration|'ask'>",
     "How long to wait between batches; \"ask\" asks whether to go on. Defaults to 0.", "0s"},
    {"group", FlagKind::kList, "=<group>", "Restart this group only. May be given several times.", ""},
    {"no-shutdown-delay", FlagKind::kBool, "", "With -reschedule: ignore the shutdown_delay of groups and tasks.", ""},
    {"on-error", FlagKind::kText, "=<'ask'|'fail'>", "What to do after an error. Defaults to \"ask\".", "ask"},
    {"reschedule", FlagKind::kBool, "", "Stop allocations and wait for others in their stead.", ""},
    {"task", FlagKind::kList, "=<task>", "Restart this task only. May be given several times.", ""},
    {"yes", FlagKind::kBool, "", "Answer yes to every question.", ""},
    kVerboseFlag,
};

constexpr Command kCommands[] = {
    {.name = "job restart",
     .synopsis = "Restart or reschedule allocations for a job",
     .usage = "Usage: nomad job restart [options] <job>",
     .about = "Restarts the allocations of a job batch by batch, on the spot or by replacing them.",
     .general = General::kAll,
     .options = "Restart Options",
     .flags = kFlags,
     .run = run_job_restart},
};

}  // namespace

std::span<const Command> job_restart_commands() { return kCommands; }

}  // namespace drover::cli
