// Which allocations run here: what the servers list, what was restored, and what is not heard of any more.
#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "client/client_impl.h"
#include "model/client_status.h"

namespace drover::client {

namespace {

constexpr std::string_view kLog = "client";
// A consistent read that keeps answering below the index acted on comes from a cluster whose past was replaced.
constexpr Duration kRewindPatience = std::chrono::minutes(1);

}  // namespace

AllocRunner* Client::Impl::runner(const Uuid& id) const {
  auto it = runners.find(id);
  return it == runners.end() ? nullptr : it->second.get();
}

const AllocFiles* Client::Impl::collected(const Uuid& id) const {
  auto it = collected_.find(id);
  return it == collected_.end() ? nullptr : &it->second;
}

std::map<Uuid, KnownAlloc> Client::Impl::known_allocs() const {
  std::map<Uuid, KnownAlloc> out;
  for (auto& [id, r] : runners) out[id] = {r->alloc()->AllocModifyIndex, r->terminal()};
  for (auto& [id, index] : settled) out[id] = {index, true};
  return out;
}

Async<void> Client::Impl::watch_allocs_flow() {
  uint64_t index = 0;
  bool consistent = true;  // the first answer, and one after a refusal
  std::optional<Monotonic> refused_since;
  for (;;) {
    rpc::NodeSpecificRequest request;
    request.Region = config.region;
    request.NodeID = identity.id.str();
    request.SecretID = identity.secret.str();
    request.AuthToken = identity.secret.str();
    request.MinQueryIndex = index;
    request.AllowStale = !consistent;
    auto answer = co_await server.call(rpc::kNodeGetClientAllocs, std::move(request));
    if (!answer) {
      log_error(kLog, "error querying node allocations", {{"error", answer.error().message}});
      if (answer.error().message.find("node secret ID does not match") != std::string::npos) co_await register_node();
      co_await wait_for_contact(retry_interval(kAllocRetry, config.dev_mode, random()));
      continue;
    }
    contacted();
    auto diff = diff_allocs(*answer, known_allocs(), {}, acted_index);
    if (diff.stale) {
      if (!consistent) refused_since.reset();
      else if (!refused_since) refused_since = mono();
      log_warn(kLog, "refusing allocations older than those acted on",
               {{"index", std::to_string(answer->Index)}, {"acted_index", std::to_string(acted_index)}});
      if (refused_since && mono() - *refused_since >= kRewindPatience) node_lost();
      consistent = true;
      index = 0;
      co_await sleep_for(world.loop, retry_interval(kNoServersRetry, config.dev_mode, random()));
      continue;
    }
    refused_since.reset();
    consistent = false;
    if (!co_await pull_and_apply(*answer, std::move(diff))) {
      co_await sleep_for(world.loop, retry_interval(std::chrono::seconds(2), config.dev_mode, random()));
      continue;
    }
    index = answer->Index;
  }
}

Async<bool> Client::Impl::pull_and_apply(const rpc::NodeClientAllocsResponse& answer, AllocDiff diff) {
  List<Ref<Allocation>> pulled;
  if (!diff.pull.empty()) {
    rpc::AllocsGetRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.AllowStale = true;
    request.MinQueryIndex = diff.pull_index;
    for (auto& id : diff.pull) request.AllocIDs.push_back(id.str());
    auto got = co_await server.call(rpc::kAllocGetAllocs, std::move(request));
    if (!got) {
      log_error(kLog, "error querying updated allocations", {{"error", got.error().message}});
      co_return false;
    }
    pulled = std::move(got->Allocs);
    bool complete = pulled.size() >= diff.pull.size() &&
                    std::all_of(pulled.begin(), pulled.end(), [](auto& a) { return static_cast<bool>(a); });
    if (!complete) {
      log_warn(kLog, "not all updated allocations were received",
               {{"wanted", std::to_string(diff.pull.size())}, {"got", std::to_string(pulled.size())}});
      co_return false;
    }
  }
  for (auto& [text, modify_index] : answer.Allocs)
    if (auto id = Uuid::parse(text); id && protected_.erase(*id) > 0) save_protected();
  acted_index = std::max(acted_index, answer.Index);

  for (auto& id : diff.collect) {
    settled.erase(id);
    collected_.erase(id);
    if (runner(id)) destroy_soon(id, "no longer known to the servers");
  }
  std::vector<Ref<Allocation>> added;
  int64_t needed_mb = 0;
  for (auto& alloc : pulled) {
    if (runner(alloc->ID)) {
      apply_alloc(alloc);
      continue;
    }
    added.push_back(alloc);
    if (alloc->AllocatedResources) needed_mb += alloc->AllocatedResources->Shared.DiskMB;
  }
  if (!added.empty())
    for (auto& id : make_room(gc, config, disk_state(), live_allocs(), added.size(), needed_mb))
      destroy_soon(id, "new allocations");
  for (auto& alloc : added) add_alloc(alloc, nullptr);
  if (!pulled.empty() && acted_index != saved_index) {
    if (state->put_value("acted_index", std::to_string(acted_index))) saved_index = acted_index;
  }
  sync.contacted();
  // What a lost disk cache brought back may have been stopped and collected meanwhile: it does not begin again before the
  // servers have said that it exists.
  for (auto& [id, r] : runners)
    if (protected_.contains(id) || std::find(diff.missing.begin(), diff.missing.end(), id) == diff.missing.end()) r->servers_contacted();
  // From here on a successor of the agent knows as much as the servers.
  if (!new_boot.empty() && state->put_value(kBootId, new_boot)) new_boot.clear();
  if (!diff.missing.empty()) flows.start(confirm_missing(std::move(diff.missing)));
  collect_garbage();
  pump_sync();
  co_return true;
}

void Client::Impl::apply_alloc(Ref<Allocation> alloc) {
  auto* r = runner(alloc->ID);
  if (!alloc->Job) {
    auto copy = std::make_shared<Allocation>(*alloc);
    copy->Job = r->alloc()->Job;
    alloc = std::move(copy);
  }
  bool reconnects = alloc->ClientStatus == alloc_client::kUnknown && !is_server_terminal(*alloc);
  if (reconnects) r->reconnect(std::move(alloc));
  else r->update(std::move(alloc));
}

void Client::Impl::add_alloc(Ref<Allocation> alloc, const StoredAlloc* stored) {
  auto id = alloc->ID;
  if (!stored && is_client_terminal(*alloc)) {
    settled[id] = alloc->AllocModifyIndex;  // done elsewhere or in an earlier life
    return;
  }
  settled.erase(id);
  collected_.erase(id);
  auto made = std::make_unique<AllocRunner>(
      runner_deps, previous, alloc, stored,
      AllocRunner::Callbacks{[this](AllocRunner& r) { runner_changed(r); }, [this](AllocRunner& r) { runner_ended(r); }});
  if (auto status = made->check(); !status) {
    fail_alloc(*alloc, status.error());
    return;
  }
  if (auto* group = task_group_of(*alloc); group->StopAfterClientDisconnect && *group->StopAfterClientDisconnect > Duration::zero())
    disconnect.watch(id, *group->StopAfterClientDisconnect);
  auto* r = made.get();
  runners[id] = std::move(made);
  r->run();
}

void Client::Impl::fail_alloc(const Allocation& alloc, const Error& error) {
  log_error(kLog, "error adding alloc", {{"alloc_id", alloc.ID.str()}, {"error", error.message}});
  settled[alloc.ID] = alloc.AllocModifyIndex;
  Allocation out = stripped_update(alloc);
  out.ClientStatus = alloc_client::kFailed;
  out.ClientDescription = "Unable to add allocation due to error: " + error.message;
  out.TaskStates = Map<TaskState>::empty_map();
  if (auto* group = task_group_of(alloc))
    for (auto& task : group->Tasks) {
      TaskState dead;
      dead.State = task_state::kDead;
      dead.Failed = true;
      dead.FinishedAt = wall();
      out.TaskStates.set(task.Name, std::move(dead));
    }
  if (!alloc.DeploymentID.nil() && (!out.DeploymentStatus || !out.DeploymentStatus->Healthy))
    out.DeploymentStatus.ensure().Healthy = false;
  sync.put(std::move(out), mono());
  poster.post([this] { pump_sync(); });
}

void Client::Impl::runner_changed(AllocRunner& r) {
  auto view = std::make_shared<const Allocation>(r.view());
  sync.put(stripped_update(*view), mono(), view->DesiredStatus != alloc_desired::kRun);
  pump_sync();
  auto copy = listeners;
  for (auto& [id, listener] : copy) listener(view);
}

void Client::Impl::runner_ended(AllocRunner& r) {
  disconnect.forget(r.id());
  auto& resources = r.alloc()->AllocatedResources;
  gc.mark(r.id(), resources ? resources->Shared.DiskMB : 0);
  collect_garbage();
}

// An allocation that is still at work here and that the servers do not list. It is stopped only when a consistent read
// by the leader, not older than what was acted on, says that it does not exist, and never when the servers once lost
// sight of the whole node.
Async<void> Client::Impl::confirm_missing(std::vector<Uuid> missing) {
  for (auto& id : missing) {
    if (protected_.contains(id)) {
      if (kept_.insert(id).second)
        log_warn(kLog, "keeping an allocation that the servers do not know", {{"alloc_id", id.str()}});
      continue;
    }
    rpc::AllocSpecificRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.AllocID = id.str();
    auto answer = co_await server.call(rpc::kAllocGetAlloc, std::move(request));
    if (!answer || answer->Alloc || answer->Index < acted_index || protected_.contains(id)) continue;
    if (runner(id)) destroy_soon(id, "collected by the servers");
  }
}

void Client::Impl::save_protected() {
  std::string text;
  for (auto& id : protected_) text += id.str() + "\n";
  if (auto status = state->put_value("protected_allocs", text); !status)
    log_error(kLog, "failed to persist client state", {{"error", status.error().message}});
}

// ---- Previous allocations

Async<void> Client::Impl::wait_previous(Uuid id) {
  if (auto* r = runner(id)) {
    co_await r->wait_ended();
    co_return;
  }
  if (settled.contains(id)) co_return;
  uint64_t index = 0;
  for (;;) {
    rpc::AllocSpecificRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.AllocID = id.str();
    request.MinQueryIndex = index;
    request.AllowStale = true;
    auto answer = co_await server.call(rpc::kAllocGetAlloc, std::move(request));
    if (!answer) {
      co_await sleep_for(world.loop, retry_interval(kAllocRetry, config.dev_mode, random()));
      continue;
    }
    if (!answer->Alloc || is_client_terminal(*answer->Alloc) || answer->Alloc->ClientStatus == alloc_client::kUnknown)
      co_return;
    index = answer->Index;
  }
}

}  // namespace drover::client
