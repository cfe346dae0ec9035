#include "cli/complete.h"

#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/help.h"
#include "model/requests.h"

namespace drover::cli {
namespace {

const Command* find(std::span<const Command* const> all, std::string_view name) {
  for (auto* c : all)
    if (c->name == name) return &resolved(*c, all);
  return nullptr;
}

// What the argument of a command names, for the search API; "" when it is no identifier.
std::string_view search_context(std::string_view command) {
  static constexpr std::pair<std::string_view, std::string_view> kContexts[] = {
      {"job run", ""}, {"job plan", ""}, {"job validate", ""}, {"job init", ""},
      {"job", "jobs"}, {"alloc", "allocs"}, {"node", "nodes"}, {"eval", "evals"},
      {"deployment", "deployment"}, {"namespace", "namespaces"}, {"volume", "volumes"},
      {"plugin", "plugins"}, {"scaling policy info", "scaling_policy"}, {"var", "vars"}, {"status", "all"}, {"ui", "all"},
  };
  for (auto& [prefix, context] : kContexts)
    if (command == prefix || (command.starts_with(prefix) && command[prefix.size()] == ' ')) return context;
  return {};
}

std::vector<std::string> matching_ids(const Command& command, const std::string& prefix, const Io& io) {
  std::vector<std::string> out;
  auto context = search_context(command.name);
  if (context.empty()) return out;
  Context c(command, {}, io, false, {});
  auto api = c.api();
  if (!api) return out;
  SearchRequest request;
  request.Prefix = prefix;
  request.Context = context;
  auto found = (*api)->put_as<SearchResponse>("/v1/search", request);
  if (!found) return out;
  for (auto& [name, ids] : found->Matches) out.insert(out.end(), ids.begin(), ids.end());
  return out;
}

}  // namespace

int complete(std::span<const Command* const> all, std::string_view line, const Io& io) {
  std::vector<std::string> words;
  for (auto& w : split(line, ' '))
    if (!w.empty()) words.push_back(w);
  bool open = !line.ends_with(' ') && words.size() > 1;  // the last word is being typed
  std::string last = open ? words.back() : "";
  std::string name;
  size_t end = words.size() - (open ? 1 : 0);
  size_t i = 1;
  for (; i < end; ++i) {
    auto candidate = name.empty() ? words[i] : name + " " + words[i];
    auto below = children(all, name, true);
    if (std::none_of(below.begin(), below.end(), [&](auto& c) { return c.word == words[i]; })) break;
    name = candidate;
  }
  std::vector<std::string> out;
  auto* command = find(all, name);
  if (last.starts_with('-')) {
    if (command) {
      for (auto& f : command->flags)
        if (f.kind != FlagKind::kDoc) out.push_back("-" + std::string(f.name));
      if (command->general != General::kNone)
        for (auto& f : general_flags()) out.push_back("-" + std::string(f.name));
    }
  } else if (i == end) {
    for (auto& c : children(all, name, true)) out.push_back(c.word);
  }
  if (out.empty() && command && command->run && !last.starts_with('-')) out = matching_ids(*command, last, io);
  std::sort(out.begin(), out.end());
  for (auto& word : out)
    if (word.starts_with(last)) io.out(word + "\n");
  return 0;
}

int install_completion(const Io& io, bool install, bool uninstall) {
  auto say = [&](std::string text) {
    io.err(text + "\n");
    return 1;
  };
  if (install && uninstall) return say("Either the autocomplete install or uninstall flag may be specified, but not both.");
  auto home = io.getenv("HOME");
  char path[4096];
  ssize_t n = ::readlink("/proc/self/exe", path, sizeof path - 1);
  if (home.empty() || n <= 0) return say("Error executing CLI: no home directory");
  std::string program(path, static_cast<size_t>(n));
  struct Shell {
    const char* file;
    std::string text;
  };
  std::string line = "complete -C " + program + " nomad\n";
  Shell shells[] = {
      {"/.bashrc", line},
      {"/.zshrc", "autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -C " + program + " nomad\n"},
      {"/.config/fish/completions/nomad.fish",
       "complete -f -c nomad -a '(set -lx COMP_LINE (commandline -cp); " + program + ")'\n"},
  };
  int changed = 0;
  std::string trouble;
  for (auto& shell : shells) {
    auto file = home + shell.file;
    auto old = read_file(file);
    if (!old && std::string_view(shell.file) != "/.bashrc") continue;
    auto text = old.value_or("");
    bool has = text.find(shell.text) != text.npos;
    if (has == install) {
      trouble = install ? "already installed in " + file : "not installed in " + file;
      continue;
    }
    text = install ? text + shell.text : replace_all(text, shell.text, "");
    if (auto done = write_file(file, text, 0644); !done) trouble = done.error().message;
    else ++changed;
  }
  return changed ? 0 : say("Error executing CLI: " + trouble);
}

}  // namespace drover::cli
