// Eval.*, Alloc.*: reads, and the stop of an allocation.
#include <algorithm>
#include <deque>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/raft_requests.h"
#include "model/rpc.h"
#include "model/shown.h"
#include "model/status.h"
#include "server/eval_log.h"
#include "server/leader.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/stubs.h"
#include "state/alloc_ops.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr size_t kEvalDeletesMax = 7281;

// The rows of a list request: by id prefix, or in order of creation, of one namespace or all.
template <class Table>
auto list_rows(const Table& table, const QueryOptions& o, std::string_view what, state::WatchSet* watch)
    -> Result<decltype(table.all())> {
  auto dir = o.Reverse ? state::Dir::kReverse : state::Dir::kForward;
  if (!o.Prefix.empty()) {
    DROVER_TRY(auto prefix, parse_prefix(o.Prefix, what));
    return table.by_prefix(prefix, watch, dir);
  }
  auto ns = namespace_of(o.Namespace);
  if (ns == kAllNamespaces) return table.all(watch, dir);
  return table.by_namespace(ns, watch, dir);
}

template <class T>
auto token_for(const QueryOptions& o) {
  return [by_prefix = !o.Prefix.empty()](const T& row) {
    return by_prefix ? row.ID.str() : create_token(row.CreateIndex, row.ID);
  };
}

bool in_namespace(const QueryOptions& o, std::string_view ns) {
  auto asked = namespace_of(o.Namespace);
  return asked == kAllNamespaces || asked == ns;
}

// ---- evaluations -----------------------------------------------------------------------------------------------------

// Stubs of every evaluation that the links lead to, without the one asked for.
List<EvaluationStub> related_evals(const state::Snapshot& snap, const Evaluation& start) {
  List<EvaluationStub> out;
  std::set<Uuid> seen{start.ID};
  std::deque<Uuid> todo{start.NextEval, start.PreviousEval, start.BlockedEval};
  while (!todo.empty()) {
    auto id = todo.front();
    todo.pop_front();
    if (id.nil() || !seen.insert(id).second) continue;
    auto e = snap.evals().get(id);
    if (!e) continue;
    out.push_back(eval_stub(*e));
    for (auto& next : {e->NextEval, e->PreviousEval, e->BlockedEval}) todo.push_back(next);
  }
  return out;
}

Status eval_get(ReadContext& c, const rpc::EvalSpecificRequest& req, rpc::SingleEvalResponse& resp) {
  DROVER_TRY(auto id, parse_id(req.EvalID, "failed to lookup eval: eval lookup failed"));
  resp.Eval = c.snap.evals().get(id, c.watch);
  resp.Index = resp.Eval ? resp.Eval->ModifyIndex : c.snap.table_index(state::TableId::evals);
  if (resp.Eval && req.IncludeRelated) {
    auto copy = std::make_shared<Evaluation>(*resp.Eval);
    copy->RelatedEvals = related_evals(c.snap, *copy);
    resp.Eval = std::move(copy);
  }
  return {};
}

bool eval_selected(const rpc::EvalListRequest& req, const Evaluation& e) {
  return in_namespace(req, e.Namespace) && (req.FilterJobID.empty() || e.JobID == req.FilterJobID) &&
         (req.FilterEvalStatus.empty() || e.Status == req.FilterEvalStatus);
}

Status eval_list(ReadContext& c, const rpc::EvalListRequest& req, rpc::EvalListResponse& resp) {
  if (!req.Filter.empty() && (!req.FilterJobID.empty() || !req.FilterEvalStatus.empty()))
    return invalid("Filter expression cannot be used with other filter parameters");
  DROVER_TRY(auto rows, list_rows(c.snap.evals(), req, "eval lookup failed", c.watch));
  resp.Evaluations = List<Ref<Evaluation>>::empty_list();
  auto select = [&](const Evaluation& e) { return eval_selected(req, e); };
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, token_for<Evaluation>(req),
                                      [&](const Ref<Evaluation>& e) { resp.Evaluations.push_back(e); }, select));
  resp.Index = c.snap.table_index(state::TableId::evals);
  return {};
}

Status eval_count(ReadContext& c, const rpc::EvalCountRequest& req, EvalCountResponse& resp) {
  std::optional<bexpr::Filter> filter;
  if (!req.Filter.empty()) {
    DROVER_TRY(filter, bexpr::Filter::parse(req.Filter));
  }
  DROVER_TRY(auto rows, list_rows(c.snap.evals(), req, "eval lookup failed", c.watch));
  for (auto& e : rows) {
    if (!in_namespace(req, e->Namespace)) continue;
    // One that the filter cannot be applied to does not count.
    if (filter && !filter->matches(*e).value_or(false)) continue;
    ++resp.Count;
  }
  resp.Index = c.snap.table_index(state::TableId::evals);
  return {};
}

Status eval_allocations(ReadContext& c, const rpc::EvalSpecificRequest& req, rpc::EvalAllocationsResponse& resp) {
  DROVER_TRY(auto id, parse_id(req.EvalID, ""));
  resp.Allocations = List<AllocListStub>::empty_list();
  for (auto& a : c.snap.allocs().by_eval(id, c.watch)) resp.Allocations.push_back(alloc_stub(*a));
  resp.Index = c.snap.table_index(state::TableId::allocs);
  return {};
}

Async<Status> eval_delete(Server& server, const EvalDeleteRequest& req, EvalDeleteResponse& resp) {
  if (!req.EvalIDs.empty() && !req.Filter.empty()) co_return invalid("evals cannot be deleted by both ID and filter");
  if (req.EvalIDs.empty() && req.Filter.empty()) co_return invalid("evals must be deleted by either ID or filter");
  if (req.EvalIDs.size() > kEvalDeletesMax)
    co_return invalid(fmt::format("request includes {} evaluation IDs, must be {} or fewer", req.EvalIDs.size(), kEvalDeletesMax));
  if (server.leader() && server.leader()->broker().enabled())
    co_return internal("eval broker is enabled; eval broker must be paused to delete evals");
  rpc::EvalReapRequest entry;
  entry.UserInitiated = true;
  entry.Namespace = namespace_of(req.Namespace);
  auto snap = server.snapshot();
  for (auto& text : req.EvalIDs) {
    DROVER_CO_TRY(auto id, parse_id(text, "eval lookup failed"));
    auto eval = snap.evals().get(id);
    if (!eval) co_return internal("eval not found");
    if (!state::is_safe_to_delete(snap.state(), *eval)) co_return internal(fmt::format("eval {} is not safe to delete", text));
    entry.Evals.push_back(id);
  }
  if (!req.Filter.empty()) {
    auto parsed = bexpr::Filter::parse(req.Filter);
    if (!parsed) co_return internal(parsed.error().message);
    auto& filter = *parsed;
    for (auto& e : snap.evals().all()) {
      if (!filter.matches(*e).value_or(false) || !state::is_safe_to_delete(snap.state(), *e)) continue;
      entry.Evals.push_back(e->ID);
    }
    if (entry.Evals.empty()) co_return Status{};
  }
  resp.Count = static_cast<int64_t>(entry.Evals.size());
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kEvalDelete, entry));
  resp.Index = applied.index;
  co_return Status{};
}

// ---- allocations -----------------------------------------------------------------------------------------------------

Status alloc_list(ReadContext& c, const rpc::AllocListRequest& req, rpc::AllocListResponse& resp) {
  DROVER_TRY(auto rows, list_rows(c.snap.allocs(), req, "alloc lookup failed", c.watch));
  auto fields = req.Fields ? *req.Fields : AllocStubFields();
  resp.Allocations = List<AllocListStub>::empty_list();
  auto select = [&](const Allocation& a) { return in_namespace(req, a.Namespace); };
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, token_for<Allocation>(req),
                                      [&](const Ref<Allocation>& a) { resp.Allocations.push_back(alloc_stub(*a, fields)); }, select));
  resp.Index = c.snap.table_index(state::TableId::allocs);
  return {};
}

Status alloc_get(ReadContext& c, const rpc::AllocSpecificRequest& req, rpc::SingleAllocResponse& resp) {
  DROVER_TRY(auto id, parse_id(req.AllocID, "alloc lookup failed"));
  if (auto stored = c.snap.allocs().get(id, c.watch)) {
    auto alloc = std::make_shared<Allocation>(*stored);
    add_legacy_resources(*alloc);
    resp.Alloc = std::move(alloc);
  }
  resp.Index = resp.Alloc ? resp.Alloc->ModifyIndex : c.snap.table_index(state::TableId::allocs);
  return {};
}

Status allocs_get(ReadContext& c, const rpc::AllocsGetRequest& req, rpc::AllocsGetResponse& resp) {
  resp.Allocs = List<Ref<Allocation>>::empty_list();
  for (auto& text : req.AllocIDs) {
    DROVER_TRY(auto id, parse_id(text, "alloc lookup failed"));
    auto a = c.snap.allocs().get(id, c.watch);
    if (!a) {
      // The reader names what it was told exists: until the state here has it too, it waits.
      resp.Allocs.clear();
      resp.Index = req.MinQueryIndex;
      return {};
    }
    resp.Allocs.push_back(a);
    resp.Index = std::max(resp.Index, a->ModifyIndex);
  }
  return {};
}

Status alloc_services(ReadContext& c, const rpc::AllocSpecificRequest& req, rpc::ServiceRegistrationsResponse& resp) {
  DROVER_TRY(auto id, parse_id(req.AllocID, "alloc lookup failed"));
  auto a = c.snap.allocs().get(id, c.watch);
  resp.Index = c.snap.table_index(state::TableId::services);
  // A null list: there is no such allocation here.
  if (!a || !in_namespace(req, a->Namespace.view())) return {};
  resp.Services = List<Ref<ServiceRegistration>>::empty_list();
  for (auto& s : c.snap.services().by_alloc(id, c.watch)) resp.Services.push_back(s);
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::services));
  return {};
}

Async<Status> alloc_stop(Server& server, const rpc::AllocStopRequest& req, AllocStopResponse& resp) {
  DROVER_CO_TRY(auto id, parse_id(req.AllocID, "alloc lookup failed"));
  auto snap = server.snapshot();
  auto a = snap.allocs().get(id);
  if (!a) co_return not_found("allocation not found");
  auto job = snap.jobs().get(a->Namespace, a->JobID);
  auto& of = job ? job : a->Job;
  if (!of) co_return internal("allocation has no job");
  auto eval = new_eval(server.world(), *of, eval_trigger::kAllocStop);
  eval.JobModifyIndex = of->ModifyIndex;
  rpc::AllocUpdateDesiredTransitionRequest entry;
  auto& wanted = entry.Allocs[req.AllocID];
  wanted.Migrate = true;
  wanted.NoShutdownDelay = req.NoShutdownDelay;
  entry.Evals.push_back(eval);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kAllocUpdateDesiredTransition, entry));
  resp.EvalID = eval.ID.str();
  resp.Index = applied.index;
  co_return Status{};
}

}  // namespace

void add_eval_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&eval_get>("Eval.GetEval", Where::kStale));
  rows.push_back(rpc_row<&eval_list>("Eval.List", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&eval_count>("Eval.Count", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&eval_allocations>("Eval.Allocations", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&eval_delete>("Eval.Delete", Where::kLeader));
}

void add_alloc_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&alloc_list>("Alloc.List", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&alloc_get>("Alloc.GetAlloc", Where::kStale));
  rows.push_back(rpc_row<&allocs_get>("Alloc.GetAllocs", Where::kStale));
  rows.back().sparse = true;
  rows.push_back(rpc_row<&alloc_services>("Alloc.GetServiceRegistrations", Where::kStale));
  rows.push_back(rpc_row<&alloc_stop>("Alloc.Stop", Where::kLeader));
}

}  // namespace drover::server
