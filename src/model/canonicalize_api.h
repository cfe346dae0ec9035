// Shared by the files of the client-side canonicalization; not for others.
#pragma once

#include <optional>

#include "model/api_job.h"

namespace drover::api_canonical {

template <class T, class V>
void fill(std::optional<T>& field, const V& value) {
  if (!field) field = T(value);
}

void fill_task(api::Task& task, const api::TaskGroup& group, const api::Job& job);
// `task` is null for a group's service.
void fill_service(api::Service& service, const api::Task* task, const api::TaskGroup& group, const api::Job& job);
void fill_resources(api::Resources& resources);

}  // namespace drover::api_canonical
