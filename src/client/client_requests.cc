// What others ask of the client, by API and RPC.
#include <algorithm>

#include "base/strings.h"
#include "client/alloc_fs.h"
#include "client/client_impl.h"
#include "model/client_status.h"
#include "model/multi_error.h"

namespace drover::client {

namespace {

Error unknown_alloc(const Uuid& id) { return not_found("Unknown allocation " + go_quote(id.str())); }

}  // namespace

Client::Client(Config config, ClientDeps deps) : impl_(std::make_unique<Impl>(std::move(config), std::move(deps))) {}
Client::~Client() = default;

Async<Status> Client::start() { return impl_->start(); }
Async<void> Client::shutdown() { return impl_->shutdown(); }
Async<Status> Client::leave() { return impl_->leave(); }
Uuid Client::node_id() const { return impl_->identity.id; }
Uuid Client::secret_id() const { return impl_->identity.secret; }
Ref<Node> Client::node() const { return impl_->node; }
const Config& Client::config() const { return impl_->config; }
bool Client::has_alloc(const Uuid& id) const { return impl_->runner(id) != nullptr; }

Ref<Allocation> Client::alloc(const Uuid& id) const {
  auto* r = impl_->runner(id);
  return r ? std::make_shared<const Allocation>(r->view()) : nullptr;
}

std::vector<Ref<Allocation>> Client::allocs() const {
  std::vector<Ref<Allocation>> out;
  for (auto& [id, r] : impl_->runners) out.push_back(std::make_shared<const Allocation>(r->view()));
  return out;
}

Client::PreviousCounts Client::previous_counts() const { return {impl_->previous.waiting, impl_->previous.migrating}; }

Map<std::string> Client::stats_block() const {
  auto& i = *impl_;
  Map<std::string> out;
  out.set("node_id", i.identity.id.str());
  out.set("known_servers", std::to_string(i.known_servers));
  out.set("num_allocations", std::to_string(i.runners.size()));
  out.set("last_heartbeat", i.last_heartbeat ? format_duration(i.mono() - *i.last_heartbeat) : "never");
  out.set("heartbeat_ttl", format_duration(i.heartbeat_ttl));
  return out;
}

// ---- Allocations

// A collected allocation answers as one whose tasks are all dead, until the servers forget it as well.
Async<Status> Client::restart_alloc(Uuid id, std::string task, bool all_tasks) {
  auto* r = impl_->runner(id);
  auto* gone = r ? nullptr : impl_->collected(id);
  if (!r && !gone) co_return unknown_alloc(id);
  if (gone) {
    if (task.empty() || all_tasks) co_return internal("restart of an alloc that should not run");
    co_return gone->tasks.contains(task) ? invalid("Task not running") : not_found("Could not find task runner for task: " + task);
  }
  if (!task.empty() && all_tasks) co_return internal("task name cannot be set when restarting all tasks");
  if (task.empty()) co_return co_await r->restart_tasks(all_tasks);
  co_return co_await r->restart_task(std::move(task));
}

Async<Status> Client::signal_alloc(Uuid id, std::string task, std::string signal) {
  auto* r = impl_->runner(id);
  if (auto* gone = r ? nullptr : impl_->collected(id)) {
    if (!task.empty()) co_return internal(gone->tasks.contains(task) ? "Task not running" : "Task not found");
    MultiError errors;
    for (auto& [name, facts] : gone->tasks) errors.add("Failed to signal task: " + name + ", err: Task not running");
    co_return internal(errors.text());
  }
  if (!r) co_return unknown_alloc(id);
  co_return co_await r->signal(std::move(task), std::move(signal));
}

Async<Result<std::unique_ptr<drivers::ExecSession>>> Client::exec(Uuid id, std::string task,
                                                                  std::vector<std::string> command, bool tty) {
  if (impl_->config.disable_remote_exec) co_return Error(ErrorCode::kPermissionDenied, "Permission denied");
  if (task.empty()) co_return invalid("must provide task name");
  if (command.empty()) co_return invalid("command is not present");
  auto* r = impl_->runner(id);
  if (auto* gone = r ? nullptr : impl_->collected(id))
    co_return gone->tasks.contains(task) ? not_found("task " + go_quote(task) + " is not running.") : internal("task not found");
  if (!r) co_return unknown_alloc(id);
  auto* t = r->task(task);
  if (!t) co_return internal("task not found");  // the driver's capabilities are asked for first
  if (t->state().StartedAt.unset()) co_return not_found("task " + go_quote(task) + " not started yet.");
  if (!t->running()) co_return not_found("task " + go_quote(task) + " is not running.");
  co_return co_await t->exec_stream(std::move(command), tty);
}

Result<drivers::FsIsolation> Client::task_isolation(const Uuid& id, std::string_view task) const {
  auto* r = impl_->runner(id);
  if (!r) return unknown_alloc(id);
  auto* t = r->task(task);
  if (!t) return internal("task not found");
  return t->isolation();
}

Async<Result<AllocResourceUsage>> Client::alloc_stats(Uuid id, std::string task) {
  auto* known = impl_->runner(id);
  if (!known && !impl_->collected(id)) co_return unknown_alloc(id);
  AllocResourceUsage out;
  out.Tasks = Map<TaskResourceUsage>::empty_map();
  auto& sum = out.ResourceUsage.emplace();
  sum.MemoryStats.emplace();
  sum.CpuStats.emplace();
  sum.DeviceStats = List<DeviceGroupStats>::empty_list();
  for (auto& name : known ? known->task_names() : std::vector<std::string>()) {
    if (!task.empty() && name != task) continue;
    // The runner may go while a driver answers.
    auto* r = impl_->runner(id);
    auto* t = r ? r->task(name) : nullptr;
    if (!t) continue;
    auto usage = co_await t->stats();
    if (!usage) continue;
    auto api = to_api(*usage);
    out.Timestamp = std::max(out.Timestamp, api.Timestamp);
    add_usage(sum, *api.ResourceUsage);
    out.Tasks.set(name, std::move(api));
  }
  co_return out;
}

Result<Map<CheckQueryResult>> Client::alloc_checks(const Uuid& id) const {
  if (!impl_->runner(id) && !impl_->collected(id)) return unknown_alloc(id);
  return impl_->services.checks.of(id);
}

Result<AllocFiles> Client::alloc_files(const Uuid& id) const {
  if (auto* r = impl_->runner(id)) return r->files();
  if (auto* gone = impl_->collected(id)) return *gone;
  return unknown_alloc(id);
}

Async<Status> Client::collect_alloc(Uuid id) {
  auto& i = *impl_;
  if (!i.runner(id) && i.collected(id)) co_return Status();  // as it was asked for
  bool eligible = i.runner(id) && (i.gc.contains(id) || i.protected_.contains(id));
  if (!eligible) co_return not_found("No such allocation on client, or allocation not eligible for GC");
  i.destroy_soon(id, "forced collection");
  // Not awaited as a flow: the destruction goes on when the asker goes away.
  while (i.runner(id)) co_await sleep_for(i.world.loop, std::chrono::milliseconds(10));
  co_return Status();
}

Async<void> Client::collect_all() {
  auto marked = impl_->gc.all();
  for (auto& id : marked) impl_->destroy_soon(id, "forced full node collection");
  while (std::any_of(marked.begin(), marked.end(), [&](auto& id) { return impl_->runner(id) != nullptr; }))
    co_await sleep_for(impl_->world.loop, std::chrono::milliseconds(20));
}

// ---- The node

Result<HostStats> Client::host_stats() { return impl_->sampler->sample(impl_->wall(), impl_->mono()); }

NodeMetaResponse Client::node_meta() const {
  NodeMetaResponse out;
  out.Meta = impl_->meta.merged();
  out.Dynamic = impl_->meta.dynamic;
  out.Static = impl_->meta.fixed;
  out.Dynamic.vec();  // neither is ever null
  out.Static.vec();
  return out;
}

Result<NodeMetaResponse> Client::apply_node_meta(const Map<std::optional<std::string>>& change) {
  auto& i = *impl_;
  DROVER_CHECK(NodeMeta::validate(change));
  auto next = i.meta;
  next.apply(change);
  DROVER_CHECK(i.state->put_node_meta(next.dynamic));
  i.meta = std::move(next);
  i.change_node([&](Node& node) { node.Meta = i.meta.merged(); });
  return node_meta();
}

int Client::subscribe(std::function<void(const Ref<Allocation>&)> listener) {
  int id = impl_->next_listener++;
  impl_->listeners[id] = std::move(listener);
  return id;
}
void Client::unsubscribe(int id) { impl_->listeners.erase(id); }

}  // namespace drover::client
