#include "agent/telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include <fmt/format.h>

#include "base/metrics.h"
#include "base/turns.h"
#include "client/client.h"
#include "model/fit.h"
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
  metric_gauge("runtime.heap_objects", 0);
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
  auto blocked = leader.blocked().stats();
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

// "parent/dispatch-123" and "parent/periodic-123" are told apart from their parents.
void add_parent(MetricLabels& labels, const std::string& job_id) {
  for (auto& [marker, label] : std::initializer_list<std::pair<std::string_view, const char*>>{
           {"/dispatch-", "dispatch_id"}, {"/periodic-", "periodic_id"}}) {
    auto at = job_id.find(marker);
    if (at == std::string::npos) continue;
    labels.emplace_back("parent_id", job_id.substr(0, at));
    labels.emplace_back(label, job_id.substr(at + marker.size()));
  }
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

std::string rpc_metric(std::string_view method) {
  auto dot = method.find('.');
  auto snake = [](std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      bool upper = std::isupper(static_cast<unsigned char>(text[i]));
      bool starts = i > 0 && upper && !std::isupper(static_cast<unsigned char>(text[i - 1]));
      if (starts) out += '_';
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    }
    return out;
  };
  auto family = method.substr(0, dot);
  return fmt::format("nomad.{}.{}", family == "Node" ? "client" : snake(family),
                     dot == std::string_view::npos ? "" : snake(method.substr(dot + 1)));
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
  int pending = 0, running = 0, terminal = 0;
  for (auto& alloc : client->allocs()) {
    auto& status = alloc->ClientStatus;
    if (is_client_terminal(*alloc)) {
      if (status != "lost") ++terminal;
      continue;
    }
    used += comparable(*alloc).usage;
    ++(status == "running" ? running : pending);
  }
  auto has = node_capacity(*node);
  const std::pair<const char*, int64_t> gauges[] = {
      {"client.allocated.memory", used.MemoryMB},
      {"client.allocated.max_memory", used.MemoryMaxMB},
      {"client.allocated.disk", used.DiskMB},
      {"client.allocated.cpu", used.CpuShares},
      {"client.unallocated.memory", has.MemoryMB - used.MemoryMB},
      {"client.unallocated.disk", has.DiskMB - used.DiskMB},
      {"client.unallocated.cpu", has.CpuShares - used.CpuShares},
      {"client.allocations.migrating", 0},
      {"client.allocations.blocked", 0},
      {"client.allocations.pending", pending},
      {"client.allocations.running", running},
      {"client.allocations.terminal", terminal}};
  for (auto& [name, value] : gauges) metric_gauge(name, static_cast<double>(value), labels);
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
      std::string job(alloc->JobID.view());
      MetricLabels labels{{"job", job}, {"task_group", std::string(alloc->TaskGroup.view())}, {"alloc_id", alloc->ID.str()},
                          {"task", task}, {"namespace", std::string(alloc->Namespace.view())}};
      add_parent(labels, job);
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
      MetricLabels labels{{"job", summary->JobID}, {"task_group", group}, {"namespace", summary->Namespace}};
      add_parent(labels, summary->JobID);
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
