#include "agent/agent_command.h"

#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "agent/agent.h"
#include "agent/config.h"
#include "agent/metric_sinks.h"
#include "agent/read_config.h"
#include "agent/telemetry.h"
#include "base/cancel.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "base/version.h"
#include "net/address.h"
#include "net/network.h"
#include "net/real_world.h"

namespace drover::agent {
namespace {

constexpr Duration kLeaveTimeout = 5s;  // of a graceful leave
constexpr std::string_view kJoiner = "agent.joiner";

// ---- what the command says -----------------------------------------------------------------------------------------

// Lines for people, until the configuration asks for JSON: then they are log records.
class Console {
 public:
  void use_json() { json_ = true; }
  void output(std::string_view text) { say(stdout, text.empty() ? "" : "==> ", text); }
  void info(std::string_view text) { say(stdout, "    ", text); }
  void error(std::string_view text) { say(stderr, "==> ", text); }
  void warn(std::string_view text) { say(stderr, "", text); }

 private:
  void say(FILE* stream, std::string_view prefix, std::string_view text) {
    if (json_) {
      auto trimmed = trim_space(text);
      if (!trimmed.empty()) log(stream == stderr ? LogLevel::kError : LogLevel::kInfo, "agent", trimmed);
      return;
    }
    auto line = fmt::format("{}{}\n", prefix, text);
    std::fwrite(line.data(), 1, line.size(), stream);
    std::fflush(stream);
  }
  bool json_ = false;
};

void print_banner(Console& console, const Settings& s, const Config& config, const std::string& node_id) {
  std::vector<std::string> http;
  for (auto& ip : s.http_binds) http.push_back(net::join_host_port(ip, fmt::format("{}", s.http_port)));
  auto bind = fmt::format("HTTP: [{}]", join(http, " "));
  auto advertise = "HTTP: " + s.http_advertise;
  if (s.server) {
    bind += fmt::format("; RPC: {}:{}; Serf: {}:{}", s.rpc_bind, s.rpc_port, s.serf_bind, s.serf_port);
    advertise += fmt::format("; RPC: {}; Serf: {}", s.rpc_advertise, s.serf_advertise);
  }
  std::map<std::string, std::string> facts = {
      {"Advertise Addrs", advertise},
      {"Bind Addrs", bind},
      {"Client", s.client ? "true" : "false"},
      {"Log Level", config.LogLevel},
      {"Region", fmt::format("{} (DC: {})", s.region, s.datacenter)},
      {"Server", s.server ? "true" : "false"},
      {"Version", std::string(kVersion)},
  };
  if (s.server) facts["Node Id"] = node_id;
  console.output("Nomad agent configuration:\n");
  for (auto& [key, value] : facts) console.info(fmt::format("{:>18}: {}", key, value));
  console.output("");
  console.output("Nomad agent started! Log data will stream in below:\n");
}

// ---- what happens to a running agent -------------------------------------------------------------------------------

enum class Event { kStarted, kReload, kInterrupt, kTerminate, kFatal };

// Events in order; one flow waits for them. Everything on the loop.
class Events {
 public:
  explicit Events(Loop& loop) : loop_(loop) {}
  // The waiter runs later, so that a flow may tell its own end to the one that owns it.
  void put(Event e) {
    queue_.push_back(e);
    wake_.set_from_any_thread(loop_, true);
  }
  Async<Event> next() {
    while (queue_.empty()) {
      wake_ = Promise<bool>();
      (void)co_await wake_;
    }
    auto e = queue_.front();
    queue_.pop_front();
    co_return e;
  }
  // nullopt when `limit` passes first.
  Async<std::optional<Event>> next_within(Loop& loop, Duration limit) {
    CancellableAwait<Event> wait(next());
    Timer timer = loop.after(limit, [&wait] { wait.cancel(); });
    co_return co_await wait;
  }

 private:
  Loop& loop_;
  std::deque<Event> queue_;
  Promise<bool> wake_;
};

class Command {
 public:
  Command(AgentFlags flags, Config config, Settings settings, Console console)
      : flags_(std::move(flags)), config_(std::move(config)), settings_(std::move(settings)), console_(console),
        agent_(world_, settings_, [this](const Error& e) {
          log_error("agent", "cannot go on", {{"error", e.message}});
          events_.put(Event::kFatal);
        }) {}

  int run() {
    auto& loop = world_.loop;
    loop.on_signal(SIGHUP, [this] { events_.put(Event::kReload); });
    loop.on_signal(SIGINT, [this] { events_.put(Event::kInterrupt); });
    loop.on_signal(SIGTERM, [this] { events_.put(Event::kTerminate); });
    loop.on_signal(SIGPIPE, [] {});
    loop.on_signal(SIGUSR1, [] {
      auto text = metrics_dump();
      std::fwrite(text.data(), 1, text.size(), stderr);
    });
    return net::block_on(loop, live());
  }

 private:
  Async<void> start() {
    started_ = co_await agent_.start();
    events_.put(Event::kStarted);
  }

  Async<int> live() {
    Running starting(start());
    auto first = co_await events_.next();
    while (first == Event::kReload) first = co_await events_.next();
    if (first != Event::kStarted) {
      release_log();
      co_return 1;
    }
    if (!started_) {
      auto& text = started_.error().message;
      bool http = text.starts_with("failed to start HTTP listener");
      console_.error(fmt::format("{}: {}", http ? "Error starting http server" : "Error starting agent", text));
      release_log();
      co_await agent_.shutdown();
      co_return 1;
    }
    if (!co_await join()) {
      release_log();
      co_await agent_.shutdown();
      co_return 1;
    }
    print_banner(console_, settings_, config_, agent_.server_node_id());
    release_log();
    net::RealNetwork network(world_.loop, &world_.pool);
    MetricSinks sinks(world_.world, network, settings_.telemetry);
    Emitter emitter(world_.world, settings_.telemetry, agent_.parts());
    Running joining(retry_join());
    co_return co_await until_signal();
  }

  Async<bool> join() {
    auto& addresses = settings_.join.start_join;
    if (addresses.empty()) co_return true;
    console_.output("Joining cluster...");
    auto joined = co_await agent_.join(addresses);
    if (!joined.error.empty()) {
      console_.error(joined.error);
      co_return false;
    }
    console_.info(fmt::format("Join completed. Synced with {} initial agents", joined.count));
    co_return true;
  }

  // One attempt to join what the configuration names: how many took it, or why none did.
  Async<Result<int64_t>> try_join(const std::vector<std::string>& addresses) {
    if (settings_.server) {
      auto joined = co_await agent_.join(addresses);
      if (joined.count == 0) co_return internal(joined.error);
      co_return joined.count;
    }
    DROVER_CO_CHECK(co_await agent_.parts().set_known_servers(addresses));
    co_return static_cast<int64_t>(addresses.size());
  }

  // Tries until the servers of retry_join take this agent, or retry_max is reached: then the agent stops.
  Async<void> retry_join() {
    auto& settings = settings_.join;
    if (settings.retry_join.empty()) co_return;
    auto addresses = settings.retry_join;
    if (std::erase_if(addresses, [](auto& a) { return a.starts_with("provider="); }) > 0)
      log_error(kJoiner, "determining join addresses failed", {{"error", "discovery of servers by a cloud provider is not supported by this build"}});
    auto interval = settings.retry_interval;
    auto max = settings.retry_max;
    log_info(kJoiner, "starting retry join", {{"servers", drover::join(settings.retry_join, " ")}});
    for (int64_t attempt = 1;; ++attempt) {
      if (!addresses.empty()) {
        auto joined = co_await try_join(addresses);
        if (joined) {
          log_info(kJoiner, "retry join completed", {{"initial_servers", fmt::format("{}", *joined)},
                                                     {"agent_mode", settings_.server ? "server" : "client"}});
          co_return;
        }
        log_warn(kJoiner, "join failed", {{"error", joined.error().message}, {"retry", format_duration(interval)}});
      }
      if (max > 0 && attempt > max) {
        log_error(kJoiner, "max join retry exhausted, exiting");
        events_.put(Event::kFatal);
        co_return;
      }
      co_await sleep_for(world_.loop, interval);
    }
  }

  Async<int> until_signal() {
    while (true) {
      auto event = co_await events_.next();
      if (event == Event::kReload) {
        console_.output("Caught signal: hangup");
        reload();
        continue;
      }
      if (event == Event::kStarted) continue;
      if (event == Event::kFatal) {
        co_await stop();
        co_return 1;
      }
      console_.output(event == Event::kInterrupt ? "Caught signal: interrupt" : "Caught signal: terminated");
      bool graceful = event == Event::kInterrupt ? settings_.leave_on_interrupt : settings_.leave_on_terminate;
      int code = graceful ? co_await leave() : 1;
      co_await stop();
      co_return code;
    }
  }

  Async<void> leave_and_tell() {
    co_await agent_.leave();
    events_.put(Event::kStarted);  // the only event that says "done"
  }

  // 0 when the leave came to its end, 1 after a second signal or the time limit.
  Async<int> leave() {
    console_.output("Gracefully shutting down agent...");
    Running leaving(leave_and_tell());
    auto event = co_await events_.next_within(world_.loop, kLeaveTimeout);
    co_return event == Event::kStarted ? 0 : 1;
  }

  Async<void> stop_and_tell() {
    co_await agent_.shutdown();
    events_.put(Event::kStarted);
  }

  // A second signal ends the wait.
  Async<void> stop() {
    Running stopping(stop_and_tell());
    (void)co_await events_.next();
  }

  void reload() {
    console_.output("Reloading configuration...");
    auto config = read_config(flags_, [this](std::string text) { console_.warn(text); });
    if (!config) {
      console_.error(config.error().message);
      console_.error("Failed to reload configs");
      return;
    }
    auto settings = make_settings(*config);
    if (!settings) {
      console_.error(settings.error().message);
      console_.error("Failed to reload configs");
      return;
    }
    config_ = std::move(*config);
    settings_ = std::move(*settings);
    agent_.reload(settings_);
  }

  net::RealWorld world_;
  AgentFlags flags_;
  Config config_;
  Settings settings_;
  Console console_;
  Events events_{world_.loop};
  Agent agent_;
  Status started_;
};

}  // namespace

int run_agent(const std::vector<std::string>& args) {
  Console console;
  auto flags = parse_agent_flags(args);
  if (!flags) {
    std::fprintf(stderr, "%s\n", flags.error().message.c_str());
    std::fwrite(agent_usage().data(), 1, agent_usage().size(), stdout);
    return 1;
  }
  if (flags->help) {
    std::fwrite(agent_usage().data(), 1, agent_usage().size(), stdout);
    return 0;
  }
  auto config = read_config(*flags, [&](std::string text) { console.warn(text); });
  if (!config) {
    console.error(config.error().message);
    return 1;
  }
  auto settings = make_settings(*config);
  if (!settings) {
    auto& text = settings.error().message;
    bool wrapped = text.starts_with("server config setup failed") || text.starts_with("client setup failed");
    console.error(wrapped ? "Error starting agent: " + text : text);
    return 1;
  }
  enable_metrics(settings->telemetry);
  if (config->LogJson) console.use_json();
  else hold_log();
  if (auto configured = configure_log(settings->log); !configured) {
    console.error(configured.error().message);
    return 1;
  }
  if (!config->Files.empty()) console.output("Loaded configuration from " + join(config->Files.to_vector(), ", "));
  else console.output("No configuration files loaded");
  console.output("Starting Nomad agent...");
  return Command(std::move(*flags), std::move(*config), std::move(*settings), console).run();
}

}  // namespace drover::agent
