// Everything the client reads from its machine, behind one interface, so that tests show it a false one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace drover::client {

struct HostInterface {
  std::string name;
  std::string mac;
  bool up = false;
  bool loopback = false;
  struct Address {
    std::string ip;
    int prefix = 0;
    bool v6 = false;
    bool link_local = false;
  };
  std::vector<Address> addresses;
};

struct FileSystemUsage {
  uint64_t total = 0, used = 0, available = 0;  // bytes; available to everybody
  double used_percent = 0, inodes_percent = 0;
};

struct MountPoint {
  std::string device, path, type;
};

struct KernelName {
  std::string system;   // "linux"
  std::string release;  // "6.1.0-13-amd64"
  std::string machine;  // "x86_64"
  std::string hostname;
};

class HostSource {
 public:
  virtual ~HostSource() = default;
  virtual std::optional<std::string> read_file(const std::string& path) = 0;  // whole; nullopt when it cannot be read
  virtual std::vector<std::string> list_dir(const std::string& path) = 0;     // sorted names
  virtual bool exists(const std::string& path) = 0;
  virtual KernelName kernel() = 0;
  virtual Result<FileSystemUsage> usage(const std::string& path) = 0;
  virtual std::vector<HostInterface> interfaces() = 0;  // in kernel order
  virtual bool root() = 0;
  // Version of the Landlock ABI; 0: none.
  virtual int landlock() = 0;
};

std::unique_ptr<HostSource> make_linux_host();

// From /proc/self/mounts, escapes undone.
std::vector<MountPoint> mounts(HostSource& host);
// The mount that `path` lies on.
std::optional<MountPoint> mount_of(HostSource& host, const std::string& path);
// Cores of a cpuset text, "0-2,5"; "" is empty. kInvalid on anything else.
Result<std::vector<uint16_t>> parse_cpuset(std::string_view text);

}  // namespace drover::client
