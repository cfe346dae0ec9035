#include "agent/telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "base/metrics.h"
#include "base/turns.h"
#include "client/client.h"
#include "model/fit.h"
#include "model/metric_labels.h"
#include "model/status.h"
#include "net/real_world.h"
#include "raft/replica.h"
#include "server/leader.h"
#include "server/server.h"

namespace drover::agent {
namespace {

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

int thread_count() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  // The 18th field after the name in brackets is the number of threads.
  auto at = line.rfind(')');
  for (int field = 0; at != std::string::npos && field < 18; ++field) at = line.find(' ', at + 1);
  return at == std::string::npos ? 0 : std::atoi(line.c_str() + at);
}

// What the system knows of the process's memory: the allocator would have to walk all that is free, under its lock.
void emit_process() {
  double pages = static_cast<double>(::sysconf(_SC_PAGESIZE)), size = 0, resident = 0, shared = 0, text = 0, lib = 0, data = 0;
  std::ifstream("/proc/self/statm") >> size >> resident >> shared >> text >> lib >> data;
  metric_gauge("runtime.num_goroutines", thread_count());
  metric_gauge("runtime.alloc_bytes", (resident - shared) * pages);
  metric_gauge("runtime.sys_bytes", data * pages);
}

// The worst of the second: what a heartbeat or an entry of the log may have waited for.
void emit_turns() {
  auto turns = turn_meter().take();
  metric_sample("runtime.loop.longest_turn_ms", milliseconds(turns.longest));
  metric_sample("runtime.loop.latest_timer_ms", milliseconds(turns.latest_timer));
}

void emit_queues(server::Leader& leader) {
  auto broker = leader.broker().stats();
  metric_gauge("nomad.broker.total_ready", static_cast<double>(broker.ready));
  metric_gauge("nomad.broker.total_unacked", static_cast<double>(broker.unacked));
  metric_gauge("nomad.broker.total_pending", static_cast<double>(broker.pending));
  metric_gauge("nomad.broker.total_waiting", static_cast<double>(broker.waiting));
  metric_gauge("nomad.broker.total_cancelable", static_cast<double>(broker.cancelable));
  for (auto& [type, n] : broker.by_type) {
    metric_gauge(fmt::format("nomad.broker.{}.ready", type), static_cast<double>(n.ready));
    metric_gauge(fmt::format("nomad.broker.{}.unacked", type), static_cast<double>(n.unacked));
  }
  for (auto& [until, eval] : leader.broker().delayed())
    metric_gauge("nomad.broker.eval_waiting", std::chrono::duration<double>(until - leader.now().wall).count(),
                 {{"eval_id", eval->ID.str()}, {"job", eval->JobID}, {"namespace", eval->Namespace}});
  auto blocked = leader.blocked().stats();
  for (auto& [job, wanted] : blocked.by_job) {
    MetricLabels labels{{"namespace", job.first}, {"job", job.second}};
    metric_gauge("nomad.blocked_evals.job.cpu", static_cast<double>(wanted.cpu), labels);
    metric_gauge("nomad.blocked_evals.job.memory", static_cast<double>(wanted.memory_mb), labels);
  }
  for (auto& [where, wanted] : blocked.by_class) {
    MetricLabels labels{{"datacenter", where.first}, {"node_class", where.second}};
    metric_gauge("nomad.blocked_evals.cpu", static_cast<double>(wanted.cpu), labels);
    metric_gauge("nomad.blocked_evals.memory", static_cast<double>(wanted.memory_mb), labels);
  }
  metric_gauge("nomad.blocked_evals.total_blocked", static_cast<double>(blocked.total_blocked));
  metric_gauge("nomad.blocked_evals.total_escaped", static_cast<double>(blocked.total_escaped));
  metric_gauge("nomad.blocked_evals.total_quota_limit", static_cast<double>(blocked.total_quota_limit));
  metric_gauge("nomad.plan.queue_depth", static_cast<double>(leader.planner().depth()));
  for (auto& [node, score] : leader.planner().bad_nodes().scores(leader.now().mono))
    metric_gauge("nomad.plan.rejection_tracker.node_score", static_cast<double>(score), {{"node_id", node}});
  metric_gauge("nomad.heartbeat.active", static_cast<double>(leader.heartbeats().size()));
}

MetricLabels node_labels(const Node& node) {
  return {{"node_id", node.ID.str()},
          {"datacenter", node.Datacenter},
          {"node_class", node.NodeClass.empty() ? "none" : node.NodeClass},
          {"node_status", node.Status},
          {"node_scheduling_eligibility", node.SchedulingEligibility}};
}

MetricLabels with(MetricLabels labels, std::string key, std::string value) {
  labels.emplace_back(std::move(key), std::move(value));
  return labels;
}

void emit_task(const MetricLabels& labels, const ResourceUsage& usage) {
  if (auto& m = usage.MemoryStats) {
    const std::tuple<const char*, const char*, uint64_t> rows[] = {
        {"rss", "RSS", m->RSS},          {"cache", "Cache", m->Cache},
        {"swap", "Swap", m->Swap},       {"mapped_file", "Mapped File", m->MappedFile},
        {"usage", "Usage", m->Usage},    {"max_usage", "Max Usage", m->MaxUsage},
        {"kernel_usage", "Kernel Usage", m->KernelUsage}, {"kernel_max_usage", "Kernel Max Usage", m->KernelMaxUsage}};
    for (auto& [name, measured, value] : rows)
      if (value != 0 || m->Measured.contains(std::string_view(measured)))
        metric_gauge(fmt::format("client.allocs.memory.{}", name), static_cast<double>(value), labels);
  }
  if (auto& c = usage.CpuStats) {
    metric_gauge("client.allocs.cpu.total_percent", c->Percent, labels);
    metric_gauge("client.allocs.cpu.system", c->SystemMode, labels);
    metric_gauge("client.allocs.cpu.user", c->UserMode, labels);
    metric_gauge("client.allocs.cpu.throttled_time", static_cast<double>(c->ThrottledTime), labels);
    metric_gauge("client.allocs.cpu.throttled_periods", static_cast<double>(c->ThrottledPeriods), labels);
    metric_gauge("client.allocs.cpu.total_ticks", c->TotalTicks, labels);
  }
}

}  // namespace

void enable_metrics(const TelemetrySettings& settings) {
  configure_metrics({.now =
                         [] {
                           static net::RealClock clock;
                           return clock.now();
                         },
                     .host = settings.host,
                     .node_in_gauges = settings.node_in_gauges,
                     .prefix_filter = settings.prefix_filter,
                     .filter_default = settings.filter_default});
}

Emitter::Emitter(World& world, TelemetrySettings settings, api::Agent& agent)
    : world_(world), settings_(std::move(settings)), agent_(agent), fast_(every(1s, &Emitter::emit_fast)),
      collected_(every(settings_.interval, &Emitter::emit_collected)), indexes_(every(10s, &Emitter::emit_indexes)) {}

Async<void> Emitter::every(Duration interval, Async<void> (Emitter::*emit)()) {
  while (true) {
    co_await (this->*emit)();
    co_await sleep_for(world_.loop, interval);
  }
}

Async<void> Emitter::emit_fast() {
  emit_turns();
  auto* server = agent_.server();
  if (!server) co_return;
  metric_gauge("state.watch.waiting", static_cast<double>(server->store().waiting()));
  if (server->leader()) emit_queues(*server->leader());
}

Async<void> Emitter::emit_indexes() {
  emit_process();
  auto* server = agent_.server();
  if (!server) co_return;
  auto raft = server->replica().stats();
  metric_gauge("raft.lastIndex", static_cast<double>(raft.last_log_index));
  metric_gauge("raft.appliedIndex", static_cast<double>(raft.applied_index));
  metric_gauge("state.snapshotIndex", static_cast<double>(server->snapshot().index()));
}

Async<void> Emitter::emit_collected() {
  emit_client();
  if (settings_.allocations) co_await emit_tasks();
  co_await emit_jobs();
}

void Emitter::emit_client() {
  auto* client = agent_.client();
  auto node = client ? client->node() : nullptr;
  if (!node) return;
  auto labels = node_labels(*node);
  Usage used;
  int64_t pending = 0, running = 0, terminal = 0;
  std::map<std::string, int64_t> mbits;  // by device
  for (auto& alloc : client->allocs()) {
    auto& status = alloc->ClientStatus;
    if (is_client_terminal(*alloc)) {
      if (status != "lost") ++terminal;
      continue;
    }
    used += comparable(*alloc).usage;
    if (alloc->AllocatedResources)
      for (auto& [name, task] : alloc->AllocatedResources->Tasks)
        for (auto& network : task.Networks) mbits[network.Device] += network.MBits;
    ++(status == "running" ? running : pending);
  }
  auto has = node_capacity(*node);
  auto previous = client->previous_counts();
  auto waiting = static_cast<int64_t>(previous.waiting), migrating = static_cast<int64_t>(previous.migrating);
  const std::pair<const char*, int64_t> gauges[] = {
      {"client.allocated.memory", used.MemoryMB},
      {"client.allocated.max_memory", used.MemoryMaxMB},
      {"client.allocated.disk", used.DiskMB},
      {"client.allocated.cpu", used.CpuShares},
      {"client.unallocated.memory", has.MemoryMB - used.MemoryMB},
      {"client.unallocated.disk", has.DiskMB - used.DiskMB},
      {"client.unallocated.cpu", has.CpuShares - used.CpuShares},
      {"client.allocations.migrating", migrating},
      {"client.allocations.blocked", waiting},
      {"client.allocations.pending", std::max<int64_t>(0, pending - waiting - migrating)},
      {"client.allocations.running", running},
      {"client.allocations.terminal", terminal}};
  for (auto& [name, value] : gauges) metric_gauge(name, static_cast<double>(value), labels);
  for (auto& [device, value] : mbits) metric_gauge("client.allocated.network", static_cast<double>(value), with(labels, "device", device));
  if (node->NodeResources)
    for (auto& network : node->NodeResources->Networks)
      metric_gauge("client.unallocated.network", static_cast<double>(network.MBits - mbits[network.Device]), with(labels, "device", network.Device));
  if (settings_.nodes) emit_host_stats(labels);
}

void Emitter::emit_host_stats(const MetricLabels& labels) {
  auto stats = agent_.client()->host_stats();
  if (!stats) return;
  auto gauge = [](const char* name, double value, const MetricLabels& l) { metric_gauge(std::string("client.") + name, value, l); };
  gauge("uptime", static_cast<double>(stats->Uptime), labels);
  if (auto& m = stats->Memory) {
    gauge("host.memory.total", static_cast<double>(m->Total), labels);
    gauge("host.memory.available", static_cast<double>(m->Available), labels);
    gauge("host.memory.used", static_cast<double>(m->Used), labels);
    gauge("host.memory.free", static_cast<double>(m->Free), labels);
  }
  for (auto& c : stats->CPU) {
    auto l = with(labels, "cpu", c.CPU);
    gauge("host.cpu.total", c.Total, l);
    gauge("host.cpu.user", c.User, l);
    gauge("host.cpu.system", c.System, l);
    gauge("host.cpu.idle", c.Idle, l);
  }
  for (auto& d : stats->DiskStats) {
    auto l = with(labels, "disk", d.Device);
    gauge("host.disk.size", static_cast<double>(d.Size), l);
    gauge("host.disk.used", static_cast<double>(d.Used), l);
    gauge("host.disk.available", static_cast<double>(d.Available), l);
    gauge("host.disk.used_percent", d.UsedPercent, l);
    gauge("host.disk.inodes_percent", d.InodesUsedPercent, l);
  }
}

Async<void> Emitter::emit_tasks() {
  auto* client = agent_.client();
  if (!client) co_return;
  for (auto& alloc : client->allocs()) {
    if (alloc->ClientStatus != "running") continue;
    auto stats = co_await client->alloc_stats(alloc->ID, "");
    if (!stats) continue;
    for (auto& [task, usage] : stats->Tasks) {
      if (!usage.ResourceUsage) continue;
      auto labels = task_labels(*alloc, task);
      emit_task(labels, *usage.ResourceUsage);
      auto* granted = alloc->AllocatedResources ? alloc->AllocatedResources->Tasks.find(task) : nullptr;
      if (!granted) continue;
      metric_gauge("client.allocs.memory.allocated", static_cast<double>(granted->Memory.MemoryMB) * 1024 * 1024, labels);
      metric_gauge("client.allocs.cpu.allocated", static_cast<double>(granted->Cpu.CpuShares), labels);
    }
  }
}

namespace {

// Any thread: a region has many jobs, and each of them seven gauges a group.
void emit_summaries(const state::Snapshot& snap, bool dispatched) {
  int64_t pending = 0, running = 0, dead = 0;
  for (auto& job : snap.jobs().each()) {
    auto& status = job->Status;
    ++(status == "running" ? running : status == "dead" ? dead : pending);
  }
  metric_gauge("nomad.job_status.pending", static_cast<double>(pending));
  metric_gauge("nomad.job_status.running", static_cast<double>(running));
  metric_gauge("nomad.job_status.dead", static_cast<double>(dead));
  for (auto& summary : snap.job_summaries().each()) {
    if (!dispatched && summary->JobID.find("/dispatch-") != std::string::npos) continue;
    for (auto& [group, n] : summary->Summary) {
      auto labels = group_labels(summary->JobID, group, summary->Namespace);
      const std::pair<const char*, int64_t> gauges[] = {{"queued", n.Queued},     {"complete", n.Complete}, {"failed", n.Failed},
                                                        {"running", n.Running},   {"starting", n.Starting}, {"lost", n.Lost},
                                                        {"unknown", n.Unknown}};
      for (auto& [name, value] : gauges)
        metric_gauge(fmt::format("nomad.job_summary.{}", name), static_cast<double>(value), labels);
    }
  }
}

}  // namespace

Async<void> Emitter::emit_jobs() {
  auto* server = agent_.server();
  if (!server || !server->leader()) co_return;
  co_await on_pool(world_, [snap = server->snapshot(), dispatched = settings_.dispatched_summaries] {
    emit_summaries(snap, dispatched);
    return true;
  });
}

}  // namespace drover::agent
