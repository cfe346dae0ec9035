#include "client/alloc_runner.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "model/client_status.h"
#include "model/multi_error.h"
#include "model/task_events.h"

namespace drover::client {

namespace {

constexpr std::string_view kLog = "client.alloc_runner";

template <class M>
auto stored_task(const M& map, const std::string& name) {
  auto it = map.find(name);
  return it == map.end() ? typename M::mapped_type{} : it->second;
}

bool has_event(const TaskState& state, std::string_view type) {
  return std::any_of(state.Events.begin(), state.Events.end(), [&](auto& e) { return e.Type == type; });
}

}  // namespace

AllocRunner::AllocRunner(const RunnerDeps& deps, const PreviousAllocs& previous, Ref<Allocation> alloc,
                         const StoredAlloc* stored, Callbacks callbacks)
    : deps_(deps),
      alloc_(std::move(alloc)),
      callbacks_(std::move(callbacks)),
      hook_ctx_{deps.world, deps.config, *this, previous, AllocPaths{deps.config.alloc_dir + "/" + alloc_->ID.str()},
                alloc_, task_group_of(*alloc_), deps.driver, deps.node, deps.services},
      deployment_status_(alloc_->DeploymentStatus),
      poster_(deps.world.loop),
      tasks_finished_(deps.world.loop),
      ended_(deps.world.loop) {
  if (stored) {
    if (stored->deployment_status) deployment_status_ = stored->deployment_status;
    network_status_ = stored->network_status;
    acknowledged_ = stored->acknowledged;
  }
  auto* group = hook_ctx_.group;
  if (!group) return;
  roles_ = alloc_tasks(*group);
  for (auto& task : group->Tasks)
    tasks_.push_back(std::make_unique<TaskRunner>(deps_, alloc_, task,
                                                  stored ? stored_task(stored->task_states, task.Name) : TaskState{},
                                                  stored ? stored_task(stored->task_local, task.Name) : LocalTaskState{},
                                                  [this] { changed_soon(); }));
  for (auto& row : alloc_hook_rows()) hooks_.push_back({row.name, row.make()});
}

AllocRunner::~AllocRunner() = default;

Status AllocRunner::check() const {
  if (!alloc_->Job) return internal("alloc has no job");
  if (!hook_ctx_.group) return internal("failed to lookup task group " + go_quote(alloc_->TaskGroup.view()));
  for (auto& task : tasks_)
    if (!task->driver()) return internal("failed creating runner for task " + go_quote(task->name()) + ": driver not found");
  return {};
}

TaskRunner* AllocRunner::task(std::string_view name) {
  for (auto& t : tasks_)
    if (t->name() == name) return t.get();
  return nullptr;
}
const TaskRunner* AllocRunner::task(std::string_view name) const { return const_cast<AllocRunner*>(this)->task(name); }

std::vector<std::string> AllocRunner::task_names() const {
  std::vector<std::string> out;
  for (auto& t : tasks_) out.push_back(t->name());
  return out;
}

Map<TaskState> AllocRunner::task_states() const {
  Map<TaskState> out = Map<TaskState>::empty_map();
  for (auto& t : tasks_) {
    auto state = t->state();
    if (state.State.empty()) state.State = task_state::kPending;
    out.set(t->name(), std::move(state));
  }
  return out;
}

bool AllocRunner::client_terminal() const {
  std::vector<const TaskState*> states;
  for (auto& t : tasks_) states.push_back(&t->state());
  auto status = derive_client_status(states).status;
  return status == alloc_client::kComplete || status == alloc_client::kFailed;
}

bool AllocRunner::terminal() const { return is_terminal(*alloc_) || client_terminal(); }

bool AllocRunner::should_run() const { return !stopping() && !client_terminal(); }

Allocation AllocRunner::view() const {
  Allocation out = *alloc_;
  out.TaskStates = task_states();
  auto derived = derive_client_status(out.TaskStates);
  out.ClientStatus = derived.status;
  out.ClientDescription = derived.description;
  out.DeploymentStatus = deployment_status_;
  if (is_client_terminal(out)) {
    auto now = deps_.world.clock.now();
    for (auto& [name, state] : out.TaskStates)
      if (state.FinishedAt.unset()) state.FinishedAt = now;
  }
  if (out.ClientStatus == alloc_client::kFailed && !out.DeploymentID.nil() &&
      (!out.DeploymentStatus || !out.DeploymentStatus->Healthy)) {
    out.DeploymentStatus.ensure().Healthy = false;
  }
  out.NetworkStatus = network_status_ ? network_status_ : Box<AllocNetworkStatus>(AllocNetworkStatus{});
  if (!out.NetworkStatus->DNS && hook_ctx_.group && !hook_ctx_.group->Networks.empty())
    out.NetworkStatus->DNS = hook_ctx_.group->Networks[0].DNS;
  return out;
}

AllocFiles AllocRunner::files() const {
  AllocFiles out;
  out.paths = paths();
  for (auto& t : tasks_) out.tasks[t->name()] = {!t->state().StartedAt.unset()};
  return out;
}

void AllocRunner::acknowledge(Allocation update) {
  if (auto status = deps_.state.put_acknowledged(update); !status)
    log_error(kLog, "failed to persist acknowledged state", {{"error", status.error().message}});
  acknowledged_ = std::move(update);
}

// ---- Running

void AllocRunner::save_alloc() {
  if (auto status = deps_.state.put_alloc(*alloc_); !status)
    log_error(kLog, "failed to persist allocation", {{"alloc_id", id().str()}, {"error", status.error().message}});
}

void AllocRunner::run() {
  save_alloc();
  run_ = Running(run_flow());
}

Async<void> AllocRunner::run_flow() {
  bool run = should_run();
  if (run) {
    if (auto status = co_await prerun(); !status) {
      log_error(kLog, "prerun failed", {{"alloc_id", id().str()}, {"error", status.error().message}});
      fail_setup(status.error());
    }
  }
  started_ = true;
  for (auto& t : tasks_) t->begin(!run);
  changed_soon();
  co_await tasks_finished_.wait();
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->postrun(hook_ctx_); !status) {
      log_error(kLog, "postrun failed", {{"hook", std::string(name)}, {"error", status.error().message}});
      break;
    }
  ended_.set();
  poster_.post([this] { callbacks_.ended(*this); });
}

Async<Status> AllocRunner::prerun() {
  for (auto& [name, hook] : hooks_) {
    auto status = co_await hook->prerun(hook_ctx_);
    if (!status) co_return std::move(status).error().with_context("pre-run hook " + go_quote(name) + " failed");
  }
  co_return Status();
}

void AllocRunner::fail_setup(const Error& error) {
  auto now = deps_.world.clock.now();
  auto event = failing_task(with_kill_reason(
      with_display(with_setup_error(make_task_event(kTaskSetupFailure, now), error.message),
                   "failed to setup alloc: " + error.message),
      kTaskRestoreFailed));
  for (auto& t : tasks_) {
    t->kill({event});
    killed_.insert(t->name());
  }
}

void AllocRunner::changed_soon() {
  if (std::exchange(change_posted_, true)) return;
  poster_.post([this] {
    change_posted_ = false;
    states_changed();
  });
}

void AllocRunner::states_changed() {
  if (shut_down_ || !started_) return;
  auto states = task_states();
  auto cause = kill_cause(roles_, states);
  if (cause || stopping()) kill_tasks(cause);
  else if (!any_live(roles_, states)) kill_tasks(std::nullopt);
  open_gates();
  for (auto& [name, hook] : hooks_) hook->states_changed(hook_ctx_);
  check_finished();
  callbacks_.changed(*this);
}

// Prekill hooks come first, also when nothing is left to kill; then the tasks in their order, as each group of them dies.
void AllocRunner::kill_tasks(const std::optional<KillCause>& cause) {
  auto now = deps_.world.clock.now();
  if (cause && !std::exchange(cause_told_, true)) {
    auto event = make_task_event(cause->type, now);
    if (!cause->sibling.empty()) event = with_failed_sibling(std::move(event), cause->sibling);
    for (auto& t : tasks_)
      if (t->alive() && task_role(t->task()) != TaskRole::kPoststop && !has_event(t->state(), cause->type)) t->record(event);
  }
  if (!std::exchange(prekilled_, true)) {
    prekill_ = Running(prekill_flow());
    return;
  }
  if (!prekill_done_) return;
  auto states = task_states();
  for (auto& name : kill_now(roles_, states)) {
    if (!killed_.insert(name).second) continue;
    auto* t = task(name);
    t->kill({with_kill_timeout(make_task_event(kTaskKilling, now), t->task().KillTimeout, deps_.config.max_kill_timeout)});
  }
  if (any_live(roles_, states)) return;
  for (auto& t : tasks_)
    if (t->phase() == TaskPhase::kDead) t->kill({});  // nobody will restart it any more
}

Async<void> AllocRunner::prekill_flow() {
  for (auto& [name, hook] : hooks_) co_await hook->prekill(hook_ctx_);
  prekill_done_ = true;
  changed_soon();
}

void AllocRunner::open_gates() {
  stage_ = next_stage(stage_, roles_, task_states());
  gates_.resize(tasks_.size());
  for (size_t i = 0; i < tasks_.size(); ++i) {
    bool open = gate_open(stage_, roles_[i].role);
    if (gates_[i] == open) continue;
    gates_[i] = open;
    tasks_[i]->gate(open);
  }
}

void AllocRunner::check_finished() {
  if (std::all_of(tasks_.begin(), tasks_.end(), [](auto& t) { return t->finished(); })) tasks_finished_.set();
}

// ---- News

void AllocRunner::update(Ref<Allocation> alloc) {
  if (shut_down_ || destroying_) return;
  bool was_stopping = stopping();
  bool new_deployment = alloc->DeploymentID != alloc_->DeploymentID;
  alloc_ = std::move(alloc);
  hook_ctx_.alloc = alloc_;
  hook_ctx_.group = task_group_of(*alloc_);
  save_alloc();
  if (new_deployment) clear_health();
  adopt_deployment_status();
  for (auto& t : tasks_) t->update(alloc_);
  if (!stopping() && !terminal() && started_) update_ = Running(update_flow());
  if (stopping() && !was_stopping && !started_ && !ended()) {
    // Still in prerun: what it waits for is of no interest any more.
    run_ = Running();
    run();
  }
  changed_soon();
}

Async<void> AllocRunner::update_flow() {
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->update(hook_ctx_); !status)
      log_error(kLog, "update hook failed", {{"hook", std::string(name)}, {"error", status.error().message}});
}

void AllocRunner::servers_contacted() {
  for (auto& t : tasks_) t->servers_contacted();
}

void AllocRunner::reconnect(Ref<Allocation> alloc) {
  auto event = make_task_event(kTaskClientReconnected, deps_.world.clock.now());
  for (auto& t : tasks_) t->record(event);
  update(std::move(alloc));
}

void AllocRunner::set_network(std::optional<drivers::NetworkIsolation> network) {
  for (auto& t : tasks_) t->set_network(network);
}

void AllocRunner::set_network_status(Box<AllocNetworkStatus> status) {
  if (network_status_ == status) return;
  network_status_ = std::move(status);
  if (auto s = deps_.state.put_network_status(id(), network_status_); !s)
    log_error(kLog, "failed to persist network status", {{"error", s.error().message}});
  changed_soon();
}

void AllocRunner::set_health(bool healthy, const std::vector<std::pair<std::string, std::string>>& reasons) {
  auto now = deps_.world.clock.now();
  auto& status = deployment_status_.ensure();
  status.Healthy = healthy;
  status.Timestamp = now;
  if (!healthy && !alloc_->DeploymentID.nil())
    for (auto& [name, message] : reasons)
      if (auto* t = task(name)) t->record(with_display(with_message(make_task_event(kTaskAllocUnhealthy, now), message), message));
  if (auto s = deps_.state.put_deployment_status(id(), deployment_status_); !s)
    log_error(kLog, "failed to persist deployment status", {{"error", s.error().message}});
  changed_soon();
}

// The servers own the canary flag, and an operator may have set the health that nobody here has judged yet.
void AllocRunner::adopt_deployment_status() {
  auto& theirs = alloc_->DeploymentStatus;
  if (!theirs) return;
  auto next = deployment_status_ ? *deployment_status_ : *theirs;
  next.Canary = theirs->Canary;
  next.ModifyIndex = theirs->ModifyIndex;
  if (!next.Healthy && theirs->Healthy) {
    next.Healthy = theirs->Healthy;
    next.Timestamp = theirs->Timestamp;
  }
  if (deployment_status_ && *deployment_status_ == next) return;
  deployment_status_ = next;
  if (auto s = deps_.state.put_deployment_status(id(), deployment_status_); !s)
    log_error(kLog, "failed to persist deployment status", {{"error", s.error().message}});
}

void AllocRunner::clear_health() {
  if (!deployment_status_) return;
  deployment_status_->Healthy.reset();
  deployment_status_->Timestamp = {};
  if (auto s = deps_.state.put_deployment_status(id(), deployment_status_); !s)
    log_error(kLog, "failed to persist deployment status", {{"error", s.error().message}});
}

// ---- Ending

Async<void> AllocRunner::destroy() {
  if (destroyed_) co_return;
  destroying_ = true;
  if (!ended()) {
    if (!started_) {
      run_ = Running();  // what prerun waits for is of no interest any more
      run_ = Running(run_flow());
    }
    changed_soon();
    co_await ended_.wait();
  }
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->destroy(hook_ctx_); !status)
      log_error(kLog, "destroy hook failed", {{"hook", std::string(name)}, {"error", status.error().message}});
  if (auto status = deps_.state.delete_alloc(id()); !status)
    log_error(kLog, "failed to delete allocation state", {{"error", status.error().message}});
  destroyed_ = true;
}

void AllocRunner::shutdown() {
  shut_down_ = true;
  for (auto& [name, hook] : hooks_) hook->shutdown();
  update_.reset();
  prekill_.reset();
  run_.reset();
  tasks_.clear();
}

// ---- Requests

Async<Status> AllocRunner::restart_task(std::string name) {
  auto* t = task(name);
  if (!t) co_return not_found("Could not find task runner for task: " + name);
  if (!t->restartable()) co_return invalid("Task not running");
  t->restart(with_restart_reason(make_task_event(kTaskRestartSignaled, deps_.world.clock.now()),
                                 "User requested task to restart"),
             false, false);
  co_return Status();
}

Async<Status> AllocRunner::restart_tasks(bool all) {
  if (!should_run()) co_return internal("restart of an alloc that should not run");
  for (auto& [name, hook] : hooks_) co_await hook->pre_task_restart(hook_ctx_);
  auto event = with_restart_reason(make_task_event(kTaskRestartSignaled, deps_.world.clock.now()),
                                   all ? "User requested all tasks to restart" : "User requested running tasks to restart");
  if (all) stage_ = LifecycleStage::kInit;
  for (auto& t : tasks_) t->restart(event, false, all);
  changed_soon();
  co_return Status();
}

Async<Status> AllocRunner::restart_unhealthy(TaskEvent event) {
  if (!should_run()) co_return internal("restart of an alloc that should not run");
  for (auto& [name, hook] : hooks_) co_await hook->pre_task_restart(hook_ctx_);
  for (auto& t : tasks_) t->restart(event, true, false);
  co_return Status();
}

Async<Status> AllocRunner::signal(std::string name, std::string signal) {
  if (!name.empty()) {
    auto* t = task(name);
    if (!t) co_return internal("Task not found");
    co_return co_await t->signal(signal, "");
  }
  MultiError errors;
  for (auto& t : tasks_)
    if (auto status = co_await t->signal(signal, ""); !status)
      errors.add("Failed to signal task: " + t->name() + ", err: " + status.error().message);
  if (errors) co_return internal(errors.text());
  co_return Status();
}

}  // namespace drover::client
