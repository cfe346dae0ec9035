#include "server/periodic.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "model/cron.h"
#include "model/job_kind.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "server/dispatch.h"
#include "server/eval_log.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad.periodic";
// The wall clock may be set while a timer runs: far launches are looked at again after this.
constexpr Duration kLookAgain = 1min;

}  // namespace

PeriodicDispatcher::PeriodicDispatcher(Server& server) : server_(server) {}
PeriodicDispatcher::~PeriodicDispatcher() = default;

void PeriodicDispatcher::restore() {
  auto snap = server_.snapshot();
  auto now = server_.world().clock.now();
  for (auto& job : snap.jobs().all()) {
    if (!is_periodic_active(*job)) continue;
    add(job);
    auto last = snap.periodic_launches().get(job->Namespace, job->ID);
    auto since = last ? last->Launch : Time::from_unix_nanos(job->SubmitTime);
    auto missed = next_launch(*job->Periodic, since);
    if (missed && *missed < now) launch(job, now);
  }
}

void PeriodicDispatcher::add(const Ref<Job>& job) {
  if (!is_periodic_active(*job)) return remove(job->Namespace, job->ID);
  // A leader whose clock is behind its predecessor's launches nothing again.
  auto from = server_.world().clock.now();
  if (auto last = server_.snapshot().periodic_launches().get(job->Namespace, job->ID)) from = std::max(from, last->Launch);
  tracked_[{job->Namespace, job->ID}] = {job, next_launch(*job->Periodic, from)};
  arm();
}

void PeriodicDispatcher::remove(const std::string& ns, const std::string& id) {
  if (tracked_.erase({ns, id})) arm();
}

void PeriodicDispatcher::arm() {
  std::optional<Time> first;
  for (auto& [key, t] : tracked_)
    if (t.next && (!first || *t.next < *first)) first = t.next;
  timer_.cancel();
  if (!first) return;
  auto wait = std::clamp<Duration>(*first - server_.world().clock.now(), Duration::zero(), kLookAgain);
  timer_ = server_.world().loop.after(wait, [this] { on_timer(); });
}

void PeriodicDispatcher::on_timer() {
  auto now = server_.world().clock.now();
  std::vector<std::pair<Ref<Job>, Time>> due;
  for (auto& [key, t] : tracked_) {
    if (!t.next || *t.next > now) continue;
    due.emplace_back(t.job, *t.next);
    // From the launch that was planned, not from now: a late timer skips none.
    t.next = next_launch(*t.job->Periodic, *t.next);
  }
  for (auto& [job, at] : due) launch(job, at);
  arm();
}

void PeriodicDispatcher::launch(const Ref<Job>& job, Time at) {
  if (job->Periodic->ProhibitOverlap && has_running_child(server_.snapshot(), *job)) {
    log_debug(kLog, "skipping launch of periodic job because job prohibits overlap", {{"job", job->ID}});
    return;
  }
  launches_.start(launch_now(job, at));
}

Async<void> PeriodicDispatcher::launch_now(Ref<Job> job, Time at) {
  auto eval = co_await register_child(job, at);
  if (!eval) log_error(kLog, "dispatching periodic job failed", {{"job", job->ID}, {"error", eval.error().message}});
}

Async<Result<Evaluation>> PeriodicDispatcher::register_child(Ref<Job> job, Time at) {
  auto& server = server_;  // this object may be gone when the entry is applied
  rpc::JobRegisterRequest entry;
  entry.Job = periodic_child(*job, at);
  entry.Namespace = job->Namespace;
  entry.Eval = new_eval(server.world(), *entry.Job, eval_trigger::kPeriodicJob);
  auto eval = *entry.Eval;
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobRegister, entry));
  eval.CreateIndex = eval.ModifyIndex = eval.JobModifyIndex = applied.index;
  co_return eval;
}

Async<Result<Evaluation>> PeriodicDispatcher::force(std::string ns, std::string id) {
  auto it = tracked_.find({ns, id});
  if (it == tracked_.end()) co_return internal(fmt::format("can't force run non-tracked job {} ({})", go_quote(id), ns));
  co_return co_await register_child(it->second.job, server_.world().clock.now());
}

}  // namespace drover::server
