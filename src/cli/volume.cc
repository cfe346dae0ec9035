// volume create, register, delete, deregister, detach, init, status, snapshot.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/csi.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "cli/tables.h"
#include "cli/volume_spec.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

constexpr std::string_view kSecretsHeader = "X-Nomad-CSI-Secrets";

Params secret_headers(const Map<std::string>& secrets) {
  return secrets.empty() ? Params{} : Params{{std::string(kSecretsHeader), secrets_header(secrets)}};
}

// ---- create, register

std::optional<CSIVolume> read_volume(Context& c) {
  if (c.args.rest.size() != 1) {
    c.misuse("This command takes one argument: <input>");
    return std::nullopt;
  }
  auto& path = c.args.rest[0];
  auto text = path == "-" ? Result<std::string>(c.io.read_all()) : read_file(path);
  if (!text) {
    c.fail(fmt::format("Failed to read {}: {}", path == "-" ? "stdin" : "file", text.error().message));
    return std::nullopt;
  }
  auto spec = parse_volume_spec(*text);
  if (!spec) {
    c.fail("Error decoding the volume definition: " + spec.error().message);
    return std::nullopt;
  }
  if (spec->type != "csi") {
    c.fail("Error unknown volume type: " + spec->type);
    return std::nullopt;
  }
  return std::move(spec->volume);
}

int run_create(Context& c) {
  auto volume = read_volume(c);
  if (!volume) return 1;
  auto* api = c.connect();
  if (!api) return 1;
  CSIVolumeCreateRequest request;
  request.Volumes = {*volume};
  auto answer = api->put_as<CSIVolumeCreateResponse>("/v1/volume/csi/" + escape(volume->ID) + "/create", request);
  if (!answer) return c.fail("Error creating volume: " + answer.error().message);
  for (auto& v : answer->Volumes) c.ui.output(fmt::format("Created external volume {} with ID {}", v.ExternalID, v.ID));
  return 0;
}

int run_register(Context& c) {
  auto volume = read_volume(c);
  if (!volume) return 1;
  auto* api = c.connect();
  if (!api) return 1;
  CSIVolumeRegisterRequest request;
  request.Volumes = {*volume};
  if (auto done = api->put("/v1/volume/csi/" + escape(volume->ID), request); !done)
    return c.fail("Error registering volume: " + done.error().message);
  c.ui.output(fmt::format("Volume \"{}\" registered", volume->ID));
  return 0;
}

// ---- delete, deregister, detach

int run_delete(Context& c) {
  if (c.args.rest.empty()) return c.misuse("This command takes at least one argument: <vol id>");
  auto secrets = read_secrets(c);
  if (!secrets) return c.fail(secrets.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  auto& id = c.args.rest[0];
  auto reply = api->ask("DELETE", "/v1/volume/csi/" + escape(id) + "/delete", {}, {}, secret_headers(*secrets));
  if (!reply) return c.fail("Error deleting volume: " + reply.error().message);
  if (reply->status != 200) return c.fail("Error deleting volume: " + unexpected_status(*reply).message);
  c.ui.output(fmt::format("Successfully deleted volume \"{}\"!", id));
  return 0;
}

int run_deregister(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto volume = find_volume(c, *api, c.args.rest[0]);
  if (!volume) return 1;
  bool force = c.args.on("force");
  if (force)
    if (auto code = confirm(c, fmt::format("Are you sure you want to force deregister volume \"{}\"? [y/N]", volume->id),
                            "Cancelling volume deregister"))
      return *code;
  auto done = api->remove("/v1/volume/csi/" + escape(volume->id), {{"force", yes_no(force)}, {"namespace", volume->space}});
  if (!done) return c.fail("Error deregistering volume: " + done.error().message);
  c.ui.output(fmt::format("Successfully deregistered volume \"{}\"!", volume->id));
  return 0;
}

// The node of the argument: among the nodes, or, where it is gone, among those that use the volume.
Result<std::string> node_of(Api& api, const VolumeRef& volume, const std::string& prefix, const List<NodeListStub>& nodes) {
  if (nodes.size() > 1) return invalid("Prefix matched multiple nodes\n\n" + node_stub_list(nodes, true));
  if (nodes.size() == 1) return nodes.front().ID.str();
  auto v = api.get_as<CSIVolume>("/v1/volume/csi/" + escape(volume.id), {{"namespace", volume.space}});
  if (!v) return internal("Error querying volume: " + v.error().message);
  std::vector<std::string> found;
  for (auto& a : v->Allocations) {
    auto id = a.NodeID.str();
    if (id.starts_with(prefix) && std::find(found.begin(), found.end(), id) == found.end()) found.push_back(id);
  }
  if (found.empty()) return not_found(fmt::format("No node(s) with prefix or id \"{}\" found", prefix));
  if (found.size() > 1) return invalid("Prefix matched multiple nodes: " + join(found, ", "));
  return found[0];
}

int run_detach(Context& c) {
  if (c.args.rest.size() != 2) return c.misuse("This command takes two arguments: <vol id> <node id>");
  auto* api = c.connect();
  if (!api) return 1;
  // What is wrong with the node's name is told first.
  auto nodes = api->get_as<List<NodeListStub>>("/v1/nodes", {{"prefix", sanitize_uuid_prefix(c.args.rest[1])}});
  if (!nodes) return c.fail("Error detaching volume: " + nodes.error().message);
  auto volume = find_volume(c, *api, c.args.rest[0]);
  if (!volume) return 1;
  auto node = node_of(*api, *volume, c.args.rest[1], *nodes);
  if (!node) return c.fail(node.error().message);
  auto done = api->remove("/v1/volume/csi/" + escape(volume->id) + "/detach", {{"node", *node}, {"namespace", volume->space}});
  if (!done) return c.fail("Error detaching volume: " + done.error().message);
  return 0;
}

int run_init(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes no arguments or one: <filename>");
  bool json = c.args.on("json");
  std::string file = !c.args.rest.empty() ? c.args.rest[0] : json ? "volume.json" : "volume.hcl";
  if (exists(file)) return c.fail(fmt::format("Volume specification \"{}\" already exists", file));
  if (auto done = write_file(file, json ? kExampleVolumeJson : kExampleVolumeHcl, 0660); !done)
    return c.fail(fmt::format("Failed to write {}: {}", file, done.error().message));
  c.ui.output("Example volume specification written to " + file);
  return 0;
}

// ---- status

std::string mount_options_text(const CSIMountOptions* o) {
  if (!o || (o->FSType.empty() && o->MountFlags.empty())) return "<none>";
  std::string out;
  if (!o->FSType.empty()) out += "fs_type: " + o->FSType;
  if (!o->MountFlags.empty())
    out += (out.empty() ? "" : " ") + ("flags: " + join(std::vector<std::string>(o->MountFlags.begin(), o->MountFlags.end()), ", "));
  return out;
}

int show_volume(Context& c, const CSIVolume& v) {
  Rows rows{"ID|" + v.ID, "Name|" + v.Name, "External ID|" + v.ExternalID, "Plugin ID|" + v.PluginID, "Provider|" + v.Provider,
            "Version|" + v.ProviderVersion, "Schedulable|" + yes_no(v.Schedulable),
            fmt::format("Controllers Healthy|{}", v.ControllersHealthy), fmt::format("Controllers Expected|{}", v.ControllersExpected),
            fmt::format("Nodes Healthy|{}", v.NodesHealthy), fmt::format("Nodes Expected|{}", v.NodesExpected),
            "Access Mode|" + v.AccessMode, "Attachment Mode|" + v.AttachmentMode,
            "Mount Options|" + mount_options_text(v.MountOptions.get()), "Namespace|" + v.Namespace};
  c.ui.output(key_values(rows));
  if (c.args.on("short")) return 0;
  if (!v.Topologies.empty()) {
    Rows topologies{"Topology|Segments"};
    for (size_t i = 0; i < v.Topologies.size(); ++i) topologies.push_back(fmt::format("{:02d}|{}", i, segments_text(v.Topologies[i])));
    c.ui.output("\n" + c.ui.bold("Topologies"));
    c.ui.output(table(topologies));
  }
  c.ui.output("\n" + c.ui.bold("Allocations"));
  c.ui.output(alloc_stub_list(v.Allocations, c.verbose(), c.now()));
  return 0;
}

// What the plugins' own systems know of; pages of thirty.
void show_external(Context& c, Api& api) {
  auto plugins = api.get_as<List<CSIPluginListStub>>("/v1/plugins", {{"type", "csi"}});
  if (!plugins) return;
  for (auto& p : *plugins) {
    if (!p.ControllerRequired) continue;
    std::string token;
    do {
      Params params{{"plugin_id", p.ID}, {"per_page", "30"}};
      if (!token.empty()) params.emplace_back("next_token", token);
      auto page = api.get_as<CSIVolumeExternalListResponse>("/v1/volumes/external", params);
      if (!page) {
        c.ui.error(fmt::format("Error querying CSI external volumes for plugin \"{}\": {}", p.ID, page.error().message));
        break;
      }
      Rows rows{"External ID|Condition|Nodes"};
      for (auto& v : page->Volumes)
        rows.push_back(fmt::format("{}|{}|{}", v.ExternalID, v.IsAbnormal ? "Abnormal (" + v.Status + ")" : "OK",
                                   join(std::vector<std::string>(v.PublishedExternalNodeIDs.begin(), v.PublishedExternalNodeIDs.end()), ",")));
      if (rows.size() > 1) c.ui.output("\n" + table(rows));
      token = page->NextToken;
    } while (!token.empty());
  }
}

int run_status(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <id>");
  auto* api = c.connect();
  if (!api) return 1;
  if (!c.args.rest.empty()) {
    auto ref = find_volume(c, *api, c.args.rest[0]);
    if (!ref) return 1;
    auto volume = api->get_as<CSIVolume>("/v1/volume/csi/" + escape(ref->id), {{"namespace", ref->space}});
    if (!volume) return c.fail("Error querying volume: " + volume.error().message);
    if (auto done = print_formatted(c, *volume)) return *done;
    return show_volume(c, *volume);
  }
  if (!formatted(c)) c.ui.output(c.ui.bold("Container Storage Interface"));
  auto volumes = api->get_as<List<CSIVolListStub>>("/v1/volumes", {{"type", "csi"}});
  if (!volumes) return c.fail("Error querying volumes: " + volumes.error().message);
  if (volumes->empty()) {
    c.ui.error("No CSI volumes");
    return 0;
  }
  std::sort(volumes->begin(), volumes->end(), [](auto& a, auto& b) { return std::tie(a.ID, a.Namespace) < std::tie(b.ID, b.Namespace); });
  if (auto done = print_formatted(c, *volumes)) return *done;
  c.ui.output(volume_list(*volumes));
  if (c.verbose()) show_external(c, *api);
  return 0;
}

// ---- snapshots

std::string snapshot_list(const List<CSISnapshot>& snapshots, bool verbose) {
  Rows rows{"Snapshot ID|Volume ID|Size|Create Time|Ready?"};
  size_t width = verbose ? 30 : 12;
  for (auto& s : snapshots)
    rows.push_back(fmt::format("{}|{}|{}|{}|{}", s.ID, s.ExternalSourceVolumeID.substr(0, width),
                               format_ibytes(static_cast<uint64_t>(s.SizeBytes)), absolute_time(Time::from_unix_seconds(s.CreateTime)),
                               s.IsReady));
  return table(rows);
}

int run_snapshot_create(Context& c) {
  if (c.args.rest.empty()) return c.misuse("This command takes at least one argument: <vol id> [snapshot name]");
  auto secrets = read_secrets(c);
  if (!secrets) return c.fail(secrets.error().message);
  CSISnapshot snapshot;
  snapshot.SourceVolumeID = c.args.rest[0];
  if (c.args.rest.size() > 1) snapshot.Name = c.args.rest[1];
  snapshot.Secrets = std::move(*secrets);
  for (auto& pair : c.args.list("parameter")) {
    auto equals = pair.find('=');
    if (equals == pair.npos) return c.fail("Parameter must be in the format: -parameter key=value");
    snapshot.Parameters.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  auto* api = c.connect();
  if (!api) return 1;
  CSISnapshotCreateRequest request;
  request.Snapshots = {std::move(snapshot)};
  auto answer = api->put_as<CSISnapshotCreateResponse>("/v1/volumes/snapshot", request);
  if (!answer) return c.fail("Error snapshotting volume: " + answer.error().message);
  c.ui.output(snapshot_list(answer->Snapshots, c.verbose()));
  return 0;
}

int run_snapshot_delete(Context& c) {
  if (c.args.rest.size() < 2) return c.misuse("This command takes two arguments: <plugin id> <snapshot id>");
  auto secrets = read_secrets(c);
  if (!secrets) return c.fail(secrets.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  auto reply = api->ask("DELETE", "/v1/volumes/snapshot", {{"plugin_id", c.args.rest[0]}, {"snapshot_id", c.args.rest[1]}}, {},
                        secret_headers(*secrets));
  if (!reply) return c.fail("Error deleting volume: " + reply.error().message);
  if (reply->status != 200) return c.fail("Error deleting volume: " + unexpected_status(*reply).message);
  return 0;
}

int run_snapshot_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto plugin = find_plugin(c, *api, c.args.text("plugin"));
  if (!plugin) return 1;
  auto secrets = read_secrets(c);
  if (!secrets) return c.fail(secrets.error().message);
  Params params{{"plugin_id", *plugin}};
  if (auto n = c.args.number("per-page"); n > 0) params.emplace_back("per_page", std::to_string(n));
  if (auto token = c.args.text("page-token"); !token.empty()) params.emplace_back("next_token", token);
  auto reply = api->ask("GET", "/v1/volumes/snapshot", params, {}, secret_headers(*secrets));
  if (!reply) return c.fail("Error querying CSI external snapshots: " + reply.error().message);
  if (reply->status != 200) return c.fail("Error querying CSI external snapshots: " + unexpected_status(*reply).message);
  auto page = from_json<CSISnapshotListResponse>(reply->body);
  if (!page) return c.fail("Error querying CSI external snapshots: " + page.error().message);
  if (page->Snapshots.empty()) return 0;
  c.ui.output(snapshot_list(page->Snapshots, c.verbose()));
  if (!page->NextToken.empty())
    c.ui.output(fmt::format("\nResults have been paginated. To get the next page run:\n\nnomad volume snapshot list -plugin {} -page-token {}",
                            *plugin, page->NextToken));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText;
constexpr Flag kSecretFlag{"secret", FlagKind::kList, " <key>=<value>", "Secret for the plugin. May be given several times.", ""};
constexpr Flag kSecretFlags[] = {kSecretFlag};
constexpr Flag kForceFlags[] = {{"force", FlagKind::kBool, "", "Deregister a volume that is still in use, after asking.", ""}};
constexpr Flag kInitFlags[] = {{"json", FlagKind::kBool, "", "Write JSON.", ""}};
constexpr Flag kStatusFlags[] = {
    {"type", kText, " <type>", "Kind of volumes: \"csi\".", ""},
    {"short", FlagKind::kBool, "", "Show the most important facts only.", ""},
    kVerboseFlag, kJsonFlag, kTemplateFlag,
};
constexpr Flag kSnapshotCreateFlags[] = {
    kSecretFlag,
    {"parameter", FlagKind::kList, " <key>=<value>", "Parameter for the plugin. May be given several times.", ""},
    kVerboseFlag,
};
constexpr Flag kSnapshotListFlags[] = {
    {"plugin", kText, " <id>", "The plugin whose snapshots to list.", ""},
    {"per-page", FlagKind::kInt, " <n>", "How many results to show on a page. Defaults to 30.", "30"},
    kPageTokenFlag, kSecretFlag, kVerboseFlag,
};

constexpr Command kCommands[] = {
    {.name = "volume create",
     .synopsis = "Create an external volume",
     .usage = "Usage: nomad volume create [options] <input>",
     .about = "Makes a volume in the plugin's system and registers it.",
     .general = General::kAll,
     .run = run_create,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume register",
     .synopsis = "Create or update a volume",
     .usage = "Usage: nomad volume register [options] <input>",
     .about = "Registers a volume that is there already.",
     .general = General::kAll,
     .run = run_register,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume delete",
     .synopsis = "Delete a volume",
     .usage = "Usage: nomad volume delete [options] <vol id>",
     .about = "Deletes a volume in the plugin's system, with its data, and deregisters it.",
     .general = General::kAll,
     .options = "Delete Options",
     .flags = kSecretFlags,
     .run = run_delete,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume deregister",
     .synopsis = "Remove a volume",
     .usage = "Usage: nomad volume deregister [options] <id>",
     .about = "Forgets a volume; its data stays.",
     .general = General::kAll,
     .options = "Volume Deregister Options",
     .flags = kForceFlags,
     .run = run_deregister,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume detach",
     .synopsis = "Detach a volume",
     .usage = "Usage: nomad volume detach [options] <vol id> <node id>",
     .about = "Detaches a volume from a node that no longer does it itself.",
     .general = General::kAll,
     .run = run_detach,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume init",
     .synopsis = "Create an example volume specification file",
     .usage = "Usage: nomad volume init <filename>",
     .about = "Writes an example of a volume's specification to start from.",
     .options = "Init Options",
     .flags = kInitFlags,
     .run = run_init},
    {.name = "volume status",
     .synopsis = "Display status information about a volume",
     .usage = "Usage: nomad volume status [options] <id>",
     .about = "Shows a volume and who uses it, or lists all.",
     .general = General::kAll,
     .options = "Status Options",
     .flags = kStatusFlags,
     .run = run_status,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume snapshot",
     .synopsis = "Interact with volume snapshots",
     .usage = "Usage: nomad volume snapshot <subcommand> [options] [args]",
     .about = "Commands for snapshots of volumes."},
    {.name = "volume snapshot create",
     .synopsis = "Snapshot a volume",
     .usage = "Usage: nomad volume snapshot create <volume id> [snapshot_name]",
     .about = "Makes a snapshot of a volume in the plugin's system.",
     .general = General::kAll,
     .options = "Snapshot Create Options",
     .flags = kSnapshotCreateFlags,
     .run = run_snapshot_create,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume snapshot delete",
     .synopsis = "Delete a snapshot",
     .usage = "Usage: nomad volume snapshot delete [options] <plugin id> <snapshot id>",
     .about = "Deletes a snapshot in the plugin's system.",
     .general = General::kAll,
     .options = "Snapshot Delete Options",
     .flags = kSecretFlags,
     .run = run_snapshot_delete,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "volume snapshot list",
     .synopsis = "Display a list of volume snapshots for plugin",
     .usage = "Usage: nomad volume snapshot list [-plugin plugin_id]",
     .about = "Lists the snapshots that the plugin's system has.",
     .general = General::kAll,
     .options = "Snapshot List Options",
     .flags = kSnapshotListFlags,
     .run = run_snapshot_list,
     .bad_flags_note = "Error parsing arguments %s"},
};

}  // namespace

std::span<const Command> volume_commands() { return kCommands; }

}  // namespace drover::cli
