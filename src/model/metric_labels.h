// Labels of metrics about groups and tasks (reference metrics section 1).
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "model/alloc.h"

namespace drover {

// job, task_group, namespace. "parent/dispatch-123" and "parent/periodic-123" are told apart from their parents.
MetricLabels group_labels(std::string_view job_id, std::string_view group, std::string_view ns);
// The same with alloc_id and task.
MetricLabels task_labels(const Allocation& alloc, std::string_view task);

}  // namespace drover
