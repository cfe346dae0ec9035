// Search.*: what begins with a text, and what contains it (reference http-api section 22, server-workflows section 13).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/table_id.h"

namespace drover::server {
namespace {

using state::TableId;

constexpr size_t kPrefixMatches = 20;  // rows of a context that are looked at
constexpr std::string_view kAllContexts = "all";

struct Scope {
  const state::Snapshot& snap;
  std::string_view ns;
  bool holds(std::string_view other) const { return ns == kAllNamespaces || ns == other; }
};

// The ids of a context from `prefix` on, in order; an error where the context's index cannot take such a prefix.
using Ids = std::vector<std::string>;
using IdsFn = Result<Ids> (*)(const Scope&, std::string_view prefix);

template <class Rows, class Fn>
Ids ids_of(Rows rows, Fn id) {
  Ids out;
  for (auto& row : rows) {
    if (out.size() > kPrefixMatches) break;  // one more says that there are more
    if (auto text = id(*row); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

// The id of a row that is in the scope, else "".
template <class T>
auto scoped_id(const Scope& s) {
  return [&s](const T& row) { return s.holds(row.Namespace) ? row.ID.str() : std::string(); };
}

Result<Ids> alloc_ids(const Scope& s, std::string_view prefix) {
  DROVER_TRY(auto p, state::UuidPrefix::parse(prefix));
  return ids_of(s.snap.allocs().by_prefix(p), scoped_id<Allocation>(s));
}
Result<Ids> eval_ids(const Scope& s, std::string_view prefix) {
  DROVER_TRY(auto p, state::UuidPrefix::parse(prefix));
  return ids_of(s.snap.evals().by_prefix(p), scoped_id<Evaluation>(s));
}
Result<Ids> deployment_ids(const Scope& s, std::string_view prefix) {
  DROVER_TRY(auto p, state::UuidPrefix::parse(prefix));
  return ids_of(s.snap.deployments().by_prefix(p), scoped_id<Deployment>(s));
}
Result<Ids> node_ids(const Scope& s, std::string_view prefix) {
  DROVER_TRY(auto p, state::UuidPrefix::parse(prefix));
  return ids_of(s.snap.nodes().by_prefix(p), [](const Node& n) { return n.ID.str(); });
}
Result<Ids> job_ids(const Scope& s, std::string_view prefix) {
  if (s.ns != kAllNamespaces) return ids_of(s.snap.jobs().by_prefix(s.ns, prefix), [](const Job& j) { return j.ID; });
  return ids_of(s.snap.jobs().all(), [&](const Job& j) { return j.ID.starts_with(prefix) ? j.ID : std::string(); });
}
Result<Ids> plugin_ids(const Scope& s, std::string_view prefix) {
  return ids_of(s.snap.csi_plugins().by_prefix(prefix), [](const CSIPlugin& p) { return p.ID; });
}
Result<Ids> volume_ids(const Scope& s, std::string_view prefix) {
  auto id = [&](const CSIVolume& v) { return v.ID.starts_with(prefix) ? v.ID : std::string(); };
  if (s.ns == kAllNamespaces) return ids_of(s.snap.csi_volumes().all(), id);
  return ids_of(s.snap.csi_volumes().by_prefix(s.ns, prefix), id);
}
Result<Ids> scaling_policy_ids(const Scope& s, std::string_view prefix) {
  return ids_of(s.snap.scaling_policies().by_prefix(prefix), [&](const ScalingPolicy& p) {
    auto* ns = p.Target.find("Namespace");
    return ns && s.holds(*ns) ? p.ID : std::string();
  });
}
Result<Ids> variable_paths(const Scope& s, std::string_view prefix) {
  // Of every namespace, whichever was asked for: so the reference has it.
  return ids_of(s.snap.variables().by_path_prefix(prefix), [](const VariableEncrypted& v) { return v.Path; });
}
Result<Ids> namespace_names(const Scope& s, std::string_view prefix) {
  return ids_of(s.snap.namespaces().by_prefix(prefix), [](const Namespace& n) { return n.Name; });
}

// ---- matches anywhere in a name -------------------------------------------------------------------------------------

struct Found {
  FuzzyMatch match;
  size_t at;
};

// What fuzzy search has found, by context of the result.
class Finds {
 public:
  explicit Finds(std::string text) : text_(to_lower(text)) {}

  void look_at(std::string_view context, std::string_view name, std::vector<std::string> scope) {
    auto at = to_lower(name).find(text_);
    if (name.empty() || at == std::string::npos) return;
    Found found{{std::string(name), {}}, at};
    for (auto& part : scope) found.match.Scope.push_back(std::move(part));
    by_context_[std::string(context)].push_back(std::move(found));
  }

  // Those found early in a name first, then short names, then by name; at most `max` of a context.
  void give(FuzzySearchResponse& resp, size_t max) {
    for (auto& [context, found] : by_context_) {
      std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) {
        return std::tuple(a.at, a.match.ID.size(), a.match.ID) < std::tuple(b.at, b.match.ID.size(), b.match.ID);
      });
      auto& matches = resp.Matches[context];
      for (auto& f : found) {
        if (matches.size() == max) {
          if (resp.Truncations.contains(context)) resp.Truncations[context] = true;
          break;
        }
        matches.push_back(std::move(f.match));
      }
    }
  }

 private:
  std::string text_;
  std::map<std::string, std::vector<Found>> by_context_;
};

// Shows the first `limit` rows to `look`; whether there are more.
template <class Rows, class Fn>
bool look_at_first(Rows rows, size_t limit, Fn look) {
  size_t seen = 0;
  for (auto& row : rows) {
    if (seen++ == limit) return true;
    look(*row);
  }
  return false;
}

std::string text_in(const Map<Value>& config, std::string_view key) {
  auto* value = config.find(key);
  auto* text = value ? value->as_string() : nullptr;
  return text ? *text : std::string();
}

void look_at_task(Finds& finds, const Job& job, const TaskGroup& group, const Task& task) {
  finds.look_at("tasks", task.Name, {job.Namespace, job.ID, group.Name});
  std::vector<std::string> scope{job.Namespace, job.ID, group.Name, task.Name};
  for (auto& service : task.Services) finds.look_at("services", service.Name, scope);
  if (task.Driver == "docker") finds.look_at("images", text_in(task.Config, "image"), scope);
  if (task.Driver == "exec" || task.Driver == "raw_exec") finds.look_at("commands", text_in(task.Config, "command"), scope);
  if (task.Driver == "java") finds.look_at("classes", text_in(task.Config, "class"), scope);
}

void look_at_job(Finds& finds, const Job& job) {
  finds.look_at("jobs", job.Name, {job.Namespace, job.ID});
  for (auto& group : job.TaskGroups) {
    finds.look_at("groups", group.Name, {job.Namespace, job.ID});
    for (auto& service : group.Services) finds.look_at("services", service.Name, {job.Namespace, job.ID, group.Name});
    for (auto& task : group.Tasks) look_at_task(finds, job, group, task);
  }
}

// Whether rows are left beyond `limit`.
using LookFn = bool (*)(const Scope&, size_t limit, Finds&);

bool look_at_jobs(const Scope& s, size_t limit, Finds& finds) {
  auto rows = s.ns == kAllNamespaces ? s.snap.jobs().all() : s.snap.jobs().by_namespace(s.ns);
  return look_at_first(std::move(rows), limit, [&](const Job& j) { look_at_job(finds, j); });
}
bool look_at_allocs(const Scope& s, size_t limit, Finds& finds) {
  auto rows = s.ns == kAllNamespaces ? s.snap.allocs().all() : s.snap.allocs().by_namespace(s.ns);
  return look_at_first(std::move(rows), limit, [&](const Allocation& a) {
    finds.look_at("allocs", a.Name, {std::string(a.Namespace.view()), a.ID.str()});
  });
}
bool look_at_nodes(const Scope& s, size_t limit, Finds& finds) {
  return look_at_first(s.snap.nodes().all(), limit, [&](const Node& n) { finds.look_at("nodes", n.Name, {n.ID.str()}); });
}
bool look_at_plugins(const Scope& s, size_t limit, Finds& finds) {
  return look_at_first(s.snap.csi_plugins().all(), limit, [&](const CSIPlugin& p) { finds.look_at("plugins", p.ID, {}); });
}
bool look_at_namespaces(const Scope& s, size_t limit, Finds& finds) {
  return look_at_first(s.snap.namespaces().all(), limit, [&](const Namespace& n) { finds.look_at("namespaces", n.Name, {}); });
}
bool look_at_variables(const Scope& s, size_t limit, Finds& finds) {
  auto rows = s.ns == kAllNamespaces ? s.snap.variables().all() : s.snap.variables().by_namespace(s.ns);
  return look_at_first(std::move(rows), limit, [&](const VariableEncrypted& v) { finds.look_at("vars", v.Path, {v.Namespace, v.Path}); });
}

// ---- the table of contexts ------------------------------------------------------------------------------------------

struct SearchContext {
  std::string_view name;
  TableId table;
  IdsFn ids;
  LookFn look;  // null: fuzzy search looks at the beginning of ids only
};

// In the order in which the reference names them.
constexpr SearchContext kContexts[] = {
    {"allocs", TableId::allocs, alloc_ids, look_at_allocs},
    {"jobs", TableId::jobs, job_ids, look_at_jobs},
    {"nodes", TableId::nodes, node_ids, look_at_nodes},
    {"evals", TableId::evals, eval_ids, nullptr},
    {"deployment", TableId::deployments, deployment_ids, nullptr},
    {"plugins", TableId::csi_plugins, plugin_ids, look_at_plugins},
    {"volumes", TableId::csi_volumes, volume_ids, nullptr},
    {"scaling_policy", TableId::scaling_policies, scaling_policy_ids, nullptr},
    {"vars", TableId::variables, variable_paths, look_at_variables},
    {"namespaces", TableId::namespaces, namespace_names, look_at_namespaces},
};

Result<std::vector<const SearchContext*>> contexts_of(std::string_view name) {
  std::vector<const SearchContext*> out;
  std::string names;
  for (auto& c : kContexts) {
    if (name == kAllContexts || name == c.name) out.push_back(&c);
    names += (names.empty() ? "" : " ") + std::string(c.name);
  }
  if (out.empty())
    return internal(fmt::format("context must be one of [{}] or 'all' for all contexts; got {}", names, go_quote(name)));
  return out;
}

// Indexes of ids take whole bytes only. The reference cuts the text of every context but jobs asked for alone.
std::string_view even_prefix(std::string_view prefix, std::string_view context) {
  auto digits = prefix.size() - static_cast<size_t>(std::count(prefix.begin(), prefix.end(), '-'));
  return context == "jobs" || digits % 2 == 0 ? prefix : prefix.substr(0, prefix.size() - 1);
}

Status search_prefix(ReadContext& c, const SearchRequest& req, SearchResponse& resp) {
  DROVER_TRY(auto contexts, contexts_of(req.Context));
  Scope scope{c.snap, namespace_of(req.Namespace)};
  auto lookup = even_prefix(req.Prefix, req.Context);
  resp.Matches = Map<List<std::string>>::empty_map();
  resp.Truncations = Map<bool>::empty_map();
  for (auto* context : contexts) {
    resp.Index = std::max(resp.Index, c.snap.table_index(context->table));
    auto ids = context->ids(scope, lookup);
    if (!ids) continue;  // no id of this context begins like this
    auto& matches = resp.Matches[context->name];
    for (size_t i = 0; i < std::min(ids->size(), kPrefixMatches); ++i)
      if ((*ids)[i].starts_with(req.Prefix)) matches.push_back((*ids)[i]);
    resp.Truncations[context->name] = ids->size() > kPrefixMatches;
  }
  return {};
}

Status search_fuzzy(ReadContext& c, const FuzzySearchRequest& req, FuzzySearchResponse& resp) {
  auto& limits = c.server.config().search;
  if (!limits.fuzzy_enabled) return internal("fuzzy search is not enabled");
  if (req.Text.size() < limits.min_term_length)
    return internal(fmt::format("fuzzy search query must be at least {} characters, got {}", limits.min_term_length, req.Text.size()));
  DROVER_TRY(auto contexts, contexts_of(req.Context));
  Scope scope{c.snap, namespace_of(req.Namespace)};
  Finds finds(req.Text);
  resp.Matches = Map<List<FuzzyMatch>>::empty_map();
  resp.Truncations = Map<bool>::empty_map();
  for (auto* context : contexts) {
    resp.Index = std::max(resp.Index, c.snap.table_index(context->table));
    if (context->look) {
      resp.Truncations[context->name] = context->look(scope, limits.limit_query, finds);
      continue;
    }
    auto& matches = resp.Matches[context->name] = List<FuzzyMatch>::empty_list();
    DROVER_TRY(auto ids, context->ids(scope, ""));
    for (size_t i = 0; i < std::min(ids.size(), limits.limit_query); ++i)
      if (ids[i].starts_with(req.Text)) matches.emplace_back().ID = ids[i];
    resp.Truncations[context->name] = ids.size() > limits.limit_query;
  }
  finds.give(resp, limits.limit_results);
  return {};
}

}  // namespace

void add_search_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&search_prefix>("Search.PrefixSearch", Where::kStale));
  rows.push_back(rpc_row<&search_fuzzy>("Search.FuzzySearch", Where::kStale));
}

}  // namespace drover::server
