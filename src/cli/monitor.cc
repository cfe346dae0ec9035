#include "cli/monitor.h"

#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "cli/format.h"
#include "cli/regions.h"
#include "cli/tables.h"
#include "model/deployment.h"
#include "model/eval.h"

namespace drover::cli {
namespace {

constexpr auto kPollPeriod = std::chrono::seconds(1);

struct AllocView {
  std::string client_status;
};

class EvaluationMonitor {
 public:
  EvaluationMonitor(Context& c, Api& api, bool verbose)
      : c_(c), api_(api), verbose_(verbose), ui_(c.ui.with_prefixes("    ", "==> ")) {}

  int follow(std::string id) {
    for (;;) {
      auto next = one(id);
      if (!next) return result_;
      id = *next;
    }
  }

 private:
  std::string stamp() const { return absolute_time(c_.now()); }
  std::string brief(const Uuid& id) const { return short_id(id, verbose_); }

  // Follows one evaluation; the id of the next one to follow, or nullopt at the end.
  std::optional<std::string> one(const std::string& id) {
    seen_ = {};
    seen_.Status = "pending";  // so that it is told when it is over at the first look already
    allocs_.clear();
    ui_.info(fmt::format("{}: Monitoring evaluation \"{}\"", stamp(), short_id(id, verbose_)));
    for (;;) {
      auto eval = api_.get_as<Evaluation>("/v1/evaluation/" + id);
      if (!eval) {
        ui_.error(fmt::format("No evaluation with id \"{}\" found", id));
        result_ = 1;
        return std::nullopt;
      }
      auto allocs = api_.get_as<List<AllocListStub>>("/v1/evaluation/" + id + "/allocations");
      if (!allocs) {
        ui_.error(fmt::format("{}: Error reading allocations: {}", stamp(), allocs.error().message));
        result_ = 1;
        return std::nullopt;
      }
      show(*eval, *allocs);
      if (eval->Status == "complete" || eval->Status == "failed" || eval->Status == "canceled") return finished(*eval);
      c_.io.sleep(kPollPeriod);
    }
  }

  void show(const Evaluation& eval, const List<AllocListStub>& allocs) {
    if (!seen_.NodeID && eval.NodeID) line(fmt::format("Evaluation triggered by node \"{}\"", brief(eval.NodeID)));
    if (seen_.JobID.empty() && !eval.JobID.empty()) line(fmt::format("Evaluation triggered by job \"{}\"", eval.JobID));
    if (!seen_.DeploymentID && eval.DeploymentID)
      line(fmt::format("Evaluation within deployment: \"{}\"", brief(eval.DeploymentID)));
    for (auto& alloc : allocs) show(eval, alloc);
    if (!seen_.Status.empty() && eval.Status != seen_.Status && eval.Status != "pending")
      line(fmt::format("Evaluation status changed: \"{}\" -> \"{}\"", seen_.Status, eval.Status));
    seen_ = eval;
  }

  void show(const Evaluation& eval, const AllocListStub& alloc) {
    auto it = allocs_.find(alloc.ID.str());
    auto where = fmt::format("node \"{}\", group \"{}\"", brief(alloc.NodeID), alloc.TaskGroup);
    if (it == allocs_.end()) {
      if (alloc.CreateIndex < eval.CreateIndex) line(fmt::format("Allocation \"{}\" modified: {}", brief(alloc.ID), where));
      else if (alloc.DesiredStatus == "run") line(fmt::format("Allocation \"{}\" created: {}", brief(alloc.ID), where));
    } else if (it->second.client_status != alloc.ClientStatus) {
      auto description = alloc.ClientDescription.empty() ? "" : fmt::format(" ({})", alloc.ClientDescription);
      line(fmt::format("Allocation \"{}\" status changed: \"{}\" -> \"{}\"{}", brief(alloc.ID), it->second.client_status,
                       alloc.ClientStatus, description));
    }
    allocs_[alloc.ID.str()] = {alloc.ClientStatus};
  }

  std::optional<std::string> finished(const Evaluation& eval) {
    if (eval.FailedTGAllocs.empty()) {
      ui_.info(fmt::format("{}: Evaluation \"{}\" finished with status \"{}\"", stamp(), brief(eval.ID), eval.Status));
    } else {
      if (result_ == 0) result_ = 2;
      ui_.info(fmt::format("{}: Evaluation \"{}\" finished with status \"{}\" but failed to place all allocations:", stamp(),
                           brief(eval.ID), eval.Status));
      for (auto& [group, metric] : eval.FailedTGAllocs) {
        line(failed_group_title(group, metric));
        for (auto& text : split(metrics_text(metric, false, "  "), '\n')) ui_.output(text);
      }
      if (eval.BlockedEval)
        line(fmt::format("Evaluation \"{}\" waiting for additional capacity to place remainder", brief(eval.BlockedEval)));
    }
    if (eval.NextEval) {
      if (eval.Wait.count() != 0) {
        ui_.info(fmt::format("{}: Monitoring next evaluation \"{}\" in {}", stamp(), brief(eval.NextEval),
                             format_duration(eval.Wait)));
        c_.io.sleep(eval.Wait);
      }
      return eval.NextEval.str();
    }
    if (eval.DeploymentID) follow_deployment(eval.DeploymentID);
    return std::nullopt;
  }

  void follow_deployment(const Uuid& id) {
    ui_.info(fmt::format("{}: Monitoring deployment \"{}\"", stamp(), brief(id)));
    auto end = monitor_deployment(c_, api_, id.str(), 0, Duration{0}, verbose_, &ui_);
    if (!end || end->status != "successful") result_ = 1;
  }

  void line(const std::string& text) const { ui_.output(stamp() + ": " + text); }

  Context& c_;
  Api& api_;
  bool verbose_;
  Ui ui_;
  Evaluation seen_;
  std::map<std::string, AllocView> allocs_;
  int result_ = 0;
};

std::string picture(Context& c, Api& api, const Deployment& deployment, bool verbose) {
  auto text = absolute_time(c.now()) + "\n" + deployment_block(c.ui, &deployment, verbose, region_deployments(api, deployment, verbose));
  if (!verbose) return text;
  auto allocs = api.get_as<List<AllocListStub>>("/v1/deployment/allocations/" + deployment.ID.str(), {{"stale", ""}});
  if (!allocs) return text + "\n\nError fetching allocations: " + allocs.error().message;
  return text + "\n\n" + c.ui.bold("Allocations") + "\n" + alloc_stub_list(*allocs, verbose, c.now());
}

bool over(std::string_view status) {
  return status == "successful" || status == "failed" || status == "cancelled" || status == "blocked";
}

// Draws over what it drew before, as long as the terminal shows it.
class Screen {
 public:
  Screen(Context& c, const Ui& ui) : c_(c), ui_(ui), live_(c.io.stdout_tty && c.ui.color()) {}
  void show(const std::string& picture, const std::string& last_line) {
    if (!live_) {
      ui_.output("\n" + picture);
      return;
    }
    std::string text;
    if (lines_) text += fmt::format("\x1b[{}A\r\x1b[J", lines_);
    auto all = last_line + "\n\n" + picture + "\n";
    lines_ = static_cast<int>(std::count(all.begin(), all.end(), '\n'));
    c_.io.out(text + all);
  }

 private:
  Context& c_;
  const Ui& ui_;
  bool live_;
  int lines_ = 0;
};

std::string progress_line(const Deployment& d) {
  auto id = d.ID.short_str();
  if (d.Status == "successful") return fmt::format("✓ Deployment \"{}\" successful", id);
  if (over(d.Status)) return fmt::format("! Deployment \"{}\" {}", id, d.Status);
  return fmt::format("  Deployment \"{}\" in progress...", id);
}

bool reverts(const Deployment& d) {
  for (auto& [name, group] : d.TaskGroups)
    if (group.AutoRevert) return true;
  return false;
}

}  // namespace

int monitor_evaluation(Context& c, Api& api, std::string eval_id, bool verbose) {
  return EvaluationMonitor(c, api, verbose).follow(std::move(eval_id));
}

Result<MonitoredDeployment> monitor_deployment(Context& c, Api& api, const std::string& id, uint64_t index, Duration wait,
                                               bool verbose, const Ui* within) {
  const Ui& ui = within ? *within : c.ui;
  Screen screen(c, ui);
  for (;;) {
    Params params{{"stale", ""}};
    if (index) params.emplace_back("index", std::to_string(index));
    if (wait.count()) params.emplace_back("wait", fmt::format("{}ms", wait.count() / 1'000'000));
    auto deployment = api.get_as<Deployment>("/v1/deployment/" + id, params);
    if (!deployment) {
      ui.error(fmt::format("{}: Error fetching deployment: {}", absolute_time(c.now()), deployment.error().message));
      return std::move(deployment).error();
    }
    index = api.last().index;
    screen.show(picture(c, api, *deployment, verbose), progress_line(*deployment));
    if (!over(deployment->Status)) continue;
    if (deployment->Status == "failed" && reverts(*deployment)) {
      c.io.sleep(kPollPeriod);
      auto latest = api.get_as<std::optional<Deployment>>("/v1/job/" + escape(deployment->JobID) + "/deployment");
      ui.output("");
      if (!latest) {
        ui.error(fmt::format("{}: Error fetching deployment of previous job version: {}", absolute_time(c.now()),
                             latest.error().message));
        return std::move(latest).error();
      }
      if (*latest && (*latest)->ID != deployment->ID)
        (void)monitor_deployment(c, api, (*latest)->ID.str(), index, wait, verbose, within);
    }
    return MonitoredDeployment{deployment->Status};
  }
}

}  // namespace drover::cli
