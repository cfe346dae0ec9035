#include <algorithm>

#include "base/log.h"
#include "client/client_impl.h"
#include "client/fingerprint.h"
#include "model/task_events.h"

namespace drover::client {

namespace {
constexpr std::string_view kLog = "client";
}

Client::Impl::Impl(Config c, ClientDeps d)
    : config(std::move(c)),
      world(d.world),
      server(d.server),
      host(d.host),
      state(std::move(d.state)),
      deps{d.world, d.server, d.host, nullptr, std::move(d.make_drivers), d.fds, std::move(d.shim_path)},
      services{ServiceSync(d.world, d.server), CheckStore(*state), d.network},
      runner_deps{d.world, config, *state, [this] { return node; },
                  [this](std::string_view name) { return drivers ? drivers->find(name) : nullptr; }, &services},
      disconnect(d.world.clock.monotonic()),
      sync(config.dev_mode),
      poster(d.world.loop) {
  previous.wait = [this](Uuid id) { return wait_previous(id); };
  previous.local_paths = [this](const Uuid& id) -> std::optional<AllocPaths> {
    auto* r = runner(id);
    return r ? std::optional(r->paths()) : std::nullopt;
  };
  previous.destroy = [this](const Uuid& id) { destroy_soon(id, "data moved to its successor"); };
}

Async<Status> Client::Impl::start() {
  DROVER_CO_CHECK(prepare_node());
  start_drivers();
  services.sync.start({config.region, identity.secret.str()});
  co_await drivers->wait_first(kFirstFingerprintLimit);
  if (auto status = restore(); !status)
    co_return std::move(status).error().with_context("failed to restore state");
  started = true;
  flows.start(heartbeat_flow());
  flows.start(node_update_flow());
  flows.start(node_events_flow());
  flows.start(watch_allocs_flow());
  flows.start(disconnect_flow());
  flows.start(gc_flow());
  auto filter = fingerprint_filter(config);
  for (size_t i = 0; i < fingerprinters().size(); ++i)
    if (auto& row = fingerprinters()[i]; row.period > Duration::zero() && filter.admits(row.name))
      flows.start(fingerprint_flow(i));
  co_return Status();
}

Status Client::Impl::prepare_node() {
  DROVER_CHECK(make_dir(config.state_dir, 0700));
  DROVER_CHECK(make_dir(config.alloc_dir, 0711));
  DROVER_TRY(identity, load_identity(config, host, world.random));
  FingerprintInput in{host, config};
  DROVER_TRY(auto made, configured_node(in));
  made.ID = identity.id;
  made.SecretID = identity.secret;
  if (made.Name.empty()) made.Name = made.ID.str();
  DROVER_CHECK(fingerprint_node(in, made));
  meta.fixed = made.Meta;
  DROVER_TRY(meta.dynamic, state->node_meta());
  made.Meta = meta.merged();
  set_node(std::move(made));
  sampler = std::make_unique<HostStatsSampler>(host, config.alloc_dir, node->NodeResources->Cpu.CpuShares, mono());
  return {};
}

void Client::Impl::start_drivers() {
  drivers::DriverContext context{.world = world};
  context.fds = deps.fds;
  context.state_dir = config.state_dir;
  context.shim_path = deps.shim_path;
  context.cgroup_parent = config.cgroup_parent;
  context.total_compute_mhz = static_cast<double>(node->NodeResources->Cpu.CpuShares);
  context.cpu_cores = node->NodeResources->Cpu.TotalCpuCores;
  context.emit = poster.guard([this](drivers::TaskEvent event) {
    auto id = Uuid::parse(event.alloc_id);
    auto* r = id ? runner(*id) : nullptr;
    auto* task = r ? r->task(event.task_name) : nullptr;
    if (!task) return;
    auto out = with_driver_message(make_task_event(kTaskDriverMessage, event.timestamp), event.message);
    for (auto& [key, value] : event.annotations) out.Details.set(key, value);
    task->record(std::move(out));
  });
  auto all = deps.make_drivers ? deps.make_drivers(context) : std::vector<std::unique_ptr<drivers::Driver>>();
  drivers = std::make_unique<DriverManager>(
      world, config, std::move(all), [this](const std::string& name, const drivers::Fingerprint& fingerprint) {
        std::optional<NodeEvent> event;
        Node next = *node;
        if (!apply_driver_fingerprint(next, name, fingerprint, wall(), event)) return;
        set_node(std::move(next));
        node_changed();
        if (event) emit_node_event(std::move(*event));
      });
  drivers->start();
}

Status Client::Impl::restore() {
  std::vector<std::string> damaged;
  DROVER_TRY(auto stored, state->load_allocs(damaged));
  for (auto& note : damaged) log_error(kLog, "state that cannot be read is left out", {{"row", note}});
  DROVER_TRY(auto index, state->value("acted_index"));
  acted_index = saved_index = std::strtoull(index.c_str(), nullptr, 10);
  DROVER_TRY(auto lost, state->value("protected_allocs"));
  for (size_t at = 0; at + 36 <= lost.size(); at += 37)
    if (auto id = Uuid::parse(std::string_view(lost).substr(at, 36))) protected_.insert(*id);
  DROVER_TRY(auto boot, state->value(kBootId));
  if (auto now = host.read_file("/proc/sys/kernel/random/boot_id")) {
    runner_deps.rebooted = !boot.empty() && boot != *now;
    if (boot != *now) new_boot = std::move(*now);
  }
  for (auto& s : stored) {
    if (s.alloc.ID.nil() || (s.task_local.empty() && s.task_states.empty())) continue;  // the servers will tell
    add_alloc(std::make_shared<const Allocation>(s.alloc), &s);
  }
  return {};
}

Async<void> Client::Impl::shutdown() {
  if (stopped) co_return;
  stopped = true;
  flows.cancel();
  sync_timer.cancel();
  if (config.dev_mode) {
    std::vector<Uuid> ids;
    for (auto& [id, r] : runners) ids.push_back(id);
    for (auto& id : ids) flows.start(destroy_flow(id));
    while (!runners.empty()) co_await sleep_for(world.loop, std::chrono::milliseconds(20));
  }
  for (auto& [id, r] : runners) r->shutdown();
  runners.clear();
}

Async<Status> Client::Impl::leave() {
  if (config.dev_mode || !config.drain_on_shutdown) co_return Status();
  auto& drain = *config.drain_on_shutdown;
  rpc::NodeUpdateDrainRequest request;
  request.Region = config.region;
  request.NodeID = identity.id.str();
  request.AuthToken = identity.secret.str();
  request.Meta.set("message", "shutting down");
  auto& strategy = request.DrainStrategy.emplace();
  strategy.Deadline = drain.deadline;
  strategy.IgnoreSystemJobs = drain.ignore_system_jobs;
  auto begun = co_await server.call(rpc::kNodeUpdateDrain, request);
  if (!begun) co_return begun.error();

  auto limit = mono() + drain.deadline + std::chrono::seconds(5);
  for (;;) {
    co_await sleep_for(world.loop, std::chrono::seconds(1));
    rpc::NodeSpecificRequest look;
    look.Region = config.region;
    look.NodeID = identity.id.str();
    look.AuthToken = identity.secret.str();
    auto answer = co_await server.call(rpc::kNodeGetNode, look);
    bool over = answer ? answer->Node && !answer->Node->DrainStrategy
                       : std::all_of(runners.begin(), runners.end(), [](auto& r) { return r.second->terminal(); });
    if (over) co_return Status();
    if (drain.deadline > Duration::zero() && mono() > limit) co_return internal("self-drain exceeded deadline");
  }
}

}  // namespace drover::client
