// cpu and cgroup: compute in MHz, cores that may be reserved.
#include <algorithm>

#include "base/strings.h"
#include "client/fingerprint.h"

namespace drover::client {

namespace {

struct CpuFacts {
  std::string model;
  int64_t cores = 0;   // logical
  int64_t mhz = 0;     // highest of any core; 0: unknown
};

CpuFacts cpu_facts(HostSource& host) {
  CpuFacts out;
  double seen = 0;
  auto text = host.read_file("/proc/cpuinfo").value_or("");
  for (auto& line : split(text, '\n')) {
    auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto key = trim_space(std::string_view(line).substr(0, colon));
    auto value = trim_space(std::string_view(line).substr(colon + 1));
    if (key == "processor") ++out.cores;
    else if ((key == "model name" || key == "Processor") && out.model.empty()) out.model = value;
    else if (key == "cpu MHz") seen = std::max(seen, parse_double(value).value_or(0));
  }
  out.mhz = static_cast<int64_t>(seen);
  // The rated maximum, where the kernel knows it, is steadier than what a core happens to run at.
  int64_t rated_khz = 0;
  for (int64_t core = 0; core < out.cores; ++core) {
    auto rated = host.read_file("/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cpufreq/cpuinfo_max_freq");
    if (!rated) break;
    rated_khz = std::max(rated_khz, parse_int(trim_space(*rated)).value_or(0));
  }
  if (rated_khz > 0) out.mhz = rated_khz / 1000;
  return out;
}

// Cores of the cgroup that tasks live in, else of the machine.
std::vector<uint16_t> usable_cores(const FingerprintInput& in, const Node& node, int64_t cores) {
  auto mount = cgroup_mount(in.host);
  std::vector<std::string> files;
  if (mount.version == CgroupVersion::kV2)
    files = {mount.path + "/" + node.CgroupParent + "/cpuset.cpus.effective", mount.path + "/cpuset.cpus.effective"};
  else if (mount.version == CgroupVersion::kV1)
    files = {mount.path + "/cpuset" + node.CgroupParent + "/cpuset.effective_cpus",
             mount.path + "/cpuset/cpuset.effective_cpus"};
  for (auto& file : files)
    if (auto text = in.host.read_file(file))
      if (auto set = parse_cpuset(*text); set && !set->empty()) return *set;
  std::vector<uint16_t> all;
  for (int64_t i = 0; i < cores; ++i) all.push_back(static_cast<uint16_t>(i));
  return all;
}

}  // namespace

Status fingerprint_cpu(const FingerprintInput& in, Node& node) {
  auto facts = cpu_facts(in.host);
  if (facts.cores == 0) return internal("failed to determine the processors of this machine");
  set_attribute(node, "cpu.modelname", facts.model);
  set_attribute(node, "cpu.frequency", facts.mhz > 0 ? std::to_string(facts.mhz) : "");
  set_attribute(node, "cpu.numcores", std::to_string(facts.cores));

  constexpr int64_t kUnknownCompute = 1000;
  int64_t total = in.config.cpu_total_compute;
  if (total == 0) total = facts.cores * facts.mhz;
  if (total == 0) total = kUnknownCompute;
  set_attribute(node, "cpu.totalcompute", std::to_string(total));

  std::vector<uint16_t> reservable;
  if (!in.config.reservable_cores.empty()) {
    DROVER_TRY(reservable, parse_cpuset(in.config.reservable_cores));
  } else {
    DROVER_TRY(auto reserved, parse_cpuset(in.config.reserved.cores));
    for (auto core : usable_cores(in, node, facts.cores))
      if (!std::binary_search(reserved.begin(), reserved.end(), core)) reservable.push_back(core);
  }
  set_attribute(node, "cpu.reservablecores", std::to_string(reservable.size()));

  auto& cpu = node.NodeResources.ensure().Cpu;
  cpu.CpuShares = total;
  cpu.TotalCpuCores = static_cast<uint16_t>(facts.cores);
  cpu.ReservableCpuCores = List<uint16_t>(std::move(reservable));
  node.Resources.ensure().CPU = total;
  return {};
}

CgroupMount cgroup_mount(HostSource& host) {
  CgroupMount v1;
  for (auto& m : mounts(host)) {
    if (m.type == "cgroup2" && m.path == "/sys/fs/cgroup") return {CgroupVersion::kV2, m.path};
    if (m.type == "cgroup" && v1.version == CgroupVersion::kNone) v1 = {CgroupVersion::kV1, m.path.substr(0, m.path.rfind('/'))};
  }
  return v1;
}

Status fingerprint_cgroup(const FingerprintInput& in, Node& node) {
  auto mount = cgroup_mount(in.host);
  set_attribute(node, "unique.cgroup.mountpoint", mount.path);
  set_attribute(node, "unique.cgroup.version",
                mount.version == CgroupVersion::kNone ? "" : mount.version == CgroupVersion::kV2 ? "v2" : "v1");
  return {};
}

}  // namespace drover::client
