// node status.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/newest.h"
#include "cli/node_commands.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/resolve.h"
#include "cli/stats.h"
#include "cli/tables.h"
#include "model/volume.h"

namespace drover::cli {

Result<std::string> own_node_id(Api& api) {
  auto self = api.get_as<Map<Value>>("/v1/agent/self");
  if (!self) return internal("failed querying self endpoint: " + self.error().message);
  auto* stats = self->find("stats");
  auto* groups = stats ? stats->as_object() : nullptr;
  auto* client = groups ? groups->find("client") : nullptr;
  auto* facts = client ? client->as_object() : nullptr;
  auto* id = facts ? facts->find("node_id") : nullptr;
  auto* text = id ? id->as_string() : nullptr;
  if (!text) return invalid("Nomad not running in client mode");
  return *text;
}

namespace {

template <class M>
std::string names_of(const M& map) {
  std::vector<std::string> names;
  for (auto& [name, value] : map) names.push_back(name);
  return join(names, ",");
}

std::string mib(int64_t megabytes) { return format_ibytes(static_cast<uint64_t>(std::max<int64_t>(megabytes, 0)) * kMegabyte); }

std::string drain_text(const Node& node) {
  if (!node.DrainStrategy) return yes_no(node.Drain);
  auto& d = *node.DrainStrategy;
  std::string text = "true; ";
  if (d.Deadline.count() < 0) text += "force drain";
  else if (d.ForceDeadline.unset()) text += "no deadline";
  else text += absolute_time(d.ForceDeadline) + " deadline";
  return text + (d.IgnoreSystemJobs ? "; ignoring system jobs" : "");
}

class NodePage {
 public:
  NodePage(Context& c, Api& api, Node node) : c_(c), api_(api), n_(std::move(node)) {}

  int show() {
    auto allocs = api_.get_as<List<Allocation>>("/v1/node/" + n_.ID.str() + "/allocations");
    if (!allocs) return c_.fail("Error querying node allocations: " + allocs.error().message);
    allocs_ = std::move(*allocs);
    newest_first(allocs_);
    if (auto volumes = api_.get_as<List<CSIVolListStub>>("/v1/volumes", {{"node_id", n_.ID.str()}, {"type", "csi"}}))
      csi_ = std::move(*volumes);
    if (c_.args.on("short")) {
      auto rows = facts();
      add_lists(rows, "Drivers", detected_drivers());
      c_.ui.output(key_values(rows));
    } else {
      full();
    }
    title("Allocations");
    c_.ui.output(alloc_list(allocs_, c_.verbose(), c_.now()));
    if (c_.verbose()) {
      map_section("Attributes", n_.Attributes);
      devices();
      map_section("Meta", n_.Meta);
    }
    return 0;
  }

 private:
  void title(std::string_view text) const { c_.ui.output("\n" + c_.ui.bold(text)); }

  Rows facts() const {
    return {"ID|" + n_.ID.str(),
            "Name|" + n_.Name,
            "Class|" + n_.NodeClass,
            "DC|" + n_.Datacenter,
            "Drain|" + drain_text(n_),
            "Eligibility|" + n_.SchedulingEligibility,
            "Status|" + n_.Status,
            "CSI Controllers|" + names_of(n_.CSIControllerPlugins),
            "CSI Drivers|" + names_of(n_.CSINodePlugins)};
  }

  void add_lists(Rows& rows, std::string_view drivers_title, const std::string& drivers) const {
    std::vector<std::string> ids;
    for (auto& v : csi_) ids.push_back(v.ID);
    std::sort(ids.begin(), ids.end());
    rows.push_back("Host Volumes|" + names_of(n_.HostVolumes));
    rows.push_back("Host Networks|" + names_of(n_.HostNetworks));
    rows.push_back("CSI Volumes|" + join(ids, ","));
    rows.push_back(fmt::format("{}|{}", drivers_title, drivers));
  }

  std::string detected_drivers() const {
    std::vector<std::string> names;
    for (auto& [name, d] : n_.Drivers)
      if (d.Detected) names.push_back(name + (d.Healthy ? "" : " (unhealthy)"));
    return join(names, ",");
  }

  void full() {
    auto stats = api_.get_as<HostStats>("/v1/client/stats", {{"node_id", n_.ID.str()}});
    auto rows = facts();
    if (stats) rows.push_back("Uptime|" + format_duration(std::chrono::seconds(stats->Uptime)));
    if (!c_.verbose()) add_lists(rows, "Driver Status", detected_drivers());
    c_.ui.output(key_values(rows));
    if (c_.verbose()) verbose_sections();
    events();
    auto [cpu, memory, disk] = totals();
    allocated(cpu, memory, disk);
    alloc_use(cpu, memory);
    if (!stats) {
      c_.ui.output("");
      c_.ui.error("error fetching node stats: " + stats.error().message);
      return;
    }
    host_use(*stats, cpu);
    if (c_.args.on("stats")) detailed_stats(*stats);
  }

  void verbose_sections() const {
    if (!n_.HostVolumes.empty()) {
      Rows rows{"Name|ReadOnly|Source"};
      for (auto& [name, v] : n_.HostVolumes) rows.push_back(fmt::format("{}|{}|{}", name, v.ReadOnly, v.Path));
      title("Host Volumes");
      c_.ui.output(table(rows));
    }
    if (!n_.HostNetworks.empty()) {
      Rows rows{"Name|CIDR|Interface|ReservedPorts"};
      for (auto& [name, w] : n_.HostNetworks)
        rows.push_back(fmt::format("{}|{}|{}|{}", name, w.CIDR, w.Interface, w.ReservedPorts));
      title("Host Networks");
      c_.ui.output(table(rows));
    }
    if (!csi_.empty()) {
      Rows rows{"ID|Name|Plugin ID|Schedulable|Provider|Access Mode"};
      for (auto& v : csi_)
        rows.push_back(fmt::format("{}|{}|{}|{}|{}|{}", v.ID, v.Name, v.PluginID, v.Schedulable, v.Provider, v.AccessMode));
      title("CSI Volumes");
      c_.ui.output(table(rows));
    }
    Rows rows{"Driver|Detected|Healthy|Message|Time"};
    for (auto& [name, d] : n_.Drivers)
      rows.push_back(fmt::format("{}|{}|{}|{}|{}", name, d.Detected, d.Healthy, d.HealthDescription, absolute_time(d.UpdateTime)));
    title("Drivers");
    c_.ui.output(table(rows));
  }

  void events() const {
    Rows rows{c_.verbose() ? "Time|Subsystem|Message|Details" : "Time|Subsystem|Message"};
    for (size_t i = n_.Events.size(); i-- > 0;) {
      auto& e = n_.Events[i];
      auto subsystem = e.Subsystem;
      if (auto* driver = e.Details.find("driver")) subsystem = "Driver: " + *driver;
      auto row = fmt::format("{}|{}|{}", absolute_time(e.Timestamp), subsystem, e.Message);
      if (c_.verbose()) {
        std::vector<std::string> details;
        for (auto& [k, v] : e.Details) details.push_back(k + ": " + v);
        row += "|" + join(details, ", ");
      }
      rows.push_back(row);
    }
    title("Node Events");
    c_.ui.output(table(rows));
  }

  // CPU in MHz, memory and disk in MB, without what the node keeps for itself.
  std::tuple<int64_t, int64_t, int64_t> totals() const {
    int64_t cpu = 0, memory = 0, disk = 0;
    if (n_.NodeResources) {
      cpu = n_.NodeResources->Cpu.CpuShares;
      memory = n_.NodeResources->Memory.MemoryMB;
      disk = n_.NodeResources->Disk.DiskMB;
    }
    if (n_.ReservedResources) {
      cpu -= n_.ReservedResources->Cpu.CpuShares;
      memory -= n_.ReservedResources->Memory.MemoryMB;
      disk -= n_.ReservedResources->Disk.DiskMB;
    }
    return {cpu, memory, disk};
  }

  void allocated(int64_t cpu, int64_t memory, int64_t disk) const {
    int64_t used_cpu = 0, used_memory = 0, used_disk = 0;
    for (auto& a : allocs_) {
      if (a.ClientStatus != "running" || !a.AllocatedResources) continue;
      for (auto& [name, t] : a.AllocatedResources->Tasks) {
        used_cpu += t.Cpu.CpuShares;
        used_memory += t.Memory.MemoryMB;
      }
      used_disk += a.AllocatedResources->Shared.DiskMB;
    }
    title("Allocated Resources");
    c_.ui.output(table({"CPU|Memory|Disk", fmt::format("{}/{} MHz|{}/{}|{}/{}", used_cpu, cpu, mib(used_memory), mib(memory),
                                                        mib(used_disk), mib(disk))}));
  }

  void alloc_use(int64_t cpu, int64_t memory) {
    double ticks = 0;
    uint64_t bytes = 0;
    for (auto& a : allocs_) {
      if (a.ClientStatus != "running") continue;
      auto s = api_.get_as<AllocResourceUsage>("/v1/client/allocation/" + a.ID.str() + "/stats",
                                               {{"namespace", a.Namespace.str()}});
      if (!s || !s->ResourceUsage) continue;
      if (s->ResourceUsage->CpuStats) ticks += s->ResourceUsage->CpuStats->TotalTicks;
      if (s->ResourceUsage->MemoryStats) bytes += memory_in_use(*s->ResourceUsage->MemoryStats);
    }
    title("Allocation Resource Utilization");
    c_.ui.output(
        table({"CPU|Memory", fmt::format("{}/{} MHz|{}/{}", std::floor(ticks), cpu, format_ibytes(bytes), mib(memory))}));
  }

  void host_use(const HostStats& s, int64_t cpu) const {
    auto disk = s.AllocDirStats ? fmt::format("{}/{}", format_ibytes(s.AllocDirStats->Used), format_ibytes(s.AllocDirStats->Size))
                                : std::string();
    auto memory = s.Memory ? fmt::format("{}/{}", format_ibytes(s.Memory->Used), format_ibytes(s.Memory->Total)) : std::string();
    title("Host Resource Utilization");
    c_.ui.output(
        table({"CPU|Memory|Disk", fmt::format("{}/{} MHz|{}|{}", std::floor(s.CPUTicksConsumed), cpu, memory, disk)}));
    if (!s.DeviceStats.empty()) {
      title("Device Resource Utilization");
      c_.ui.output(key_values(device_rows(s.DeviceStats)));
    }
  }

  void detailed_stats(const HostStats& s) const {
    title("CPU Stats");
    std::string out;
    for (auto& cpu : s.CPU)
      out += (out.empty() ? "" : "\n\n") +
             key_values({"CPU|" + cpu.CPU, "User|" + thousands(cpu.User) + "%", "System|" + thousands(cpu.System) + "%",
                         "Idle|" + thousands(cpu.Idle) + "%"});
    c_.ui.output(out);
    if (s.Memory) {
      title("Memory Stats");
      c_.ui.output(key_values({"Total|" + format_ibytes(s.Memory->Total), "Available|" + format_ibytes(s.Memory->Available),
                               "Used|" + format_ibytes(s.Memory->Used), "Free|" + format_ibytes(s.Memory->Free)}));
    }
    title("Disk Stats");
    out.clear();
    for (auto& d : s.DiskStats)
      out += (out.empty() ? "" : "\n\n") +
             key_values({"Device|" + d.Device, "MountPoint|" + d.Mountpoint, "Size|" + format_ibytes(d.Size),
                         "Used|" + format_ibytes(d.Used), "Available|" + format_ibytes(d.Available),
                         "Used Percent|" + thousands(d.UsedPercent) + "%",
                         "Inodes Percent|" + thousands(d.InodesUsedPercent) + "%"});
    c_.ui.output(out);
    if (!s.DeviceStats.empty()) {
      title("Device Stats");
      c_.ui.output(device_details(s.DeviceStats));
    }
  }

  void map_section(std::string_view heading, const Map<std::string>& map) const {
    if (map.empty()) return;
    Rows rows;
    for (auto& [k, v] : map) rows.push_back(k + "|" + v);
    title(heading);
    c_.ui.output(key_values(rows));
  }

  void devices() const {
    if (!n_.NodeResources || n_.NodeResources->Devices.empty()) return;
    title("Device Group Attributes");
    std::string out;
    for (auto& d : n_.NodeResources->Devices) {
      Rows rows{fmt::format("Device Group|{}/{}/{}", d.Vendor, d.Type, d.Name)};
      for (auto& [name, a] : d.Attributes) {
        auto unit = a.Unit.empty() ? "" : " " + a.Unit;
        std::string value = a.Int ? std::to_string(*a.Int) : a.Float ? format_double(*a.Float) : a.Bool ? yes_no(*a.Bool)
                                                                                                       : a.String.value_or("");
        rows.push_back(name + "|" + value + unit);
      }
      out += (out.empty() ? "" : "\n\n") + key_values(rows);
    }
    c_.ui.output(out);
  }

  Context& c_;
  Api& api_;
  Node n_;
  List<Allocation> allocs_;
  List<CSIVolListStub> csi_;
};

Result<int64_t> running_allocs(Api& api, const std::string& node) {
  DROVER_TRY(auto allocs, api.get_as<List<Allocation>>("/v1/node/" + node + "/allocations"));
  return std::count_if(allocs.begin(), allocs.end(), [](auto& a) { return a.ClientStatus == "running"; });
}

int list_nodes(Context& c, Api& api) {
  bool verbose = c.verbose(), quiet = c.args.on("quiet"), os = c.args.on("os"), allocs = c.args.on("allocs");
  if (quiet && (verbose || c.args.on("json"))) return c.fail("-quiet cannot be used with -verbose or -json");
  auto params = page_params(c);
  if (os) params.emplace_back("os", "true");
  auto nodes = api.get_as<List<NodeListStub>>("/v1/nodes", params);
  if (!nodes) return c.fail("Error querying node status: " + nodes.error().message);
  auto token = api.last().next_token;
  newest_first(*nodes);
  if (formatted(c)) return *print_formatted(c, *nodes);
  if (nodes->empty()) return 0;
  if (quiet) {
    for (auto& n : *nodes) c.ui.output(n.ID.str());
    return 0;
  }
  std::string header = "ID|DC|Name|Class";
  if (os) header += "|OS";
  if (verbose) header += "|Address|Version";
  header += "|Drain|Eligibility|Status";
  if (allocs) header += "|Running Allocs";
  Rows rows{header};
  for (auto& n : *nodes) {
    auto row = fmt::format("{}|{}|{}|{}", short_id(n.ID, verbose), n.Datacenter, n.Name, n.NodeClass);
    if (os) row += "|" + n.Attributes.get_or("os.name");
    if (verbose) row += "|" + n.Address + "|" + n.Version;
    row += fmt::format("|{}|{}|{}", n.Drain, n.SchedulingEligibility, n.Status);
    if (allocs) {
      auto count = running_allocs(api, n.ID.str());
      if (!count) return c.fail("Error querying node allocations: " + count.error().message);
      row += fmt::format("|{}", *count);
    }
    rows.push_back(row);
  }
  c.ui.output(table(rows));
  show_next_page(c, token);
  return 0;
}

int run_node_status(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either one or no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  bool self = c.args.on("self");
  if (c.args.rest.empty() && !self) return list_nodes(c, *api);
  std::string id;
  if (self) {
    auto own = own_node_id(*api);
    if (!own) return c.fail(own.error().message);
    id = *own;
  } else {
    id = c.args.rest[0];
  }
  if (id.size() == 1) return c.fail("Identifier must contain at least two characters.");
  auto found = api->get_as<List<NodeListStub>>("/v1/nodes", {{"prefix", sanitize_uuid_prefix(id)}});
  if (!found) return c.fail("Error querying node info: " + found.error().message);
  if (found->empty()) return c.fail(fmt::format("No node(s) with prefix \"{}\" found", id));
  if (found->size() > 1) {
    newest_first(*found);
    return c.fail("Prefix matched multiple nodes\n\n" + node_stub_list(*found, c.verbose()));
  }
  auto node = api->get_as<Node>("/v1/node/" + found->front().ID.str());
  if (!node) return c.fail("Error querying node info: " + node.error().message);
  if (auto done = print_formatted(c, *node)) return *done;
  return NodePage(c, *api, std::move(*node)).show();
}

constexpr Flag kFlags[] = {
    {"self", FlagKind::kBool, "", "Show the node that the agent is.", ""},
    {"stats", FlagKind::kBool, "", "Show what the node uses in detail.", ""},
    {"allocs", FlagKind::kBool, "", "Show how many allocations run on each node of the list.", ""},
    {"short", FlagKind::kBool, "", "Show the most important facts only.", ""},
    {"os", FlagKind::kBool, "", "Show the operating system of each node of the list.", ""},
    {"quiet", FlagKind::kBool, "", "Show the ids of the list only.", ""},
    {"verbose", FlagKind::kBool, "", "Show full information: long ids, drivers, attributes, metadata.", ""},
    kPerPageFlag,
    kPageTokenFlag,
    kFilterFlag,
    kJsonFlag,
    kTemplateFlag,
};

constexpr Command kCommands[] = {
    {.name = "node status",
     .synopsis = "Display status information about nodes",
     .usage = "Usage: nomad node status [options] <node>",
     .about = "Shows a node: facts, events, what is allocated and what is used. The argument is the id of\n"
              "the node or the beginning of it; without one, all nodes are listed.",
     .general = General::kNoNamespace,
     .options = "Node Status Options",
     .flags = kFlags,
     .run = run_node_status},
};

}  // namespace

std::span<const Command> node_status_commands() { return kCommands; }

}  // namespace drover::cli
