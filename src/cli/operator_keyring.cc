// operator gossip keyring, operator root keyring.
#include <fmt/format.h>
#include <sys/random.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

constexpr size_t kKeyBytes = 32;

int run_generate(Context& c) {
  char key[kKeyBytes];
  if (getrandom(key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) return c.fail("Error reading random data");
  c.ui.output(base64_encode({key, sizeof key}));
  return 0;
}

int change(Context& c, std::string_view op, std::string_view told) {
  if (c.args.rest.size() != 1) return c.misuse("This command requires one argument: <key>");
  auto* api = c.connect();
  if (!api) return 1;
  c.ui.output(told);
  if (auto done = api->put("/v1/agent/keyring/" + std::string(op), KeyringRequest{c.args.rest[0]}); !done)
    return c.fail("error: " + done.error().message);
  return 0;
}
int run_install(Context& c) { return change(c, "install", "Installing new gossip encryption key..."); }
int run_use(Context& c) { return change(c, "use", "Changing primary gossip encryption key..."); }
int run_remove(Context& c) { return change(c, "remove", "Removing gossip encryption key..."); }

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command requires no arguments.");
  auto* api = c.connect();
  if (!api) return 1;
  c.ui.output("Gathering installed encryption keys...");
  auto keys = api->get_as<KeyringResponse>("/v1/agent/keyring/list");
  if (!keys) return c.fail("error: " + keys.error().message);
  Rows rows{"Key"};
  for (auto& [key, n] : keys->Keys) rows.push_back(key);
  c.ui.output(table(rows));
  return 0;
}

std::string key_table(const List<RootKeyMeta>& keys, bool verbose) {
  Rows rows{"Key|State|Create Time"};
  for (auto& k : keys) rows.push_back(fmt::format("{}|{}|{}", short_id(k.KeyID, verbose), k.State, absolute_time(k.CreateTime)));
  return table(rows);
}

int run_root_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command requires no arguments.");
  auto* api = c.connect();
  if (!api) return 1;
  auto keys = api->get_as<List<RootKeyMeta>>("/v1/operator/keyring/keys");
  if (!keys) return c.fail("error: " + keys.error().message);
  c.ui.output(key_table(*keys, c.verbose()));
  return 0;
}

int run_root_rotate(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command requires no arguments.");
  auto* api = c.connect();
  if (!api) return 1;
  Params params;
  if (c.args.on("full")) params.emplace_back("full", "true");
  auto answer = api->typed<KeyringRotateRootKeyResponse>("PUT", "/v1/operator/keyring/rotate", params, "");
  if (!answer) return c.fail("error: " + answer.error().message);
  List<RootKeyMeta> keys;
  if (answer->Key) keys.push_back(*answer->Key);
  c.ui.output(key_table(keys, c.verbose()));
  return 0;
}

int run_root_remove(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command requires one argument: <key ID>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/operator/keyring/key/" + escape(c.args.rest[0])); !done)
    return c.fail("error: " + done.error().message);
  c.ui.output("Removed encryption key " + c.args.rest[0]);
  return 0;
}

constexpr Flag kVerboseOnly[] = {kVerboseFlag};
constexpr Flag kRotateFlags[] = {
    {"full", FlagKind::kBool, "", "Also encrypt all variables anew, in the background.", ""}, kVerboseFlag};

constexpr Command kCommands[] = {
    {.name = "operator gossip keyring",
     .synopsis = "Manages gossip layer encryption keys",
     .usage = "Usage: nomad operator gossip keyring [options]",
     .about = "Commands for the keys that encrypt gossip between servers. Every server must have a key before\n"
              "it becomes the primary one.",
     .general = General::kNoNamespace},
    {.name = "operator gossip keyring generate",
     .synopsis = "Generates a new encryption key",
     .usage = "Usage: nomad operator gossip keying generate",
     .about = "Prints a new key.",
     .run = run_generate},
    {.name = "operator gossip keyring install",
     .synopsis = "Install a gossip encryption key",
     .usage = "Usage: nomad operator gossip keyring install [options] <key>",
     .about = "Gives a key to all servers; they decrypt with it and do not encrypt with it yet.",
     .general = General::kNoNamespace,
     .run = run_install},
    {.name = "operator gossip keyring list",
     .synopsis = "List all gossip encryption keys",
     .usage = "Usage: nomad operator gossip keyring list [options]",
     .about = "Lists the keys that servers have.",
     .general = General::kNoNamespace,
     .run = run_list},
    {.name = "operator gossip keyring remove",
     .synopsis = "Remove a gossip encryption key",
     .usage = "Usage: nomad operator gossip keyring remove [options] <key>",
     .about = "Takes a key from all servers; the primary one cannot be removed.",
     .general = General::kNoNamespace,
     .run = run_remove},
    {.name = "operator gossip keyring use",
     .synopsis = "Change the gossip encryption key",
     .usage = "Usage: nomad operator gossip keyring use [options] <key>",
     .about = "Makes a key the primary one.",
     .general = General::kNoNamespace,
     .run = run_use},
    {.name = "operator root keyring",
     .synopsis = "Manages root encryption keys",
     .usage = "Usage: nomad operator root keyring [options]",
     .about = "Commands for the keys that encrypt variables and sign identities."},
    {.name = "operator root keyring list",
     .synopsis = "Lists the root encryption keys",
     .usage = "Usage: nomad operator root keyring list [options]",
     .about = "Lists the keys.",
     .general = General::kNoNamespace,
     .options = "Keyring Options",
     .flags = kVerboseOnly,
     .run = run_root_list,
     .self = "root keyring list"},
    {.name = "operator root keyring rotate",
     .synopsis = "Rotates the root encryption key",
     .usage = "Usage: nomad operator root keyring rotate [options]",
     .about = "Makes a new key, which is used from then on.",
     .general = General::kNoNamespace,
     .options = "Keyring Options",
     .flags = kRotateFlags,
     .run = run_root_rotate,
     .self = "root keyring rotate"},
    {.name = "operator root keyring remove",
     .synopsis = "Removes a root encryption key",
     .usage = "Usage: nomad operator root keyring remove [options] <key ID>",
     .about = "Removes a key that nothing is encrypted with any more.",
     .general = General::kNoNamespace,
     .run = run_root_remove,
     .self = "root keyring remove"},
};

}  // namespace

std::span<const Command> operator_keyring_commands() { return kCommands; }

}  // namespace drover::cli
