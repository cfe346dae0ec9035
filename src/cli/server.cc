// server members, join, force-leave; system gc, reconcile summaries.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "model/agent_info.h"
#include "model/multi_error.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

std::string tags_text(const Map<std::string>& tags) {
  std::vector<std::string> parts;
  for (auto& [k, v] : tags) parts.push_back(k + "=" + v);
  return join(parts, ",");
}

// The leader's address in each region that has servers; what could not be asked is told in `trouble`.
std::map<std::string, std::string> leaders(Api& api, const List<ServerMember>& members, std::string& trouble) {
  std::map<std::string, std::string> out;
  MultiError errors;
  for (auto& m : members) out.emplace(m.Tags.get_or("region"), "");
  for (auto& [region, leader] : out) {
    auto answer = api.get_as<std::string>("/v1/status/leader", {{"region", region}});
    if (answer) leader = *answer;
    else errors.add(fmt::format("Region \"{}\": {}", region, answer.error().message));
  }
  trouble = errors.text();
  return out;
}

int run_members(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto answer = api->get_as<ServerMembersResponse>("/v1/agent/members");
  if (!answer) return c.fail("Error querying servers: " + answer.error().message);
  auto& members = answer->Members;
  auto key = [](const ServerMember& m) { return std::tuple(m.Tags.get_or("region"), m.Tags.get_or("dc"), m.Name); };
  std::sort(members.begin(), members.end(), [&](auto& a, auto& b) { return key(a) < key(b); });
  std::string trouble;
  auto leader_of = leaders(*api, members, trouble);
  auto leads = [&](const ServerMember& m) {
    return leader_of[m.Tags.get_or("region")] == host_port(m.Addr, parse_int(m.Tags.get_or("port")).value_or(0));
  };
  if (formatted(c)) {
    for (auto& m : members) m.Tags.set("Leader", yes_no(leads(m)));
    return *print_formatted(c, members);
  }
  if (members.empty()) return 0;
  bool verbose = c.verbose() || c.args.on("detailed");
  Rows rows{verbose ? "Name|Address|Port|Status|Leader|Protocol|Raft Version|Build|Datacenter|Region|Tags"
                    : "Name|Address|Port|Status|Leader|Raft Version|Build|Datacenter|Region"};
  for (auto& m : members) {
    auto tag = [&](std::string_view name) { return m.Tags.get_or(name); };
    auto row = fmt::format("{}|{}|{}|{}|{}", m.Name, m.Addr, m.Port, m.Status, leads(m));
    if (verbose) row += fmt::format("|{}", m.ProtocolCur);
    row += fmt::format("|{}|{}|{}|{}", tag("raft_vsn"), tag("build"), tag("dc"), tag("region"));
    if (verbose) row += "|" + tags_text(m.Tags);
    rows.push_back(row);
  }
  c.ui.output(plain_table(rows));
  if (!trouble.empty()) {
    c.ui.output("");
    c.ui.error("Error determining leaders: " + trouble);
    return 1;
  }
  return 0;
}

int run_join(Context& c) {
  if (c.args.rest.empty()) return c.misuse("One or more node addresses must be given as arguments");
  auto* api = c.connect();
  if (!api) return 1;
  Params params;
  for (auto& address : c.args.rest) params.emplace_back("address", address);
  auto answer = api->typed<AgentJoinResult>("PUT", "/v1/agent/join", params, "");
  if (!answer) return c.fail("Error joining: failed joining: " + answer.error().message);
  if (!answer->Error.empty()) return c.fail("Error joining: failed joining: " + answer->Error);
  c.ui.output(fmt::format("Joined {} servers successfully", answer->NumJoined));
  return 0;
}

int run_force_leave(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <node>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->put_empty("/v1/agent/force-leave", {{"node", c.args.rest[0]}}); !done)
    return c.fail(fmt::format("Error force-leaving server {}: {}", c.args.rest[0], done.error().message));
  return 0;
}

// A wrong number of arguments is said, and the call made all the same.
int system_call(Context& c, std::string_view path, std::string_view what) {
  if (!c.args.rest.empty()) c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->put_empty(path); !done) return c.fail(fmt::format("Error running {}: {}", what, done.error().message));
  return 0;
}
int run_gc(Context& c) { return system_call(c, "/v1/system/gc", "system garbage-collection"); }
int run_reconcile(Context& c) { return system_call(c, "/v1/system/reconcile/summaries", "system summary reconciliation"); }

constexpr Flag kMembersFlags[] = {
    kVerboseFlag, {"detailed", FlagKind::kBool, "", "", ""}, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "server members",
     .synopsis = "Display a list of known servers and their status",
     .usage = "Usage: nomad server members [options]",
     .about = "Lists the servers that the agent knows, and which lead their regions.",
     .general = General::kNoNamespace,
     .options = "Server Members Options",
     .flags = kMembersFlags,
     .run = run_members},
    {.name = "server join",
     .synopsis = "Join server nodes together",
     .usage = "Usage: nomad server join [options] <addr> [<addr>...]",
     .about = "Makes the server join those at the addresses; one that answers is enough.",
     .general = General::kNoNamespace,
     .run = run_join},
    {.name = "server force-leave",
     .synopsis = "Force a server into the 'left' state",
     .usage = "Usage: nomad server force-leave [options] <node>",
     .about = "Takes a server that has failed for good out of the list of members.",
     .general = General::kNoNamespace,
     .run = run_force_leave},
    {.name = "system gc",
     .synopsis = "Run the system garbage collection process",
     .usage = "Usage: nomad system gc [options]",
     .about = "Removes what is over from the servers' state, without waiting for it to age.",
     .general = General::kNoNamespace,
     .run = run_gc},
    {.name = "system reconcile",
     .synopsis = "Perform system reconciliation tasks",
     .usage = "Usage: nomad system reconcile <subcommand> [options]",
     .about = "Puts derived state right."},
    {.name = "system reconcile summaries",
     .synopsis = "Reconciles the summaries of all registered jobs",
     .usage = "Usage: nomad system reconcile summaries [options]",
     .about = "Counts the allocations of all jobs anew.",
     .general = General::kNoNamespace,
     .run = run_reconcile},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace drover::cli
