// Jobs made from other jobs: dispatched from a parameterized one (reference server-workflows 2.7), launched from a
// periodic one (section 7). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/job.h"
#include "model/requests.h"
#include "state/store.h"

namespace drover::server {

inline constexpr size_t kDispatchPayloadMax = 16384;  // bytes

// Whether the request gives what the parameterized job asks for, and no more. The texts are the reference's.
Status check_dispatch(const Job& parent, const JobDispatchRequest& request);
// The child: "<parent>/dispatch-[<prefix>-]<unix seconds>-<suffix>".
Job dispatched_child(const Job& parent, const JobDispatchRequest& request, Time now, std::string_view suffix);
// A child that an earlier request with the same token made; null when there is none.
Ref<Job> child_with_token(const state::Snapshot& snap, const Job& parent, std::string_view token);

// "<parent>/periodic-<unix seconds>".
Job periodic_child(const Job& parent, Time launch);
// Whether a child that was launched before still has work.
bool has_running_child(const state::Snapshot& snap, const Job& parent);

}  // namespace drover::server
