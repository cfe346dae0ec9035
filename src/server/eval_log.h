// Writing evaluations to the log, and the evaluations that the server itself makes.
#pragma once

#include <utility>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/node.h"
#include "state/store.h"

namespace drover::server {

class Server;

// Writes the evaluations in one entry; they are queued when the entry is applied. The value is the index. None: no
// entry, index 0.
Async<Result<uint64_t>> write_evals(Server& server, std::vector<Evaluation> evals);

// A pending evaluation with a fresh id and stamps.
Evaluation new_eval(World& world, std::string_view ns, std::string_view job_id, std::string_view type, int64_t priority,
                    std::string_view triggered_by);
// The same, for a job as it stands.
Evaluation new_eval(World& world, const Job& job, std::string_view triggered_by);
// ModifyTime moves, by at least a nanosecond.
void touch(Evaluation& eval, Time now);

// An evaluation that was delivered too often, marked failed, and the one that tries again in one to six minutes.
std::pair<Evaluation, Evaluation> failed_follow_up(const Evaluation& failed, World& world);

// One evaluation for every job that has an allocation on the node, and for every system job that could run there
// (reference server-core 11.4).
std::vector<Evaluation> node_evals(World& world, const state::Snapshot& snap, const Node& node, uint64_t node_index);

// Whether a node that went silent has work that is allowed to be out of touch for a while (max_client_disconnect).
bool tolerates_absence(const state::Snapshot& snap, const Node& node, Time now);

// "dc*" patterns of a job against a node's datacenter; `?` and `*` as in the reference.
bool datacenter_matches(const List<std::string>& patterns, std::string_view datacenter);

}  // namespace drover::server
