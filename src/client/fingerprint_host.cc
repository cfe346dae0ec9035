// arch, host, memory, nomad, signal, storage: what needs little work to know.
#include <fmt/format.h>

#include "base/strings.h"
#include "client/fingerprint.h"

namespace drover::client {

namespace {

// Kernel machine name -> the reference's architecture name.
constexpr std::pair<std::string_view, std::string_view> kArchNames[] = {
    {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"},        {"i686", "386"},       {"armv7l", "arm"},
    {"armv6l", "arm"},   {"s390x", "s390x"},   {"ppc64le", "ppc64le"}, {"riscv64", "riscv64"},
};

constexpr std::string_view kSignals =
    "SIGABRT,SIGALRM,SIGBUS,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGNULL,SIGPIPE,SIGPROF,SIGQUIT,"
    "SIGSEGV,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGUSR1,SIGUSR2,SIGWINCH,SIGXCPU,SIGXFSZ";

std::string os_release(HostSource& host, std::string_view key) {
  auto text = host.read_file("/etc/os-release");
  if (!text) return "";
  for (auto& line : split(*text, '\n')) {
    auto eq = line.find('=');
    if (eq == std::string::npos || std::string_view(line).substr(0, eq) != key) continue;
    auto value = trim_space(std::string_view(line).substr(eq + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return "";
}

// Debian's point release is only in /etc/debian_version.
std::string os_version(HostSource& host, const std::string& platform) {
  if (platform == "debian")
    if (auto text = host.read_file("/etc/debian_version")) return std::string(trim_space(*text));
  return os_release(host, "VERSION_ID");
}

}  // namespace

Status fingerprint_arch(const FingerprintInput& in, Node& node) {
  auto machine = in.host.kernel().machine;
  std::string name = machine;
  for (auto& [kernel, arch] : kArchNames)
    if (machine == kernel) name = arch;
  set_attribute(node, "cpu.arch", name);
  return {};
}

Status fingerprint_host(const FingerprintInput& in, Node& node) {
  auto kernel = in.host.kernel();
  auto platform = os_release(in.host, "ID");
  set_attribute(node, "os.name", platform.empty() ? kernel.system : platform);
  set_attribute(node, "os.version", os_version(in.host, platform));
  set_attribute(node, "kernel.name", kernel.system);
  set_attribute(node, "kernel.arch", kernel.machine);
  set_attribute(node, "kernel.version", kernel.release);
  set_attribute(node, "unique.hostname", kernel.hostname);
  return {};
}

Status fingerprint_memory(const FingerprintInput& in, Node& node) {
  int64_t bytes = in.config.memory_total_mb << 20;
  if (bytes == 0) {
    auto text = in.host.read_file("/proc/meminfo").value_or("");
    for (auto& line : split(text, '\n')) {
      if (!line.starts_with("MemTotal:")) continue;
      auto number = trim_space(std::string_view(line).substr(9));
      bytes = parse_int(number.substr(0, number.find(' '))).value_or(0) << 10;
    }
  }
  if (bytes <= 0) return internal("failed to determine the memory of this machine");
  set_attribute(node, "memory.totalbytes", std::to_string(bytes));
  node.NodeResources.ensure().Memory.MemoryMB = bytes >> 20;
  node.Resources.ensure().MemoryMB = bytes >> 20;
  return {};
}

Status fingerprint_nomad(const FingerprintInput& in, Node& node) {
  set_attribute(node, "nomad.advertise.address", in.config.http_advertise);
  set_attribute(node, "nomad.version", in.config.version);
  set_attribute(node, "nomad.revision", in.config.revision);
  set_attribute(node, "nomad.service_discovery", in.config.nomad_service_discovery ? "true" : "false");
  return {};
}

Status fingerprint_signal(const FingerprintInput&, Node& node) {
  set_attribute(node, "os.signals", std::string(kSignals));
  return {};
}

Status fingerprint_landlock(const FingerprintInput& in, Node& node) {
  int version = in.host.landlock();
  set_attribute(node, "kernel.landlock", version > 0 ? "v" + std::to_string(version) : "");
  return {};
}

Status fingerprint_storage(const FingerprintInput& in, Node& node) {
  auto dir = in.config.alloc_dir.empty() ? std::string("/") : in.config.alloc_dir;
  auto usage = in.host.usage(dir);
  if (!usage) return internal(fmt::format("failed to determine disk space for {}: {}", dir, usage.error().message));
  uint64_t total = usage->total, free = usage->available;
  if (in.config.disk_total_mb > 0) total = static_cast<uint64_t>(in.config.disk_total_mb) << 20;
  if (in.config.disk_free_mb > 0) free = static_cast<uint64_t>(in.config.disk_free_mb) << 20;
  if (free > total)
    return internal(fmt::format("detected more free disk space ({}) than total disk space ({}), use disk_total_mb and "
                                "disk_free_mb to correct",
                                free, total));
  auto mount = mount_of(in.host, dir);
  set_attribute(node, "unique.storage.volume", mount ? mount->device : "");
  set_attribute(node, "unique.storage.bytestotal", std::to_string(total));
  set_attribute(node, "unique.storage.bytesfree", std::to_string(free));
  node.NodeResources.ensure().Disk.DiskMB = static_cast<int64_t>(free >> 20);
  node.Resources.ensure().DiskMB = static_cast<int64_t>(free >> 20);
  return {};
}

}  // namespace drover::client
