// Namespace.* and ServiceRegistration.*.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/strings.h"
#include "model/multi_error.h"
#include "model/raft_requests.h"
#include "model/rpc.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr size_t kDescriptionMax = 256;

Status check_namespace(const Namespace& ns) {
  static const re2::RE2 name("^[a-zA-Z0-9-]{1,128}$");
  MultiError problems;
  if (!re2::RE2::FullMatch(ns.Name, name))
    problems.add(fmt::format("invalid name {}. Must match regex {}", go_quote(ns.Name), "^[a-zA-Z0-9-]{1,128}$"));
  if (ns.Description.size() > kDescriptionMax)
    problems.add(fmt::format("description longer than {}", kDescriptionMax));
  if (!problems) return {};
  return internal(fmt::format("Invalid namespace {}: {}", go_quote(ns.Name), problems.text()));
}

Async<Status> namespaces_upsert(Server& server, const rpc::NamespaceUpsertRequest& req, GenericResponse& resp) {
  if (req.Namespaces.empty()) co_return internal("must specify at least one namespace");
  auto entry = req;
  for (auto& ns : entry.Namespaces) {
    DROVER_CO_CHECK(check_namespace(ns));
    // There are no quotas in this edition, so none exists.
    if (!ns.Quota.empty())
      co_return internal(fmt::format("namespace {} using non-existent quota {}", go_quote(ns.Name), go_quote(ns.Quota)));
    ns.Hash = namespace_hash(ns);
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNamespaceUpsert, entry));
  resp.Index = applied.index;
  co_return Status{};
}

Async<Status> namespaces_delete(Server& server, const rpc::NamespaceDeleteRequest& req, GenericResponse& resp) {
  if (req.Namespaces.empty()) co_return internal("must specify at least one namespace to delete");
  for (auto& name : req.Namespaces)
    if (name == "default") co_return internal("can not delete default namespace");
  auto snap = server.snapshot();
  MultiError problems;
  for (auto& name : req.Namespaces) {
    for (auto& job : snap.jobs().by_namespace(name)) {
      if (job->Status == "dead") continue;
      problems.add(fmt::format("namespace {} has non-terminal jobs in regions: [{}]", go_quote(name), server.config().region));
      break;
    }
  }
  if (problems) co_return internal(problems.text());
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNamespaceDelete, req));
  resp.Index = applied.index;
  co_return Status{};
}

Status namespaces_list(ReadContext& c, const rpc::NamespaceListRequest& req, rpc::NamespaceListResponse& resp) {
  resp.Namespaces = List<Ref<Namespace>>::empty_list();
  for (auto& ns : c.snap.namespaces().by_prefix(req.Prefix, c.watch)) resp.Namespaces.push_back(ns);
  resp.Index = c.snap.table_index(state::TableId::namespaces);
  return {};
}

Status namespace_get(ReadContext& c, const rpc::NamespaceSpecificRequest& req, rpc::SingleNamespaceResponse& resp) {
  resp.Namespace = c.snap.namespaces().get(req.Name, c.watch);
  resp.Index = resp.Namespace ? resp.Namespace->ModifyIndex : c.snap.table_index(state::TableId::namespaces);
  return {};
}

// ---- services ------------------------------------------------------------------------------------------------------

Async<Status> services_upsert(Server& server, const rpc::ServiceRegistrationUpsertRequest& req,
                              rpc::ServiceRegistrationUpsertResponse& resp) {
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kServiceRegistrationUpsert, req));
  resp.Index = applied.index;
  co_return Status{};
}

Async<Status> services_delete(Server& server, const rpc::ServiceRegistrationDeleteByIDRequest& req,
                              rpc::ServiceRegistrationDeleteByIDResponse& resp) {
  rpc::ServiceRegistrationDeleteByIDRequest entry = req;
  entry.Namespace = namespace_of(req.Namespace);
  if (!server.snapshot().services().get(entry.Namespace, req.ID)) co_return internal("service registration not found");
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kServiceRegistrationDeleteByID, entry));
  resp.Index = applied.index;
  co_return Status{};
}

Status services_list(ReadContext& c, const rpc::ServiceRegistrationListRequest& req, rpc::ServiceRegistrationListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  std::map<std::string, std::map<std::string, std::set<std::string>>> found;  // namespace, name, tags
  for (auto& s : c.snap.services().all(c.watch)) {
    if (ns != kAllNamespaces && s->Namespace != ns) continue;
    auto& tags = found[s->Namespace][s->ServiceName];
    tags.insert(s->Tags.begin(), s->Tags.end());
  }
  resp.Services = List<ServiceRegistrationListStub>::empty_list();
  for (auto& [name_space, services] : found) {
    auto& stub = resp.Services.emplace_back();
    stub.Namespace = name_space;
    for (auto& [name, tags] : services) {
      auto& s = stub.Services.emplace_back();
      s.ServiceName = name;
      s.Tags = List<std::string>::empty_list();
      for (auto& t : tags) s.Tags.push_back(t);
    }
  }
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::services));
  return {};
}

// FNV-1a over the key and the instance: every caller with the same key gets the same instances.
uint64_t rendezvous(std::string_view key, std::string_view id) {
  uint64_t h = 14695981039346656037ull;
  for (auto part : {key, id})
    for (unsigned char ch : part) h = (h ^ ch) * 1099511628211ull;
  return h;
}

Status choose(const std::string& how, List<Ref<ServiceRegistration>>& services) {
  auto bar = how.find('|');
  auto n = bar == std::string::npos ? std::nullopt : parse_int(how.substr(0, bar));
  if (!n || *n < 0) return invalid("failed to choose services: Parameter for choose must be in form '<number>|<key>'");
  auto key = how.substr(bar + 1);
  std::sort(services.begin(), services.end(), [&](auto& a, auto& b) { return rendezvous(key, a->ID) < rendezvous(key, b->ID); });
  if (static_cast<size_t>(*n) < services.size()) services.resize(static_cast<size_t>(*n));
  return {};
}

Status services_by_name(ReadContext& c, const rpc::ServiceRegistrationByNameRequest& req, rpc::ServiceRegistrationsResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  resp.Services = List<Ref<ServiceRegistration>>::empty_list();
  DROVER_TRY(resp.NextToken, paginate(c.snap.services().by_name(ns, req.ServiceName, c.watch), req,
                                      [](const ServiceRegistration& s) { return s.Namespace + "." + s.ID; },
                                      [&](const Ref<ServiceRegistration>& s) { resp.Services.push_back(s); }));
  if (!req.Choose.empty()) DROVER_CHECK(choose(req.Choose, resp.Services));
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::services));
  return {};
}

}  // namespace

void add_namespace_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&namespaces_upsert>("Namespace.UpsertNamespaces", Where::kLeader));
  rows.push_back(rpc_row<&namespaces_delete>("Namespace.DeleteNamespaces", Where::kLeader));
  rows.push_back(rpc_row<&namespaces_list>("Namespace.ListNamespaces", Where::kStale));
  rows.push_back(rpc_row<&namespace_get>("Namespace.GetNamespace", Where::kStale));
}

void add_service_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&services_upsert>("ServiceRegistration.Upsert", Where::kLeader));
  rows.push_back(rpc_row<&services_delete>("ServiceRegistration.DeleteByID", Where::kLeader));
  rows.push_back(rpc_row<&services_list>("ServiceRegistration.List", Where::kStale));
  rows.push_back(rpc_row<&services_by_name>("ServiceRegistration.GetService", Where::kStale));
}

}  // namespace drover::server
