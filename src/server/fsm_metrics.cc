#include "server/fsm_metrics.h"

#include "state/fsm.h"

namespace drover::server {

std::string_view fsm_timer(std::string_view entry) {
  using enum state::EntryType;
  if (entry.empty()) return {};
  switch (static_cast<state::EntryType>(static_cast<uint8_t>(entry[0]) & static_cast<uint8_t>(~state::kIgnoreUnknown))) {
    case kClusterMetadata: return "nomad.fsm.cluster_meta";
    case kNodeRegister: return "nomad.fsm.register_node";
    case kNodeDeregister: return "nomad.fsm.deregister_node";
    case kNodeBatchDeregister: return "nomad.fsm.batch_deregister_node";
    case kNodeUpdateStatus: return "nomad.fsm.node_status_update";
    case kNodeUpdateDrain: return "nomad.fsm.node_drain_update";
    case kBatchNodeUpdateDrain: return "nomad.fsm.batch_node_drain_update";
    case kNodeUpdateEligibility: return "nomad.fsm.node_eligibility_update";
    case kJobRegister: return "nomad.fsm.register_job";
    case kJobDeregister: return "nomad.fsm.deregister_job";
    case kJobBatchDeregister: return "nomad.fsm.batch_deregister_job";
    case kEvalUpdate: return "nomad.fsm.update_eval";
    case kEvalDelete: return "nomad.fsm.delete_eval";
    case kAllocClientUpdate: return "nomad.fsm.alloc_client_update";
    case kAllocUpdateDesiredTransition: return "nomad.fsm.alloc_update_desired_transition";
    case kUpsertNodeEvents: return "nomad.fsm.upsert_node_events";
    case kVaultAccessorRegister: return "nomad.fsm.upsert_vault_accessor";
    case kVaultAccessorDeregister: return "nomad.fsm.deregister_vault_accessor";
    case kServiceIdentityAccessorRegister: return "nomad.fsm.upsert_si_accessor";
    case kServiceIdentityAccessorDeregister: return "nomad.fsm.deregister_si_accessor";
    case kApplyPlanResults: return "nomad.fsm.apply_plan_results";
    case kApplyPlanResultsBatch: return "nomad.fsm.apply_plan_results";
    case kDeploymentStatusUpdate: return "nomad.fsm.apply_deployment_status_update";
    case kDeploymentPromote: return "nomad.fsm.apply_deployment_promotion";
    case kDeploymentAllocHealth: return "nomad.fsm.apply_deployment_alloc_health";
    case kDeploymentDelete: return "nomad.fsm.apply_deployment_delete";
    case kJobStability: return "nomad.fsm.apply_job_stability";
    case kACLPolicyUpsert: return "nomad.fsm.apply_acl_policy_upsert";
    case kACLPolicyDelete: return "nomad.fsm.apply_acl_policy_delete";
    case kACLTokenUpsert: return "nomad.fsm.apply_acl_token_upsert";
    case kACLTokenDelete: return "nomad.fsm.apply_acl_token_delete";
    case kACLTokenBootstrap: return "nomad.fsm.apply_acl_token_bootstrap";
    case kOneTimeTokenUpsert: return "nomad.fsm.apply_one_time_token_upsert";
    case kOneTimeTokenDelete: return "nomad.fsm.apply_one_time_token_delete";
    case kOneTimeTokenExpire: return "nomad.fsm.apply_one_time_token_expire";
    case kAutopilot: return "nomad.fsm.autopilot";
    case kSchedulerConfig: return "nomad.fsm.apply_scheduler_config";
    case kCSIVolumeRegister: return "nomad.fsm.apply_csi_volume_register";
    case kCSIVolumeDeregister: return "nomad.fsm.apply_csi_volume_deregister";
    case kCSIVolumeClaimBatch: return "nomad.fsm.apply_csi_volume_batch_claim";
    case kCSIVolumeClaim: return "nomad.fsm.apply_csi_volume_claim";
    case kCSIPluginDelete: return "nomad.fsm.apply_csi_plugin_delete";
    case kNamespaceUpsert: return "nomad.fsm.apply_namespace_upsert";
    case kNamespaceDelete: return "nomad.fsm.apply_namespace_delete";
    case kScalingEventRegister: return "nomad.fsm.upsert_scaling_event";
    case kServiceRegistrationUpsert: return "nomad.fsm.apply_service_registration_upsert";
    case kServiceRegistrationDeleteByID: return "nomad.fsm.apply_service_registration_delete_id";
    case kServiceRegistrationDeleteByNodeID: return "nomad.fsm.apply_service_registration_delete_node_id";
    case kACLRolesUpsert: return "nomad.fsm.apply_acl_role_upsert";
    case kACLRolesDeleteByID: return "nomad.fsm.apply_acl_role_delete_by_id";
    case kACLAuthMethodsUpsert: return "nomad.fsm.apply_acl_auth_method_upsert";
    case kACLAuthMethodsDelete: return "nomad.fsm.apply_acl_auth_method_delete";
    case kACLBindingRulesUpsert: return "nomad.fsm.apply_acl_binding_rule_upsert";
    case kACLBindingRulesDelete: return "nomad.fsm.apply_acl_binding_rule_delete";
    case kVarApplyState: return "nomad.fsm.apply_sv_operation";
    case kRootKeyMetaUpsert: return "nomad.fsm.apply_root_key_meta_upsert";
    case kRootKeyMetaDelete: return "nomad.fsm.apply_root_key_meta_delete";
    default: return {};
  }
}

}  // namespace drover::server
