// For tests: a false machine, false servers, and a client on them in virtual time.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/sim_loop.h"
#include "base/strings.h"
#include "client/alloc_dir.h"
#include "client/client.h"
#include "client/host_source.h"
#include "client/server_api.h"
#include "client/state_db.h"
#include "drivers/registry.h"
#include "model/client_status.h"
#include "net/memory_network.h"

namespace drover::client {

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/drover-client-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    path_ = name;
  }
  ~TempDir() {
    // Secrets directories of allocations that were left alone.
    auto host = make_linux_host();
    for (auto& m : mounts(*host))
      if (m.path.starts_with(path_ + "/")) ::umount2(m.path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view sub) const { return path_ + "/" + std::string(sub); }

 private:
  std::string path_;
};

inline std::string slurp_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spill_file(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A Debian machine with two cores of 2000 MHz, 4 GiB and one network card. Real files under the test's directory are
// seen as well (identity files).
class FakeHost final : public HostSource {
 public:
  FakeHost() {
    files["/proc/cpuinfo"] =
        "processor\t: 0\nmodel name\t: Test CPU\ncpu MHz\t\t: 1999.9\n\nprocessor\t: 1\nmodel name\t: Test CPU\ncpu "
        "MHz\t\t: 2000.0\n";
    files["/proc/meminfo"] =
        "MemTotal:        4194304 kB\nMemFree:         1048576 kB\nMemAvailable:    2097152 kB\nBuffers: 1024 kB\n"
        "Cached: 2048 kB\nSReclaimable: 0 kB\n";
    files["/proc/stat"] = "cpu  20 0 20 160 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0\ncpu1 10 0 10 80 0 0 0 0\n";
    files["/proc/uptime"] = "1234.56 2000.0\n";
    files["/proc/net/route"] =
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n";
    files["/proc/self/mounts"] =
        "/dev/sda1 / ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n/dev/sdb1 /data\\040dir xfs rw 0 0\n";
    files["/etc/os-release"] = "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n";
    files["/etc/debian_version"] = "12.5\n";
    files["/sys/fs/cgroup/cpuset.cpus.effective"] = "0-1\n";
    HostInterface lo{"lo", "", true, true, {{"127.0.0.1", 8, false, false}}};
    HostInterface eth{"eth0", "aa:bb:cc:dd:ee:ff", true, false, {{"10.0.0.7", 24, false, false}, {"fe80::1", 64, true, true}}};
    links = {lo, eth};
  }
  std::optional<std::string> read_file(const std::string& path) override {
    if (auto it = files.find(path); it != files.end()) return it->second;
    if (path.starts_with("/tmp/") && std::filesystem::exists(path)) return slurp_file(path);
    return std::nullopt;
  }
  std::vector<std::string> list_dir(const std::string& path) override {
    std::set<std::string> out;
    for (auto& [file, text] : files)
      if (file.starts_with(path + "/")) out.insert(file.substr(path.size() + 1).substr(0, file.find('/', path.size() + 1) - path.size() - 1));
    return {out.begin(), out.end()};
  }
  bool exists(const std::string& path) override { return files.contains(path) || std::filesystem::exists(path); }
  KernelName kernel() override { return {"linux", "6.1.0-test", "x86_64", "node-1"}; }
  Result<FileSystemUsage> usage(const std::string&) override { return disk; }
  std::vector<HostInterface> interfaces() override { return links; }
  bool root() override { return false; }
  int landlock() override { return 2; }

  std::map<std::string, std::string> files;
  std::vector<HostInterface> links;
  FileSystemUsage disk{100ull << 30, 20ull << 30, 80ull << 30, 20, 5};
};

// Servers that keep one node and its allocations, and answer as the reference does.
class FakeServer final : public ServerApi {
 public:
  explicit FakeServer(Loop& loop) : loop_(loop) {}

  // What the servers know. Change it through put() and erase(), so that waiting queries see it.
  std::map<Uuid, Allocation> allocs;
  uint64_t index = 100;
  std::optional<Node> node;
  int registrations = 0, heartbeats = 0;
  std::vector<std::vector<Allocation>> updates;            // batches of Node.UpdateAlloc, in order
  std::vector<Monotonic> update_times;
  std::vector<NodeEvent> events;
  std::function<Status(std::string_view method)> fault;    // an error instead of the answer
  std::optional<uint64_t> answer_index;                    // an old answer: this index
  bool hide_allocs = false;                                // an empty list
  std::map<std::string, ServiceRegistration> services;     // by id
  std::vector<std::string> service_calls;                  // "+id" and "-id", in order
  Duration ttl = std::chrono::seconds(10);

  void put(Allocation alloc) {
    ++index;
    alloc.ModifyIndex = alloc.AllocModifyIndex = index;
    if (alloc.CreateIndex == 0) alloc.CreateIndex = index;
    allocs[alloc.ID] = std::move(alloc);
    wake();
  }
  void change(const Uuid& id, const std::function<void(Allocation&)>& fn) {
    auto copy = allocs.at(id);
    fn(copy);
    put(std::move(copy));
  }
  void stop(const Uuid& id) {
    change(id, [](Allocation& a) { a.DesiredStatus = alloc_desired::kStop; });
  }
  void erase(const Uuid& id) {
    listed_ = ++index;
    allocs.erase(id);
    wake();
  }
  void wake() {
    for (auto& p : std::exchange(waiting_, {})) p.set_from_any_thread(loop_, true);
  }

  // ClientStatus of an allocation as the servers were told.
  std::string status(const Uuid& id) const { return allocs.at(id).ClientStatus.str(); }
  std::vector<std::string> event_types(const Uuid& id, const std::string& task) const {
    std::vector<std::string> out;
    if (auto* s = allocs.at(id).TaskStates.find(task))
      for (auto& e : s->Events) out.push_back(e.Type.str());
    return out;
  }

 protected:
  Async<Status> invoke(std::string_view method, const TypeInfo&, const void* request, const TypeInfo&, void* response) override {
    co_await sleep_for(loop_, std::chrono::milliseconds(1));  // the way there and back
    if (fault)
      if (auto status = fault(method); !status) co_return status;
    if (method == rpc::kNodeRegister.name) {
      ++registrations;
      node = *static_cast<const rpc::NodeRegisterRequest*>(request)->Node;
      node_answer(response);
    } else if (method == rpc::kNodeUpdateStatus.name) {
      if (!node) co_return internal("rpc error: node not found");
      ++heartbeats;
      node_answer(response);
    } else if (method == rpc::kNodeEmitEvents.name) {
      for (auto& [id, list] : static_cast<const rpc::EmitNodeEventsRequest*>(request)->NodeEvents)
        events.insert(events.end(), list.begin(), list.end());
    } else if (method == rpc::kNodeUpdateAlloc.name) {
      take_update(*static_cast<const rpc::AllocUpdateRequest*>(request));
    } else if (method == rpc::kNodeGetClientAllocs.name) {
      co_return co_await client_allocs(*static_cast<const rpc::NodeSpecificRequest*>(request),
                                       *static_cast<rpc::NodeClientAllocsResponse*>(response));
    } else if (method == rpc::kAllocGetAllocs.name) {
      auto& out = *static_cast<rpc::AllocsGetResponse*>(response);
      for (auto& text : static_cast<const rpc::AllocsGetRequest*>(request)->AllocIDs)
        if (auto it = allocs.find(*Uuid::parse(text)); it != allocs.end())
          out.Allocs.push_back(std::make_shared<const Allocation>(it->second));
      out.Index = index;
    } else if (method == rpc::kAllocGetAlloc.name) {
      auto& out = *static_cast<rpc::SingleAllocResponse*>(response);
      auto it = allocs.find(*Uuid::parse(static_cast<const rpc::AllocSpecificRequest*>(request)->AllocID));
      if (it != allocs.end()) out.Alloc = std::make_shared<const Allocation>(it->second);
      out.Index = answer_index.value_or(index);
    } else if (method == rpc::kServiceRegistrationUpsert.name) {
      for (auto& s : static_cast<const rpc::ServiceRegistrationUpsertRequest*>(request)->Services) {
        services[s.ID] = s;
        service_calls.push_back("+" + s.ID);
      }
    } else if (method == rpc::kServiceRegistrationDeleteByID.name) {
      auto& id = static_cast<const rpc::ServiceRegistrationDeleteByIDRequest*>(request)->ID;
      service_calls.push_back("-" + id);
      if (!services.erase(id)) co_return internal("service registration not found");
    } else {
      co_return internal("rpc: can't find method " + std::string(method));
    }
    co_return Status();
  }

 private:
  void node_answer(void* response) {
    auto& out = *static_cast<NodeUpdateResponse*>(response);
    out.HeartbeatTTL = ttl;
    out.Servers.push_back({"10.0.0.1:4647", 1, 1, "dc1"});
    out.NumNodes = 1;
    out.SchedulingEligibility = "eligible";
  }
  void take_update(const rpc::AllocUpdateRequest& request) {
    updates.emplace_back(request.Alloc.begin(), request.Alloc.end());
    update_times.push_back(loop_.clock().monotonic());
    ++index;
    for (auto& u : request.Alloc) {
      auto it = allocs.find(u.ID);
      if (it == allocs.end()) continue;
      it->second.ClientStatus = u.ClientStatus;
      it->second.ClientDescription = u.ClientDescription;
      it->second.TaskStates = u.TaskStates;
      if (u.DeploymentStatus) {  // the canary flag is the servers'
        bool canary = it->second.DeploymentStatus && it->second.DeploymentStatus->Canary;
        it->second.DeploymentStatus = u.DeploymentStatus;
        it->second.DeploymentStatus->Canary = canary;
      }
      it->second.NetworkStatus = u.NetworkStatus;
      it->second.ModifyIndex = index;
    }
  }
  Async<Status> client_allocs(const rpc::NodeSpecificRequest& request, rpc::NodeClientAllocsResponse& out) {
    auto known = request.MinQueryIndex;
    auto highest = [&] {
      uint64_t h = answer_index.value_or(1);
      if (!answer_index)
        for (auto& [id, a] : allocs) h = std::max(h, a.AllocModifyIndex);
      return answer_index ? h : std::max(h, listed_);
    };
    auto end = loop_.clock().monotonic() + std::chrono::minutes(5);
    while (known > 0 && highest() <= known && loop_.clock().monotonic() < end) {
      Promise<bool> p;
      waiting_.push_back(p);
      auto timer = loop_.after(std::chrono::minutes(5), [p]() mutable { p.set(false); });
      co_await p;
    }
    if (!hide_allocs)
      for (auto& [id, a] : allocs) out.Allocs.set(id.str(), a.AllocModifyIndex);
    out.Index = highest();
    co_return Status();
  }

  Loop& loop_;
  std::vector<Promise<bool>> waiting_;
  uint64_t listed_ = 0;  // index of the last removal
};

// A service job with one group "web"; tasks are added by the test.
inline Job test_job(std::string type = "service") {
  Job job;
  job.ID = job.Name = "example";
  job.Namespace = "default";
  job.Region = "global";
  job.Type = std::move(type);
  TaskGroup group;
  group.Name = "web";
  group.Count = 1;
  group.RestartPolicy = RestartPolicy{2, std::chrono::minutes(30), std::chrono::seconds(15), "fail"};
  if (job.Type == "batch") group.RestartPolicy = RestartPolicy{3, std::chrono::hours(24), std::chrono::seconds(15), "fail"};
  job.TaskGroups.push_back(std::move(group));
  return job;
}

inline Task mock_task(std::string name, std::initializer_list<std::pair<std::string, Value>> config) {
  Task task;
  task.Name = std::move(name);
  task.Driver = "mock_driver";
  for (auto& [key, value] : config) task.Config.set(key, value);
  task.KillTimeout = std::chrono::seconds(5);
  return task;
}

inline Allocation test_alloc(Job job, Random& random) {
  Allocation alloc;
  alloc.ID = Uuid::generate(random);
  alloc.Namespace = job.Namespace;
  alloc.Name = job.ID + ".web[0]";
  alloc.JobID = job.ID;
  alloc.TaskGroup = "web";
  alloc.DesiredStatus = alloc_desired::kRun;
  alloc.ClientStatus = alloc_client::kPending;
  AllocatedResources resources;
  for (auto& task : job.TaskGroups[0].Tasks) {
    AllocatedTaskResources r;
    r.Cpu.CpuShares = 500;
    r.Memory.MemoryMB = 256;
    resources.Tasks.set(task.Name, r);
  }
  resources.Shared.DiskMB = 150;
  alloc.AllocatedResources = std::make_shared<const AllocatedResources>(std::move(resources));
  alloc.Job = std::make_shared<const Job>(std::move(job));
  return alloc;
}

// One node: its disk and state outlive the clients that run on it one after the other.
class TestNode {
 public:
  explicit TestNode(uint64_t seed = 1) : sim(seed), server(sim.loop) {
    config.state_dir = dir / "state";
    config.alloc_dir = dir / "alloc";
    config.datacenter = "dc1";
    config.mount_secrets = false;
    config.http_advertise = "127.0.0.1:4646";
  }
  ~TestNode() { client.reset(); }

  // `wrap` may put something around the state database.
  void boot(const std::function<std::unique_ptr<StateDb>(std::unique_ptr<StateDb>)>& wrap = nullptr) {
    auto state = make_memory_state(rows);
    if (wrap) state = wrap(std::move(state));
    ClientDeps deps{sim.world, server, host, std::move(state)};
    deps.network = &lan.host("10.0.0.7");
    deps.make_drivers = [](const drivers::DriverContext& context) {
      std::vector<std::unique_ptr<drivers::Driver>> out;
      out.push_back(drivers::find_builtin_driver("mock_driver")->make(context));
      return out;
    };
    client = std::make_unique<Client>(config, std::move(deps));
    auto status = run_async(sim.loop, client->start(), std::chrono::minutes(2));
    ASSERT_TRUE(status.has_value()) << "the client does not start";
    ASSERT_TRUE(*status) << status->error().message;
  }
  void kill() { client.reset(); }
  bool until(const std::function<bool()>& done, Duration limit = std::chrono::minutes(5)) {
    return sim.loop.run_until(done, limit);
  }
  bool reaches(const Uuid& id, std::string_view status, Duration limit = std::chrono::minutes(10)) {
    return until([&] { return server.allocs.contains(id) && server.status(id) == status; }, limit);
  }
  // Runs a job's one allocation.
  Uuid place(Job job) {
    auto alloc = test_alloc(std::move(job), sim.random);
    auto id = alloc.ID;
    server.put(std::move(alloc));
    return id;
  }

  TempDir dir;
  SimWorld sim;
  net::MemoryNetwork lan{sim.loop};
  FakeHost host;
  FakeServer server;
  Config config;
  std::shared_ptr<MemoryRows> rows = std::make_shared<MemoryRows>();
  std::unique_ptr<Client> client;
};

}  // namespace drover::client
