#include "sim/node_host.h"

#include <fmt/format.h>

#include <fstream>
#include <set>

#include "client/alloc_dir.h"

namespace drover::sim {
namespace {

class NodeHost final : public client::HostSource {
 public:
  NodeHost(std::string name, std::string ip, std::string dir, uint64_t boot) : name_(std::move(name)), ip_(std::move(ip)), dir_(std::move(dir)) {
    files_ = {
        {"/proc/sys/kernel/random/boot_id", fmt::format("boot-{}\n", boot)},
        {"/proc/cpuinfo", "processor\t: 0\nmodel name\t: Sim CPU\ncpu MHz\t\t: 2000.0\n\nprocessor\t: 1\nmodel name\t: Sim CPU\ncpu MHz\t\t: 2000.0\n"},
        {"/proc/meminfo", "MemTotal:        4194304 kB\nMemFree:         1048576 kB\nMemAvailable:    2097152 kB\nBuffers: 1024 kB\nCached: 2048 kB\nSReclaimable: 0 kB\n"},
        {"/proc/stat", "cpu  20 0 20 160 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0\ncpu1 10 0 10 80 0 0 0 0\n"},
        {"/proc/uptime", "1234.56 2000.0\n"},
        {"/proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n"},
        {"/proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"},
        {"/etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n"},
        {"/etc/debian_version", "12.5\n"},
        {"/sys/fs/cgroup/cpuset.cpus.effective", "0-1\n"},
    };
  }
  std::optional<std::string> read_file(const std::string& path) override {
    if (auto it = files_.find(path); it != files_.end()) return it->second;
    if (!path.starts_with(dir_ + "/") || !client::exists(path)) return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> list_dir(const std::string& path) override {
    std::set<std::string> out;
    for (auto& [file, text] : files_) {
      if (!file.starts_with(path + "/")) continue;
      auto rest = file.substr(path.size() + 1);
      out.insert(rest.substr(0, rest.find('/')));
    }
    return {out.begin(), out.end()};
  }
  bool exists(const std::string& path) override {
    return files_.contains(path) || (path.starts_with(dir_) && client::exists(path));
  }
  client::KernelName kernel() override { return {"linux", "6.1.0-sim", "x86_64", name_}; }
  Result<client::FileSystemUsage> usage(const std::string&) override {
    return client::FileSystemUsage{100ull << 30, 20ull << 30, 80ull << 30, 20, 5};
  }
  std::vector<client::HostInterface> interfaces() override {
    return {{"lo", "", true, true, {{"127.0.0.1", 8, false, false}}}, {"eth0", "aa:bb:cc:dd:ee:ff", true, false, {{ip_, 24, false, false}}}};
  }
  bool root() override { return false; }
  int landlock() override { return 2; }

 private:
  std::string name_, ip_, dir_;
  std::map<std::string, std::string> files_;
};

}  // namespace

std::unique_ptr<client::HostSource> make_node_host(std::string name, std::string ip, std::string state_dir, uint64_t boot) {
  return std::make_unique<NodeHost>(std::move(name), std::move(ip), std::move(state_dir), boot);
}

}  // namespace drover::sim
