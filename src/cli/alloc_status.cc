// alloc status.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "cli/alloc_commands.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/newest.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "cli/stats.h"
#include "cli/tables.h"
#include "model/client_status.h"
#include "model/task_events.h"
#include "model/volume.h"

namespace drover::cli {
namespace {

constexpr std::string_view kArguments =
    "This command takes one of the following argument conditions:\n * A single <allocation>\n * No arguments, with output "
    "format specified";

// Events of old servers say in fields what newer ones say in details, and have no text to show.
TaskEvent with_details(TaskEvent e) {
  if (!e.Details.empty() || !e.more) return e;
  auto& m = *e.more;
  auto number = [](int64_t n) { return n ? std::to_string(n) : std::string(); };
  const std::pair<std::string_view, std::string> all[] = {
      {"restart_reason", m.RestartReason.str()},     {"setup_error", m.SetupError.str()},
      {"driver_error", m.DriverError.str()},         {"exit_code", number(m.ExitCode)},
      {"signal", number(m.Signal)},                  {"exit_message", e.Message.str()},
      {"kill_timeout", m.KillTimeout.count() ? format_duration(m.KillTimeout) : ""},
      {"kill_error", m.KillError.str()},             {"kill_reason", m.KillReason.str()},
      {"start_delay", number(m.StartDelay)},         {"download_error", m.DownloadError.str()},
      {"validation_error", m.ValidationError.str()}, {"failed_sibling", m.FailedSibling.str()},
      {"task_signal", m.TaskSignal.str()},           {"task_signal_reason", m.TaskSignalReason.str()},
      {"driver_message", m.DriverMessage.str()},
  };
  for (auto& [key, value] : all)
    if (!value.empty()) e.Details.set(key, value);
  return e;
}

class AllocPage {
 public:
  AllocPage(Context& c, Api& api, Allocation alloc)
      : c_(c), api_(api), a_(std::move(alloc)), group_(a_.Job ? task_group_of(a_) : nullptr) {}

  int show() {
    bool brief = c_.args.on("short");
    if (brief) {
      short_facts();
      short_tasks();
    } else {
      facts();
      addresses();
      checks();
      stats();
      for (auto& task : ordered_tasks()) show_task(task);
    }
    if (c_.verbose() && a_.Metrics) {
      c_.ui.output("\n" + c_.ui.bold("Placement Metrics"));
      c_.ui.output(metrics_text(*a_.Metrics, true, "  "));
    }
    return 0;
  }

 private:
  std::string brief(const Uuid& id) const { return short_id(id, c_.verbose()); }
  std::string when(int64_t nanos) const { return c_.verbose() ? absolute_time(nanos) : age(nanos, c_.now()); }

  void short_facts() const {
    c_.ui.output(key_values({"ID|" + a_.ID.str(), "Name|" + a_.Name.str(), "Created|" + when(a_.CreateTime),
                             "Modified|" + when(a_.ModifyTime)}));
  }

  void facts() {
    Rows rows{"ID|" + a_.ID.str(),
              "Eval ID|" + brief(a_.EvalID),
              "Name|" + a_.Name.str(),
              "Node ID|" + brief(a_.NodeID),
              "Node Name|" + a_.NodeName.str(),
              "Job ID|" + a_.JobID.str(),
              fmt::format("Job Version|{}", a_.Job ? a_.Job->Version : 0),
              "Client Status|" + a_.ClientStatus.str(),
              "Client Description|" + a_.ClientDescription.str(),
              "Desired Status|" + a_.DesiredStatus.str(),
              "Desired Description|" + a_.DesiredDescription.str(),
              "Created|" + when(a_.CreateTime),
              "Modified|" + when(a_.ModifyTime)};
    if (a_.DeploymentID) {
      auto* s = a_.DeploymentStatus.get();
      rows.push_back("Deployment ID|" + brief(a_.DeploymentID));
      rows.push_back(std::string("Deployment Health|") + (!s || !s->Healthy ? "unset" : *s->Healthy ? "healthy" : "unhealthy"));
      if (s && s->Canary) rows.emplace_back("Canary|true");
    }
    if (auto text = reschedule_attempts(); !text.empty()) rows.push_back("Reschedule Attempts|" + text);
    if (a_.NextAllocation) rows.push_back("Replacement Alloc ID|" + brief(a_.NextAllocation));
    if (a_.FollowupEvalID) {
      auto eval = api_.get_as<Evaluation>("/v1/evaluation/" + a_.FollowupEvalID.str());
      if (eval && !eval->WaitUntil.unset() && eval->WaitUntil > c_.now())
        rows.push_back("Reschedule Eligibility|" + age(eval->WaitUntil, c_.now()));
    }
    if (c_.verbose() && a_.Metrics) {
      rows.push_back(fmt::format("Evaluated Nodes|{}", a_.Metrics->NodesEvaluated));
      rows.push_back(fmt::format("Filtered Nodes|{}", a_.Metrics->NodesFiltered));
      rows.push_back(fmt::format("Exhausted Nodes|{}", a_.Metrics->NodesExhausted));
      rows.push_back("Allocation Time|" + format_duration(a_.Metrics->AllocationTime));
      rows.push_back(fmt::format("Failures|{}", a_.Metrics->CoalescedFailures));
    }
    c_.ui.output(key_values(rows));
  }

  // "1/3" where the policy limits the attempts; the ones within its interval count.
  std::string reschedule_attempts() const {
    if (!a_.RescheduleTracker || a_.RescheduleTracker->Events.empty() || !group_ || !group_->ReschedulePolicy) return {};
    auto& policy = *group_->ReschedulePolicy;
    if (policy.Attempts <= 0) return {};
    int64_t n = 0;
    for (auto& e : a_.RescheduleTracker->Events)
      if (a_.ModifyTime - e.RescheduleTime < policy.Interval.count()) ++n;
    return fmt::format("{}/{}", n, policy.Attempts);
  }

  void addresses() const {
    if (!a_.AllocatedResources || a_.AllocatedResources->Shared.Networks.empty()) return;
    auto& shared = a_.AllocatedResources->Shared;
    auto& network = shared.Networks[0];
    if (network.DynamicPorts.empty() && network.ReservedPorts.empty()) return;
    Rows rows{"Label|Dynamic|Address"};
    for (auto& p : shared.Ports)
      rows.push_back(fmt::format("*{}|yes|{}", p.Label, host_arrow(p.HostIP, p.Value, p.To)));
    if (shared.Ports.empty())
      for (auto* ports : {&network.DynamicPorts, &network.ReservedPorts})
        for (auto& p : *ports) rows.push_back(fmt::format("{}|yes|{}", p.Label, host_arrow(network.IP, p.Value, p.To)));
    auto mode = network.Mode.empty() ? "" : fmt::format(" (mode = \"{}\")", network.Mode);
    c_.ui.output(fmt::format("\nAllocation Addresses{}:\n{}", mode, table(rows)));
  }
  static std::string host_arrow(std::string_view ip, int64_t port, int64_t to) {
    return host_port(ip, port) + (to > 0 ? fmt::format(" -> {}", to) : "");
  }

  void checks() {
    auto found = api_.get_as<Map<CheckQueryResult>>("/v1/client/allocation/" + a_.ID.str() + "/checks");
    if (!found || found->empty()) return;
    std::vector<std::array<std::string, 5>> sorted;
    for (auto& [id, r] : *found) sorted.push_back({r.Service, r.Task.empty() ? "(group)" : r.Task, r.Check, r.Mode, r.Status});
    std::sort(sorted.begin(), sorted.end());
    Rows rows{"Service|Task|Name|Mode|Status"};
    for (auto& r : sorted) rows.push_back(fmt::format("{}|{}|{}|{}|{}", r[0], r[1], r[2], r[3], r[4]));
    c_.ui.output("\nNomad Service Checks:");
    c_.ui.output(table(rows));
  }

  void stats() {
    auto node = api_.get_as<Node>("/v1/node/" + a_.NodeID.str());
    if (node && node->Status == "down") {
      c_.ui.output("\nOmitting resource statistics since the node is down.");
      return;
    }
    auto found = api_.get_as<AllocResourceUsage>("/v1/client/allocation/" + a_.ID.str() + "/stats");
    if (found) {
      stats_ = std::move(*found);
      return;
    }
    c_.ui.output("");
    c_.ui.error("Couldn't retrieve stats: " + found.error().message);
  }

  // Lifecycle tasks first, those that end before sidecars; by name within.
  std::vector<std::string> ordered_tasks() const {
    std::vector<std::pair<int, std::string>> keyed;
    for (auto& [name, state] : a_.TaskStates) {
      auto* l = lifecycle(name);
      keyed.emplace_back(!l ? 2 : l->Sidecar ? 1 : 0, name);
    }
    std::sort(keyed.begin(), keyed.end());
    std::vector<std::string> names;
    for (auto& [rank, name] : keyed) names.push_back(name);
    return names;
  }

  const TaskLifecycleConfig* lifecycle(std::string_view task) const {
    if (!group_) return nullptr;
    for (auto& t : group_->Tasks)
      if (t.Name == task) return t.Lifecycle ? t.Lifecycle.get() : nullptr;
    return nullptr;
  }

  void short_tasks() const {
    Rows rows{"Name|State|Last Event|Time|Lifecycle"};
    for (auto& name : ordered_tasks()) {
      auto& state = a_.TaskStates.at(name);
      auto* l = lifecycle(name);
      std::string last, at;
      if (!state.Events.empty()) {
        last = state.Events.back().Type.str();
        at = absolute_time(state.Events.back().Time);
      }
      auto role = !l ? "main" : l->Hook + (l->Sidecar ? "_sidecar" : "");
      rows.push_back(fmt::format("{}|{}|{}|{}|{}", name, state.State.view(), last, at, role));
    }
    c_.ui.output("\n" + c_.ui.bold("Tasks"));
    c_.ui.output(table(rows));
  }

  void show_task(const std::string& name) const {
    auto& state = a_.TaskStates.at(name);
    auto* l = lifecycle(name);
    auto role = l ? fmt::format(" ({}{})", l->Hook, l->Sidecar ? " sidecar" : "") : "";
    c_.ui.output("\n" + c_.ui.bold(fmt::format("Task \"{}\"{} is \"{}\"", name, role, state.State.view())));
    resources(name);
    c_.ui.output("");
    volumes(name);
    events(state);
  }

  void resources(const std::string& name) const {
    auto* r = a_.AllocatedResources ? a_.AllocatedResources->Tasks.find(name) : nullptr;
    if (!r) return;
    auto* task_stats = stats_.Tasks.find(name);
    auto* usage = task_stats && task_stats->ResourceUsage ? task_stats->ResourceUsage.get() : nullptr;
    auto cpu = std::to_string(r->Cpu.CpuShares);
    auto memory = format_ibytes(static_cast<uint64_t>(r->Memory.MemoryMB) * kMegabyte);
    if (usage && usage->CpuStats) cpu = fmt::format("{}/{}", std::floor(usage->CpuStats->TotalTicks), cpu);
    if (usage && usage->MemoryStats) memory = format_ibytes(memory_in_use(*usage->MemoryStats)) + "/" + memory;
    auto disk = format_ibytes(static_cast<uint64_t>(a_.AllocatedResources->Shared.DiskMB) * kMegabyte);
    std::vector<std::string> addresses;
    for (auto& n : r->Networks)
      for (auto* ports : {&n.DynamicPorts, &n.ReservedPorts})
        for (auto& p : *ports) addresses.push_back(fmt::format("{}: {}", p.Label, host_port(n.IP, p.Value)));
    auto cores = r->Cpu.ReservedCores.size();
    Rows rows{fmt::format("CPU{}|Memory|Disk|Addresses", cores ? fmt::format(" ({} cores)", cores) : ""),
              fmt::format("{} MHz|{}|{}|{}", cpu, memory, disk, addresses.empty() ? "" : addresses[0])};
    std::vector<std::string> more(addresses.begin() + (addresses.empty() ? 0 : 1), addresses.end());
    bool has_max = r->Memory.MemoryMaxMB > 0 && r->Memory.MemoryMaxMB != r->Memory.MemoryMB;
    if (has_max) {
      rows.push_back(fmt::format("|Max: {}||{}", format_ibytes(static_cast<uint64_t>(r->Memory.MemoryMaxMB) * kMegabyte),
                                 more.empty() ? "" : more[0]));
      if (!more.empty()) more.erase(more.begin());
    }
    for (auto& a : more) rows.push_back("|||" + a);
    c_.ui.output("Task Resources:");
    c_.ui.output(plain_table(rows));
    if (usage && !usage->DeviceStats.empty()) {
      c_.ui.output("\nDevice Stats");
      c_.ui.output(key_values(device_rows(usage->DeviceStats)));
    }
    if (usage && c_.args.on("stats")) measured(*usage);
  }

  void measured(const ResourceUsage& usage) const {
    c_.ui.output("");
    if (usage.MemoryStats) c_.ui.output("Memory Stats\n" + memory_stats_table(*usage.MemoryStats) + "\n");
    if (usage.CpuStats) c_.ui.output("CPU Stats\n" + cpu_stats_table(*usage.CpuStats));
    if (!usage.DeviceStats.empty()) c_.ui.output("\nDevice Stats\n" + device_details(usage.DeviceStats));
  }

  void volumes(const std::string& name) const {
    const Task* task = nullptr;
    if (group_)
      for (auto& t : group_->Tasks)
        if (t.Name == name) task = &t;
    if (!task || task->VolumeMounts.empty()) return;
    Rows host, csi;
    for (auto& mount : task->VolumeMounts) {
      auto* request = group_->Volumes.find(mount.Volume);
      if (!request) continue;
      auto read_only = yes_no(request->ReadOnly || mount.ReadOnly);
      if (request->Type == "host") host.push_back(mount.Volume + "|" + read_only);
      if (request->Type == "csi") csi.push_back(csi_row(*request, read_only));
    }
    if (!host.empty()) {
      host.insert(host.begin(), "ID|Read Only");
      c_.ui.output("Host Volumes:");
      c_.ui.output(table(host) + "\n");
    }
    if (!csi.empty()) {
      csi.insert(csi.begin(), c_.verbose() ? "Name|ID|Plugin|Provider|Schedulable|Read Only|Mount Options" : "ID|Read Only");
      c_.ui.output("CSI Volumes:");
      c_.ui.output(table(csi) + "\n");
    }
  }

  std::string csi_row(const VolumeRequest& request, const std::string& read_only) const {
    auto source = request.Source;
    if (request.PerAlloc) {  // the allocation's number is part of the volume's id
      auto name = a_.Name.str();
      source += name.substr(name.rfind('['));
    }
    if (!c_.verbose()) return source + "|" + read_only;
    auto volume = api_.get_as<CSIVolume>("/v1/volume/csi/" + escape(source), {{"namespace", a_.Namespace.str()}});
    if (!volume) return fmt::format("{}|{}|||||", request.Name, source);
    std::string options = "<none>";
    if (volume->MountOptions) options = "fs_type: " + volume->MountOptions->FSType;
    return fmt::format("{}|{}|{}|{}|{}|{}|{}", request.Name, source, volume->PluginID, volume->Provider, volume->Schedulable,
                       read_only, options);
  }

  void events(const TaskState& state) const {
    c_.ui.output("Task Events:");
    c_.ui.output(key_values({"Started At|" + task_time(state.StartedAt), "Finished At|" + task_time(state.FinishedAt),
                             fmt::format("Total Restarts|{}", state.Restarts), "Last Restart|" + task_time(state.LastRestart)}));
    c_.ui.output("\nRecent Events:");
    Rows rows{"Time|Type|Description"};
    for (size_t i = state.Events.size(); i-- > 0;) {
      auto& e = state.Events[i];
      auto text = e.DisplayMessage.empty() ? display_message(with_details(e)) : e.DisplayMessage.str();
      rows.push_back(fmt::format("{}|{}|{}", absolute_time(e.Time), e.Type.view(), text));
    }
    c_.ui.output(table(rows));
  }

  Context& c_;
  Api& api_;
  Allocation a_;
  const TaskGroup* group_;
  AllocResourceUsage stats_;
};

int run_alloc_status(Context& c) {
  bool listing = c.args.rest.empty() && formatted(c);
  if (c.args.rest.size() != 1 && !listing) return c.misuse(kArguments);
  auto* api = c.connect();
  if (!api) return 1;
  if (listing) {
    auto all = api->get_as<List<AllocListStub>>("/v1/allocations");
    if (!all) return c.fail("Error querying allocations: " + all.error().message);
    newest_first(*all);
    return *print_formatted(c, *all);
  }
  auto& prefix = c.args.rest[0];
  if (prefix.size() == 1) return c.fail("Identifier must contain at least two characters.");
  auto stubs = api->get_as<List<AllocListStub>>("/v1/allocations", {{"prefix", sanitize_uuid_prefix(prefix)}});
  if (!stubs) return c.fail("Error querying allocation: " + stubs.error().message);
  if (stubs->empty()) return c.fail(fmt::format("No allocation(s) with prefix or id \"{}\" found", prefix));
  if (stubs->size() > 1) {
    newest_first(*stubs);
    c.ui.output("Prefix matched multiple allocations\n\n" + alloc_stub_list(*stubs, c.verbose(), c.now()));
    return 0;
  }
  auto& stub = stubs->front();
  auto alloc = api->get_as<Allocation>("/v1/allocation/" + stub.ID.str(), {{"namespace", stub.Namespace}});
  if (!alloc) return c.fail("Error querying allocation: " + alloc.error().message);
  if (auto done = print_formatted(c, *alloc)) return *done;
  return AllocPage(c, *api, std::move(*alloc)).show();
}

constexpr Flag kFlags[] = {
    {"short", FlagKind::kBool, "", "Show the most important facts, and a line for each task.", ""},
    {"stats", FlagKind::kBool, "", "Show what tasks use in detail.", ""},
    kVerboseFlag,
    kJsonFlag,
    kTemplateFlag,
};

constexpr Command kCommands[] = {
    {.name = "alloc status",
     .synopsis = "Display allocation status information and metadata",
     .usage = "Usage: nomad alloc status [options] <allocation>",
     .about = "Shows an allocation: facts, addresses, and for each task what it uses and what happened\n"
              "to it. The argument is the id of the allocation or the beginning of it.",
     .general = General::kAll,
     .options = "Alloc Status Options",
     .flags = kFlags,
     .run = run_alloc_status},
};

}  // namespace

std::span<const Command> alloc_status_commands() { return kCommands; }

}  // namespace drover::cli
