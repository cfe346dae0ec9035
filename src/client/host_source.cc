#include "client/host_source.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace drover::client {

namespace {

int prefix_length(const sockaddr* mask) {
  if (!mask) return 0;
  auto bits = [](const void* p, size_t n) {
    int out = 0;
    for (size_t i = 0; i < n; ++i) out += std::popcount(static_cast<const unsigned char*>(p)[i]);
    return out;
  };
  if (mask->sa_family == AF_INET) return bits(&reinterpret_cast<const sockaddr_in*>(mask)->sin_addr, 4);
  if (mask->sa_family == AF_INET6) return bits(&reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr, 16);
  return 0;
}

std::string mac_text(const sockaddr_ll& link) {
  std::string out;
  for (int i = 0; i < link.sll_halen && i < 8; ++i) {
    if (i > 0) out += ':';
    out += hex_encode(std::string_view(reinterpret_cast<const char*>(&link.sll_addr[i]), 1));
  }
  return out;
}

void add_address(HostInterface& to, const ifaddrs& from) {
  char text[INET6_ADDRSTRLEN] = {};
  HostInterface::Address out;
  out.prefix = prefix_length(from.ifa_netmask);
  if (from.ifa_addr->sa_family == AF_INET) {
    auto& in = reinterpret_cast<const sockaddr_in*>(from.ifa_addr)->sin_addr;
    inet_ntop(AF_INET, &in, text, sizeof text);
    out.link_local = (ntohl(in.s_addr) >> 16) == 0xa9fe;
  } else {
    auto& in = reinterpret_cast<const sockaddr_in6*>(from.ifa_addr)->sin6_addr;
    inet_ntop(AF_INET6, &in, text, sizeof text);
    out.v6 = true;
    out.link_local = IN6_IS_ADDR_LINKLOCAL(&in);
  }
  out.ip = text;
  to.addresses.push_back(std::move(out));
}

class LinuxHost final : public HostSource {
 public:
  std::optional<std::string> read_file(const std::string& path) override {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    std::string out;
    char buffer[16384];
    ssize_t n;
    while ((n = ::read(fd, buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<size_t>(n));
    ::close(fd);
    if (n < 0) return std::nullopt;
    return out;
  }

  std::vector<std::string> list_dir(const std::string& path) override {
    std::vector<std::string> out;
    if (auto* dir = ::opendir(path.c_str())) {
      while (auto* entry = ::readdir(dir))
        if (std::string_view name = entry->d_name; name != "." && name != "..") out.emplace_back(name);
      ::closedir(dir);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  KernelName kernel() override {
    utsname u{};
    ::uname(&u);
    return {to_lower(u.sysname), u.release, u.machine, u.nodename};
  }

  Result<FileSystemUsage> usage(const std::string& path) override {
    struct statvfs s {};
    if (::statvfs(path.c_str(), &s) != 0) return errno_error("statfs " + path, errno);
    FileSystemUsage out;
    out.total = s.f_blocks * s.f_frsize;
    out.available = s.f_bavail * s.f_frsize;
    out.used = (s.f_blocks - s.f_bfree) * s.f_frsize;
    if (auto usable = out.used + out.available; usable > 0)
      out.used_percent = 100.0 * static_cast<double>(out.used) / static_cast<double>(usable);
    if (s.f_files > 0)
      out.inodes_percent = 100.0 * static_cast<double>(s.f_files - s.f_ffree) / static_cast<double>(s.f_files);
    return out;
  }

  std::vector<HostInterface> interfaces() override {
    std::vector<HostInterface> out;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return out;
    for (auto* at = list; at; at = at->ifa_next) {
      auto it = std::find_if(out.begin(), out.end(), [&](auto& i) { return i.name == at->ifa_name; });
      if (it == out.end()) it = out.insert(out.end(), HostInterface{.name = at->ifa_name});
      it->up = (at->ifa_flags & IFF_UP) != 0;
      it->loopback = (at->ifa_flags & IFF_LOOPBACK) != 0;
      if (!at->ifa_addr) continue;
      if (at->ifa_addr->sa_family == AF_PACKET) it->mac = mac_text(*reinterpret_cast<sockaddr_ll*>(at->ifa_addr));
      else if (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6) add_address(*it, *at);
    }
    ::freeifaddrs(list);
    return out;
  }

  bool root() override { return ::geteuid() == 0; }

  int landlock() override {
    constexpr long kCreateRuleset = 444;
    constexpr unsigned kVersionFlag = 1;
    long v = ::syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
    return v > 0 ? static_cast<int>(v) : 0;
  }
};

// "\040" and the like in mount tables.
std::string unescape_mount(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto digit = [&](size_t k) { return i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7'; };
    if (text[i] == '\\' && digit(1) && digit(2) && digit(3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::unique_ptr<HostSource> make_linux_host() { return std::make_unique<LinuxHost>(); }

std::vector<MountPoint> mounts(HostSource& host) {
  std::vector<MountPoint> out;
  auto text = host.read_file("/proc/self/mounts");
  if (!text) return out;
  for (auto& line : split(*text, '\n')) {
    auto fields = split(line, ' ');
    if (fields.size() < 3) continue;
    out.push_back({unescape_mount(fields[0]), unescape_mount(fields[1]), fields[2]});
  }
  return out;
}

std::optional<MountPoint> mount_of(HostSource& host, const std::string& path) {
  std::optional<MountPoint> best;
  for (auto& m : mounts(host)) {
    bool holds = path.starts_with(m.path) && (m.path == "/" || path.size() == m.path.size() || path[m.path.size()] == '/');
    if (holds && (!best || m.path.size() >= best->path.size())) best = m;
  }
  return best;
}

Result<std::vector<uint16_t>> parse_cpuset(std::string_view text) {
  std::vector<uint16_t> out;
  text = trim_space(text);
  if (text.empty()) return out;
  for (auto& part : split(text, ',')) {
    auto dash = part.find('-');
    auto first = parse_uint(trim_space(std::string_view(part).substr(0, dash)));
    auto last = dash == std::string::npos ? first : parse_uint(trim_space(std::string_view(part).substr(dash + 1)));
    if (!first || !last || *first > *last || *last > 65535) return invalid("invalid cpuset: " + std::string(text));
    for (auto n = *first; n <= *last; ++n) out.push_back(static_cast<uint16_t>(n));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace drover::client
