#include "agent/host_data.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/strings.h"
#include "base/version.h"
#include "client/host_source.h"

extern char** environ;

namespace drover::agent {
namespace {

bool is_secret(std::string_view name) {
  auto upper = to_upper(name);
  constexpr std::string_view kNames[] = {"NOMAD_LICENSE", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"};
  return upper.find("TOKEN") != std::string::npos || upper.find("SECRET") != std::string::npos ||
         std::find(std::begin(kNames), std::end(kNames), upper) != std::end(kNames);
}

Map<std::string> environment() {
  auto out = Map<std::string>::empty_map();
  for (char** e = environ; *e; ++e) {
    std::string_view pair = *e;
    auto eq = pair.find('=');
    if (eq == std::string_view::npos) continue;
    auto name = pair.substr(0, eq);
    out.set(name, is_secret(name) ? "<redacted>" : std::string(pair.substr(eq + 1)));
  }
  return out;
}

List<Map<std::string>> networks(client::HostSource& host) {
  auto out = List<Map<std::string>>::empty_list();
  for (auto& i : host.interfaces()) {
    for (auto& a : i.addresses) {
      std::string flags = i.up ? "up" : "down";
      if (i.loopback) flags += "|loopback";
      out.push_back({{"address", a.ip}, {"flags", flags}, {"hardware", i.mac}, {"name", i.name},
                     {"size", fmt::format("{}", a.prefix)}, {"string", fmt::format("{}/{}", a.ip, a.prefix)},
                     {"type", a.v6 ? "IPv6" : "IPv4"}});
    }
  }
  return out;
}

// File systems that hold data; each device once.
Map<HostDiskUsage> disks(client::HostSource& host) {
  auto out = Map<HostDiskUsage>::empty_map();
  for (auto& m : client::mounts(host)) {
    if (!m.device.starts_with('/') && m.path != "/") continue;
    struct statvfs fs{};
    if (statvfs(m.path.c_str(), &fs) != 0 || fs.f_blocks == 0) continue;
    auto mib = [&](uint64_t blocks) { return static_cast<int64_t>(blocks * fs.f_frsize >> 20); };
    out.set(m.path, HostDiskUsage{.DiskMB = mib(fs.f_blocks), .UsedMB = mib(fs.f_blocks - fs.f_bfree)});
  }
  return out;
}

std::string field_of(const std::string& status, std::string_view key) {
  for (auto& line : split(status, '\n'))
    if (line.starts_with(key)) return std::string(trim_space(std::string_view(line).substr(key.size())));
  return "";
}

}  // namespace

HostData collect_host_data() {
  auto host = client::make_linux_host();
  HostData out;
  utsname u{};
  if (uname(&u) == 0) out.OS = fmt::format("{} {} {} {} {}", u.sysname, u.nodename, u.release, u.version, u.machine);
  out.Network = networks(*host);
  out.ResolvConf = host->read_file("/etc/resolv.conf").value_or("");
  out.Hosts = host->read_file("/etc/hosts").value_or("");
  out.Environment = environment();
  out.Disk = disks(*host);
  return out;
}

Map<std::string> runtime_stats() {
  auto host = client::make_linux_host();
  auto status = host->read_file("/proc/self/status").value_or("");
  utsname u{};
  uname(&u);
  std::string arch = u.machine;
  if (arch == "x86_64") arch = "amd64";
  if (arch == "aarch64") arch = "arm64";
  auto threads = field_of(status, "Threads:");
  return {{"kernel.name", "linux"},
          {"arch", arch},
          {"version", std::string(kVersion)},
          {"max_procs", fmt::format("{}", std::max(1u, std::thread::hardware_concurrency()))},
          {"goroutines", threads},
          {"threads", threads},
          {"resident_memory", field_of(status, "VmRSS:")},
          {"cpu_count", fmt::format("{}", std::max(1u, std::thread::hardware_concurrency()))}};
}

}  // namespace drover::agent
