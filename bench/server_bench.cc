// A whole server over simulated nodes: how long until a job's allocations are placed and committed to the log on disk.
// Nodes are only registered: nothing runs them. Prints one line per job.
//
//   server_bench [--nodes 1000] [--count 1000] [--jobs 5] [--type service|batch] [--dir PATH]
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/allocator.h"
#include "base/log.h"
#include "model/rpc.h"
#include "model/status.h"
#include "net/real_world.h"
#include "server/leader.h"
#include "server/server.h"

namespace drover {
namespace {

struct Arguments {
  size_t nodes = 1000, jobs = 5;
  int64_t count = 1000;
  std::string type = "service", dir = "server-bench";
};

Node a_node(Random& random, size_t i) {
  Node node;
  node.ID = Uuid::generate(random);
  node.SecretID = Uuid::generate(random);
  node.Name = fmt::format("node-{}", i);
  node.Datacenter = "dc1";
  node.Status = node_status::kInit;
  node.Attributes = {{"driver.exec", "1"}, {"kernel.name", "linux"}, {"cpu.arch", "amd64"}, {"nomad.version", "1.5.7"},
                     {"unique.hostname", node.Name}};
  node.Drivers["exec"].Detected = node.Drivers["exec"].Healthy = true;
  auto& resources = node.NodeResources.ensure();
  resources.Cpu.CpuShares = 16000;
  resources.Memory.MemoryMB = 32768;
  resources.Disk.DiskMB = 400000;
  return node;
}

Job a_job(const Arguments& args, std::string id) {
  Job j;
  j.ID = j.Name = std::move(id);
  j.Namespace = "default";
  j.Region = "global";
  j.Type = args.type;
  j.Priority = 50;
  j.Datacenters = {"dc1"};
  auto& group = j.TaskGroups.emplace_back();
  group.Name = "web";
  group.Count = args.count;
  group.EphemeralDisk.ensure().SizeMB = 10;
  group.RestartPolicy.ensure() = RestartPolicy{.Attempts = 2, .Interval = 30min, .Delay = 15s, .Mode = "fail"};
  auto& task = group.Tasks.emplace_back();
  task.Name = "main";
  task.Driver = "exec";
  task.Resources.ensure().CPU = 100;
  task.Resources->MemoryMB = 64;
  task.LogConfig.ensure() = LogConfig{.MaxFiles = 1, .MaxFileSizeMB = 1};
  return j;
}

Async<Status> add_nodes(server::Server& server, const Arguments& args) {
  for (size_t i = 0; i < args.nodes; ++i) {
    rpc::NodeRegisterRequest add;
    add.Node.ensure() = a_node(server.world().random, i);
    rpc::NodeUpdateStatusRequest ready;
    ready.NodeID = add.Node->ID.str();
    ready.Status = node_status::kReady;
    auto added = co_await server.call<NodeUpdateResponse>("Node.Register", std::move(add));
    if (!added) co_return Error(std::move(added).error());
    auto beat = co_await server.call<NodeUpdateResponse>("Node.UpdateStatus", std::move(ready));
    if (!beat) co_return Error(std::move(beat).error());
  }
  co_return Status();
}

// The index at which the job's evaluation is complete, waiting for it as a blocking reader does.
Async<Status> complete(server::Server& server, const std::string& eval) {
  rpc::EvalSpecificRequest query;
  query.EvalID = eval;
  for (;;) {
    auto r = co_await server.call<rpc::SingleEvalResponse>("Eval.GetEval", query);
    if (!r) co_return Error(std::move(r).error());
    if (r->Eval && r->Eval->Status != eval_status::kPending) co_return Status();
    query.MinQueryIndex = r->Index;
    query.MaxQueryTime = 60s;
  }
}

Async<Status> measure(server::Server& server, const Arguments& args) {
  auto& clock = server.world().clock;
  auto begin = clock.monotonic();
  auto ms = [&] { return static_cast<double>((clock.monotonic() - begin).count()) / 1e6; };
  auto added = co_await add_nodes(server, args);
  if (!added) co_return std::move(added).error();
  fmt::print("{} nodes registered and ready in {:.0f} ms\n", args.nodes, ms());
  for (size_t i = 0; i < args.jobs; ++i) {
    auto id = fmt::format("job-{}", i);
    rpc::JobRegisterRequest request;
    request.Namespace = "default";
    request.Job = a_job(args, id);
    begin = clock.monotonic();
    auto made = co_await server.call<JobRegisterResponse>("Job.Register", std::move(request));
    if (!made) co_return Error(std::move(made).error());
    auto accepted = ms();
    auto done = co_await complete(server, made->EvalID);
    if (!done) co_return std::move(done).error();
    auto placed = server.snapshot().allocs().by_job("default", id).count();
    fmt::print("{} {}: {} allocations over {} nodes; accepted {:.1f} ms, placed and committed {:.1f} ms ({:.0f}/s)\n", args.type,
               id, placed, args.nodes, accepted, ms(), static_cast<double>(placed) / ms() * 1000);
  }
  co_return Status();
}

Async<Status> lead_and_measure(server::Server& server, const Arguments& args) {
  while (!server.leader() || !server.leader()->ready()) co_await sleep_for(server.world().loop, 1ms);
  auto status = co_await measure(server, args);
  co_await server.shutdown();
  co_return status;
}

Result<std::unique_ptr<server::Server>> open(World& world, const Arguments& args) {
  server::Config config;
  config.node_name = "bench";
  config.node_id = Uuid::generate(world.random).str();
  config.rpc_advertise = "127.0.0.1:4647";
  config.data_dir = args.dir;
  config.num_schedulers = 2;
  config.default_scheduler_config.SchedulerAlgorithm = "binpack";
  return server::Server::create(config, {.world = world, .fatal = [](const Error& e) {
                                           fmt::print(stderr, "{}\n", e.message);
                                           std::exit(1);
                                         }});
}

int run(const Arguments& args) {
  static_cast<void>(configure_log({.level = LogLevel::kWarn, .to_stderr = true}));
  std::filesystem::remove_all(args.dir);
  std::filesystem::create_directories(args.dir);
  net::RealWorld real;
  auto server = open(real.world, args);
  Status status;
  if (server) {
    (*server)->start();
    status = net::block_on(real.loop, lead_and_measure(**server, args));
  } else {
    status = std::move(server).error();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("peak resident {} MiB\n", usage.ru_maxrss / 1024);
  if (!status) fmt::print(stderr, "{}\n", status.error().message);
  server = Error(ErrorCode::kCancelled, "done");
  std::filesystem::remove_all(args.dir);
  return status ? 0 : 1;
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  drover::tame_allocator();
  drover::Arguments args;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view flag = argv[i], value = argv[i + 1];
    if (flag == "--nodes") args.nodes = std::strtoull(argv[i + 1], nullptr, 10);
    else if (flag == "--jobs") args.jobs = std::strtoull(argv[i + 1], nullptr, 10);
    else if (flag == "--count") args.count = std::atoll(argv[i + 1]);
    else if (flag == "--type") args.type = value;
    else if (flag == "--dir") args.dir = value;
    else return fmt::print(stderr, "unknown argument {}\n", flag), 2;
  }
  return drover::run(args);
}
