// The table of log entries and how each is applied.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "codec/reflect.h"
#include "model/operator_rpc.h"
#include "model/job_kind.h"
#include "model/status.h"
#include "state/acl_ops.h"
#include "state/alloc_ops.h"
#include "state/config_ops.h"
#include "state/csi_ops.h"
#include "state/fsm.h"
#include "state/node_ops.h"

namespace drover::state {
namespace {

using Context = ApplyContext;

// Decodes the body and calls Fn(context, body).
template <class Body, Status (*Fn)(Context&, Body&)>
Status with_body(Context& c, std::string_view bytes) {
  Body body{};
  DROVER_CHECK(msgpack_decode(type_of<Body>(), &body, bytes));
  return Fn(c, body);
}

// The same for entries whose body the proposer may hand over: Fn leaves it as it is.
template <class Body, Status (*Fn)(Context&, const Body&)>
Status with_read_body(Context& c, std::string_view bytes) {
  Body body{};
  DROVER_CHECK(msgpack_decode(type_of<Body>(), &body, bytes));
  return Fn(c, body);
}
template <class Body, Status (*Fn)(Context&, const Body&)>
Status with_given_body(Context& c, const void* body) {
  return Fn(c, *static_cast<const Body*>(body));
}

template <class Body>
Result<std::string> body_json(std::string_view bytes, const JsonStyle& style) {
  DROVER_TRY(auto body, from_msgpack<Body>(bytes));
  return to_json(body, style);
}

Result<Uuid> node_id(const std::string& text) {
  auto id = Uuid::parse(text);
  if (!id) return not_found("node not found");
  return *id;
}

void put_evals(Context& c, const List<Evaluation>& evals) {
  for (auto& e : evals) c.out.effects.evals.push_back(put_eval(c.txn, e));
}
// One evaluation with the status of its job.
void put_job_eval(Context& c, const Box<Evaluation>& eval) {
  if (!eval) return;
  c.out.effects.evals.push_back(put_eval(c.txn, *eval));
  set_job_statuses(c.txn, {{{eval->Namespace, eval->JobID}, ""}}, false);
}

void note_ready(Context& c, const Uuid& id, bool with_node) {
  auto node = c.txn.nodes()->get(id);
  if (node && node->Status == node_status::kReady)
    c.out.effects.capacity.push_back({node->ComputedClass, "", with_node ? id : Uuid{}});
}

// --- nodes ---

Status node_register(Context& c, rpc::NodeRegisterRequest& r) {
  if (!r.Node) return invalid("missing node for client registration");
  Uuid id = r.Node->ID;
  DROVER_CHECK(upsert_node(c.txn, std::move(*r.Node), r.NodeEvent.get()));
  note_ready(c, id, false);
  return {};
}
Status node_deregister(Context& c, rpc::NodeDeregisterRequest& r) {
  DROVER_TRY(auto id, node_id(r.NodeID));
  return delete_nodes(c.txn, {id});
}
Status node_batch_deregister(Context& c, rpc::NodeBatchDeregisterRequest& r) {
  std::vector<Uuid> ids;
  for (auto& text : r.NodeIDs) {
    DROVER_TRY(auto id, node_id(text));
    ids.push_back(id);
  }
  return delete_nodes(c.txn, ids);
}
Status node_update_status(Context& c, rpc::NodeUpdateStatusRequest& r) {
  DROVER_TRY(auto id, node_id(r.NodeID));
  DROVER_CHECK(update_node_status(c.txn, id, r.Status, r.UpdatedAt, r.NodeEvent.get()));
  note_ready(c, id, true);
  return {};
}

std::string accessor_of(const State& state, const std::string& secret) {
  if (secret.empty()) return {};
  if (auto token = state.acl_tokens.by_secret(secret)) return token->AccessorID;
  if (auto id = Uuid::parse(secret))
    if (auto node = state.nodes.by_secret(*id)) return node->ID.str();
  return {};
}

Status node_update_drain(Context& c, rpc::NodeUpdateDrainRequest& r) {
  DROVER_TRY(auto id, node_id(r.NodeID));
  return update_node_drain(c.txn, id,
                           {.strategy = r.DrainStrategy.get(), .mark_eligible = r.MarkEligible,
                            .updated_at = r.UpdatedAt, .event = r.NodeEvent.get(), .meta = r.Meta,
                            .accessor_id = accessor_of(c.txn.state(), r.AuthToken)});
}
Status batch_node_update_drain(Context& c, rpc::BatchNodeUpdateDrainRequest& r) {
  for (auto& [text, update] : r.Updates) {
    DROVER_TRY(auto id, node_id(text));
    DROVER_CHECK(update_node_drain(c.txn, id,
                                   {.strategy = update.DrainStrategy.get(), .mark_eligible = update.MarkEligible,
                                    .by_drainer = true, .updated_at = r.UpdatedAt, .event = r.NodeEvents.find(text),
                                    .meta = {}, .accessor_id = {}}));
  }
  return {};
}
Status node_update_eligibility(Context& c, NodeUpdateEligibilityRequest& r) {
  DROVER_TRY(auto id, node_id(r.NodeID));
  auto before = c.txn.nodes()->get(id);
  DROVER_CHECK(update_node_eligibility(c.txn, id, r.Eligibility, r.UpdatedAt, r.NodeEvent.get()));
  if (before && before->SchedulingEligibility == node_eligibility::kIneligible &&
      r.Eligibility == node_eligibility::kEligible)
    c.out.effects.capacity.push_back({before->ComputedClass, "", id});
  return {};
}
Status upsert_node_events(Context& c, rpc::EmitNodeEventsRequest& r) {
  for (auto& [text, events] : r.NodeEvents) {
    DROVER_TRY(auto id, node_id(text));
    DROVER_CHECK(append_node_events(c.txn, id, events));
  }
  return {};
}

// --- jobs ---

// A periodic job's first registration counts as a launch; a child's id tells when its parent launched.
void record_launch(Txn& txn, const Job& job) {
  if (is_periodic_active(job) && !txn.periodic_launches()->get(job.Namespace, job.ID))
    put_periodic_launch(txn, job.Namespace, job.ID, txn.stamp());
  if (job.ParentID.empty()) return;
  auto parent = txn.jobs()->get(job.Namespace, job.ParentID);
  if (!parent || !parent->Periodic || is_parameterized(*parent)) return;
  constexpr std::string_view kSuffix = "/periodic-";
  auto at = job.ID.rfind(kSuffix);
  int64_t seconds = 0;
  if (at == std::string::npos) return;
  auto* digits = job.ID.data() + at + kSuffix.size();
  auto* end = job.ID.data() + job.ID.size();
  if (std::from_chars(digits, end, seconds).ptr != end) return;
  put_periodic_launch(txn, parent->Namespace, parent->ID, Time::from_unix_seconds(seconds));
}

void put_job_deployment(Txn& txn, const Job& job, Deployment d) {
  for (auto& old : txn.deployments()->by_job(job.Namespace, job.ID)) {
    if (!is_active(*old)) continue;
    Deployment cancelled = *old;
    cancelled.Status = deployment_status::kCancelled;
    cancelled.StatusDescription = "Cancelled due to newer version of job";
    upsert_deployment(txn, std::move(cancelled));
  }
  d.JobModifyIndex = job.ModifyIndex;
  d.JobSpecModifyIndex = job.JobModifyIndex;
  d.JobCreateIndex = job.CreateIndex;
  d.JobVersion = job.Version;
  upsert_deployment(txn, std::move(d));
}

Status job_register(Context& c, rpc::JobRegisterRequest& r) {
  if (!r.Job) return invalid("missing job for registration");
  std::string ns = r.Job->Namespace, id = r.Job->ID;
  DROVER_CHECK(upsert_job(c.txn, std::move(*r.Job), r.Submission.get()));
  auto job = c.txn.jobs()->get(ns, id);
  c.out.effects.periodic_add.push_back(job);
  record_launch(c.txn, *job);
  if (r.Deployment) {
    c.txn.next_part(true);
    put_job_deployment(c.txn, *job, std::move(*r.Deployment));
  }
  if (r.Eval) {
    r.Eval->JobModifyIndex = c.txn.index();
    c.txn.next_part();
    put_job_eval(c, r.Eval);
  }
  return {};
}

// The evaluation is written even if the job is gone: work that is left over is to stop all the same.
Status job_deregister(Context& c, rpc::JobDeregisterRequest& r) {
  auto mark = c.txn.mark();
  auto status = deregister_job(c.txn, r.Namespace, r.JobID, r.Purge, r.NoShutdownDelay);
  if (!status) c.txn.rollback(std::move(mark));
  c.out.effects.periodic_remove.emplace_back(r.Namespace, r.JobID);
  if (r.Eval) {
    c.txn.next_part();
    r.Eval->JobModifyIndex = c.txn.index();
    put_job_eval(c, r.Eval);
    return {};
  }
  return status;
}

Status job_batch_deregister(Context& c, rpc::JobBatchDeregisterRequest& r) {
  for (auto& job : r.Jobs) {
    DROVER_CHECK(deregister_job(c.txn, job.Namespace, job.ID, job.Purge, false));
    c.out.effects.periodic_remove.emplace_back(job.Namespace, job.ID);
  }
  JobStatuses jobs;
  for (auto& e : r.Evals) jobs[{e.Namespace, e.JobID}] = "";
  put_evals(c, r.Evals);
  set_job_statuses(c.txn, jobs, false);
  return {};
}

Status job_stability(Context& c, JobStabilityRequest& r) {
  return update_job_stability(c.txn, r.Namespace, r.JobID, r.JobVersion, r.Stable, true);
}
Status reconcile(Context& c, std::string_view) {
  reconcile_summaries(c.txn, c.queued);
  return {};
}
Status scaling_event(Context& c, rpc::ScalingEventRequest& r) {
  if (!r.ScalingEvent) return invalid("missing scaling event");
  return append_scaling_event(c.txn, r.Namespace, r.JobID, r.TaskGroup, std::move(*r.ScalingEvent));
}

// --- evaluations, allocations, plans ---

Status eval_update(Context& c, rpc::EvalUpdateRequest& r) {
  JobStatuses jobs;
  for (auto& e : r.Evals) jobs[{e.Namespace, e.JobID}] = "";
  put_evals(c, r.Evals);
  set_job_statuses(c.txn, jobs, false);
  return {};
}
Status eval_delete(Context& c, rpc::EvalReapRequest& r) {
  if (r.Filter.empty()) {
    c.out.count = r.Evals.size();
    return delete_evals(c.txn, r.Evals, r.Allocs, r.UserInitiated);
  }
  DROVER_TRY(c.out.count, delete_evals_by_filter(c.txn, r.Filter, static_cast<size_t>(std::max(0, r.PerPage))));
  return {};
}

void note_freed_capacity(Context& c, const Allocation& report) {
  if (report.ClientStatus != alloc_client::kComplete && report.ClientStatus != alloc_client::kFailed) return;
  auto alloc = c.txn.allocs()->get(report.ID);
  auto node = alloc ? c.txn.nodes()->get(alloc->NodeID) : nullptr;
  if (!node) return;
  auto ns = c.txn.namespaces()->get(alloc->Namespace);
  c.out.effects.capacity.push_back({node->ComputedClass, ns ? ns->Quota : "", node->ID});
}

Status alloc_client_update(Context& c, const rpc::AllocUpdateRequest& r) {
  DROVER_CHECK(update_allocs_from_client(c.txn, r.Alloc));
  c.txn.next_part();
  JobStatuses jobs;
  for (auto& e : r.Evals) jobs[{e.Namespace, e.JobID}] = "";
  put_evals(c, r.Evals);
  set_job_statuses(c.txn, jobs, false);
  for (auto& report : r.Alloc) note_freed_capacity(c, report);
  return {};
}
Status desired_transition(Context& c, rpc::AllocUpdateDesiredTransitionRequest& r) {
  for (auto& [text, transition] : r.Allocs)
    if (auto id = Uuid::parse(text)) update_desired_transition(c.txn, *id, transition);
  put_evals(c, r.Evals);
  return {};
}

void note_preemption_evals(Context& c, const rpc::ApplyPlanResultsRequest& r) {
  for (auto& e : r.PreemptionEvals) c.out.effects.evals.push_back(c.txn.evals()->get(e.ID));
}
Status plan_results(Context& c, const rpc::ApplyPlanResultsRequest& r) {
  DROVER_CHECK(apply_plan_results(c.txn, r));
  note_preemption_evals(c, r);
  return {};
}
Status plan_results_batch(Context& c, const rpc::ApplyPlanResultsBatch& r) {
  for (auto& plan : r.Plans) {
    auto mark = c.txn.mark();
    c.txn.next_part();
    auto status = apply_plan_results(c.txn, plan);
    if (status) {
      note_preemption_evals(c, plan);
      c.out.parts.emplace_back();
    } else {
      c.txn.rollback(std::move(mark));
      c.out.parts.emplace_back(std::move(status).error());
    }
  }
  return {};
}

// --- deployments ---

Status deployment_status_update(Context& c, rpc::DeploymentStatusUpdateRequest& r) {
  if (r.DeploymentUpdate) DROVER_CHECK(update_deployment_status(c.txn, *r.DeploymentUpdate));
  if (r.Job) DROVER_CHECK(upsert_job(c.txn, std::move(*r.Job)));
  if (r.Eval) c.out.effects.evals.push_back(put_eval(c.txn, *r.Eval));
  return {};
}
Status deployment_promote(Context& c, rpc::ApplyDeploymentPromoteRequest& r) {
  DROVER_CHECK(promote_deployment(c.txn, Uuid::parse(r.DeploymentID).value_or(Uuid{}), r.All, r.Groups));
  if (r.Eval) c.out.effects.evals.push_back(put_eval(c.txn, *r.Eval));
  return {};
}
Status deployment_alloc_health(Context& c, rpc::ApplyDeploymentAllocHealthRequest& r) {
  DROVER_CHECK(set_alloc_health(c.txn, Uuid::parse(r.DeploymentID).value_or(Uuid{}), r.HealthyAllocationIDs,
                                r.UnhealthyAllocationIDs, r.Timestamp));
  if (r.DeploymentUpdate) DROVER_CHECK(update_deployment_status(c.txn, *r.DeploymentUpdate));
  if (r.Job) DROVER_CHECK(upsert_job(c.txn, std::move(*r.Job)));
  if (r.Eval) c.out.effects.evals.push_back(put_eval(c.txn, *r.Eval));
  return {};
}
Status deployment_delete(Context& c, rpc::DeploymentDeleteRequest& r) {
  delete_deployments(c.txn, r.Deployments);
  return {};
}

// --- ACL ---

Status acl_policy_upsert(Context& c, rpc::ACLPolicyUpsertRequest& r) { return upsert_acl_policies(c.txn, r.Policies), Status(); }
Status acl_policy_delete(Context& c, rpc::ACLPolicyDeleteRequest& r) { return delete_acl_policies(c.txn, r.Names), Status(); }
Status acl_token_upsert(Context& c, rpc::ACLTokenUpsertRequest& r) { return upsert_acl_tokens(c.txn, r.Tokens), Status(); }
Status acl_token_delete(Context& c, rpc::ACLTokenDeleteRequest& r) { return delete_acl_tokens(c.txn, r.AccessorIDs), Status(); }
Status acl_bootstrap(Context& c, ACLTokenBootstrapRequest& r) {
  if (!r.Token) return invalid("missing bootstrap token");
  return bootstrap_acl(c.txn, std::move(*r.Token), r.ResetIndex);
}
Status acl_roles_upsert(Context& c, rpc::ACLRolesUpsertRequest& r) {
  return upsert_acl_roles(c.txn, r.ACLRoles, r.AllowMissingPolicies);
}
Status acl_roles_delete(Context& c, rpc::ACLRolesDeleteByIDRequest& r) { return delete_acl_roles(c.txn, r.ACLRoleIDs); }
Status acl_methods_upsert(Context& c, rpc::ACLAuthMethodUpsertRequest& r) {
  return upsert_acl_auth_methods(c.txn, r.AuthMethods);
}
Status acl_methods_delete(Context& c, rpc::ACLAuthMethodDeleteRequest& r) {
  return delete_acl_auth_methods(c.txn, r.Names);
}
Status acl_rules_upsert(Context& c, rpc::ACLBindingRulesUpsertRequest& r) {
  return upsert_acl_binding_rules(c.txn, r.ACLBindingRules, r.AllowMissingAuthMethods);
}
Status acl_rules_delete(Context& c, rpc::ACLBindingRulesDeleteRequest& r) {
  return delete_acl_binding_rules(c.txn, r.ACLBindingRuleIDs);
}
Status one_time_token_upsert(Context& c, OneTimeToken& t) { return upsert_one_time_token(c.txn, std::move(t)); }
Status one_time_token_delete(Context& c, rpc::OneTimeTokenDeleteRequest& r) {
  return delete_one_time_tokens(c.txn, r.AccessorIDs), Status();
}
Status one_time_token_expire(Context& c, rpc::OneTimeTokenExpireRequest&) {
  return expire_one_time_tokens(c.txn), Status();
}

// --- configuration, services, variables, keys, accessors ---

Status autopilot(Context& c, rpc::AutopilotSetConfigRequest& r) {
  c.out.applied = set_autopilot_config(c.txn, std::move(r.Config), r.CAS);
  return {};
}
Status scheduler_config(Context& c, rpc::SchedulerSetConfigRequest& r) {
  c.out.applied = set_scheduler_config(c.txn, std::move(r.Config), r.CAS);
  return {};
}
Status cluster_metadata(Context& c, ClusterMetadata& m) { return set_cluster_metadata(c.txn, std::move(m)); }
Status namespace_upsert(Context& c, rpc::NamespaceUpsertRequest& r) {
  c.out.effects.quotas = upsert_namespaces(c.txn, r.Namespaces);
  return {};
}
Status namespace_delete(Context& c, rpc::NamespaceDeleteRequest& r) { return delete_namespaces(c.txn, r.Namespaces); }
Status services_upsert(Context& c, rpc::ServiceRegistrationUpsertRequest& r) {
  return upsert_services(c.txn, r.Services), Status();
}
Status service_delete(Context& c, rpc::ServiceRegistrationDeleteByIDRequest& r) {
  return delete_service(c.txn, r.Namespace, r.ID);
}
Status services_of_node_delete(Context& c, rpc::ServiceRegistrationDeleteByNodeIDRequest& r) {
  DROVER_TRY(auto id, node_id(r.NodeID));
  return delete_services_of_node(c.txn, id), Status();
}
Status variable(Context& c, rpc::VarApplyStateRequest& r) {
  c.out.variable = apply_variable(c.txn, r);
  return {};
}
Status root_key_upsert(Context& c, rpc::KeyringUpdateRootKeyMetaRequest& r) {
  if (!r.RootKeyMeta) return invalid("missing root key metadata");
  return upsert_root_key(c.txn, std::move(*r.RootKeyMeta), r.Rekey);
}
Status root_key_delete(Context& c, rpc::KeyringDeleteRootKeyRequest& r) {
  return delete_root_key(c.txn, r.KeyID), Status();
}
Status vault_register(Context& c, rpc::VaultAccessorsRequest& r) {
  return upsert_vault_accessors(c.txn, r.Accessors), Status();
}
Status vault_deregister(Context& c, rpc::VaultAccessorsRequest& r) {
  return delete_vault_accessors(c.txn, r.Accessors), Status();
}
Status si_register(Context& c, rpc::SITokenAccessorsRequest& r) {
  return upsert_si_accessors(c.txn, r.Accessors), Status();
}
Status si_deregister(Context& c, rpc::SITokenAccessorsRequest& r) {
  return delete_si_accessors(c.txn, r.Accessors), Status();
}

// --- volumes ---

Status volume_register(Context& c, CSIVolumeRegisterRequest& r) { return upsert_csi_volumes(c.txn, r.Volumes); }
Status volume_deregister(Context& c, rpc::CSIVolumeDeregisterRequest& r) {
  return deregister_csi_volumes(c.txn, r.Namespace, r.VolumeIDs, r.Force);
}
Status volume_claim(Context& c, rpc::CSIVolumeClaimRequest& r) { return claim_csi_volume(c.txn, r.Namespace, r); }
// Claims before the first that fails stay.
Status volume_claim_batch(Context& c, rpc::CSIVolumeClaimBatchRequest& r) {
  for (auto& claim : r.Claims) {
    auto mark = c.txn.mark();
    auto status = claim_csi_volume(c.txn, claim.Namespace, claim);
    if (status) continue;
    c.txn.rollback(std::move(mark));
    c.out.parts.emplace_back(std::move(status).error());
    break;
  }
  return {};
}
Status plugin_delete(Context& c, rpc::CSIPluginDeleteRequest& r) { return delete_csi_plugin(c.txn, r.ID); }

// Numbers that the reference reserves and does nothing for, and the barrier.
Status nothing(Context&, std::string_view) { return {}; }

#define ROW(type, body, fn) {EntryType::k##type, #type, &type_of<body>, &with_body<body, fn>, nullptr, &body_json<body>}
#define ROW_TO_READ(type, body, fn) \
  {EntryType::k##type, #type, &type_of<body>, &with_read_body<body, fn>, &with_given_body<body, fn>, &body_json<body>}
#define ROW_WITHOUT_BODY(type, fn) {EntryType::k##type, #type, nullptr, &fn, nullptr, nullptr}

const EntryRow kRows[] = {
    ROW(NodeRegister, rpc::NodeRegisterRequest, node_register),
    ROW(NodeDeregister, rpc::NodeDeregisterRequest, node_deregister),
    ROW(NodeUpdateStatus, rpc::NodeUpdateStatusRequest, node_update_status),
    ROW(NodeUpdateDrain, rpc::NodeUpdateDrainRequest, node_update_drain),
    ROW(JobRegister, rpc::JobRegisterRequest, job_register),
    ROW(JobDeregister, rpc::JobDeregisterRequest, job_deregister),
    ROW(EvalUpdate, rpc::EvalUpdateRequest, eval_update),
    ROW(EvalDelete, rpc::EvalReapRequest, eval_delete),
    ROW_WITHOUT_BODY(AllocUpdate, nothing),
    ROW_TO_READ(AllocClientUpdate, rpc::AllocUpdateRequest, alloc_client_update),
    ROW_WITHOUT_BODY(ReconcileJobSummaries, reconcile),
    ROW(VaultAccessorRegister, rpc::VaultAccessorsRequest, vault_register),
    ROW(VaultAccessorDeregister, rpc::VaultAccessorsRequest, vault_deregister),
    ROW_TO_READ(ApplyPlanResults, rpc::ApplyPlanResultsRequest, plan_results),
    ROW(DeploymentStatusUpdate, rpc::DeploymentStatusUpdateRequest, deployment_status_update),
    ROW(DeploymentPromote, rpc::ApplyDeploymentPromoteRequest, deployment_promote),
    ROW(DeploymentAllocHealth, rpc::ApplyDeploymentAllocHealthRequest, deployment_alloc_health),
    ROW(DeploymentDelete, rpc::DeploymentDeleteRequest, deployment_delete),
    ROW(JobStability, JobStabilityRequest, job_stability),
    ROW(ACLPolicyUpsert, rpc::ACLPolicyUpsertRequest, acl_policy_upsert),
    ROW(ACLPolicyDelete, rpc::ACLPolicyDeleteRequest, acl_policy_delete),
    ROW(ACLTokenUpsert, rpc::ACLTokenUpsertRequest, acl_token_upsert),
    ROW(ACLTokenDelete, rpc::ACLTokenDeleteRequest, acl_token_delete),
    ROW(ACLTokenBootstrap, ACLTokenBootstrapRequest, acl_bootstrap),
    ROW(Autopilot, rpc::AutopilotSetConfigRequest, autopilot),
    ROW(UpsertNodeEvents, rpc::EmitNodeEventsRequest, upsert_node_events),
    ROW(JobBatchDeregister, rpc::JobBatchDeregisterRequest, job_batch_deregister),
    ROW(AllocUpdateDesiredTransition, rpc::AllocUpdateDesiredTransitionRequest, desired_transition),
    ROW(NodeUpdateEligibility, NodeUpdateEligibilityRequest, node_update_eligibility),
    ROW(BatchNodeUpdateDrain, rpc::BatchNodeUpdateDrainRequest, batch_node_update_drain),
    ROW(SchedulerConfig, rpc::SchedulerSetConfigRequest, scheduler_config),
    ROW(NodeBatchDeregister, rpc::NodeBatchDeregisterRequest, node_batch_deregister),
    ROW(ClusterMetadata, ClusterMetadata, cluster_metadata),
    ROW(ServiceIdentityAccessorRegister, rpc::SITokenAccessorsRequest, si_register),
    ROW(ServiceIdentityAccessorDeregister, rpc::SITokenAccessorsRequest, si_deregister),
    ROW(CSIVolumeRegister, CSIVolumeRegisterRequest, volume_register),
    ROW(CSIVolumeDeregister, rpc::CSIVolumeDeregisterRequest, volume_deregister),
    ROW(CSIVolumeClaim, rpc::CSIVolumeClaimRequest, volume_claim),
    ROW(ScalingEventRegister, rpc::ScalingEventRequest, scaling_event),
    ROW(CSIVolumeClaimBatch, rpc::CSIVolumeClaimBatchRequest, volume_claim_batch),
    ROW(CSIPluginDelete, rpc::CSIPluginDeleteRequest, plugin_delete),
    ROW_WITHOUT_BODY(EventSinkUpsert, nothing),
    ROW_WITHOUT_BODY(EventSinkDelete, nothing),
    ROW_WITHOUT_BODY(BatchEventSinkUpdateProgress, nothing),
    ROW(OneTimeTokenUpsert, OneTimeToken, one_time_token_upsert),
    ROW(OneTimeTokenDelete, rpc::OneTimeTokenDeleteRequest, one_time_token_delete),
    ROW(OneTimeTokenExpire, rpc::OneTimeTokenExpireRequest, one_time_token_expire),
    ROW(ServiceRegistrationUpsert, rpc::ServiceRegistrationUpsertRequest, services_upsert),
    ROW(ServiceRegistrationDeleteByID, rpc::ServiceRegistrationDeleteByIDRequest, service_delete),
    ROW(ServiceRegistrationDeleteByNodeID, rpc::ServiceRegistrationDeleteByNodeIDRequest, services_of_node_delete),
    ROW(VarApplyState, rpc::VarApplyStateRequest, variable),
    ROW(RootKeyMetaUpsert, rpc::KeyringUpdateRootKeyMetaRequest, root_key_upsert),
    ROW(RootKeyMetaDelete, rpc::KeyringDeleteRootKeyRequest, root_key_delete),
    ROW(ACLRolesUpsert, rpc::ACLRolesUpsertRequest, acl_roles_upsert),
    ROW(ACLRolesDeleteByID, rpc::ACLRolesDeleteByIDRequest, acl_roles_delete),
    ROW(ACLAuthMethodsUpsert, rpc::ACLAuthMethodUpsertRequest, acl_methods_upsert),
    ROW(ACLAuthMethodsDelete, rpc::ACLAuthMethodDeleteRequest, acl_methods_delete),
    ROW(ACLBindingRulesUpsert, rpc::ACLBindingRulesUpsertRequest, acl_rules_upsert),
    ROW(ACLBindingRulesDelete, rpc::ACLBindingRulesDeleteRequest, acl_rules_delete),
    ROW_WITHOUT_BODY(NodePoolUpsert, nothing),
    ROW_WITHOUT_BODY(NodePoolDelete, nothing),
    ROW(NamespaceUpsert, rpc::NamespaceUpsertRequest, namespace_upsert),
    ROW(NamespaceDelete, rpc::NamespaceDeleteRequest, namespace_delete),
    ROW_TO_READ(ApplyPlanResultsBatch, rpc::ApplyPlanResultsBatch, plan_results_batch),
    ROW_WITHOUT_BODY(Barrier, nothing),
};

}  // namespace

std::span<const EntryRow> entry_table() { return kRows; }

const EntryRow* find_entry_row(uint8_t type) {
  auto* end = std::end(kRows);
  auto* row = std::lower_bound(std::begin(kRows), end, type,
                               [](const EntryRow& r, uint8_t t) { return static_cast<uint8_t>(r.type) < t; });
  return row != end && static_cast<uint8_t>(row->type) == type ? row : nullptr;
}

}  // namespace drover::state
