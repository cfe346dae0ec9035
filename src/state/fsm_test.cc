// One log that holds every type of entry: it reads back, replays to equal hashes, and survives a snapshot anywhere.
#include "model/operator_rpc.h"
#include "state/fsm.h"

#include <gtest/gtest.h>

#include <set>

#include "state/alloc_ops.h"
#include "state/fixtures.h"
#include "state/job_ops.h"
#include "state/snapshot_io.h"

namespace drover::state {
namespace {

using namespace fixtures;

struct Sample {
  EntryType type;
  std::string bytes;
  bool refused = false;
};

class LogBuilder {
 public:
  std::vector<Sample> log;

  template <class Body>
  void add(EntryType type, const Body& body, bool refused = false) {
    log.push_back({type, encode_entry(type, body, at(static_cast<int64_t>(log.size()) * 200)), refused});
  }
  void add_bare(EntryType type) { add(type, rpc::GenericWriteRequest{}); }
};

template <class T>
Ref<T> ref(T v) {
  return std::make_shared<const T>(std::move(v));
}

void add_nodes(LogBuilder& b) {
  for (uint64_t n = 1; n <= 4; ++n) {
    rpc::NodeRegisterRequest r;
    r.Node = node(n, "initializing");
    r.Node->CSINodePlugins["ebs"] = CSIInfo{.PluginID = "ebs", .Healthy = true, .Provider = "aws", .NodeInfo = CSINodeInfo{}};
    b.add(EntryType::kNodeRegister, r);
    rpc::NodeUpdateStatusRequest s;
    s.NodeID = uid(n).str();
    s.Status = "ready";
    s.UpdatedAt = 1000;
    b.add(EntryType::kNodeUpdateStatus, s);
  }
  rpc::EmitNodeEventsRequest events;
  events.NodeEvents[uid(1).str()] = {NodeEvent{.Message = "m", .Subsystem = "Driver"}};
  b.add(EntryType::kUpsertNodeEvents, events);
  rpc::NodeUpdateDrainRequest drain;
  drain.NodeID = uid(1).str();
  drain.DrainStrategy = DrainStrategy{.Deadline = 60s};
  drain.AuthToken = uid(1 + 1'000'000).str();
  b.add(EntryType::kNodeUpdateDrain, drain);
  rpc::BatchNodeUpdateDrainRequest batch;
  batch.Updates[uid(1).str()] = {};
  batch.NodeEvents[uid(1).str()] = NodeEvent{.Message = "Node drain complete", .Subsystem = "Drain"};
  b.add(EntryType::kBatchNodeUpdateDrain, batch);
  NodeUpdateEligibilityRequest eligibility;
  eligibility.NodeID = uid(1).str();
  eligibility.Eligibility = "eligible";
  b.add(EntryType::kNodeUpdateEligibility, eligibility);
  rpc::NodeDeregisterRequest gone;
  gone.NodeID = uid(3).str();
  b.add(EntryType::kNodeDeregister, gone);
  rpc::NodeBatchDeregisterRequest several;
  several.NodeIDs = {uid(4).str()};
  b.add(EntryType::kNodeBatchDeregister, several);
  several.NodeIDs = {uid(2).str(), uid(404).str()};  // nothing of it happens
  b.add(EntryType::kNodeBatchDeregister, several, true);
}

void add_jobs(LogBuilder& b) {
  rpc::JobRegisterRequest r;
  r.Job = job("web");
  r.Job->TaskGroups[0].Scaling = ScalingPolicy{.Type = "horizontal", .Max = 3};
  r.Eval = eval(100, "web");
  r.Submission = JobSubmission{.Source = "job web {}", .Format = "hcl2"};
  b.add(EntryType::kJobRegister, r);
  r = {};
  r.Job = job("cron", "batch");
  r.Job->Periodic = PeriodicConfig{.Enabled = true, .Spec = "* * * * *"};
  b.add(EntryType::kJobRegister, r);
  r = {};
  r.Job = job("cron/periodic-1700000000", "batch");
  r.Job->ParentID = "cron";
  r.Eval = eval(101, "cron/periodic-1700000000");
  b.add(EntryType::kJobRegister, r);
  rpc::EvalUpdateRequest e;
  e.Evals = {eval(100, "web", "complete"), eval(102, "web", "blocked")};
  e.Evals[0].QueuedAllocations["web"] = 2;
  b.add(EntryType::kEvalUpdate, e);
  rpc::ScalingEventRequest scale;
  scale.Namespace = "default";
  scale.JobID = "web";
  scale.TaskGroup = "web";
  scale.ScalingEvent = ScalingEvent{.Time = 1, .Count = 2};
  b.add(EntryType::kScalingEventRegister, scale);
  JobStabilityRequest stable;
  stable.Namespace = "default";
  stable.JobID = "web";
  stable.Stable = true;
  b.add(EntryType::kJobStability, stable);
}

rpc::ApplyPlanResultsRequest plan(uint64_t first, uint64_t eval_number) {
  rpc::ApplyPlanResultsRequest p;
  p.Job = ref(job("web"));
  p.EvalID = uid(eval_number);
  p.UpdatedAt = at(0).unix_nanos;
  for (uint64_t n = first; n < first + 3; ++n) {
    auto a = alloc(n, p.Job, uid(1 + n % 2), uid(eval_number));
    a.Job = nullptr;
    a.DeploymentID = uid(500);
    a.CreateTime = a.ModifyTime = at(0).unix_nanos;
    p.AllocsUpdated.push_back(ref(a));
  }
  return p;
}

void add_plans(LogBuilder& b) {
  auto p = plan(200, 100);
  Deployment d;
  d.ID = uid(500);
  d.Namespace = "default";
  d.JobID = "web";
  d.Status = "running";
  d.TaskGroups["web"] = {.ProgressDeadline = 60s, .DesiredTotal = 3};
  p.Deployment = d;
  p.PreemptionEvals = {eval(103, "web")};
  b.add(EntryType::kApplyPlanResults, p);
  rpc::ApplyPlanResultsBatch batch;
  batch.Plans = {plan(210, 100), plan(220, 999), plan(230, 102)};  // the second has no evaluation
  Allocation stop;
  stop.ID = uid(201);
  stop.DesiredDescription = "alloc is being migrated";
  batch.Plans[2].AllocsStopped.push_back(ref(stop));
  b.add(EntryType::kApplyPlanResultsBatch, batch);
  b.add(EntryType::kApplyPlanResults, plan(240, 999), true);

  rpc::AllocUpdateRequest client;
  client.Alloc = {report(uid(200), "running"), report(uid(202), "failed")};
  client.Alloc[0].DeploymentStatus = AllocDeploymentStatus{.Healthy = true, .Timestamp = at(30)};
  client.Evals = {eval(104, "web")};
  b.add(EntryType::kAllocClientUpdate, client);
  rpc::AllocUpdateDesiredTransitionRequest t;
  t.Allocs[uid(200).str()] = DesiredTransition{.Migrate = true};
  t.Evals = {eval(105, "web")};
  b.add(EntryType::kAllocUpdateDesiredTransition, t);

  rpc::ApplyDeploymentAllocHealthRequest health;
  health.DeploymentID = uid(500).str();
  health.UnhealthyAllocationIDs = {uid(210).str()};
  health.Timestamp = at(40);
  b.add(EntryType::kDeploymentAllocHealth, health);
  rpc::ApplyDeploymentPromoteRequest promote;
  promote.DeploymentID = uid(500).str();
  promote.All = true;
  promote.Eval = eval(106, "web");
  b.add(EntryType::kDeploymentPromote, promote);
  rpc::DeploymentStatusUpdateRequest status;
  status.DeploymentUpdate = DeploymentStatusUpdate{uid(500), "successful", "done"};
  status.Eval = eval(107, "web");
  b.add(EntryType::kDeploymentStatusUpdate, status);
  b.add_bare(EntryType::kReconcileJobSummaries);
  b.add_bare(EntryType::kBarrier);
  b.add_bare(EntryType::kAllocUpdate);
}

void add_config(LogBuilder& b) {
  rpc::NamespaceUpsertRequest ns;
  ns.Namespaces = {Namespace{.Name = "team", .Quota = "q"}, Namespace{.Name = "old"}};
  b.add(EntryType::kNamespaceUpsert, ns);
  rpc::NamespaceDeleteRequest gone;
  gone.Namespaces = {"old"};
  b.add(EntryType::kNamespaceDelete, gone);
  rpc::SchedulerSetConfigRequest config;
  config.Config.PauseEvalBroker = true;
  b.add(EntryType::kSchedulerConfig, config);
  rpc::AutopilotSetConfigRequest autopilot;
  autopilot.Config.MaxTrailingLogs = 250;
  b.add(EntryType::kAutopilot, autopilot);
  b.add(EntryType::kClusterMetadata, ClusterMetadata{uid(7).str(), 5});
  rpc::ServiceRegistrationUpsertRequest services;
  services.Services = {ServiceRegistration{.ID = "s1", .ServiceName = "web", .Namespace = "default", .NodeID = uid(1)},
                       ServiceRegistration{.ID = "s2", .ServiceName = "web", .Namespace = "default", .NodeID = uid(2)}};
  b.add(EntryType::kServiceRegistrationUpsert, services);
  rpc::ServiceRegistrationDeleteByIDRequest one;
  one.Namespace = "default";
  one.ID = "s1";
  b.add(EntryType::kServiceRegistrationDeleteByID, one);
  rpc::ServiceRegistrationDeleteByNodeIDRequest of_node;
  of_node.NodeID = uid(9).str();
  b.add(EntryType::kServiceRegistrationDeleteByNodeID, of_node);
  rpc::VarApplyStateRequest var;
  var.Op = "set";
  var.Var = VariableEncrypted{.Namespace = "default", .Path = "a/b", .Data = {"secret"}, .KeyID = "k"};
  b.add(EntryType::kVarApplyState, var);
  rpc::KeyringUpdateRootKeyMetaRequest key;
  for (auto id : {"k", "k2"}) {
    key.RootKeyMeta = RootKeyMeta{.KeyID = id, .Algorithm = "aes256-gcm", .State = "active"};
    b.add(EntryType::kRootKeyMetaUpsert, key);
  }
  rpc::KeyringDeleteRootKeyRequest drop;
  drop.KeyID = "k";
  b.add(EntryType::kRootKeyMetaDelete, drop);
}

void add_acl(LogBuilder& b) {
  ACLTokenBootstrapRequest boot;
  boot.Token = ACLToken{.AccessorID = "a1", .SecretID = "s1", .Type = "management"};
  b.add(EntryType::kACLTokenBootstrap, boot);
  rpc::ACLPolicyUpsertRequest policies;
  policies.Policies = {ACLPolicy{.Name = "p", .Rules = "x"}, ACLPolicy{.Name = "p2"}};
  b.add(EntryType::kACLPolicyUpsert, policies);
  rpc::ACLPolicyDeleteRequest no_policy;
  no_policy.Names = {"p2"};
  b.add(EntryType::kACLPolicyDelete, no_policy);
  rpc::ACLTokenUpsertRequest tokens;
  tokens.Tokens = {ACLToken{.AccessorID = "a2", .SecretID = "s2"}, ACLToken{.AccessorID = "a3", .SecretID = "s3"}};
  tokens.Tokens[0].ExpirationTime = at(500);
  b.add(EntryType::kACLTokenUpsert, tokens);
  rpc::ACLTokenDeleteRequest no_token;
  no_token.AccessorIDs = {"a3"};
  b.add(EntryType::kACLTokenDelete, no_token);
  rpc::ACLRolesUpsertRequest roles;
  roles.ACLRoles = {ACLRole{.ID = "r", .Name = "dev", .Policies = {{"p"}}}, ACLRole{.ID = "r2", .Name = "ops"}};
  b.add(EntryType::kACLRolesUpsert, roles);
  rpc::ACLRolesDeleteByIDRequest no_role;
  no_role.ACLRoleIDs = {"r2"};
  b.add(EntryType::kACLRolesDeleteByID, no_role);
  rpc::ACLAuthMethodUpsertRequest methods;
  methods.AuthMethods = {ACLAuthMethod{.Name = "m", .Type = "JWT"}, ACLAuthMethod{.Name = "m2"}};
  b.add(EntryType::kACLAuthMethodsUpsert, methods);
  rpc::ACLAuthMethodDeleteRequest no_method;
  no_method.Names = {"m2"};
  b.add(EntryType::kACLAuthMethodsDelete, no_method);
  rpc::ACLBindingRulesUpsertRequest rules;
  rules.ACLBindingRules = {ACLBindingRule{.ID = "b", .AuthMethod = "m"}, ACLBindingRule{.ID = "b2", .AuthMethod = "m"}};
  b.add(EntryType::kACLBindingRulesUpsert, rules);
  rpc::ACLBindingRulesDeleteRequest no_rule;
  no_rule.ACLBindingRuleIDs = {"b2"};
  b.add(EntryType::kACLBindingRulesDelete, no_rule);
  for (auto accessor : {"a1", "a2", "a9"})
    b.add(EntryType::kOneTimeTokenUpsert,
          OneTimeToken{.OneTimeSecretID = std::string("x") + accessor, .AccessorID = accessor, .ExpiresAt = at(1)});
  rpc::OneTimeTokenDeleteRequest no_ott;
  no_ott.AccessorIDs = {"a2"};
  b.add(EntryType::kOneTimeTokenDelete, no_ott);
  b.add(EntryType::kOneTimeTokenExpire, rpc::OneTimeTokenExpireRequest{});
  b.add(EntryType::kOneTimeTokenUpsert, OneTimeToken{.OneTimeSecretID = "x", .AccessorID = "a1", .ExpiresAt = at(99999)});

  rpc::VaultAccessorsRequest vault;
  vault.Accessors = {VaultAccessor{.AllocID = "al", .Accessor = "v1"}, VaultAccessor{.AllocID = "al", .Accessor = "v2"}};
  b.add(EntryType::kVaultAccessorRegister, vault);
  vault.Accessors = {vault.Accessors[1]};
  b.add(EntryType::kVaultAccessorDeregister, vault);
  rpc::SITokenAccessorsRequest si;
  si.Accessors = {SITokenAccessor{.NodeID = "n", .AccessorID = "i1"}, SITokenAccessor{.AccessorID = "i2"}};
  b.add(EntryType::kServiceIdentityAccessorRegister, si);
  si.Accessors = {si.Accessors[1]};
  b.add(EntryType::kServiceIdentityAccessorDeregister, si);
}

void add_volumes(LogBuilder& b) {
  CSIVolumeRegisterRequest r;
  for (auto id : {"v1", "v2"}) r.Volumes.push_back(CSIVolume{.ID = id, .Namespace = "default", .PluginID = "ebs"});
  b.add(EntryType::kCSIVolumeRegister, r);
  rpc::CSIVolumeClaimRequest claim;
  claim.Namespace = "default";
  claim.VolumeID = "v1";
  claim.AllocationID = uid(200).str();
  claim.AccessMode = "multi-node-multi-writer";
  claim.AttachmentMode = "file-system";
  claim.Claim = 1;
  b.add(EntryType::kCSIVolumeClaim, claim);
  rpc::CSIVolumeClaimBatchRequest batch;
  batch.Claims = {claim, claim};
  batch.Claims[0].AllocationID = uid(210).str();
  batch.Claims[1].VolumeID = "missing";
  b.add(EntryType::kCSIVolumeClaimBatch, batch);
  rpc::CSIVolumeDeregisterRequest gone;
  gone.Namespace = "default";
  gone.VolumeIDs = {"v2"};
  b.add(EntryType::kCSIVolumeDeregister, gone);
  rpc::CSIPluginDeleteRequest plugin;
  plugin.ID = "nope";
  b.add(EntryType::kCSIPluginDelete, plugin);
}

void add_ends(LogBuilder& b) {
  rpc::EvalReapRequest reap;
  reap.Evals = {uid(102)};
  reap.Allocs = {uid(201)};
  b.add(EntryType::kEvalDelete, reap);
  reap = {};
  reap.Filter = R"(Status == "pending" and JobID == "cron/periodic-1700000000")";
  reap.UserInitiated = true;
  b.add(EntryType::kEvalDelete, reap);
  rpc::JobDeregisterRequest stop;
  stop.Namespace = "default";
  stop.JobID = "web";
  stop.NoShutdownDelay = true;
  stop.Eval = eval(108, "web");
  b.add(EntryType::kJobDeregister, stop);
  stop.JobID = "unknown";  // the evaluation is written all the same
  stop.Eval = eval(109, "unknown");
  b.add(EntryType::kJobDeregister, stop);
  rpc::JobBatchDeregisterRequest batch;
  batch.Jobs = {{"default", "cron", true}};
  batch.Evals = {eval(110, "cron")};
  b.add(EntryType::kJobBatchDeregister, batch);
  rpc::DeploymentDeleteRequest deployments;
  deployments.Deployments = {uid(501)};
  b.add(EntryType::kDeploymentDelete, deployments);
  for (auto t : {EntryType::kEventSinkUpsert, EntryType::kEventSinkDelete, EntryType::kBatchEventSinkUpdateProgress,
                 EntryType::kNodePoolUpsert, EntryType::kNodePoolDelete})
    b.add_bare(t);
}

const std::vector<Sample>& sample_log() {
  static const std::vector<Sample> log = [] {
    LogBuilder b;
    add_nodes(b);
    add_jobs(b);
    add_plans(b);
    add_config(b);
    add_acl(b);
    add_volumes(b);
    add_ends(b);
    return b.log;
  }();
  return log;
}

uint64_t index_of(size_t i) { return 10 + i; }

// The hash after each entry.
std::vector<uint64_t> replay(Store& store, size_t from = 0) {
  std::vector<uint64_t> hashes;
  Fsm fsm(store);
  auto& log = sample_log();
  for (size_t i = from; i < log.size(); ++i) {
    fsm.apply(index_of(i), log[i].bytes);
    hashes.push_back(state_hash(store.snapshot()));
  }
  return hashes;
}

std::string snapshot_of(const Store& store, SnapshotStyle style) {
  std::string bytes;
  EXPECT_TRUE(write_snapshot(store.snapshot(), [&](std::string_view chunk) { return bytes += chunk, Status(); }, style));
  return bytes;
}

// Hands the bytes out in small pieces.
SnapshotSource pieces(std::string_view& bytes, size_t piece) {
  return [&bytes, piece](char* into, size_t size) -> Result<size_t> {
    size_t n = std::min({size, piece, bytes.size()});
    std::memcpy(into, bytes.data(), n);
    bytes.remove_prefix(n);
    return n;
  };
}

Status restore(Store& store, std::string_view bytes, size_t piece = 1000) {
  return restore_snapshot(store, pieces(bytes, piece));
}

TEST(Log, TheTableIsInOrderAndEveryTypeHasASample) {
  std::set<uint8_t> sampled, types;
  for (auto& s : sample_log()) sampled.insert(static_cast<uint8_t>(s.type));
  int last = -1;
  for (auto& row : entry_table()) {
    EXPECT_GT(static_cast<int>(row.type), last) << row.name;
    last = static_cast<int>(row.type);
    EXPECT_TRUE(sampled.contains(static_cast<uint8_t>(row.type))) << row.name;
    EXPECT_EQ(find_entry_row(static_cast<uint8_t>(row.type)), &row);
  }
}

TEST(Log, EntriesReadBackAsTheyWereWritten) {
  for (auto& s : sample_log()) {
    auto entry = parse_entry(s.bytes);
    ASSERT_TRUE(entry);
    auto* row = find_entry_row(entry->type);
    ASSERT_TRUE(row);
    if (!row->body) continue;
    // Through a dynamic value: the body holds every field that was set, and decodes to it again.
    auto dynamic = from_msgpack<Value>(entry->body);
    ASSERT_TRUE(dynamic) << row->name;
    EXPECT_EQ(to_msgpack(*dynamic), entry->body) << row->name;
  }
}

TEST(Log, AppliesAsExpectedAndReplaysToEqualHashes) {
  Store a, b;
  Fsm fsm(a);
  auto& log = sample_log();
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < log.size(); ++i) {
    auto out = fsm.apply(index_of(i), log[i].bytes);
    auto name = find_entry_row(static_cast<uint8_t>(log[i].type))->name;
    EXPECT_EQ(out.error.has_value(), log[i].refused) << name << ": " << (out.error ? out.error->message : "accepted");
    EXPECT_EQ(a.snapshot().index(), index_of(i));
    hashes.push_back(state_hash(a.snapshot()));
  }
  EXPECT_EQ(replay(b), hashes);
  // Every table that entries can fill has rows: the hash covers them.
  auto s = a.snapshot();
  EXPECT_GT(s.csi_volumes().size() * s.variables().size() * s.acl_roles().size() * s.services().size() *
                s.one_time_tokens().size() * s.vault_accessors().size() * s.job_submissions().size() *
                s.scaling_policies().size() * s.cluster_meta().size() * s.autopilot_config().size(),
            0u);
}

// A proposer that has the body at hand: the state, the refusals and the effects are those of the bytes, and the body is as before.
TEST(Log, ABodyAtHandDoesWhatItsBytesDo) {
  Store a, b;
  Fsm by_bytes(a), by_body(b);
  auto& log = sample_log();
  auto body_of = [](const Sample& s) -> std::shared_ptr<void> {
    auto body = parse_entry(s.bytes)->body;
    auto read = [&]<class Body>(Body) -> std::shared_ptr<void> {
      auto value = std::make_shared<Body>();
      EXPECT_TRUE(msgpack_decode(type_of<Body>(), value.get(), body));
      return value;
    };
    switch (s.type) {
      case EntryType::kAllocClientUpdate: return read(rpc::AllocUpdateRequest());
      case EntryType::kApplyPlanResults: return read(rpc::ApplyPlanResultsRequest());
      case EntryType::kApplyPlanResultsBatch: return read(rpc::ApplyPlanResultsBatch());
      default: return nullptr;
    }
  };
  int given = 0;
  for (size_t i = 0; i < log.size(); ++i) {
    auto* row = find_entry_row(static_cast<uint8_t>(log[i].type));
    auto body = body_of(log[i]);
    EXPECT_EQ(body != nullptr, row->apply_body != nullptr) << row->name;
    auto x = by_bytes.apply(index_of(i), log[i].bytes);
    // Bytes that say nothing: what is applied is the body.
    auto y = by_body.apply(index_of(i), body ? std::string_view(log[i].bytes).substr(0, log[i].bytes.size() - parse_entry(log[i].bytes)->body.size()) : log[i].bytes, body.get());
    EXPECT_EQ(x.error.has_value(), y.error.has_value()) << row->name;
    EXPECT_EQ(x.parts.size(), y.parts.size()) << row->name;
    EXPECT_EQ(x.effects.evals.size(), y.effects.evals.size()) << row->name;
    EXPECT_EQ(x.effects.capacity.size(), y.effects.capacity.size()) << row->name;
    ASSERT_EQ(state_hash(a.snapshot()), state_hash(b.snapshot())) << row->name;
    if (!body) continue;
    ++given;
    std::string again;
    msgpack_encode(row->body(), body.get(), again, {.omit_default = true});
    EXPECT_EQ(again, parse_entry(log[i].bytes)->body) << row->name;
  }
  EXPECT_GE(given, 3);
}

TEST(Log, EntriesOfPlansAreMadeFromTheirParts) {
  auto stamp = Time::from_unix_nanos(1'700'000'000'000'000'007);
  for (size_t n : {1, 2, 15, 16, 300}) {
    rpc::ApplyPlanResultsBatch batch;
    std::vector<std::string> parts;
    for (size_t i = 0; i < n; ++i) {
      auto& plan = batch.Plans.emplace_back();
      plan.EvalID = uid(i + 1);
      plan.UpdatedAt = static_cast<int64_t>(i);
      parts.push_back(encode_body(plan));
    }
    EXPECT_EQ(plans_entry(parts, stamp), encode_entry(EntryType::kApplyPlanResultsBatch, batch, stamp)) << n;
    EXPECT_EQ(plan_entry(parts[0], stamp), encode_entry(EntryType::kApplyPlanResults, batch.Plans[0], stamp));
  }
}

TEST(Log, ARefusedEntryChangesNothingButTheIndex) {
  Store store;
  replay(store);
  auto before = store.snapshot();
  rpc::NodeBatchDeregisterRequest r;
  r.NodeIDs = {uid(2).str(), uid(404).str()};
  auto out = Fsm(store).apply(before.index() + 1, encode_entry(EntryType::kNodeBatchDeregister, r, before.stamp()));
  ASSERT_TRUE(out.error);
  EXPECT_EQ(state_hash(store.snapshot()), state_hash(before));
  EXPECT_EQ(store.snapshot().index(), before.index() + 1);
}

TEST(Log, PartsOfABatchFailAlone) {
  Store store;
  Fsm fsm(store);
  auto& log = sample_log();
  for (size_t i = 0; i < log.size(); ++i) {
    auto out = fsm.apply(index_of(i), log[i].bytes);
    if (log[i].type != EntryType::kApplyPlanResultsBatch) continue;
    ASSERT_EQ(out.parts.size(), 3u);
    EXPECT_FALSE(out.parts[0]);
    EXPECT_EQ(out.parts[1]->message, "unable to find eval id \"" + uid(999).str() + "\"");
    EXPECT_FALSE(out.parts[2]);
    EXPECT_TRUE(store.snapshot().allocs().get(uid(212)));
    EXPECT_FALSE(store.snapshot().allocs().get(uid(222)));
    EXPECT_TRUE(store.snapshot().allocs().get(uid(232)));
  }
}

TEST(Log, EffectsForTheLeader) {
  Store store;
  Fsm fsm(store);
  auto& log = sample_log();
  std::map<EntryType, Outcome> outs;
  for (size_t i = 0; i < log.size(); ++i) outs[log[i].type] = fsm.apply(index_of(i), log[i].bytes);
  EXPECT_EQ(outs[EntryType::kNodeUpdateStatus].effects.capacity[0].node_class, "v1:1");
  EXPECT_EQ(outs[EntryType::kNodeUpdateEligibility].effects.capacity[0].node, uid(1));
  auto& client = outs[EntryType::kAllocClientUpdate].effects;
  ASSERT_EQ(client.capacity.size(), 1u);  // of the failed one
  EXPECT_EQ(client.capacity[0].node, uid(1));
  EXPECT_EQ(client.evals[0]->ID, uid(104));
  EXPECT_EQ(outs[EntryType::kJobRegister].effects.periodic_add[0]->ParentID, "cron");
  EXPECT_EQ(outs[EntryType::kJobBatchDeregister].effects.periodic_remove[0].second, "cron");
  EXPECT_EQ(outs[EntryType::kVarApplyState].variable->Result, "ok");
}

TEST(Log, PeriodicLaunchesAreRecorded) {
  Store store;
  Fsm fsm(store);
  auto& log = sample_log();
  std::vector<Time> launches;
  for (size_t i = 0; i < log.size(); ++i) {
    fsm.apply(index_of(i), log[i].bytes);
    if (log[i].type != EntryType::kJobRegister) continue;
    if (auto row = store.snapshot().periodic_launches().get("default", "cron")) launches.push_back(row->Launch);
  }
  ASSERT_EQ(launches.size(), 2u);
  EXPECT_EQ(launches[1], Time::from_unix_seconds(1700000000));
}

TEST(Log, UnknownTypes) {
  Store store;
  Fsm fsm(store);
  std::string entry = encode_entry(EntryType::kNodePoolUpsert, rpc::GenericWriteRequest{}, at(0));
  entry[0] = static_cast<char>(77);
  EXPECT_EQ(fsm.apply(5, entry).error->code, ErrorCode::kNotImplemented);
  entry[0] = static_cast<char>(77 | kIgnoreUnknown);
  EXPECT_FALSE(fsm.apply(6, entry).error);
  EXPECT_EQ(store.snapshot().index(), 6u);
  EXPECT_EQ(fsm.apply(7, "").error->code, ErrorCode::kCorrupt);
  EXPECT_EQ(fsm.apply(8, std::string("\x00\x01\xc4", 3)).error->code, ErrorCode::kCorrupt);
}

TEST(SnapshotStream, NativeRestoresToAnEqualHashAnywhereInTheLog) {
  auto& log = sample_log();
  Store reference;
  auto hashes = replay(reference);
  Store store;
  Fsm fsm(store);
  for (size_t i = 0; i < log.size(); ++i) {
    fsm.apply(index_of(i), log[i].bytes);
    if (i % 9 != 4 && i + 1 != log.size()) continue;
    auto bytes = snapshot_of(store, SnapshotStyle::kNative);
    Store restored;
    ASSERT_TRUE(restore(restored, bytes));
    ASSERT_EQ(state_hash(restored.snapshot()), hashes[i]) << "after entry " << i;
    EXPECT_EQ(restored.snapshot().index(), index_of(i));
    auto rest = replay(restored, i + 1);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), hashes.begin() + static_cast<ptrdiff_t>(i) + 1));
  }
}

TEST(SnapshotStream, RestoredAllocationsShareTheirJobs) {
  Store store, restored, from_reference;
  replay(store);
  ASSERT_TRUE(restore(restored, snapshot_of(store, SnapshotStyle::kNative)));
  ASSERT_TRUE(restore(from_reference, snapshot_of(store, SnapshotStyle::kReference)));
  for (auto* s : {&restored, &from_reference}) {
    auto snap = s->snapshot();
    auto version = snap.job_versions().get("default", "web", 0);
    ASSERT_TRUE(version);
    size_t shared = 0;
    for (auto& a : snap.allocs().by_job("default", "web")) shared += a->Job == snap.allocs().get(uid(200))->Job;
    EXPECT_EQ(shared, snap.allocs().size());
  }
}

TEST(SnapshotStream, TheReferencesStyleHasItsRecordsOnly) {
  Store store, restored;
  replay(store);
  auto bytes = snapshot_of(store, SnapshotStyle::kReference);
  EXPECT_EQ(bytes[0], '\x80');
  EXPECT_EQ(bytes[1], 5);  // the time table comes first
  ASSERT_TRUE(restore(restored, bytes));
  auto a = store.snapshot(), b = restored.snapshot();
  EXPECT_EQ(b.job_submissions().size() + b.one_time_tokens().size() + b.autopilot_config().size(), 0u);
  EXPECT_EQ(a.allocs().size(), b.allocs().size());
  EXPECT_EQ(to_msgpack(*a.allocs().get(uid(200))), to_msgpack(*b.allocs().get(uid(200))));
  EXPECT_EQ(b.index(), a.latest_index());
  EXPECT_EQ(b->acl_bootstrap_index, a->acl_bootstrap_index);
  EXPECT_EQ(a.table_index(TableId::csi_volumes), b.table_index(TableId::csi_volumes));
}

TEST(SnapshotStream, DamageIsRefusedAndLeavesTheStoreAlone) {
  Store store, target;
  replay(store);
  auto bytes = snapshot_of(store, SnapshotStyle::kNative);
  auto before = state_hash(target.snapshot());
  auto cut = restore(target, std::string_view(bytes).substr(0, bytes.size() - 3));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(cut.error().message, "snapshot ends within a record");
  auto unknown = restore(target, bytes + "\x2a\x80");
  EXPECT_EQ(unknown.error().message, "Unrecognized snapshot type: 42");
  EXPECT_EQ(state_hash(target.snapshot()), before);
}

TEST(SnapshotStream, TornIntoSingleBytesItReadsTheSame) {
  Store store, restored;
  replay(store);
  ASSERT_TRUE(restore(restored, snapshot_of(store, SnapshotStyle::kNative), 1));
  EXPECT_EQ(state_hash(store.snapshot()), state_hash(restored.snapshot()));
}

// Enough for the threads that decode beside the reader.
void fill_with_allocs(Store& store, uint64_t n) {
  Txn txn = store.begin(5, at(0));
  for (auto id : {"web", "api"}) ASSERT_TRUE(upsert_job(txn, job(id)));
  std::vector<Allocation> allocs;
  auto metrics = std::make_shared<const AllocMetric>(AllocMetric{.NodesEvaluated = 3});
  for (uint64_t i = 0; i < n; ++i) {
    auto& a = allocs.emplace_back(alloc(i + 1, txn.jobs()->get("default", i % 2 ? "web" : "api"), uid(i % 7 + 1), uid(9)));
    a.Metrics = i % 3 ? metrics : std::make_shared<const AllocMetric>(AllocMetric{.NodesEvaluated = static_cast<int64_t>(i)});
  }
  ASSERT_TRUE(upsert_allocs(txn, std::move(allocs)));
  store.publish(std::move(txn));
}

TEST(SnapshotStream, ManyAllocationsKeepTheirSharedParts) {
  Store store, restored;
  fill_with_allocs(store, 5000);
  auto bytes = snapshot_of(store, SnapshotStyle::kNative);
  EXPECT_LT(bytes.size(), 5000u * 320);
  ASSERT_TRUE(restore(restored, bytes, 10'000));
  auto a = store.snapshot(), b = restored.snapshot();
  ASSERT_EQ(state_hash(a), state_hash(b));
  auto one = b.allocs().get(uid(2)), two = b.allocs().get(uid(8));
  EXPECT_EQ(one->Job, b.job_versions().get("default", "web", 0));
  EXPECT_EQ(one->Job, two->Job);
  EXPECT_EQ(one->Metrics, two->Metrics);
  EXPECT_EQ(one->AllocatedResources, two->AllocatedResources);
  Store plain;
  ASSERT_TRUE(restore(plain, snapshot_of(store, SnapshotStyle::kReference), 10'000));
  EXPECT_EQ(to_msgpack(*plain.snapshot().allocs().get(uid(77))), to_msgpack(*a.allocs().get(uid(77))));
}

TEST(SnapshotStream, DamageAmongManyAllocationsIsRefused) {
  Store store, target;
  fill_with_allocs(store, 5000);
  auto bytes = snapshot_of(store, SnapshotStyle::kNative);
  auto broken = bytes;
  auto at = broken.find("ClientStatus", broken.size() / 2);  // a name becomes a number: the value before it is ill-typed
  ASSERT_NE(at, std::string::npos);
  broken[at + 12] = '\x05';
  auto status = restore(target, broken, 10'000);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(target.snapshot().allocs().size(), 0u);
  // The parts are gone: numbers that lead nowhere.
  std::string nowhere = "\x80\x5f\x94\x01";
  nowhere += std::string("\x00\x00\x80", 3);
  auto missing = restore(target, nowhere);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "an allocation names a part that is not in the snapshot");
}

TEST(SnapshotStream, ActiveDeploymentsOfMissingJobsEnd) {
  Store store, restored;
  Txn txn = store.begin(5, at(0));
  Deployment d;
  d.ID = uid(1);
  d.Namespace = "default";
  d.JobID = "gone";
  d.Status = "running";
  txn.deployments().upsert(d);
  store.publish(std::move(txn));
  ASSERT_TRUE(restore(restored, snapshot_of(store, SnapshotStyle::kReference)));
  EXPECT_EQ(restored.snapshot().deployments().get(uid(1))->Status, "cancelled");
  EXPECT_EQ(restored.snapshot().deployments().get(uid(1))->StatusDescription, "Cancelled because job is stopped");
}

}  // namespace
}  // namespace drover::state
