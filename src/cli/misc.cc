// version, fmt, status, check, agent-info, monitor, ui.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/browser.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/frames.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "base/version.h"
#include "cli/version.h"
#include "hcl/fmt_command.h"
#include "model/acl.h"
#include "model/requests.h"
#include "net/url.h"

#ifndef DROVER_BUILD_DATE
#define DROVER_BUILD_DATE ""
#endif

namespace drover::cli {

// What `agent-info -t` formats.
struct AgentSelf {
  Map<Value> Config, Member, Stats;
};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::AgentSelf)
}
DROVER_DESCRIBE(drover::cli::AgentSelf, "api.AgentSelf", DROVER_FIELD(Config), DROVER_FIELD(Member), DROVER_FIELD(Stats))

namespace drover::cli {

std::string version_text() {
  auto text = fmt::format("Nomad v{}", kVersion);
  if (std::string_view date = DROVER_BUILD_DATE; !date.empty()) text += fmt::format("\nBuildDate {}", date);
  if (auto revision = kBuildRevision; !revision.empty()) text += fmt::format("\nRevision {}", revision);
  return text;
}

namespace {

int run_version(Context& c) {
  c.ui.output(version_text());
  return 0;
}

int run_fmt_command(Context& c) {
  hcl::FmtOptions options;
  options.check = c.args.on("check");
  options.write = c.args.on("write");
  options.list = c.args.on("list");
  options.recursive = c.args.on("recursive");
  options.paths = c.args.rest;
  auto result = hcl::run_fmt(options, c.io.read_all);
  c.io.out(result.out);
  c.io.err(result.err);
  return result.exit_code;
}

// ---- status

constexpr std::pair<std::string_view, std::string_view> kStatusCommands[] = {
    {"evals", "eval status"},       {"nodes", "node status"},           {"allocs", "alloc status"},
    {"jobs", "job status"},         {"deployment", "deployment status"}, {"namespaces", "namespace status"},
    {"quotas", "quota status"},     {"plugins", "plugin status"},       {"volumes", "volume status"},
};

std::string title_of(std::string context) {
  if (!context.empty()) context[0] = static_cast<char>(std::toupper(context[0]));
  return context;
}

// The one context that the id belongs to; an error when it is none or more than one.
Result<std::string> context_of(const std::string& id, const Map<List<std::string>>& matches) {
  std::vector<std::string> exact, single;
  size_t with_hits = 0;
  std::string several = fmt::format("Multiple matches found for id \"{}\"", id);
  for (auto& [context, ids] : matches) {
    if (ids.empty()) continue;
    ++with_hits;
    if (ids[0] == id) exact.push_back(context);
    if (ids.size() == 1) single.push_back(context);
    several += fmt::format("\n\n{}:\n{}", title_of(context), join(std::vector<std::string>(ids.begin(), ids.end()), ", "));
  }
  if (exact.size() == 1) return exact[0];
  if (exact.empty() && with_hits == 1 && single.size() == 1) return single[0];
  if (with_hits == 0) return not_found(fmt::format("Unable to resolve ID: \"{}\"", id));
  return invalid(several);
}

// Runs another command with this one's words.
int run_other(Context& c, std::string_view name) {
  std::vector<std::string> words = split(name, ' ');
  auto own = static_cast<ptrdiff_t>(split(c.command.name, ' ').size());
  words.insert(words.end(), c.words.begin() + own, c.words.end());
  return run(words, c.io, c.more);
}

int run_status(Context& c) {
  auto client = c.api();
  if (!client) return c.fail("Error initializing client: " + go_quote(client.error().message));
  auto* api = *client;
  if (c.args.rest.empty()) return run_other(c, "job status");
  auto& id = c.args.rest.back();
  SearchRequest request;
  request.Prefix = id;
  request.Context = "all";
  auto found = api->put_as<SearchResponse>("/v1/search", request);
  if (!found) return c.fail("Error querying search with id: " + go_quote(found.error().message));
  auto context = context_of(id, found->Matches);
  if (!context) return c.fail(context.error().message);
  for (auto& [known, command] : kStatusCommands)
    if (known == *context) return run_other(c, command);
  return c.fail(fmt::format("Unable to resolve ID: \"{}\"", id));
}

// ---- check, agent-info

using Object = Map<Value>;

Result<Object> agent_self(Api& api) {
  auto self = api.get_as<Object>("/v1/agent/self");
  if (!self) return internal("failed querying self endpoint: " + self.error().message);
  return self;
}

const Object* object_in(const Object& o, std::string_view key) {
  auto* v = o.find(key);
  return v ? v->as_object() : nullptr;
}

std::string text_in(const Object& o, std::string_view key) {
  auto* v = o.find(key);
  auto* s = v ? v->as_string() : nullptr;
  return s ? *s : "";
}

constexpr int kHealthPass = 0, kHealthWarn = 1, kHealthCritical = 2;

int check_server(Context& c, const Object& raft) {
  auto peers = parse_int(text_in(raft, "num_peers"));
  if (!peers) {
    c.ui.output("unable to get known peers: strconv.ParseInt: parsing " + go_quote(text_in(raft, "num_peers")) + ": invalid syntax");
    return kHealthCritical;
  }
  if (*peers >= c.args.number("min-peers")) return kHealthPass;
  c.ui.output(fmt::format("known peers: {}, is less than expected number of peers: {}", *peers, c.args.number("min-peers")));
  return kHealthCritical;
}

int check_client(Context& c, const Object& client) {
  // A list of addresses; older agents give their number.
  auto text = text_in(client, "known_servers");
  int64_t servers = text.empty() ? 0 : parse_int(text).value_or(static_cast<int64_t>(split(text, ',').size()));
  auto ttl = parse_duration(text_in(client, "heartbeat_ttl")), last = parse_duration(text_in(client, "last_heartbeat"));
  if (!ttl || !last) {
    c.ui.output("unable to parse heartbeat of the client: " + (ttl ? last : ttl).error().message);
    return kHealthCritical;
  }
  if (*last > *ttl) {
    c.ui.output(fmt::format("last heartbeat is {}, expected heartbeat ttl: {}", format_duration(*last), format_duration(*ttl)));
    return kHealthCritical;
  }
  if (servers >= c.args.number("min-servers")) return kHealthPass;
  c.ui.output(fmt::format("known servers: {}, is less than expected number of servers: {}", servers, c.args.number("min-servers")));
  return kHealthCritical;
}

int run_check(Context& c) {
  auto api = c.api();
  if (!api) {
    c.fail("error initializing client: " + api.error().message);
    return kHealthCritical;
  }
  auto self = agent_self(**api);
  if (!self) {
    c.ui.output("unable to query agent info: " + self.error().message);
    return kHealthCritical;
  }
  auto* stats = object_in(*self, "stats");
  static const Object kNothing;
  if (stats && stats->contains("nomad")) {
    auto* raft = object_in(*stats, "raft");
    return check_server(c, raft ? *raft : kNothing);
  }
  auto* client = stats ? object_in(*stats, "client") : nullptr;
  return client ? check_client(c, *client) : kHealthWarn;
}

int run_agent_info(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto self = agent_self(*api);
  if (!self) return c.fail("Error querying agent info: " + self.error().message);
  if (auto text = c.args.text("t"); !text.empty() && !c.args.on("json")) {
    // Templates see the clients' struct.
    AgentSelf named;
    for (auto& [key, field] : {std::pair{"config", &named.Config}, std::pair{"member", &named.Member}, std::pair{"stats", &named.Stats}})
      if (auto* v = object_in(*self, key)) *field = *v;
    auto made = apply_template(text, type_of<AgentSelf>(), &named);
    if (!made) return c.fail("Error formatting output: Error formatting the data: " + made.error().message);
    c.ui.output(*made);
    return 0;
  }
  if (auto done = print_formatted(c, *self)) return *done;
  auto* stats = object_in(*self, "stats");
  if (!stats) return 0;
  for (auto& [group, values] : *stats) {
    c.ui.output(group);
    auto* facts = values.as_object();
    if (!facts) continue;
    for (auto& [key, value] : *facts) {
      auto* text = value.as_string();
      c.ui.output(fmt::format("  {} = {}", key, text ? *text : to_json(value)));
    }
  }
  return 0;
}

// ---- monitor

int run_monitor(Context& c) {
  auto ui = c.ui.with_prefixes("    ", "==> ");
  auto fail = [&](const std::string& text) {
    ui.error(text);
    return 1;
  };
  constexpr std::string_view kMoreHelp = "For additional help try 'nomad monitor -help'";
  if (!c.args.rest.empty()) {
    fail("This command takes no arguments");
    return fail(std::string(kMoreHelp));
  }
  auto made = c.api();
  if (!made) return fail("Error initializing client: " + made.error().message);
  auto& api = **made;
  auto node = c.args.text("node-id");
  if (!node.empty()) {
    auto id = find_node_id(api, node, "Node ID must contain at least two characters.");
    if (!id) return fail(id.error().message);
    node = *id;
  }
  std::atomic<bool> stopped = false;
  OnInterrupt on_interrupt([&] {
    stopped = true;
    api.interrupt();
  });
  FrameSplitter frames;
  bool begun = false;
  auto done = api.stream("/v1/agent/monitor",
                         {{"log_level", c.args.text("log-level")},
                          {"node_id", node},
                          {"server_id", c.args.text("server-id")},
                          {"log_json", yes_no(c.args.on("json"))}},
                         [&](std::string_view bytes) {
                           begun = true;
                           return frames.feed(bytes, [&](std::string_view object) {
                             auto frame = from_json<StreamFrame>(object);
                             if (frame) c.io.out(frame->Data.data);
                             return true;
                           });
                         });
  if (done || stopped) return 0;
  if (begun) return fail("error monitoring logs: " + done.error().message);
  fail("Error starting monitor: " + done.error().message);
  return fail(std::string(kMoreHelp));
}

// ---- ui

Result<std::string> page_of(Api& api, const std::string& id) {
  SearchRequest request;
  request.Prefix = id;
  request.Context = "all";
  auto found = api.put_as<SearchResponse>("/v1/search", request);
  if (!found) return internal("Error querying search with id: " + go_quote(found.error().message));
  Map<List<std::string>> wanted;
  for (auto context : {"jobs", "allocs", "nodes"})
    if (auto* ids = found->Matches.find(context)) wanted.set(context, *ids);
  DROVER_TRY(auto context, context_of(id, wanted));
  auto& full = wanted.at(context)[0];
  return (context == "jobs" ? "/ui/jobs/" : context == "allocs" ? "/ui/allocations/" : "/ui/clients/") + escape(full);
}

int run_ui(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes no or one optional argument, [<identifier>]");
  auto* api = c.connect();
  if (!api) return 1;
  auto parsed = net::Url::parse(api->settings().address);
  if (!parsed) return c.fail("Error parsing Nomad address: " + parsed.error().message);
  auto url = parsed->scheme + "://" + parsed->host;
  if (!c.args.rest.empty()) {
    auto page = page_of(*api, c.args.rest[0]);
    if (!page) return c.fail(page.error().message);
    url += *page;
  }
  net::Query query;
  if (!api->settings().space.empty()) query.set("namespace", api->settings().space);
  if (!api->settings().region.empty()) query.set("region", api->settings().region);
  bool authenticate = c.args.on("authenticate");
  if (authenticate) {
    auto token = api->typed<OneTimeTokenUpsertResponse>("PUT", "/v1/acl/token/onetime", {}, "");
    if (!token || !token->OneTimeToken)
      return c.fail("Could not get one-time token: " + (token ? std::string("no token") : token.error().message));
    query.set("ott", token->OneTimeToken->OneTimeSecretID);
  }
  auto text = query.encode();
  if (!text.empty()) url += "?" + text;
  if (c.args.on("show-url")) {
    c.ui.output("URL for web UI: " + url);
    return 0;
  }
  c.ui.output(fmt::format("Opening URL \"{}\"{}", url, authenticate ? " with one-time token" : ""));
  if (auto opened = open_in_browser(c.io, url); !opened) return c.fail("Error opening URL: " + opened.error().message);
  return 0;
}

constexpr Flag kFmtFlags[] = {
    {"check", FlagKind::kBool, "", "Change nothing; exit code 1 tells that something would change.", ""},
    {"list", FlagKind::kBool, "=false", "Do not name the files that change.", "true"},
    {"write", FlagKind::kBool, "=false", "Print the result instead of writing it to the file.", "true"},
    {"recursive", FlagKind::kBool, "", "Go into folders below.", ""},
};
constexpr Flag kStatusFlags[] = {{"verbose", FlagKind::kBool, "", "Display full information.", ""}};
constexpr Flag kCheckFlags[] = {
    {"min-peers", FlagKind::kInt, "=<n>", "How many peers a server has to know.", "0"},
    {"min-servers", FlagKind::kInt, "=<n>", "How many servers a client has to know.", "1"},
};
constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};
constexpr Flag kMonitorFlags[] = {
    {"log-level", FlagKind::kText, "=<level>", "Level of what is shown: trace, debug, info, warn or error.", ""},
    {"node-id", FlagKind::kText, "=<id>", "The client whose log to show.", ""},
    {"server-id", FlagKind::kText, "=<id>", "The server whose log to show; \"leader\" is the leader.", ""},
    {"json", FlagKind::kBool, "", "Show each line of the log as JSON.", ""},
};
constexpr Flag kUiFlags[] = {
    {"authenticate", FlagKind::kBool, "", "Log in with a token that works once.", ""},
    {"show-url", FlagKind::kBool, "", "Print the URL instead of opening it.", ""},
};

constexpr Command kCommands[] = {
    {.name = "version",
     .synopsis = "Prints the Nomad version",
     .usage = "",
     .about = "Prints the version.",
     .run = run_version,
     .raw = true},
    {.name = "fmt",
     .synopsis = "Rewrites Nomad config and job files to canonical format",
     .usage = "Usage: nomad fmt [flags] paths ...",
     .about = "Puts files with the extensions .nomad and .hcl into canonical layout: the named files, the\n"
              "files of the named folders, or those of the working directory. \"-\" formats standard input.",
     .general = General::kUnshown,
     .options = "Format Options",
     .flags = kFmtFlags,
     .run = run_fmt_command},
    {.name = "status",
     .synopsis = "Display the status output for a resource",
     .usage = "Usage: nomad status [options] <identifier>",
     .about = "Display the status output for any given resource. The command will\n"
              "detect the type of resource being queried and display the appropriate\nstatus output.",
     .general = General::kAll,
     .options = "Status Options",
     .flags = kStatusFlags,
     .run = run_status,
     .bad_flags_note = "Error parsing arguments: %q"},
    {.name = "check",
     .synopsis = "Displays health of the local Nomad agent",
     .usage = "Usage: nomad check [options]",
     .about = "Looks whether the agent is well: exit code 0 it is, 1 cannot be said, 2 it is not.",
     .general = General::kNoNamespace,
     .options = "Agent Check Options",
     .flags = kCheckFlags,
     .run = run_check,
     .shown = Shown::kHidden},
    {.name = "agent-info",
     .synopsis = "Display status information about the local agent",
     .usage = "Usage: nomad agent-info [options]",
     .about = "Shows what the agent says of itself.",
     .general = General::kNoNamespace,
     .options = "Agent Info Options",
     .flags = kFormatFlags,
     .run = run_agent_info,
     .bad_flags_note = "Error parsing flags: %s"},
    {.name = "monitor",
     .synopsis = "Stream logs from a Nomad agent",
     .usage = "Usage: nomad monitor [options]",
     .about = "Shows the log of an agent as it is written, until it is interrupted.",
     .general = General::kNoNamespace,
     .options = "Monitor Specific Options",
     .flags = kMonitorFlags,
     .run = run_monitor},
    {.name = "ui",
     .synopsis = "Open the Nomad Web UI",
     .usage = "Usage: nomad ui [options] <identifier>",
     .about = "Opens the web UI in a browser, at the page of a job, allocation or node where one is named.",
     .general = General::kAll,
     .options = "UI Options",
     .flags = kUiFlags,
     .run = run_ui},
};

}  // namespace

std::span<const Command> misc_commands() { return kCommands; }

}  // namespace drover::cli
