#include "state/snapshot_records.h"

#include "codec/msgpack.h"

DROVER_DESCRIBE(drover::state::SnapshotMeta, "state.SnapshotMeta", DROVER_FIELD(Index), DROVER_FIELD(Stamp))

namespace drover::state {
namespace {

template <auto kMember>
Status write_rows(const State& state, const RecordFn& record) {
  auto& table = state.*kMember;
  using Row = typename std::remove_cvref_t<decltype(table)>::Row;
  for (auto& row : table.each()) DROVER_CHECK(record(type_of<Row>(), row.get()));
  return {};
}

template <auto kMember>
Status read_row(State& state, std::string_view bytes) {
  auto& table = state.*kMember;
  using Row = typename std::remove_cvref_t<decltype(table)>::Row;
  Row row{};
  DROVER_CHECK(msgpack_decode(type_of<Row>(), &row, bytes));
  table.put(std::make_shared<const Row>(std::move(row)));
  return {};
}

#define ROW(type, member, native) \
  {RecordType::type, native, &write_rows<&State::member>, &read_row<&State::member>}

const RecordRow kRows[] = {
    ROW(kNode, nodes, false),
    ROW(kJob, jobs, false),
    ROW(kJobVersion, job_versions, false),  // before the allocations, which name them
    ROW(kEval, evals, false),
    {RecordType::kAlloc, false, &write_rows<&State::allocs>, nullptr},
    ROW(kPeriodicLaunch, periodic_launches, false),
    ROW(kJobSummary, job_summaries, false),
    ROW(kVaultAccessor, vault_accessors, false),
    ROW(kSITokenAccessor, si_token_accessors, false),
    ROW(kDeployment, deployments, false),
    ROW(kScalingPolicy, scaling_policies, false),
    ROW(kScalingEvents, scaling_events, false),
    ROW(kCSIPlugin, csi_plugins, false),
    ROW(kCSIVolume, csi_volumes, false),
    ROW(kACLPolicy, acl_policies, false),
    ROW(kACLToken, acl_tokens, false),
    ROW(kNamespace, namespaces, false),
    ROW(kSchedulerConfig, scheduler_config, false),
    ROW(kClusterMetadata, cluster_meta, false),
    ROW(kService, services, false),
    ROW(kVariable, variables, false),
    ROW(kVariablesQuota, variables_quotas, false),
    ROW(kRootKeyMeta, root_keys, false),
    ROW(kACLRole, acl_roles, false),
    ROW(kACLAuthMethod, acl_auth_methods, false),
    ROW(kACLBindingRule, acl_binding_rules, false),
    ROW(kJobSubmission, job_submissions, true),
    ROW(kOneTimeToken, one_time_tokens, true),
    ROW(kAutopilotConfig, autopilot_config, true),
};
static_assert(std::size(kRows) + 1 == kTableCount, "every table is in the snapshot; the opaque records are the one without a row");

}  // namespace

std::span<const RecordRow> record_rows() { return kRows; }

const RecordRow* find_record_row(uint8_t type) {
  for (auto& row : kRows)
    if (static_cast<uint8_t>(row.type) == type) return &row;
  return nullptr;
}

Ref<Job> shared_job_row(const State& state, const Job& job) {
  auto fits = [&](const Ref<Job>& j) { return j && j->Version == job.Version && j->CreateIndex == job.CreateIndex; };
  auto version = state.job_versions.get(job.Namespace, job.ID, job.Version);
  if (fits(version)) return version;
  auto current = state.jobs.get(job.Namespace, job.ID);
  return fits(current) ? current : nullptr;
}

}  // namespace drover::state
