#include "state/job_parts.h"

#include <algorithm>

namespace drover::state {
namespace {

bool same_target(const ScalingPolicy& a, const ScalingPolicy& b) {
  auto part = [&](std::string_view key) { return a.Target.get_or(key) == b.Target.get_or(key); };
  return a.Type == b.Type && part("Namespace") && part("Job") && part("Group") && part("Task");
}

// Whether a user's change of the policy is worth a write.
bool same_content(const ScalingPolicy& a, const ScalingPolicy& b) {
  return a.Policy == b.Policy && a.Min == b.Min && a.Max == b.Max && a.Enabled == b.Enabled;
}

// For a policy that came without an id: one that every replica makes alike.
std::string derived_id(const ScalingPolicy& p, uint64_t index) {
  uint64_t h = 0xcbf29ce484222325ull ^ index;
  for (auto& [k, v] : p.Target)
    for (unsigned char c : k + "=" + v + "\n") h = (h ^ c) * 0x100000001b3ull;
  Uuid id;
  for (int i = 0; i < 8; ++i) {
    id.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(h >> (8 * i));
    id.bytes[static_cast<size_t>(i + 8)] = static_cast<uint8_t>((h * 0x9e3779b97f4a7c15ull) >> (8 * i));
  }
  return id.str();
}

// In the order of scaling_policies_of.
std::vector<ScalingPolicy*> own_policies(Job& job) {
  std::vector<ScalingPolicy*> out;
  for (auto& group : job.TaskGroups) {
    if (group.Scaling) out.push_back(&*group.Scaling);
    for (auto& task : group.Tasks)
      for (auto& policy : task.ScalingPolicies) out.push_back(&policy);
  }
  return out;
}

}  // namespace

std::vector<ScalingPolicy> scaling_policies_of(const Job& job) {
  std::vector<ScalingPolicy> out;
  auto add = [&](const ScalingPolicy& policy, const TaskGroup& group, const Task* task) {
    auto& p = out.emplace_back(policy);
    p.Target.set("Namespace", job.Namespace);
    p.Target.set("Job", job.ID);
    p.Target.set("Group", group.Name);
    if (task) p.Target.set("Task", task->Name);
  };
  for (auto& group : job.TaskGroups) {
    if (group.Scaling) add(*group.Scaling, group, nullptr);
    for (auto& task : group.Tasks)
      for (auto& policy : task.ScalingPolicies) add(policy, group, &task);
  }
  return out;
}

void update_scaling_policies(Txn& txn, Job& job) {
  auto wanted = scaling_policies_of(job);
  auto stored = txn.scaling_policies()->by_job(job.Namespace, job.ID).all();
  for (auto& old : stored)
    if (std::none_of(wanted.begin(), wanted.end(), [&](auto& p) { return same_target(p, *old); }))
      txn.scaling_policies().erase(*old);
  auto own = own_policies(job);
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto& policy = wanted[i];
    auto old = std::find_if(stored.begin(), stored.end(), [&](auto& p) { return same_target(*p, policy); });
    bool changed = old == stored.end() || !same_content(**old, policy);
    if (old != stored.end()) {
      policy.ID = (*old)->ID;
      policy.CreateIndex = (*old)->CreateIndex;
      policy.ModifyIndex = (*old)->ModifyIndex;
    } else {
      if (policy.ID.empty()) policy.ID = derived_id(policy, txn.index());
      policy.CreateIndex = txn.index();
    }
    if (changed) policy.ModifyIndex = txn.index();
    own[i]->ID = policy.ID;
    own[i]->CreateIndex = policy.CreateIndex;
    own[i]->ModifyIndex = policy.ModifyIndex;
    if (changed) txn.scaling_policies().upsert(std::move(policy));
  }
}

}  // namespace drover::state
