// operator debug: a bundle of logs, profiles and state, for those who look into a problem.
#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/debug_capture.h"
#include "cli/files.h"
#include "cli/misc_commands.h"
#include "cli/resolve.h"
#include "cli/version.h"
#include "codec/json.h"
#include "model/node.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

constexpr int kFilesFailed = 2;
constexpr Duration kLookInterval = 250ms;  // how often an interrupt is noticed while waiting

constexpr std::string_view kTopics[] = {"ACLToken", "ACLPolicy",  "ACLRole", "ACLAuthMethod", "ACLBindingRule", "Allocation",
                                        "Deployment", "Evaluation", "Job",     "Node",          "Service"};

struct DebugOptions {
  Duration duration{}, interval{}, profile_length{}, profile_interval{};
  std::vector<std::string> topics;
};

Result<Duration> duration_flag(const Context& c, std::string_view flag, std::string_view what) {
  auto text = c.args.text(flag);
  auto d = parse_duration(text);
  if (!d) return invalid(fmt::format("Error parsing {}: {}: {}", what, text, d.error().message));
  return *d;
}

// "none", "all" or a list of Topic[:filter].
Result<std::vector<std::string>> parse_topics(const std::string& text) {
  std::vector<std::string> out;
  auto lower = to_lower(text);
  if (lower.empty() || lower == "none") return out;
  if (lower == "all") return std::vector<std::string>{"*:*"};
  for (auto& part : split(text, ',')) {
    auto colon = part.find(':');
    auto name = std::string(trim_space(std::string_view(part).substr(0, colon)));
    auto* known = std::find_if(std::begin(kTopics), std::end(kTopics), [&](auto t) { return to_lower(t) == to_lower(name); });
    if (known == std::end(kTopics) && name != "*") return invalid("unknown event topic " + go_quote(name));
    auto filter = colon == part.npos ? std::string("*") : std::string(trim_space(std::string_view(part).substr(colon + 1)));
    out.push_back((name == "*" ? name : std::string(*known)) + ":" + (filter.empty() ? "*" : filter));
  }
  return out;
}

Result<DebugOptions> read_options(const Context& c) {
  DebugOptions o;
  DROVER_TRY(o.duration, duration_flag(c, "duration", "duration"));
  DROVER_TRY(o.interval, duration_flag(c, "interval", "interval"));
  if (o.interval > o.duration)
    return invalid(fmt::format("Error parsing interval: {} is greater than duration {}", c.args.text("interval"), c.args.text("duration")));
  if (o.interval <= Duration::zero()) return invalid(fmt::format("Error parsing interval: {} must be positive", c.args.text("interval")));
  DROVER_TRY(o.profile_length, duration_flag(c, "pprof-duration", "pprof duration"));
  DROVER_TRY(o.profile_interval, duration_flag(c, "pprof-interval", "pprof-interval"));
  o.profile_length = std::min(o.profile_length, o.duration);
  o.profile_interval = std::min(o.profile_interval, o.duration);
  auto topics = parse_topics(c.args.text("event-topic"));
  if (!topics) return invalid("Error parsing event topics: " + topics.error().message);
  o.topics = std::move(*topics);
  return o;
}

std::vector<std::string> ids_of(const std::string& list) {
  std::vector<std::string> out;
  for (auto& part : split(list, ','))
    if (auto id = trim_space(part); !id.empty()) out.emplace_back(id);
  return out;
}

// ---- whom to ask

struct Targets {
  std::vector<DebugTarget> clients, servers;
  size_t all_clients = 0, all_servers = 0;
  std::vector<DebugTarget> both() const {
    auto out = servers;
    out.insert(out.end(), clients.begin(), clients.end());
    return out;
  }
};

Status find_clients(const Context& c, Api& api, Targets& targets) {
  auto wanted = c.args.text("node-id");
  auto most = static_cast<size_t>(std::max<int64_t>(c.args.number("max-nodes"), 0));
  auto node_class = c.args.text("node-class");
  bool missing = false;
  Params params;
  if (c.args.on("stale")) params.emplace_back("stale", "");
  for (auto& id : ids_of(wanted)) {
    auto prefix = id == "all" ? std::string() : sanitize_uuid_prefix(id);
    auto query = params;
    if (!prefix.empty()) query.emplace_back("prefix", prefix);
    auto nodes = api.get_as<List<NodeListStub>>("/v1/nodes", query);
    if (!nodes) return internal("Error querying node info: " + nodes.error().message);
    if (nodes->empty()) {
      c.ui.error(fmt::format("No node(s) with prefix \"{}\" found", prefix));
      missing = true;
    }
    targets.all_clients += nodes->size();
    for (auto& n : *nodes) {
      if (!node_class.empty() && n.NodeClass != node_class) continue;
      if (most != 0 && targets.clients.size() >= most) break;
      targets.clients.push_back({"client/" + n.ID.str(), "node_id", n.ID.str()});
    }
  }
  if (!targets.clients.empty()) return {};
  if (missing && wanted != "all") return internal("Failed to retrieve clients, 0 nodes found in list: " + wanted);
  if (!node_class.empty())
    return internal(fmt::format("No clients found in list [{}] matching class {}", wanted, go_quote(node_class)));
  return {};
}

Status find_servers(const Context& c, Api& api, Targets& targets) {
  auto wanted = c.args.text("server-id");
  auto members = api.get_as<ServerMembersResponse>("/v1/agent/members");
  if (!members) return internal("Failed to retrieve server list; err: " + members.error().message);
  targets.all_servers = members->Members.size();
  auto add = [&](const std::string& name) {
    targets.servers.push_back({"server/" + clean_file_name(name), "server_id", name});
  };
  for (auto& id : ids_of(wanted)) {
    for (auto& m : members->Members)
      if (id == "all" || m.Name == id) add(m.Name);
    if (id == "leader") add(id);
  }
  if (targets.servers.empty() && wanted != "all" && !wanted.empty())
    return internal("Failed to retrieve servers, 0 members found in list: " + wanted);
  return {};
}

// ---- the flags, as a file. Secrets are not written down.

bool secret(std::string_view flag) { return flag == "token" || flag == "consul-token" || flag == "vault-token" || flag == "consul-auth"; }

std::string flags_json(const Context& c) {
  std::string formal, actual, effective, words;
  auto add = [](std::string& to, std::string_view key, std::string_view value, std::string_view fallback, std::string_view help) {
    to += to.empty() ? "" : ",";
    json_quote(key, to);
    to += ":{\"Name\":";
    json_quote(key, to);
    to += ",\"Usage\":";
    json_quote(help, to);
    to += ",\"Value\":";
    json_quote(value, to);
    to += ",\"DefValue\":";
    json_quote(fallback, to);
    to += "}";
  };
  for (auto group : {c.command.flags, general_flags()}) {
    for (auto& flag : group) {
      if (flag.kind == FlagKind::kDoc) continue;
      auto value = c.args.text(flag.name);
      if (secret(flag.name) && !value.empty()) value = "<redacted>";
      add(formal, flag.name, flag.fallback, flag.fallback, flag.help);
      add(effective, flag.name, value, flag.fallback, flag.help);
      if (c.args.given(flag.name)) add(actual, flag.name, value, flag.fallback, flag.help);
    }
  }
  for (auto& word : c.args.rest) {
    words += words.empty() ? "" : ",";
    json_quote(word, words);
  }
  return fmt::format("{{\"Name\":\"debug\",\"Parsed\":true,\"Actual\":{{{}}},\"Formal\":{{{}}},\"Effective\":{{{}}},\"Args\":[{}]}}", actual,
                     formal, effective, words);
}

// ---- Consul and Vault

// Address of an agent's own access in its configuration; "" where there is none.
std::string configured(Api& api, std::string_view block, std::string_view key) {
  auto self = api.get_as<Value>("/v1/agent/self");
  if (!self || !self->as_object()) return {};
  auto* config = self->as_object()->find("config");
  auto* part = config && config->as_object() ? config->as_object()->find(block) : nullptr;
  auto* value = part && part->as_object() ? part->as_object()->find(key) : nullptr;
  auto* text = value ? value->as_string() : nullptr;
  return text ? *text : std::string();
}

std::string flag_or_env(const Context& c, std::string_view flag, std::string_view variable) {
  auto text = c.args.text(flag);
  return text.empty() ? c.io.getenv(variable) : text;
}

ExternalAccess consul_access(const Context& c, Api& api) {
  ExternalAccess a{.name = "Consul"};
  a.address = flag_or_env(c, "consul-http-addr", "CONSUL_HTTP_ADDR");
  if (a.address.empty()) a.address = configured(api, "Consul", "Addr");
  if (!a.address.empty() && a.address.find("://") == std::string::npos && parse_bool(c.io.getenv("CONSUL_HTTP_SSL")).value_or(false))
    a.address = "https://" + a.address;
  a.auth = flag_or_env(c, "consul-auth", "CONSUL_HTTP_AUTH");
  a.token = flag_or_env(c, "consul-token", "CONSUL_HTTP_TOKEN");
  if (auto file = flag_or_env(c, "consul-token-file", "CONSUL_HTTP_TOKEN_FILE"); a.token.empty() && !file.empty())
    if (auto text = read_file(file)) a.token = std::string(trim_space(*text));
  a.client_cert = flag_or_env(c, "consul-client-cert", "CONSUL_CLIENT_CERT");
  a.client_key = flag_or_env(c, "consul-client-key", "CONSUL_CLIENT_KEY");
  a.ca_cert = flag_or_env(c, "consul-ca-cert", "CONSUL_CACERT");
  a.ca_path = flag_or_env(c, "consul-ca-path", "CONSUL_CAPATH");
  return a;
}

ExternalAccess vault_access(const Context& c, Api& api) {
  ExternalAccess a{.name = "Vault"};
  a.address = flag_or_env(c, "vault-address", "VAULT_ADDR");
  if (a.address.empty()) a.address = configured(api, "Vault", "Addr");
  a.token = flag_or_env(c, "vault-token", "VAULT_TOKEN");
  a.client_cert = flag_or_env(c, "vault-client-cert", "VAULT_CLIENT_CERT");
  a.client_key = flag_or_env(c, "vault-client-key", "VAULT_CLIENT_KEY");
  a.ca_cert = flag_or_env(c, "vault-ca-cert", "VAULT_CACERT");
  a.ca_path = flag_or_env(c, "vault-ca-path", "VAULT_CAPATH");
  return a;
}

// ---- the run

std::string bundle_name(Time now) {
  time_t seconds = now.unix_seconds();
  tm t{};
  gmtime_r(&seconds, &t);
  return fmt::format("nomad-debug-{:04d}-{:02d}-{:02d}-{:02d}{:02d}{:02d}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::string name_list(const std::vector<DebugTarget>& targets) {
  std::string out;
  for (auto& t : targets) out += (out.empty() ? "" : " ") + t.id;
  return out;
}

class Debug {
 public:
  Debug(Context& c, Api& api, DebugOptions options, Targets targets)
      : c_(c), api_(api), o_(std::move(options)), targets_(std::move(targets)) {}

  int run() {
    show_header();
    auto output = c_.args.text("output");
    auto name = bundle_name(c_.now());
    auto bundle = Bundle::create(output.empty() ? temporary_dir() : output, name);
    if (!bundle) return failed("Error creating directory: " + bundle.error().message);
    auto done = gather(**bundle);
    if (!done) return failed("Error collecting data: " + done.error().message);
    if (!output.empty()) {
      c_.ui.output("Created debug directory: " + (*bundle)->dir());
      return 0;
    }
    auto archive = name + ".tar.gz";
    auto packed = (*bundle)->write_archive(archive, c_.now());
    (*bundle)->remove();
    if (!packed) return failed("Error creating archive: " + packed.error().message);
    c_.ui.output("Created debug archive: " + archive);
    return 0;
  }

 private:
  int failed(const std::string& why) const {
    c_.ui.error(why);
    return kFilesFailed;
  }
  std::string temporary_dir() const {
    auto dir = c_.io.getenv("TMPDIR");
    return dir.empty() ? "/tmp" : dir;
  }

  void show_header() const {
    auto count = [](size_t taken, size_t all) { return fmt::format("({}/{}) ", taken, all); };
    std::vector<std::pair<std::string, std::string>> rows{
        {"Nomad CLI Version", std::string(split(version_text(), '\n')[0])},
        {"Region", api_.settings().region},
        {"Namespace", api_.settings().space},
        {"Servers", count(targets_.servers.size(), targets_.all_servers) + "[" + name_list(targets_.servers) + "]"},
        {"Clients", count(targets_.clients.size(), targets_.all_clients) + "[" + name_list(targets_.clients) + "]"},
    };
    if (auto node_class = c_.args.text("node-class"); !node_class.empty()) rows.emplace_back("Node Class", node_class);
    rows.emplace_back("Interval", c_.args.text("interval"));
    rows.emplace_back("Duration", c_.args.text("duration"));
    rows.emplace_back("pprof Interval", c_.args.text("pprof-interval"));
    if (c_.args.text("pprof-duration") != "1s") rows.emplace_back("pprof Duration", c_.args.text("pprof-duration"));
    if (!o_.topics.empty()) rows.emplace_back("Event topics", join(o_.topics, ","));
    c_.ui.output("Starting debugger...\n");
    for (auto& [key, value] : rows) c_.ui.output(fmt::format("{:>17}: {}", key, value));
    c_.ui.output("");
  }

  Status gather(Bundle& bundle) {
    DebugCapture capture(api_, bundle, c_.args.on("stale"));
    OnInterrupt on_interrupt([this] { interrupted_ = true; }, {SIGHUP, SIGQUIT});
    DROVER_CHECK(bundle.add("cluster/cli-flags.json", flags_json(c_)));
    auto all = targets_.both();
    DROVER_CHECK(capture.follow_logs(all, c_.args.text("log-level")));
    DROVER_CHECK(capture.follow_events(o_.topics, c_.args.count("event-index")));
    c_.ui.output("Capturing cluster data...");
    DROVER_CHECK(capture.cluster());
    DROVER_CHECK(capture.hosts(all));
    if (auto a = consul_access(c_, api_); !a.address.empty()) DROVER_CHECK(capture.consul(a));
    if (auto a = vault_access(c_, api_); !a.address.empty()) DROVER_CHECK(capture.vault(a));
    DROVER_CHECK(repeat(capture, all));
    capture.stop();
    for (auto& trouble : capture.troubles()) c_.ui.warn(trouble);
    return bundle.write_index();
  }

  // Profiles and pictures of the state, each at its interval, until the time is over.
  Status repeat(DebugCapture& capture, const std::vector<DebugTarget>& all) {
    auto start = c_.now();
    auto next_profile = start, next_state = start;
    bool profiling = o_.profile_length > Duration::zero() && !all.empty();
    for (int profile = 0, state = 0; !interrupted_;) {
      auto now = c_.now();
      if (state > 0 && now - start >= o_.duration) break;
      if (profiling && now >= next_profile) {
        c_.ui.output(fmt::format("    Capture pprofInterval {:04d}", profile));
        DROVER_CHECK(capture.profiles(all, profile++, o_.profile_length));
        next_profile = now + std::max(o_.profile_interval, kLookInterval);
      }
      if (now >= next_state) {
        c_.ui.output(fmt::format("    Capture interval {:04d}", state));
        DROVER_CHECK(capture.interval(state++));
        next_state = next_state + o_.interval;
      }
      c_.io.sleep(kLookInterval);
    }
    return {};
  }

  Context& c_;
  Api& api_;
  DebugOptions o_;
  Targets targets_;
  std::atomic<bool> interrupted_ = false;
};

int run_debug(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto options = read_options(c);
  if (!options) return c.fail(options.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  Targets targets;
  if (auto found = find_clients(c, *api, targets); !found) return c.fail(found.error().message);
  if (auto found = find_servers(c, *api, targets); !found) return c.fail(found.error().message);
  return Debug(c, *api, std::move(*options), std::move(targets)).run();
}

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool;
constexpr Flag kDebugFlags[] = {
    {"duration", kText, "=<duration>", "How long to gather. Defaults to 2m.", "2m"},
    {"interval", kText, "=<interval>", "How often to take a picture of the state. Defaults to 30s.", "30s"},
    {"log-level", kText, "=<level>", "Level of the logs. Defaults to DEBUG.", "DEBUG"},
    {"max-nodes", FlagKind::kInt, "=<n>", "How many clients to ask at most. Defaults to 10.", "10"},
    {"node-class", kText, "=<class>", "Ask clients of this class only.", ""},
    {"node-id", kText, "=<id>,<id>", "Clients to ask. Defaults to all.", "all"},
    {"server-id", kText, "=<name>,<name>", "Servers to ask. Defaults to all.", "all"},
    {"stale", kBool, "", "Any server may answer, for clusters without a leader.", ""},
    {"event-index", FlagKind::kInt, "=<index>", "Index to gather events from.", "0"},
    {"event-topic", kText, "=<topic>", "Events to gather. Defaults to none.", "none"},
    {"output", kText, "=<dir>", "Folder to write to, instead of an archive.", ""},
    {"pprof-duration", kText, "=<duration>", "How long each profile is. Defaults to 1s.", "1s"},
    {"pprof-interval", kText, "=<interval>", "How often to take profiles. Defaults to 250ms.", "250ms"},
    kVerboseFlag,
    {"consul-http-addr", kText, "=<addr>", "Consul's address.", ""},
    {"consul-auth", kText, "", "", ""},
    {"consul-token", kText, "=<token>", "Consul's token.", ""},
    {"consul-token-file", kText, "=<path>", "File with Consul's token.", ""},
    {"consul-client-cert", kText, "=<path>", "Certificate for Consul.", ""},
    {"consul-client-key", kText, "=<path>", "Key for Consul.", ""},
    {"consul-ca-cert", kText, "=<path>", "Authority of Consul.", ""},
    {"consul-ca-path", kText, "=<path>", "Folder of authorities of Consul.", ""},
    {"vault-address", kText, "=<addr>", "Vault's address.", ""},
    {"vault-token", kText, "=<token>", "Vault's token.", ""},
    {"vault-client-cert", kText, "=<path>", "Certificate for Vault.", ""},
    {"vault-client-key", kText, "=<path>", "Key for Vault.", ""},
    {"vault-ca-cert", kText, "=<path>", "Authority of Vault.", ""},
    {"vault-ca-path", kText, "=<path>", "Folder of authorities of Vault.", ""},
};

constexpr Command kCommands[] = {
    {.name = "operator debug",
     .synopsis = "Build a debug archive",
     .usage = "Usage: nomad operator debug [options]",
     .about = "Gathers logs, profiles and state of the cluster for those who look into a problem.",
     .general = General::kNoNamespace,
     .options = "Debug Options",
     .flags = kDebugFlags,
     .run = run_debug,
     .self = "debug"},
};

}  // namespace

std::span<const Command> debug_commands() { return kCommands; }

}  // namespace drover::cli
