// Registration, heartbeats, node updates and events, and the sending of allocation updates.
#include <algorithm>

#include "base/log.h"
#include "client/client_impl.h"
#include "client/fingerprint.h"
#include "model/constraint.h"

namespace drover::client {

namespace {

constexpr std::string_view kLog = "client";

bool node_not_found(const Error& e) { return e.message.find("node not found") != std::string::npos; }

}  // namespace

void Client::Impl::contacted() {
  disconnect.contact(mono());
  for (auto& w : std::exchange(contact_waiters, {})) w.set_from_any_thread(world.loop, true);
}

Async<void> Client::Impl::wait_for_contact(Duration limit) {
  Promise<bool> p;
  contact_waiters.push_back(p);
  auto timer = world.loop.after(limit, [p]() mutable { p.set(false); });
  co_await p;
}

void Client::Impl::take_servers(const NodeUpdateResponse& answer) {
  last_heartbeat = mono();
  last_heartbeat_wall = wall();
  if (answer.HeartbeatTTL > Duration::zero()) heartbeat_ttl = answer.HeartbeatTTL;
  known_servers = answer.Servers.size();
  sync.set_cluster_size(answer.NumNodes);
  if (answer.Servers.empty()) log_warn(kLog, "heartbeat response returned no valid servers");
  else server.set_servers(answer.Servers, answer.NumNodes);
  if (!answer.SchedulingEligibility.empty() && answer.SchedulingEligibility != node->SchedulingEligibility) {
    Node next = *node;
    next.SchedulingEligibility = answer.SchedulingEligibility;
    set_node(std::move(next));  // the servers' own: no reason to register again
  }
  contacted();
}

Async<void> Client::Impl::register_node() {
  for (;;) {
    rpc::NodeRegisterRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.Node = *node;
    node_is_dirty = false;
    auto answer = co_await server.call(rpc::kNodeRegister, std::move(request));
    if (answer) {
      if (node->Status != node_status::kReady) {
        Node next = *node;
        next.Status = node_status::kReady;
        set_node(std::move(next));
      }
      // The reference's development agent registers again a second later; clients of it see the index of that.
      if (!std::exchange(registered, true) && config.dev_mode) node_changed();
      take_servers(*answer);
      log_info(kLog, "node registration complete");
      co_return;
    }
    log_error(kLog, "error registering", {{"error", answer.error().message}});
    co_await wait_for_contact(retry_interval(kRegisterRetry, config.dev_mode, random()));
  }
}

// The servers forgot this node: what they say of its allocations from here on is not a continuation of what they said
// before. Nothing that runs is stopped because they fail to mention it.
void Client::Impl::node_lost() {
  acted_index = 0;
  for (auto& [id, r] : runners)
    if (!r->terminal()) protected_.insert(id);
  save_protected();
  services.sync.register_again();
}

Async<void> Client::Impl::heartbeat_flow() {
  co_await register_node();
  // The first beat makes the node ready, so it follows the registration at once.
  Duration wait{};
  for (;;) {
    co_await sleep_for(world.loop, wait);
    rpc::NodeUpdateStatusRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.NodeID = identity.id.str();
    request.Status = node_status::kReady;
    auto answer = co_await server.call(rpc::kNodeUpdateStatus, std::move(request));
    if (answer) {
      if (last_heartbeat && mono() - *last_heartbeat > heartbeat_ttl + std::chrono::seconds(1)) {
        log_warn(kLog, "missed heartbeat",
                 {{"req_latency", format_duration(mono() - *last_heartbeat)}, {"heartbeat_ttl", format_duration(heartbeat_ttl)}});
        services.sync.register_again();  // a node that is down loses its registrations
      }
      take_servers(*answer);
      wait = heartbeat_ttl;
      continue;
    }
    if (node_not_found(answer.error())) {
      log_info(kLog, "re-registering node");
      node_lost();
      co_await register_node();
      wait = Duration{};
      continue;
    }
    log_error(kLog, "error heartbeating. retrying", {{"error", answer.error().message}});
    std::optional<Duration> since;
    if (last_heartbeat) since = mono() - *last_heartbeat;
    wait = heartbeat_retry(since, heartbeat_ttl, answer.error().code == ErrorCode::kNoLeader, config.dev_mode, random());
  }
}

// ---- The node's changes

void Client::Impl::set_node(Node next) {
  next.ComputedClass = compute_class(next);
  node = std::make_shared<const Node>(std::move(next));
}

void Client::Impl::change_node(const std::function<void(Node&)>& change) {
  Node next = *node;
  change(next);
  set_node(std::move(next));
  node_changed();
}

void Client::Impl::node_changed() {
  node_is_dirty = true;
  if (node_dirty) std::exchange(node_dirty, std::nullopt)->set_from_any_thread(world.loop, true);
}

Async<void> Client::Impl::node_update_flow() {
  for (;;) {
    if (!node_is_dirty) {
      node_dirty.emplace();
      auto news = *node_dirty;
      co_await news;
    }
    co_await sleep_for(world.loop, retry_interval(kNodeUpdateDelay, config.dev_mode, random()));
    if (node_is_dirty && registered) co_await register_node();
  }
}

Async<void> Client::Impl::fingerprint_flow(size_t row) {
  auto& printer = fingerprinters()[row];
  for (;;) {
    co_await sleep_for(world.loop, printer.period);
    Node next = *node;
    if (auto status = printer.run({host, config}, next); !status) {
      log_warn(kLog, "fingerprinting failed", {{"name", std::string(printer.name)}, {"error", status.error().message}});
      continue;
    }
    if (next == *node) continue;
    set_node(std::move(next));
    node_changed();
  }
}

void Client::Impl::emit_node_event(NodeEvent event) {
  constexpr size_t kMaxEvents = 10;
  node_events.push_back(std::move(event));
  if (node_events.size() > kMaxEvents) node_events.erase(node_events.begin());
  if (events_waiting) std::exchange(events_waiting, std::nullopt)->set_from_any_thread(world.loop, true);
}

Async<void> Client::Impl::node_events_flow() {
  for (;;) {
    if (node_events.empty()) {
      events_waiting.emplace();
      auto news = *events_waiting;
      co_await news;
    }
    auto batch = std::exchange(node_events, {});
    rpc::EmitNodeEventsRequest request;
    request.Region = config.region;
    request.AuthToken = identity.secret.str();
    request.NodeEvents.set(identity.id.str(), List<NodeEvent>(batch));
    auto answer = co_await server.call(rpc::kNodeEmitEvents, std::move(request));
    if (answer) continue;
    log_error(kLog, "error emitting node events", {{"error", answer.error().message}});
    node_events.insert(node_events.begin(), batch.begin(), batch.end());
    if (node_events.size() > 10) node_events.erase(node_events.begin(), node_events.end() - 10);
    co_await sleep_for(world.loop, retry_interval(kNodeUpdateDelay, config.dev_mode, random()));
  }
}

// ---- Allocation updates

void Client::Impl::pump_sync() {
  if (stopped) return;
  auto due = sync.next_due([this](const Uuid& id) -> const Allocation* {
    auto* r = runner(id);
    return r ? r->acknowledged() : nullptr;
  });
  sync_timer.cancel();
  if (!due) return;
  auto now = mono();
  if (*due <= now) {
    flows.start(sync_flow());
    return;
  }
  sync_timer = world.loop.after(*due - now, [this] { poster.post([this] { pump_sync(); }); });
}

Async<void> Client::Impl::sync_flow() {
  auto batch = sync.take(mono());
  rpc::AllocUpdateRequest request;
  request.Region = config.region;
  request.AuthToken = identity.secret.str();
  request.Alloc = List<Allocation>(batch);
  auto answer = co_await server.call(rpc::kNodeUpdateAlloc, std::move(request));
  if (answer) {
    for (auto& update : batch)
      if (auto* r = runner(update.ID)) r->acknowledge(std::move(update));
  } else {
    log_error(kLog, "error updating allocations", {{"error", answer.error().message}});
  }
  sync.done(static_cast<bool>(answer), mono(), random());
  poster.post([this] { pump_sync(); });
}

// ---- stop_after_client_disconnect

Async<void> Client::Impl::disconnect_flow() {
  constexpr Duration kLook = std::chrono::seconds(5);
  for (;;) {
    co_await sleep_for(world.loop, std::max(disconnect.poll_interval().value_or(kLook), Duration(std::chrono::milliseconds(100))));
    for (auto& id : disconnect.due(mono())) {
      disconnect.forget(id);
      destroy_soon(id, "stop_after_client_disconnect has passed");
    }
  }
}

}  // namespace drover::client
