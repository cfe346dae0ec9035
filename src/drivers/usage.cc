#include "drivers/usage.h"

#include <string>

namespace drover::drivers {
namespace {

double percent(uint64_t now, uint64_t before, double wall_ns) {
  return wall_ns > 0 && now > before ? static_cast<double>(now - before) / wall_ns * 100.0 : 0.0;
}

}  // namespace

TaskResourceUsage UsageMeter::measure(const shim::UsageReply& sums, const std::vector<shim::ProcessEntry>& processes,
                                      Time now, const ComputeCapacity& capacity) {
  TaskResourceUsage out;
  out.timestamp = now;
  double wall_ns = last_ns_ && sums.time_ns > last_ns_ ? static_cast<double>(sums.time_ns - last_ns_) : 0;
  std::map<int32_t, Counters> seen;
  double cores = capacity.cores > 0 ? capacity.cores : 1;
  auto measured = [](ResourceUsage& r) {
    r.memory.measured = {"RSS", "Swap"};
    r.cpu.measured = {"System Mode", "User Mode", "Percent"};
  };
  for (auto& p : processes) {
    // What a process that is new has used so far was used since the last sample.
    auto it = last_.find(p.pid);
    Counters before = it != last_.end() ? it->second : Counters{};
    seen[p.pid] = {p.user_ns, p.system_ns};
    ResourceUsage r;
    r.memory.rss = p.rss_bytes;
    r.memory.swap = p.swap_bytes;
    r.cpu.user_mode = percent(p.user_ns, before.user_ns, wall_ns);
    r.cpu.system_mode = percent(p.system_ns, before.system_ns, wall_ns);
    r.cpu.percent = r.cpu.user_mode + r.cpu.system_mode;
    r.cpu.total_ticks = r.cpu.percent / 100.0 * capacity.total_mhz / cores;
    measured(r);
    out.total.cpu.user_mode += r.cpu.user_mode;
    out.total.cpu.system_mode += r.cpu.system_mode;
    out.pids.emplace(std::to_string(p.pid), std::move(r));
  }
  out.total.memory.rss = sums.rss_bytes;
  out.total.memory.swap = sums.swap_bytes;
  out.total.cpu.percent = out.total.cpu.user_mode + out.total.cpu.system_mode;
  out.total.cpu.total_ticks = out.total.cpu.percent / 100.0 * capacity.total_mhz / cores;
  measured(out.total);
  last_ = std::move(seen);
  last_ns_ = sums.time_ns;
  return out;
}

}  // namespace drover::drivers
