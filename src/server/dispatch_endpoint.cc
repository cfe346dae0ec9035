// Job.Dispatch, Periodic.Force.
#include <fmt/format.h>

#include "base/strings.h"
#include "model/feature_requests.h"
#include "model/job_kind.h"
#include "model/status.h"
#include "server/dispatch.h"
#include "server/eval_log.h"
#include "server/job_register.h"
#include "server/leader.h"
#include "server/lookup.h"
#include "server/periodic.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr size_t kSuffixLength = 8;  // hex digits at the end of a dispatched job's id

Async<Status> job_dispatch(Server& server, const JobDispatchRequest& req, JobDispatchResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing parameterized job ID");
  auto ns = namespace_of(req.Namespace);
  auto snap = server.snapshot();
  if (auto refused = registration_refused(snap)) co_return *refused;
  auto parent = snap.jobs().get(ns, req.JobID);
  if (!parent) co_return internal("parameterized job not found");
  if (!is_parameterized(*parent)) co_return internal(fmt::format("Specified job {} is not a parameterized job", go_quote(req.JobID)));
  if (parent->Stop) co_return internal(fmt::format("Specified job {} is stopped", go_quote(req.JobID)));
  DROVER_CO_CHECK(check_dispatch(*parent, req));
  if (!req.IdempotencyToken.empty()) {
    if (auto before = child_with_token(snap, *parent, req.IdempotencyToken)) {
      resp.DispatchedJobID = before->ID;
      resp.JobCreateIndex = before->CreateIndex;
      resp.Index = before->ModifyIndex;
      co_return Status{};
    }
  }
  rpc::JobRegisterRequest entry;
  entry.Namespace = ns;
  auto suffix = Uuid::generate(server.world().random).str().substr(0, kSuffixLength);
  entry.Job = dispatched_child(*parent, req, server.world().clock.now(), suffix);
  if (!is_periodic(*entry.Job)) entry.Eval = new_eval(server.world(), *entry.Job, eval_trigger::kJobRegister);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobRegister, entry));
  resp.DispatchedJobID = entry.Job->ID;
  resp.JobCreateIndex = resp.Index = applied.index;
  if (!entry.Eval) co_return Status{};
  resp.EvalID = entry.Eval->ID.str();
  resp.EvalCreateIndex = applied.index;
  co_return Status{};
}

Async<Status> periodic_force(Server& server, const rpc::PeriodicForceRequest& req, PeriodicForceResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing job ID for evaluation");
  std::string ns(namespace_of(req.Namespace));
  auto job = server.snapshot().jobs().get(ns, req.JobID);
  if (!job) co_return internal("job not found");
  if (!is_periodic(*job)) co_return internal("can't force launch non-periodic job");
  auto* leader = server.leader();
  if (!leader) co_return Error(ErrorCode::kNoLeader, "No cluster leader");
  auto eval = co_await leader->periodic().force(ns, req.JobID);
  if (!eval) co_return internal(fmt::format("force launch for job {} failed: {}", go_quote(req.JobID), eval.error().message));
  resp.EvalID = eval->ID.str();
  resp.EvalCreateIndex = resp.Index = eval->CreateIndex;
  co_return Status{};
}

}  // namespace

void add_dispatch_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&job_dispatch>("Job.Dispatch", Where::kLeader));
  rows.push_back(rpc_row<&periodic_force>("Periodic.Force", Where::kLeader));
}

}  // namespace drover::server
