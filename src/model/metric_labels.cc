#include "model/metric_labels.h"

namespace drover {

MetricLabels group_labels(std::string_view job_id, std::string_view group, std::string_view ns) {
  MetricLabels labels{{"job", std::string(job_id)}, {"task_group", std::string(group)}, {"namespace", std::string(ns)}};
  for (auto& [marker, label] : std::initializer_list<std::pair<std::string_view, const char*>>{
           {"/dispatch-", "dispatch_id"}, {"/periodic-", "periodic_id"}}) {
    auto at = job_id.find(marker);
    if (at == std::string_view::npos) continue;
    labels.emplace_back("parent_id", job_id.substr(0, at));
    labels.emplace_back(label, job_id.substr(at + marker.size()));
  }
  return labels;
}

MetricLabels task_labels(const Allocation& alloc, std::string_view task) {
  auto labels = group_labels(alloc.JobID.view(), alloc.TaskGroup.view(), alloc.Namespace.view());
  labels.emplace_back("alloc_id", alloc.ID.str());
  labels.emplace_back("task", task);
  return labels;
}

}  // namespace drover
