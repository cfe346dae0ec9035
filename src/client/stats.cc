#include "client/stats.h"

#include <algorithm>
#include <set>

#include "base/strings.h"

namespace drover::client {

namespace {

uint64_t meminfo(const std::string& text, std::string_view key) {
  for (auto& line : split(text, '\n')) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    auto number = trim_space(std::string_view(line).substr(key.size() + 1));
    return parse_uint(number.substr(0, number.find(' '))).value_or(0) << 10;
  }
  return 0;
}

HostMemoryStats memory_stats(HostSource& host) {
  auto text = host.read_file("/proc/meminfo").value_or("");
  HostMemoryStats out;
  out.Total = meminfo(text, "MemTotal");
  out.Available = meminfo(text, "MemAvailable");
  out.Free = meminfo(text, "MemFree");
  auto cached = meminfo(text, "Buffers") + meminfo(text, "Cached") + meminfo(text, "SReclaimable");
  out.Used = out.Total > out.Free + cached ? out.Total - out.Free - cached : 0;
  return out;
}

HostDiskStats disk_stats(const MountPoint& mount, const FileSystemUsage& usage) {
  HostDiskStats out;
  out.Device = mount.device;
  out.Mountpoint = mount.path;
  out.Size = usage.total;
  out.Used = usage.used;
  out.Available = usage.available;
  out.UsedPercent = usage.used_percent;
  out.InodesUsedPercent = usage.inodes_percent;
  return out;
}

}  // namespace

HostStatsSampler::HostStatsSampler(HostSource& host, std::string alloc_dir, int64_t total_compute_mhz, Monotonic now)
    : host_(host),
      alloc_dir_(std::move(alloc_dir)),
      total_compute_mhz_(total_compute_mhz),
      last_cpu_(read_cpu()),
      last_at_(now) {}

std::map<std::string, HostStatsSampler::CpuTimes> HostStatsSampler::read_cpu() {
  std::map<std::string, CpuTimes> out;
  auto text = host_.read_file("/proc/stat").value_or("");
  for (auto& line : split(text, '\n')) {
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    auto fields = split(line, ' ');
    CpuTimes t;
    for (size_t i = 1; i < fields.size() && i <= 8; ++i) {
      double v = parse_double(fields[i]).value_or(0);
      t.total += v;
      if (i <= 2) t.user += v;
      else if (i == 4) t.idle += v;
      else if (i == 3 || i == 6 || i == 7) t.system += v;
    }
    out[fields[0]] = t;
  }
  return out;
}

Result<HostStats> HostStatsSampler::sample(Time wall, Monotonic now) {
  if (cached_ && now - last_at_ < std::chrono::seconds(1)) return *cached_;
  HostStats out;
  out.Memory = memory_stats(host_);
  auto cpu = read_cpu();
  double busy = 0;
  out.CPU = List<HostCPUStats>::empty_list();
  for (auto& [name, t] : cpu) {
    auto& before = last_cpu_[name];
    double total = t.total - before.total;
    auto percent = [&](double d) { return total > 0 ? std::clamp(100.0 * d / total, 0.0, 100.0) : 0.0; };
    HostCPUStats c;
    c.CPU = name;
    c.User = percent(t.user - before.user);
    c.System = percent(t.system - before.system);
    c.Idle = percent(t.idle - before.idle);
    c.Total = total > 0 ? std::clamp(100.0 - c.Idle, 0.0, 100.0) : 0.0;
    busy += c.Total;
    out.CPU.push_back(std::move(c));
  }
  if (!cpu.empty())
    out.CPUTicksConsumed = busy / 100.0 / static_cast<double>(cpu.size()) * static_cast<double>(total_compute_mhz_);

  out.DiskStats = List<HostDiskStats>::empty_list();
  std::set<std::string> seen;
  for (auto& mount : mounts(host_)) {
    if (!mount.device.starts_with("/dev/") || !seen.insert(mount.device).second) continue;
    if (auto usage = host_.usage(mount.path)) out.DiskStats.push_back(disk_stats(mount, *usage));
  }
  DROVER_TRY(auto usage, host_.usage(alloc_dir_));
  out.AllocDirStats = disk_stats(mount_of(host_, alloc_dir_).value_or(MountPoint{}), usage);
  out.Uptime = static_cast<uint64_t>(
      parse_double(split(host_.read_file("/proc/uptime").value_or("0"), ' ').front()).value_or(0));
  out.Timestamp = wall.unix_nanos;
  last_cpu_ = std::move(cpu);
  last_at_ = now;
  cached_ = out;
  return out;
}

namespace {

ResourceUsage to_api(const drivers::ResourceUsage& usage) {
  ResourceUsage out;
  auto& m = out.MemoryStats.emplace();
  m.RSS = usage.memory.rss;
  m.Cache = usage.memory.cache;
  m.Swap = usage.memory.swap;
  m.MappedFile = usage.memory.mapped_file;
  m.Usage = usage.memory.usage;
  m.MaxUsage = usage.memory.max_usage;
  m.KernelUsage = usage.memory.kernel_usage;
  m.KernelMaxUsage = usage.memory.kernel_max_usage;
  m.Measured = List<std::string>(usage.memory.measured);
  auto& c = out.CpuStats.emplace();
  c.SystemMode = usage.cpu.system_mode;
  c.UserMode = usage.cpu.user_mode;
  c.TotalTicks = usage.cpu.total_ticks;
  c.ThrottledPeriods = usage.cpu.throttled_periods;
  c.ThrottledTime = usage.cpu.throttled_time;
  c.Percent = usage.cpu.percent;
  c.Measured = List<std::string>(usage.cpu.measured);
  return out;
}

void unite(List<std::string>& to, const List<std::string>& more) {
  for (auto& name : more)
    if (!to.contains(name)) to.push_back(name);
}

}  // namespace

TaskResourceUsage to_api(const drivers::TaskResourceUsage& usage) {
  TaskResourceUsage out;
  out.ResourceUsage = to_api(usage.total);
  out.Timestamp = usage.timestamp.unix_nanos;
  for (auto& [pid, u] : usage.pids) out.Pids.set(pid, to_api(u));
  return out;
}

void add_usage(ResourceUsage& sum, const ResourceUsage& more) {
  auto& m = sum.MemoryStats.ensure();
  auto& c = sum.CpuStats.ensure();
  if (more.MemoryStats) {
    auto& o = *more.MemoryStats;
    m.RSS += o.RSS;
    m.Cache += o.Cache;
    m.Swap += o.Swap;
    m.MappedFile += o.MappedFile;
    m.Usage += o.Usage;
    m.MaxUsage += o.MaxUsage;
    m.KernelUsage += o.KernelUsage;
    m.KernelMaxUsage += o.KernelMaxUsage;
    unite(m.Measured, o.Measured);
  }
  if (more.CpuStats) {
    auto& o = *more.CpuStats;
    c.SystemMode += o.SystemMode;
    c.UserMode += o.UserMode;
    c.TotalTicks += o.TotalTicks;
    c.ThrottledPeriods += o.ThrottledPeriods;
    c.ThrottledTime += o.ThrottledTime;
    c.Percent += o.Percent;
    unite(c.Measured, o.Measured);
  }
  for (auto& device : more.DeviceStats) sum.DeviceStats.push_back(device);
}

}  // namespace drover::client
