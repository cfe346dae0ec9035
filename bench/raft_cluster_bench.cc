// raft_cluster_bench [--servers 3] [--dir D] [--size BYTES] [--in-flight N] [--seconds S] [--no-inline]
//
// Several servers on this machine, a process each, with the log on disk and the transport of the real server over
// loopback: the leader proposes entries from N flows at once. Prints committed entries per second, latency from propose to
// applied at the leader, and what each process used. --dir should be on the disk that counts.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/allocator.h"
#include "base/log.h"
#include "net/network.h"
#include "net/rpc_listener.h"
#include "raft/work_thread.h"
#include "raft_load.h"
#include "server/raft_transport.h"

namespace drover {
namespace {

struct Arguments {
  std::string dir = "raft-cluster-bench";
  size_t servers = 3, size = 256, in_flight = 64;
  int seconds = 5;
  bool no_inline = false;
};

constexpr Duration kWindow = 100ms;

double ms(Duration d) { return static_cast<double>(d.count()) / 1e6; }

void report(const Arguments& args, const Load& load, std::vector<size_t> windows, const raft::Stats& st) {
  fmt::print("{} servers, ", args.servers);
  print_load(args.size, args.in_flight, args.seconds, load);
  std::sort(windows.begin(), windows.end());
  auto window = [&](double q) { return windows.empty() ? size_t{0} : windows[static_cast<size_t>(q * static_cast<double>(windows.size() - 1))] * 10; };
  fmt::print(" | of windows of 100 ms: median {}/s, best tenth {}/s", window(0.5), window(0.9));
  fmt::print(" | {:.0f} entries a sync, {:.2f} ms each\n",
             st.syncs ? static_cast<double>(load.latencies.size()) / static_cast<double>(st.syncs) : 0.0, st.syncs ? ms(st.sync_time) / static_cast<double>(st.syncs) : 0.0);
  std::fflush(stdout);
}

// Other work on the machine comes in bursts: the median window tells more of this program than the mean.
Async<void> count_windows(Loop& loop, const Load& load, std::vector<size_t>& windows) {
  for (size_t before = 0; !load.stop; before = load.latencies.size()) {
    co_await sleep_for(loop, kWindow);
    windows.push_back(load.latencies.size() - before);
  }
}

Async<Status> fill_segment(raft::Replica& replica) {
  std::string entry(64 << 10, 'x');
  for (size_t size = 0; size < raft::Options().segment; size += entry.size()) DROVER_CO_CHECK(co_await replica.propose(entry));
  co_return Status();
}

// One server; the one that leads does the work and ends.
Async<Status> serve(World& world, net::Network& network, Arguments args, size_t which, std::unique_ptr<net::Listener> listener,
                    std::vector<raft::Server> servers) {
  Counter counter;
  auto& self = servers[which];
  server::RaftTransport transport(world, network, self.id, {});
  raft::Options options;
  options.self = self;
  options.dir = args.dir + "/" + self.id;
  options.inline_sync = !args.no_inline;
  DROVER_CO_TRY(auto replica, raft::Replica::open(options, {world, counter, &transport}));
  DROVER_CO_CHECK(replica->bootstrap(servers));
  net::RpcHandlers handlers;
  handlers.raft = [&](auto stream, auto) { return transport.serve(std::move(stream)); };
  net::RpcListener rpc(world, {}, std::move(handlers));
  rpc.add_listener(std::move(listener));
  Promise<bool> leads;
  raft::Events events;
  events.leadership = [&](bool is_leader, uint64_t) {
    if (is_leader) leads.set(true);
  };
  transport.attach(replica.get());
  replica->start(std::move(events));
  co_await leads;
  // The run begins in the middle of things: all others have the log, and it is past its first segment, which grows bit by bit.
  DROVER_CO_CHECK(co_await fill_segment(*replica));
  DROVER_CO_CHECK(co_await replica->barrier());
  co_await sleep_for(world.loop, 300ms);

  Load load;
  std::vector<size_t> windows;  // entries in each kWindow
  auto before = replica->stats();
  Running counting(count_windows(world.loop, load, windows));
  co_await run_load(*replica, world, args.size, args.in_flight, std::chrono::seconds(args.seconds), load);
  auto after = replica->stats();
  after.syncs -= before.syncs;
  after.sync_time -= before.sync_time;
  report(args, load, std::move(windows), after);
  transport.attach(nullptr);
  co_return Status();
}

int run_server(const Arguments& args, size_t which, std::unique_ptr<net::Listener> listener, const std::vector<raft::Server>& servers,
               net::AsioLoop& loop) {
  net::RealNetwork network(loop);
  net::RealRandom random;
  raft::WorkThread pool("pool");
  World world{loop.clock(), random, loop, pool};
  auto status = net::block_on(loop, serve(world, network, args, which, std::move(listener), servers));
  if (status) return 0;
  fmt::print(stderr, "{}\n", status.error().message);
  return 1;
}

// In a process of its own: tells its address through `out`, hears of all through `in`.
int child(const Arguments& args, size_t which, int out, int in) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  net::AsioLoop loop;
  net::RealNetwork network(loop);
  auto listener = network.listen(*net::Address::parse("127.0.0.1:0"));
  if (!listener) return 1;
  char text[64] = {};
  auto own = (*listener)->address().str();
  own.copy(text, sizeof text - 1);
  if (::write(out, text, sizeof text) != sizeof text) return 1;
  std::vector<raft::Server> servers;
  for (size_t i = 0; i < args.servers; i++) {
    if (::read(in, text, sizeof text) != sizeof text) return 1;
    servers.push_back({fmt::format("server-{}", i), text});
  }
  return run_server(args, which, std::move(*listener), servers, loop);
}

int run(const Arguments& args) {
  struct Child {
    pid_t pid;
    int to, from;
  };
  std::vector<Child> children;
  for (size_t i = 0; i < args.servers; i++) {
    int up[2], down[2];
    if (::pipe(up) != 0 || ::pipe(down) != 0) return 1;
    pid_t pid = ::fork();
    if (pid == 0) ::_exit(child(args, i, up[1], down[0]));
    children.push_back({pid, down[1], up[0]});
  }
  std::string all;
  for (auto& c : children) {
    char text[64];
    if (::read(c.from, text, sizeof text) != sizeof text) return 1;
    all.append(text, sizeof text);
  }
  for (auto& c : children) {
    if (::write(c.to, all.data(), all.size()) != static_cast<ssize_t>(all.size())) return 1;
  }
  int status = 0;
  rusage used{};
  auto tell = [&](const char* role) {
    auto s = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    fmt::print("  {}: {:.2f} s user, {:.2f} s system, {} MiB, {} switches\n", role, s(used.ru_utime), s(used.ru_stime), used.ru_maxrss / 1024,
               used.ru_nvcsw + used.ru_nivcsw);
  };
  pid_t first = ::wait4(-1, &status, 0, &used);
  int rc = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  tell("leader");
  for (auto& c : children) {
    if (c.pid == first) continue;
    ::kill(c.pid, SIGKILL);
    ::wait4(c.pid, &status, 0, &used);
    tell("follower");
  }
  return rc;
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  drover::tame_allocator();
  drover::Arguments args;
  for (int i = 1; i < argc; i++) {
    std::string_view a = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : "0"; };
    if (a == "--dir") args.dir = value();
    else if (a == "--servers") args.servers = std::strtoull(value(), nullptr, 10);
    else if (a == "--size") args.size = std::strtoull(value(), nullptr, 10);
    else if (a == "--in-flight") args.in_flight = std::strtoull(value(), nullptr, 10);
    else if (a == "--seconds") args.seconds = std::atoi(value());
    else if (a == "--no-inline") args.no_inline = true;
    else {
      fmt::print(stderr, "unknown argument {}\n", a);
      return 2;
    }
  }
  static_cast<void>(drover::configure_log({.level = drover::LogLevel::kError, .to_stderr = true}));
  std::filesystem::remove_all(args.dir);
  int rc = drover::run(args);
  std::filesystem::remove_all(args.dir);
  return rc;
}
