// node drain, and following it.
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <thread>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/node_commands.h"
#include "cli/resolve.h"
#include "model/api_requests.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

constexpr Duration kDefaultDeadline = std::chrono::hours(1);
constexpr Duration kForceDeadline = std::chrono::seconds(-1);

std::string strategy_text(const DrainStrategy& s) {
  auto until = s.ForceDeadline.unset() ? "" : absolute_time(s.ForceDeadline);
  return s.IgnoreSystemJobs ? "drain ignoring system jobs and deadline at " + until : "drain with deadline at " + until;
}

// Two loops, one over the node and one over its allocations, each on its own connection; the lines are one stream.
class DrainMonitor {
 public:
  DrainMonitor(Context& c, std::string node, uint64_t index, bool ignore_system)
      : c_(c), node_(std::move(node)), index_(index), ignore_system_(ignore_system) {}

  int follow(Api& api) {
    auto second = Api::make(api.settings());
    if (!second) return c_.fail(second.error().message);
    std::thread nodes([&] {
      if (!watch_node(api)) (*second)->interrupt();
    });
    if (!watch_allocs(**second)) api.interrupt();
    nodes.join();
    return failed_ ? 1 : 0;
  }

 private:
  enum class Level { kPlain, kInfo, kWarn, kError };
  void say(Level level, const std::string& text) {
    std::lock_guard lock(mutex_);
    if (failed_) return;  // the first error ends the stream
    auto line = absolute_time(c_.now()) + ": " + text;
    switch (level) {
      case Level::kPlain: c_.ui.output(line); break;
      case Level::kInfo: c_.ui.info(line); break;
      case Level::kWarn: c_.ui.warn(line); break;
      case Level::kError:
        failed_ = true;
        c_.ui.error(line);
        break;
    }
  }

  bool watch_node(Api& api) {
    std::string last;
    bool first = true;
    auto index = index_;
    for (;;) {
      auto node = api.get_as<Node>("/v1/node/" + node_, {{"stale", ""}, {"index", std::to_string(index)}});
      if (!node) {
        say(Level::kError, "Error monitoring node: " + node.error().message);
        return false;
      }
      index = api.last().index;
      if (!node->DrainStrategy) {
        say(Level::kInfo, "Drain complete for node " + node_);
        return true;
      }
      if (node->Status == "down") say(Level::kWarn, fmt::format("Node \"{}\" down", node_));
      auto now = strategy_text(*node->DrainStrategy);
      if (!first && now != last) say(Level::kInfo, fmt::format("Node \"{}\" drain updated: {}", node_, now));
      last = now;
      first = false;
    }
  }

  struct Seen {
    std::string status;
    bool migrating = false, stopping = false;
  };

  bool watch_allocs(Api& api) {
    std::map<std::string, Seen> seen;
    uint64_t index = 0;
    for (;;) {
      Params params{{"stale", ""}};
      if (index) params.emplace_back("index", std::to_string(index));
      auto allocs = api.get_as<List<Allocation>>("/v1/node/" + node_ + "/allocations", params);
      if (!allocs) {
        say(Level::kError, "Error monitoring allocations: " + allocs.error().message);
        return false;
      }
      index = api.last().index;
      bool left = false;
      for (auto& a : *allocs) left |= look_at(a, seen);
      if (left) continue;
      say(Level::kInfo, fmt::format("All allocations on node \"{}\" have stopped", node_));
      return true;
    }
  }

  // Tells what is new of the allocation; whether it still runs.
  bool look_at(const Allocation& a, std::map<std::string, Seen>& seen) {
    auto id = a.ID.str();
    Seen now{a.ClientStatus.str(), a.DesiredTransition.Migrate.value_or(false), a.DesiredStatus == "stop"};
    if (auto it = seen.find(id); it != seen.end()) {
      auto& old = it->second;
      if (old.status != now.status)
        say(Level::kPlain, fmt::format("Alloc \"{}\" status {} -> {}", id, old.status, now.status));
      if (!old.migrating && now.migrating) say(Level::kPlain, fmt::format("Alloc \"{}\" marked for migration", id));
      if (!old.stopping && now.stopping && now.migrating) say(Level::kPlain, fmt::format("Alloc \"{}\" draining", id));
    }
    seen[id] = now;
    bool system = a.Job && a.Job->Type == "system";
    return (now.status == "pending" || now.status == "running") && !(system && ignore_system_);
  }

  Context& c_;
  std::string node_;
  uint64_t index_;
  bool ignore_system_;
  std::mutex mutex_;
  bool failed_ = false;
};

// What is wrong with the flags together; "" when nothing is.
std::string conflict(const Args& a) {
  bool enable = a.on("enable"), disable = a.on("disable"), monitor = a.on("monitor");
  bool deadline = a.given("deadline"), force = a.on("force"), none = a.on("no-deadline"), ignore = a.on("ignore-system");
  if (monitor && (enable || disable)) return "The -monitor flag cannot be used with the '-enable' or '-disable' flags";
  if (!monitor && enable == disable) return "Either the '-enable' or '-disable' flag must be set, unless using '-monitor'";
  if (disable && (deadline || force || none || ignore))
    return "-disable can't be combined with flags configuring drain strategy";
  if (deadline && (force || none)) return "-deadline can't be combined with -force or -no-deadline";
  if (force && none) return "-force and -no-deadline are mutually exclusive";
  return {};
}

Result<Duration> deadline_of(const Args& a) {
  if (a.on("force")) return kForceDeadline;
  if (a.on("no-deadline")) return Duration{0};
  auto text = a.text("deadline");
  if (text.empty()) return kDefaultDeadline;
  auto d = parse_duration(text);
  if (!d) return invalid(fmt::format("Failed to parse deadline {}: {}", go_quote(text), d.error().message));
  if (d->count() <= 0) return invalid("A positive drain duration must be given");
  return *d;
}

Result<Map<std::string>> meta_of(const Context& c, const Node& node, bool enable) {
  auto meta = Map<std::string>::empty_map();
  if (!enable && node.LastDrain) meta = node.LastDrain->Meta;
  if (auto message = c.args.text("m"); !message.empty()) meta.set(enable ? "message" : "cancel_message", message);
  for (auto& pair : c.args.list("meta")) {
    auto equals = pair.find('=');
    if (equals == pair.npos) return invalid("Error parsing meta value: " + pair);
    meta.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return meta;
}

int monitor_only(Context& c, Api& api, const Node& node) {
  if (!node.DrainStrategy) {
    c.ui.warn("No drain strategy set");
    return 0;
  }
  c.ui.info(fmt::format("{}: Monitoring node \"{}\": Ctrl-C to detach monitoring", absolute_time(c.now()), node.ID.str()));
  return DrainMonitor(c, node.ID.str(), api.last().index, c.args.on("ignore-system")).follow(api);
}

int run_drain(Context& c) {
  auto& a = c.args;
  if (auto wrong = conflict(a); !wrong.empty()) return c.misuse(wrong);
  bool self = a.on("self"), enable = a.on("enable");
  if (!self && a.rest.size() != 1) return c.misuse("Node ID must be specified if -self isn't being used");
  auto deadline = deadline_of(a);
  if (!deadline) return c.fail(deadline.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  std::string given;
  if (self) {
    auto own = own_node_id(*api);
    if (!own) return c.fail(own.error().message);
    given = *own;
  } else {
    given = a.rest[0];
  }
  auto id = find_node_id(*api, given, kShortId, "toggling drain mode");
  if (!id) return c.fail(id.error().message);
  auto node = api->get_as<Node>("/v1/node/" + *id);
  if (!node) return c.fail("Error toggling drain mode: " + node.error().message);
  if (a.on("monitor")) return monitor_only(c, *api, *node);
  if (given != *id && !a.on("yes"))
    if (auto code = confirm(c, fmt::format("Are you sure you want to {} drain mode for node \"{}\"? [y/N]",
                                           enable ? "enable" : "disable", *id),
                            "Canceling drain toggle"))
      return *code;
  auto meta = meta_of(c, *node, enable);
  if (!meta) return c.fail(meta.error().message);
  api::NodeUpdateDrainRequest request;
  request.NodeID = *id;
  if (enable) request.DrainSpec = api::DrainSpec{*deadline, a.on("ignore-system")};
  request.MarkEligible = !a.on("keep-ineligible");
  request.Meta = std::move(*meta);
  auto done = api->put_as<NodeDrainUpdateResponse>("/v1/node/" + *id + "/drain", request);
  if (!done) return c.fail("Error updating drain specification: " + done.error().message);
  auto told = fmt::format("Node \"{}\" drain strategy {}", *id, enable ? "set" : "unset");
  if (!enable || a.on("detach")) {
    c.ui.output(told);
    return 0;
  }
  auto stamp = absolute_time(c.now());
  c.ui.info(stamp + ": Ctrl-C to stop monitoring: will not cancel the node drain");
  c.ui.output(stamp + ": " + told);
  return DrainMonitor(c, *id, api->last().index, a.on("ignore-system")).follow(*api);
}

constexpr FlagKind kBool = FlagKind::kBool;
constexpr Flag kFlags[] = {
    {"enable", kBool, "", "Start draining the node.", ""},
    {"disable", kBool, "", "Stop draining the node.", ""},
    {"deadline", FlagKind::kText, " <duration>",
     "By when allocations must be gone; what is left then is stopped. Defaults to one hour.", ""},
    {"force", kBool, "", "Stop everything at once.", ""},
    {"no-deadline", kBool, "", "Let allocations take the time they need.", ""},
    {"ignore-system", kBool, "", "Leave allocations of system jobs alone.", ""},
    {"keep-ineligible", kBool, "", "With -disable: nothing is placed on the node until it is made eligible.", ""},
    {"detach", kBool, "", "Return at once instead of following the drain.", ""},
    {"monitor", kBool, "", "Follow a drain that is under way.", ""},
    {"self", kBool, "", "The node that the agent is.", ""},
    {"yes", kBool, "", "Answer yes to every question.", ""},
    {"m", FlagKind::kText, " <message>", "Why; kept with the drain.", ""},
    {"meta", FlagKind::kList, " <key>=<value>", "Metadata kept with the drain. May be given several times.", ""},
};

constexpr Command kCommands[] = {
    {.name = "node drain",
     .synopsis = "Toggle drain mode on a given node",
     .usage = "Usage: nomad node drain [options] <node>",
     .about = "Moves the allocations of a node elsewhere, as their jobs' migrate blocks say, and follows\n"
              "it until all are gone. While a node is drained nothing is placed on it.",
     .general = General::kNoNamespace,
     .options = "Node Drain Options",
     .flags = kFlags,
     .run = run_drain},
};

}  // namespace

std::span<const Command> node_drain_commands() { return kCommands; }

}  // namespace drover::cli
