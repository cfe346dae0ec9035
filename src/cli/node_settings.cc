// node eligibility, config, meta.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/node_commands.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "model/requests.h"

namespace drover::cli {

struct NodeMetaBody {
  std::string NodeID;
  Map<std::optional<std::string>> Meta;
};

}  // namespace drover::cli
namespace drover {
DROVER_TYPE(cli::NodeMetaBody)
}
DROVER_DESCRIBE(drover::cli::NodeMetaBody, "api.NodeMetaApplyRequest", DROVER_FIELD(NodeID), DROVER_FIELD(Meta))

namespace drover::cli {
namespace {

int run_eligibility(Context& c) {
  bool enable = c.args.on("enable"), disable = c.args.on("disable"), self = c.args.on("self");
  if (enable == disable) return c.misuse("Either the '-enable' or '-disable' flag must be set");
  if (!self && c.args.rest.size() != 1) return c.misuse("Node ID must be specified if -self isn't being used");
  auto* api = c.connect();
  if (!api) return 1;
  std::string given;
  if (self) {
    auto own = own_node_id(*api);
    if (!own) return c.fail(own.error().message);
    given = *own;
  } else {
    given = c.args.rest[0];
  }
  auto id = find_node_id(*api, given, kShortId, "updating scheduling eligibility");
  if (!id) return c.fail(id.error().message);
  NodeUpdateEligibilityRequest request;
  request.NodeID = *id;
  request.Eligibility = enable ? "eligible" : "ineligible";
  auto done = api->put("/v1/node/" + *id + "/eligibility", request);
  if (!done) return c.fail("Error updating scheduling eligibility: " + done.error().message);
  c.ui.output(fmt::format("Node \"{}\" scheduling eligibility set: {} for scheduling", *id, request.Eligibility));
  return 0;
}

int run_config(Context& c) {
  bool list = c.args.on("servers"), update = c.args.on("update-servers");
  if (!list && !update) return c.misuse("The '-servers' or '-update-servers' flag(s) must be set");
  auto* api = c.connect();
  if (!api) return 1;
  if (update) {
    if (c.args.rest.empty()) return c.misuse("If the '-update-servers' flag is set, at least one server argument must be provided");
    Params params;
    for (auto& address : c.args.rest) params.emplace_back("address", address);
    if (auto done = api->put_empty("/v1/agent/servers", params); !done)
      return c.fail("Error updating server list: " + done.error().message);
    c.ui.output("Updated server list");
    return 0;
  }
  auto servers = api->get_as<List<std::string>>("/v1/agent/servers");
  if (!servers) return c.fail("Error querying server list: " + servers.error().message);
  for (auto& s : *servers) c.ui.output(s);
  return 0;
}

// The node of -node-id; "" for the agent's own.
std::optional<std::string> meta_node(Context& c, Api& api) {
  auto id = c.args.text("node-id");
  if (id.empty()) return id;
  auto found = find_node_id(api, id, "Node ID must contain at least two characters.");
  if (found) return *found;
  c.fail(found.error().message);
  return std::nullopt;
}

int run_meta_apply(Context& c) {
  NodeMetaBody body;
  for (auto& key : split(c.args.text("unset"), ','))
    if (!key.empty()) body.Meta.set(key, std::nullopt);
  for (auto& pair : c.args.rest) {
    auto equals = pair.find('=');
    body.Meta.set(pair.substr(0, equals), equals == pair.npos ? std::string() : pair.substr(equals + 1));
  }
  if (body.Meta.empty()) return c.fail("Must specify -unset or at least 1 key=value pair");
  auto* api = c.connect();
  if (!api) return 1;
  auto node = meta_node(c, *api);
  if (!node) return 1;
  body.NodeID = *node;
  auto done = api->call("POST", "/v1/client/metadata", {}, to_json(body));
  if (!done) return c.fail("Error applying dynamic node metadata: " + done.error().message);
  return 0;
}

int run_meta_read(Context& c) {
  auto* api = c.connect();
  if (!api) return 1;
  auto node = meta_node(c, *api);
  if (!node) return 1;
  Params params;
  if (!node->empty()) params.emplace_back("node_id", *node);
  auto meta = api->get_as<NodeMetaResponse>("/v1/client/metadata", params);
  if (!meta) return c.fail("Error reading dynamic node metadata: " + meta.error().message);
  if (auto done = print_formatted(c, *meta)) return *done;
  auto section = [&](std::string_view title, const Rows& rows) {
    c.ui.output(c.ui.bold(title));
    c.ui.output(key_values(rows));
  };
  Rows all, dynamic, fixed;
  for (auto& [k, v] : meta->Meta) all.push_back(k + "|" + v);
  for (auto& [k, v] : meta->Dynamic) dynamic.push_back(k + "|" + v.value_or("<unset>"));
  for (auto& [k, v] : meta->Static) fixed.push_back(k + "|" + v);
  section("All Meta", all);
  c.ui.output("");
  section("Dynamic Meta", dynamic);
  c.ui.output("");
  section("Static Meta", fixed);
  return 0;
}

constexpr Flag kEligibilityFlags[] = {
    {"enable", FlagKind::kBool, "", "The scheduler may place allocations on the node.", ""},
    {"disable", FlagKind::kBool, "", "The scheduler may not place allocations on the node.", ""},
    {"self", FlagKind::kBool, "", "The node that the agent is.", ""},
};
constexpr Flag kConfigFlags[] = {
    {"servers", FlagKind::kBool, "", "List the servers that the client knows.", ""},
    {"update-servers", FlagKind::kBool, "", "Give the client the servers of the arguments.", ""},
};
constexpr Flag kNodeIdFlag{"node-id", FlagKind::kText, "=<id>", "The node; by default the one that the agent is.", ""};
constexpr Flag kApplyFlags[] = {
    kNodeIdFlag, {"unset", FlagKind::kText, "=<k1>,<k2>", "Keys to take away, those of the node's configuration too.", ""}};
constexpr Flag kReadFlags[] = {kNodeIdFlag, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "node eligibility",
     .synopsis = "Toggle scheduling eligibility for a given node",
     .usage = "Usage: nomad node eligibility [options] <node>",
     .about = "Says whether the scheduler may place allocations on a node. What runs there stays.",
     .general = General::kNoNamespace,
     .options = "Node Eligibility Options",
     .flags = kEligibilityFlags,
     .run = run_eligibility},
    {.name = "node config",
     .synopsis = "View or modify client configuration details",
     .usage = "Usage: nomad node config [options]",
     .about = "Shows or changes which servers a client talks to.",
     .general = General::kNoNamespace,
     .options = "Client Config Options",
     .flags = kConfigFlags,
     .run = run_config},
    {.name = "node meta",
     .synopsis = "Interact with node metadata",
     .usage = "Usage: nomad node meta [subcommand]",
     .about = "Commands for the metadata of nodes, which jobs' constraints look at."},
    {.name = "node meta apply",
     .synopsis = "Modify node metadata",
     .usage = "Usage: nomad node meta apply [-node-id ...] [-unset ...] key1=value1 ... kN=vN",
     .about = "Changes the metadata of a node; it lasts over restarts of the agent.",
     .general = General::kNoNamespace,
     .options = "Node Meta Apply Options",
     .flags = kApplyFlags,
     .run = run_meta_apply},
    {.name = "node meta read",
     .synopsis = "Read node metadata",
     .usage = "Usage: nomad node meta read [-json] [-node-id ...]",
     .about = "Shows the metadata of a node, and where it comes from.",
     .general = General::kNoNamespace,
     .options = "Node Meta Read Options",
     .flags = kReadFlags,
     .run = run_meta_read},
};

}  // namespace

std::span<const Command> node_setting_commands() { return kCommands; }

}  // namespace drover::cli
