#include "cli/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/format.h"

namespace drover::cli {
namespace {

constexpr std::string_view kAllocHeader = "ID|Node ID|Task Group|Version|Desired|Status|Created|Modified";

}  // namespace

std::string alloc_stub_list(const List<AllocListStub>& allocs, bool verbose, Time now) {
  if (allocs.empty()) return "No allocations placed";
  Rows rows;
  rows.emplace_back(verbose ? "ID|Eval ID|Node ID|Node Name|Task Group|Version|Desired|Status|Created|Modified" : kAllocHeader);
  for (auto& a : allocs) {
    if (verbose)
      rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", a.ID.str(), a.EvalID.str(), a.NodeID.str(), a.NodeName,
                                 a.TaskGroup, a.JobVersion, a.DesiredStatus, a.ClientStatus, absolute_time(a.CreateTime),
                                 absolute_time(a.ModifyTime)));
    else
      rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", a.ID.short_str(), a.NodeID.short_str(), a.TaskGroup, a.JobVersion,
                                 a.DesiredStatus, a.ClientStatus, age(a.CreateTime, now), age(a.ModifyTime, now)));
  }
  return table(rows);
}

std::string alloc_list(const List<Allocation>& allocs, bool verbose, Time now) {
  if (allocs.empty()) return "No allocations placed";
  Rows rows;
  rows.emplace_back(verbose ? "ID|Eval ID|Node ID|Task Group|Version|Desired|Status|Created|Modified" : kAllocHeader);
  for (auto& a : allocs) {
    auto version = a.Job ? a.Job->Version : 0;
    if (verbose)
      rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", a.ID.str(), a.EvalID.str(), a.NodeID.str(), a.TaskGroup.view(),
                                 version, a.DesiredStatus.view(), a.ClientStatus.view(), absolute_time(a.CreateTime),
                                 absolute_time(a.ModifyTime)));
    else
      rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", a.ID.short_str(), a.NodeID.short_str(), a.TaskGroup.view(), version,
                                 a.DesiredStatus.view(), a.ClientStatus.view(), age(a.CreateTime, now), age(a.ModifyTime, now)));
  }
  return table(rows);
}

std::string job_type_text(std::string_view type, bool periodic, bool parameterized) {
  return std::string(type) + (periodic ? "/periodic" : "") + (parameterized ? "/parameterized" : "");
}
std::string status_text(std::string_view status, bool stop) { return std::string(status) + (stop ? " (stopped)" : ""); }

std::string job_list(const List<JobListStub>& jobs, bool with_namespace) {
  Rows rows;
  rows.emplace_back(with_namespace ? "ID|Namespace|Type|Priority|Status|Submit Date" : "ID|Type|Priority|Status|Submit Date");
  for (auto& job : jobs) {
    std::string space = with_namespace ? (job.JobSummary ? job.JobSummary->Namespace : job.Namespace) + "|" : "";
    rows.push_back(fmt::format("{}|{}{}|{}|{}|{}", job.ID, space, job_type_text(job.Type, job.Periodic, job.ParameterizedJob),
                               job.Priority, status_text(job.Status, job.Stop), absolute_time(job.SubmitTime)));
  }
  return table(rows);
}

std::string placement_failures(const Evaluation& eval) {
  if (eval.Status == "blocked") return "N/A - In Progress";
  return yes_no(!eval.FailedTGAllocs.empty());
}

std::string eval_list(const List<Evaluation>& evals, bool verbose) {
  Rows rows{"ID|Priority|Triggered By|Job ID|Namespace|Node ID|Status|Placement Failures"};
  for (auto& e : evals)
    rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", short_id(e.ID, verbose), e.Priority, e.TriggeredBy, e.JobID,
                               e.Namespace, short_id(e.NodeID, verbose), e.Status, placement_failures(e)));
  return table(rows);
}

std::string deployment_list(const List<Deployment>& deployments, bool verbose) {
  if (deployments.empty()) return "No deployments found";
  Rows rows{"ID|Job ID|Job Version|Status|Description"};
  for (auto& d : deployments)
    rows.push_back(fmt::format("{}|{}|{}|{}|{}", short_id(d.ID, verbose), d.JobID, d.JobVersion, d.Status, d.StatusDescription));
  return table(rows);
}

std::string node_stub_list(const List<NodeListStub>& nodes, bool verbose) {
  Rows rows{"ID|DC|Name|Class|Drain|Eligibility|Status"};
  for (auto& n : nodes)
    rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}", short_id(n.ID, verbose), n.Datacenter, n.Name, n.NodeClass, n.Drain,
                               n.SchedulingEligibility, n.Status));
  return table(rows);
}

std::string deployment_groups(const Deployment& d) {
  bool revert = false, canaries = false, deadline = false;
  for (auto& [name, group] : d.TaskGroups) {
    revert |= group.AutoRevert;
    canaries |= group.DesiredCanaries > 0;
    deadline |= group.ProgressDeadline.count() != 0;
  }
  std::string header = "Task Group";
  if (revert) header += "|Auto Revert";
  if (canaries) header += "|Promoted";
  header += "|Desired";
  if (canaries) header += "|Canaries";
  header += "|Placed|Healthy|Unhealthy";
  if (deadline) header += "|Progress Deadline";
  Rows rows{header};
  for (auto& [name, group] : d.TaskGroups) {
    std::string row = name;
    if (revert) row += "|" + yes_no(group.AutoRevert);
    if (canaries) row += "|" + (group.DesiredCanaries > 0 ? yes_no(group.Promoted) : "N/A");
    row += fmt::format("|{}", group.DesiredTotal);
    if (canaries) row += fmt::format("|{}", group.DesiredCanaries);
    row += fmt::format("|{}|{}|{}", group.PlacedAllocs, group.HealthyAllocs, group.UnhealthyAllocs);
    if (deadline) {
      auto by = absolute_time(group.RequireProgressBy);
      row += "|" + (by.empty() ? "N/A" : by);
    }
    rows.push_back(row);
  }
  return table(rows);
}

std::string deployment_block(const Ui& ui, const Deployment* d, bool verbose, const std::string& regions) {
  if (!d) return "No deployment found";
  auto out = key_values({"ID|" + short_id(d->ID, verbose), "Job ID|" + d->JobID, fmt::format("Job Version|{}", d->JobVersion),
                         "Status|" + d->Status, "Description|" + d->StatusDescription});
  if (!regions.empty()) out += "\n\n" + ui.bold("Multiregion Deployment") + "\n" + regions;
  if (!d->TaskGroups.empty()) out += "\n\n" + ui.bold("Deployed") + "\n" + deployment_groups(*d);
  return out;
}

int64_t failed_count(const AllocMetric& metric) { return metric.CoalescedFailures + 1; }

std::string failed_group_title(std::string_view group, const AllocMetric& metric) {
  return fmt::format("Task Group \"{}\" (failed to place {} {}):", group, failed_count(metric),
                     plural("allocation", failed_count(metric)));
}

namespace {

std::string score_table(const AllocMetric& metric) {
  std::set<std::string> names;
  for (auto& node : metric.ScoreMetaData)
    for (auto& [name, score] : node.Scores) names.insert(name);
  std::string header = "Node";
  for (auto& name : names) header += "|" + name;
  Rows rows{header + "|final score"};
  for (auto& node : metric.ScoreMetaData) {
    auto row = node.NodeID;
    for (auto& name : names) row += "|" + three_digits(node.Scores.get_or(name));
    rows.push_back(row + "|" + three_digits(node.NormScore));
  }
  return table(rows);
}

}  // namespace

std::string metrics_text(const AllocMetric& m, bool scores, std::string_view prefix) {
  std::vector<std::string> lines;
  auto add = [&](std::string text) { lines.push_back(std::string(prefix) + "* " + std::move(text)); };
  if (m.NodesEvaluated == 0) add("No nodes were eligible for evaluation");
  for (auto& [dc, n] : m.NodesAvailable)
    if (n == 0) add(fmt::format("No nodes are available in datacenter \"{}\"", dc));
  for (auto& [name, n] : m.ClassFiltered) add(fmt::format("Class \"{}\": {} nodes excluded by filter", name, n));
  for (auto& [name, n] : m.ConstraintFiltered) add(fmt::format("Constraint \"{}\": {} nodes excluded by filter", name, n));
  if (m.NodesExhausted > 0) add(fmt::format("Resources exhausted on {} nodes", m.NodesExhausted));
  for (auto& [name, n] : m.ClassExhausted) add(fmt::format("Class \"{}\" exhausted on {} nodes", name, n));
  for (auto& [name, n] : m.DimensionExhausted) add(fmt::format("Dimension \"{}\" exhausted on {} nodes", name, n));
  for (auto& name : m.QuotaExhausted) add(fmt::format("Quota limit hit \"{}\"", name));
  if (scores && m.ScoreMetaData.empty())
    for (auto& [name, score] : m.Scores) add(fmt::format("Score \"{}\" = {:f}", name, score));
  if (scores && !m.ScoreMetaData.empty()) lines.push_back(score_table(m));
  std::string out;
  for (auto& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

}  // namespace drover::cli
