#include "server/event_batch.h"

#include <algorithm>
#include <unordered_set>

#include "codec/json.h"
#include "model/acl.h"
#include "model/shown.h"
#include "state/fsm.h"

namespace drover::server {

using state::EntryType;
using state::TableId;

struct EventTopic {
  TableId table;
  bool of_deletions;
  std::string_view name;
  std::string_view payload;  // the key that the object is under
  std::string (*key)(const void* row);
  std::string (*ns)(const void* row);
  // Empty: the event has none.
  std::vector<std::string> (*filter_keys)(const void* row);
  void (*encode)(const void* row, std::string& out);
};

namespace {

constexpr std::string_view kAll = "*";

template <class T>
const T& as(const void* row) {
  return *static_cast<const T*>(row);
}
template <class T>
void encode_as(const T& value, std::string& out) {
  json_encode(type_of<T>(), &value, out, {.sort_keys = true});
}
template <class T>
void encode_plain(const void* row, std::string& out) {
  encode_as(as<T>(row), out);
}
std::string no_namespace(const void*) { return {}; }
std::vector<std::string> no_keys(const void*) { return {}; }
template <class T>
std::string namespace_of_row(const void* row) {
  return std::string(std::string_view(as<T>(row).Namespace));
}

void encode_alloc(const void* row, std::string& out) {
  Allocation a = as<Allocation>(row);
  a.Job = nullptr;
  add_legacy_resources(a);
  encode_as(a, out);
}
void encode_token(const void* row, std::string& out) {
  ACLToken t = as<ACLToken>(row);
  t.SecretID.clear();
  encode_as(t, out);
}
void encode_node(const void* row, std::string& out) { encode_as(shown_node(as<Node>(row)), out); }

const EventTopic kTopics[] = {
    {TableId::jobs, false, "Job", "Job", [](const void* r) { return as<Job>(r).ID; }, namespace_of_row<Job>, no_keys, encode_plain<Job>},
    {TableId::evals, false, "Evaluation", "Evaluation", [](const void* r) { return as<Evaluation>(r).ID.str(); },
     namespace_of_row<Evaluation>,
     [](const void* r) { return std::vector<std::string>{as<Evaluation>(r).JobID, as<Evaluation>(r).DeploymentID.str()}; },
     encode_plain<Evaluation>},
    {TableId::allocs, false, "Allocation", "Allocation", [](const void* r) { return as<Allocation>(r).ID.str(); },
     namespace_of_row<Allocation>,
     [](const void* r) { return std::vector<std::string>{as<Allocation>(r).JobID.str(), as<Allocation>(r).DeploymentID.str()}; },
     encode_alloc},
    {TableId::deployments, false, "Deployment", "Deployment", [](const void* r) { return as<Deployment>(r).ID.str(); },
     namespace_of_row<Deployment>, [](const void* r) { return std::vector<std::string>{as<Deployment>(r).JobID}; },
     encode_plain<Deployment>},
    {TableId::services, true, "Service", "Service", [](const void* r) { return as<ServiceRegistration>(r).ID; },
     namespace_of_row<ServiceRegistration>,
     [](const void* r) {
       return std::vector<std::string>{as<ServiceRegistration>(r).JobID, as<ServiceRegistration>(r).ServiceName};
     },
     encode_plain<ServiceRegistration>},
    {TableId::nodes, true, "Node", "Node", [](const void* r) { return as<Node>(r).ID.str(); }, no_namespace, no_keys, encode_node},
    {TableId::acl_tokens, true, "ACLToken", "ACLToken", [](const void* r) { return as<ACLToken>(r).AccessorID; }, no_namespace,
     no_keys, encode_token},
    {TableId::acl_policies, true, "ACLPolicy", "ACLPolicy", [](const void* r) { return as<ACLPolicy>(r).Name; }, no_namespace,
     no_keys, encode_plain<ACLPolicy>},
    {TableId::acl_roles, true, "ACLRole", "ACLRole", [](const void* r) { return as<ACLRole>(r).ID; }, no_namespace,
     [](const void* r) { return std::vector<std::string>{as<ACLRole>(r).Name}; }, encode_plain<ACLRole>},
    {TableId::acl_auth_methods, true, "ACLAuthMethod", "AuthMethod", [](const void* r) { return as<ACLAuthMethod>(r).Name; },
     no_namespace, no_keys, encode_plain<ACLAuthMethod>},
    {TableId::acl_binding_rules, true, "ACLBindingRule", "ACLBindingRule", [](const void* r) { return as<ACLBindingRule>(r).ID; },
     no_namespace, [](const void* r) { return std::vector<std::string>{as<ACLBindingRule>(r).AuthMethod}; },
     encode_plain<ACLBindingRule>},
};

struct TypeRow {
  EntryType entry;
  std::string_view type;
};
// A node's deregistration has a name in the reference and makes no event there.
constexpr TypeRow kTypes[] = {
    {EntryType::kNodeRegister, "NodeRegistration"},
    {EntryType::kNodeUpdateStatus, "NodeStreamEvent"},
    {EntryType::kUpsertNodeEvents, "NodeStreamEvent"},
    {EntryType::kNodeUpdateDrain, "NodeDrain"},
    {EntryType::kNodeUpdateEligibility, "NodeDrain"},
    {EntryType::kBatchNodeUpdateDrain, "NodeDrain"},
    {EntryType::kJobRegister, "JobRegistered"},
    {EntryType::kJobDeregister, "JobDeregistered"},
    {EntryType::kJobBatchDeregister, "JobBatchDeregistered"},
    {EntryType::kEvalUpdate, "EvaluationUpdated"},
    {EntryType::kAllocClientUpdate, "AllocationUpdated"},
    {EntryType::kAllocUpdateDesiredTransition, "AllocationUpdateDesiredStatus"},
    {EntryType::kApplyPlanResults, "PlanResult"},
    {EntryType::kApplyPlanResultsBatch, "PlanResult"},
    {EntryType::kDeploymentStatusUpdate, "DeploymentStatusUpdate"},
    {EntryType::kDeploymentPromote, "DeploymentPromotion"},
    {EntryType::kDeploymentAllocHealth, "DeploymentAllocHealth"},
    {EntryType::kACLPolicyUpsert, "ACLPolicyUpserted"},
    {EntryType::kACLPolicyDelete, "ACLPolicyDeleted"},
    {EntryType::kACLTokenUpsert, "ACLTokenUpserted"},
    {EntryType::kACLTokenDelete, "ACLTokenDeleted"},
    {EntryType::kACLRolesUpsert, "ACLRoleUpserted"},
    {EntryType::kACLRolesDeleteByID, "ACLRoleDeleted"},
    {EntryType::kACLAuthMethodsUpsert, "ACLAuthMethodUpserted"},
    {EntryType::kACLAuthMethodsDelete, "ACLAuthMethodDeleted"},
    {EntryType::kACLBindingRulesUpsert, "ACLBindingRuleUpserted"},
    {EntryType::kACLBindingRulesDelete, "ACLBindingRuleDeleted"},
    {EntryType::kServiceRegistrationUpsert, "ServiceRegistration"},
    {EntryType::kServiceRegistrationDeleteByID, "ServiceDeregistration"},
    {EntryType::kServiceRegistrationDeleteByNodeID, "ServiceDeregistration"},
};

bool only_all(const List<std::string>* keys) { return keys && keys->size() == 1 && (*keys)[0] == kAll; }

// How often a row goes to a subscriber: once for each of its keys that matches.
size_t matches(const EventRow& row, const EventFilter& filter) {
  if (filter.ns != kAll) {
    auto ns = row.topic->ns(row.row.get());
    if (!ns.empty() && ns != filter.ns) return 0;
  }
  auto* everywhere = filter.topics.find(kAll);
  if (only_all(everywhere)) return 1;
  auto* keys = filter.topics.find(row.topic->name);
  size_t count = (everywhere ? everywhere->size() : 0) + (keys ? keys->size() : 0);
  if (count == 0) return 0;
  if (count == 1 && (only_all(everywhere) || only_all(keys))) return 1;
  auto own = row.topic->filter_keys(row.row.get());
  own.push_back(row.topic->key(row.row.get()));
  size_t times = 0;
  for (auto* list : {everywhere, keys})
    if (list)
      for (auto& key : *list) times += std::find(own.begin(), own.end(), key) != own.end();
  return times;
}

void encode_event(const EventRow& row, std::string_view type, uint64_t index, std::string& out) {
  auto& t = *row.topic;
  out += R"({"FilterKeys":)";
  auto keys = t.filter_keys(row.row.get());
  if (keys.empty()) out += "null";
  for (size_t i = 0; i < keys.size(); ++i) {
    out += i ? ',' : '[';
    json_quote(keys[i], out);
  }
  if (!keys.empty()) out += ']';
  out += R"(,"Index":)" + std::to_string(index) + R"(,"Key":)";
  json_quote(t.key(row.row.get()), out);
  out += R"(,"Namespace":)";
  json_quote(t.ns(row.row.get()), out);
  out += R"(,"Payload":{")";
  out += t.payload;
  out += "\":";
  t.encode(row.row.get(), out);
  out += R"(},"Topic":")";
  out += t.name;
  out += R"(","Type":")";
  out += type;
  out += "\"}";
}

}  // namespace

std::string_view event_type(uint8_t entry_type) {
  for (auto& row : kTypes)
    if (static_cast<uint8_t>(row.entry) == entry_type) return row.type;
  return {};
}

const EventTopic* event_topic(const state::Change& change) {
  for (auto& topic : kTopics)
    if (topic.table == change.table) return change.after || topic.of_deletions ? &topic : nullptr;
  return nullptr;
}

void EventBatch::settle() {
  if (std::exchange(settled_, true) || rows_.size() < 2) return;
  std::unordered_set<std::string> seen;
  std::vector<EventRow> last;
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    auto key = std::string(row->topic->name) + '\n' + row->topic->ns(row->row.get()) + '\n' + row->topic->key(row->row.get());
    if (seen.insert(std::move(key)).second) last.push_back(std::move(*row));
  }
  std::reverse(last.begin(), last.end());
  rows_ = std::move(last);
}

std::vector<const EventRow*> EventBatch::select(const EventFilter& filter) const {
  std::vector<const EventRow*> out;
  for (auto& row : rows_) out.insert(out.end(), matches(row, filter), &row);
  return out;
}

std::string EventBatch::encode(const std::vector<const EventRow*>& rows) const {
  std::string out = R"({"Events":[)";
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i) out += ',';
    encode_event(*rows[i], type_, index_, out);
  }
  out += R"(],"Index":)" + std::to_string(index_) + "}";
  return out;
}

}  // namespace drover::server
