// The tables of scheduling: nodes, jobs and what is kept about them, evaluations, allocations, deployments.
//
// Getters add what they looked at to `ws` when given. Lists come in key order, or in the order named; Dir::kReverse
// turns it around.
#pragma once

#include "model/alloc.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/job_records.h"
#include "model/node.h"
#include "model/state_records.h"
#include "state/table.h"

namespace drover::state {

struct NodeById {
  using Key = std::tuple<Uuid>;
  static bool key(const Node& n, Key& k) { return k = {n.ID}, true; }
};
struct NodeBySecret {
  using Key = std::tuple<Uuid, Uuid>;
  static bool key(const Node& n, Key& k) { return k = {n.SecretID, n.ID}, !n.SecretID.nil(); }
};
struct NodeTable : Table<TableId::nodes, Node, NodeById, NodeBySecret> {
  Ref<Node> get(const Uuid& id, WatchSet* ws = nullptr) const;
  Ref<Node> by_secret(const Uuid& secret, WatchSet* ws = nullptr) const;
  Rows<Node> by_prefix(const UuidPrefix& prefix, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Node> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
};

// (Namespace, ID) keys.
template <class T>
struct ByJobId {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const T& row, Key& k) {
    if constexpr (requires { row.JobID; }) k = {row.Namespace, row.JobID};
    else k = {row.Namespace, row.ID};
    return true;
  }
};

struct JobByType {
  using Key = std::tuple<SharedString, SharedString, SharedString>;  // type, key
  static bool key(const Job& j, Key& k) { return k = {j.Type, j.Namespace, j.ID}, true; }
};
struct JobByGC {
  using Key = std::tuple<bool, SharedString, SharedString>;
  static bool key(const Job& j, Key& k);
};
struct JobByPeriodic {
  using Key = std::tuple<bool, SharedString, SharedString>;
  static bool key(const Job& j, Key& k) {
    return k = {j.Periodic && j.Periodic->Enabled, j.Namespace, j.ID}, true;
  }
};
struct JobTable : Table<TableId::jobs, Job, ByJobId<Job>, JobByType, JobByGC, JobByPeriodic> {
  Ref<Job> get(std::string_view ns, std::string_view id, WatchSet* ws = nullptr) const;
  Rows<Job> by_namespace(std::string_view ns, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Job> by_prefix(std::string_view ns, std::string_view id_prefix, WatchSet* ws = nullptr) const;
  Rows<Job> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Job> by_type(std::string_view type, WatchSet* ws = nullptr) const;
  // Jobs that garbage collection may take once their evaluations are gone.
  Rows<Job> by_gc(bool collectable, WatchSet* ws = nullptr) const;
  Rows<Job> by_periodic(bool periodic, WatchSet* ws = nullptr) const;
};

struct JobSummaryTable : Table<TableId::job_summaries, JobSummary, ByJobId<JobSummary>> {
  Ref<JobSummary> get(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<JobSummary> by_prefix(std::string_view ns, std::string_view job_prefix, WatchSet* ws = nullptr) const;
  Rows<JobSummary> all(WatchSet* ws = nullptr) const;
};

struct JobVersionById {
  using Key = std::tuple<SharedString, SharedString, uint64_t>;
  static bool key(const Job& j, Key& k) { return k = {j.Namespace, j.ID, j.Version}, true; }
};
struct JobVersionTable : Table<TableId::job_versions, Job, JobVersionById> {
  Ref<Job> get(std::string_view ns, std::string_view id, uint64_t version, WatchSet* ws = nullptr) const;
  // Newest first.
  Rows<Job> by_job(std::string_view ns, std::string_view id, WatchSet* ws = nullptr, Dir dir = Dir::kReverse) const;
};

struct JobSubmissionById {
  using Key = std::tuple<SharedString, SharedString, uint64_t>;
  static bool key(const JobSubmission& s, Key& k) { return k = {s.Namespace, s.JobID, s.Version}, true; }
};
struct JobSubmissionTable : Table<TableId::job_submissions, JobSubmission, JobSubmissionById> {
  Ref<JobSubmission> get(std::string_view ns, std::string_view id, uint64_t version, WatchSet* ws = nullptr) const;
  Rows<JobSubmission> by_job(std::string_view ns, std::string_view id, WatchSet* ws = nullptr) const;
};

struct PeriodicLaunchTable : Table<TableId::periodic_launches, PeriodicLaunch, ByJobId<PeriodicLaunch>> {
  Ref<PeriodicLaunch> get(std::string_view ns, std::string_view id, WatchSet* ws = nullptr) const;
  Rows<PeriodicLaunch> all(WatchSet* ws = nullptr) const;
};

template <class T>
struct ById {
  using Key = std::tuple<Uuid>;
  static bool key(const T& row, Key& k) { return k = {row.ID}, true; }
};
template <class T>
struct ByCreate {
  using Key = std::tuple<uint64_t, Uuid>;
  static bool key(const T& row, Key& k) { return k = {row.CreateIndex, row.ID}, true; }
};
template <class T>
struct ByNamespaceCreate {
  using Key = std::tuple<SharedString, uint64_t, Uuid>;
  static bool key(const T& row, Key& k) { return k = {row.Namespace, row.CreateIndex, row.ID}, true; }
};

struct EvalByJob {
  using Key = std::tuple<SharedString, SharedString, SharedString, Uuid>;  // namespace, job, status, id
  static bool key(const Evaluation& e, Key& k) { return k = {e.Namespace, e.JobID, e.Status, e.ID}, true; }
};
struct EvalTable : Table<TableId::evals, Evaluation, ById<Evaluation>, ByCreate<Evaluation>,
                         ByNamespaceCreate<Evaluation>, EvalByJob> {
  Ref<Evaluation> get(const Uuid& id, WatchSet* ws = nullptr) const;
  Rows<Evaluation> by_prefix(const UuidPrefix& prefix, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  // In order of creation.
  Rows<Evaluation> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Evaluation> by_namespace(std::string_view ns, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Evaluation> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<Evaluation> by_job_status(std::string_view ns, std::string_view job, std::string_view status,
                                 WatchSet* ws = nullptr) const;
};

struct DeploymentByJob {
  using Key = std::tuple<SharedString, SharedString, Uuid>;
  static bool key(const Deployment& d, Key& k) { return k = {d.Namespace, d.JobID, d.ID}, true; }
};
struct DeploymentTable : Table<TableId::deployments, Deployment, ById<Deployment>, ByCreate<Deployment>,
                               ByNamespaceCreate<Deployment>, DeploymentByJob> {
  Ref<Deployment> get(const Uuid& id, WatchSet* ws = nullptr) const;
  Rows<Deployment> by_prefix(const UuidPrefix& prefix, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Deployment> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;  // in order of creation
  Rows<Deployment> by_namespace(std::string_view ns, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Deployment> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  // The one with the highest CreateIndex.
  Ref<Deployment> latest_by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
};

// Compact indexes (table.h): one more byte in an entry is a byte for each allocation of the region.
struct AllocByCreate {
  using Key = std::tuple<SharedString, uint64_t, Uuid>;    // namespace, create index, id
  using Entry = std::tuple<SharedString, uint64_t, uint64_t>;
  static bool key(const Allocation& a, Key& k) { return k = {a.Namespace, a.CreateIndex, a.ID}, true; }
  static bool holds(const Allocation&) { return true; }
  static Entry entry(const Allocation& a) { return {a.Namespace, a.CreateIndex, head_of(a.ID)}; }
  static auto range(std::string_view ns) { return std::tuple(ns); }
  static bool has(const Allocation& a, std::string_view ns) { return a.Namespace == ns; }
};
struct AllocByNode {
  using Key = std::tuple<Uuid, bool, Uuid>;  // node, terminal, id
  using Entry = std::tuple<uint64_t, uint64_t>;
  static bool key(const Allocation& a, Key& k);
  static bool holds(const Allocation& a) { return !a.NodeID.nil(); }
  static Entry entry(const Allocation& a);
  static auto range(const Uuid& node) { return std::tuple(EitherOf{fold(node)}); }
  static auto range(const Uuid& node, bool terminal) { return std::tuple((fold(node) & ~uint64_t{1}) | terminal); }
  static bool has(const Allocation& a, const Uuid& node, bool = false) { return a.NodeID == node; }
};
struct AllocByJob {
  using Key = std::tuple<SharedString, SharedString, Uuid>;
  using Entry = std::tuple<uint64_t, uint64_t>;
  static bool key(const Allocation& a, Key& k) { return k = {a.Namespace, a.JobID, a.ID}, true; }
  static bool holds(const Allocation&) { return true; }
  static Entry entry(const Allocation& a) { return {fold(a.Namespace, a.JobID), head_of(a.ID)}; }
  static auto range(std::string_view ns, std::string_view job) { return std::tuple(fold(ns, job)); }
  static bool has(const Allocation& a, std::string_view ns, std::string_view job) {
    return a.JobID == job && a.Namespace == ns;
  }
};
template <Uuid Allocation::* kMember>
struct AllocByUuid {
  using Key = std::tuple<Uuid, Uuid>;
  using Entry = std::tuple<uint64_t, uint64_t>;
  static bool key(const Allocation& a, Key& k) { return k = {a.*kMember, a.ID}, holds(a); }
  static bool holds(const Allocation& a) { return !(a.*kMember).nil(); }
  static Entry entry(const Allocation& a) { return {fold(a.*kMember), head_of(a.ID)}; }
  static auto range(const Uuid& id) { return std::tuple(fold(id)); }
  static bool has(const Allocation& a, const Uuid& id) { return a.*kMember == id; }
};
using AllocByEval = AllocByUuid<&Allocation::EvalID>;
using AllocByDeployment = AllocByUuid<&Allocation::DeploymentID>;
struct AllocBySigningKey {
  using Key = std::tuple<SharedString, bool, Uuid>;  // key id, live, id
  static bool key(const Allocation& a, Key& k);
};
struct AllocTable : Table<TableId::allocs, Allocation, ById<Allocation>, AllocByCreate, AllocByNode, AllocByJob,
                          AllocByEval, AllocByDeployment, AllocBySigningKey> {
  Ref<Allocation> get(const Uuid& id, WatchSet* ws = nullptr) const;
  Rows<Allocation> by_prefix(const UuidPrefix& prefix, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Allocation> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;  // in order of creation
  Rows<Allocation> by_namespace(std::string_view ns, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<Allocation> by_node(const Uuid& node, WatchSet* ws = nullptr) const;
  Rows<Allocation> by_node_terminal(const Uuid& node, bool terminal, WatchSet* ws = nullptr) const;
  // Every incarnation of the job; compare alloc.Job->CreateIndex for the present one.
  Rows<Allocation> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<Allocation> by_eval(const Uuid& eval, WatchSet* ws = nullptr) const;
  Rows<Allocation> by_deployment(const Uuid& deployment, WatchSet* ws = nullptr) const;
  Rows<Allocation> by_signing_key(std::string_view key_id, bool live, WatchSet* ws = nullptr) const;
};

}  // namespace drover::state
