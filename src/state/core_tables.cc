#include "state/core_tables.h"

#include <algorithm>
#include <vector>

#include "model/job_kind.h"
#include "model/status.h"
#include "state/table_impl.h"

namespace drover::state {

Ref<Node> NodeTable::get(const Uuid& id, WatchSet* ws) const { return find(ws, id); }
Ref<Node> NodeTable::by_secret(const Uuid& secret, WatchSet* ws) const {
  return by<NodeBySecret>(ws, Dir::kForward, secret).next();
}
Rows<Node> NodeTable::by_prefix(const UuidPrefix& prefix, WatchSet* ws, Dir dir) const { return scan(ws, dir, prefix); }
Rows<Node> NodeTable::all(WatchSet* ws, Dir dir) const { return scan(ws, dir); }

bool JobByGC::key(const Job& j, Key& k) {
  bool recurring = (j.Periodic && j.Periodic->Enabled) || is_parameterized(j);
  bool finite = j.Type == job_type::kBatch || j.Type == job_type::kSysbatch;
  bool collectable = recurring ? j.Stop : j.Status == "dead" && (j.Stop || finite);
  k = {collectable, j.Namespace, j.ID};
  return true;
}

Ref<Job> JobTable::get(std::string_view ns, std::string_view id, WatchSet* ws) const { return find(ws, ns, id); }
Rows<Job> JobTable::by_namespace(std::string_view ns, WatchSet* ws, Dir dir) const { return scan(ws, dir, ns); }
Rows<Job> JobTable::by_prefix(std::string_view ns, std::string_view id_prefix, WatchSet* ws) const {
  return scan(ws, Dir::kForward, ns, Prefix{id_prefix});
}
Rows<Job> JobTable::all(WatchSet* ws, Dir dir) const { return scan(ws, dir); }
Rows<Job> JobTable::by_type(std::string_view type, WatchSet* ws) const {
  return by<JobByType>(ws, Dir::kForward, type);
}
Rows<Job> JobTable::by_gc(bool collectable, WatchSet* ws) const {
  return by<JobByGC>(ws, Dir::kForward, collectable);
}
Rows<Job> JobTable::by_periodic(bool periodic, WatchSet* ws) const {
  return by<JobByPeriodic>(ws, Dir::kForward, periodic);
}

Ref<JobSummary> JobSummaryTable::get(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return find(ws, ns, job);
}
Rows<JobSummary> JobSummaryTable::by_prefix(std::string_view ns, std::string_view prefix, WatchSet* ws) const {
  return scan(ws, Dir::kForward, ns, Prefix{prefix});
}
Rows<JobSummary> JobSummaryTable::all(WatchSet* ws) const { return scan(ws, Dir::kForward); }

Ref<Job> JobVersionTable::get(std::string_view ns, std::string_view id, uint64_t version, WatchSet* ws) const {
  return find(ws, ns, id, version);
}
Rows<Job> JobVersionTable::by_job(std::string_view ns, std::string_view id, WatchSet* ws, Dir dir) const {
  return scan(ws, dir, ns, id);
}

Ref<JobSubmission> JobSubmissionTable::get(std::string_view ns, std::string_view id, uint64_t version,
                                           WatchSet* ws) const {
  return find(ws, ns, id, version);
}
Rows<JobSubmission> JobSubmissionTable::by_job(std::string_view ns, std::string_view id, WatchSet* ws) const {
  return scan(ws, Dir::kForward, ns, id);
}

Ref<PeriodicLaunch> PeriodicLaunchTable::get(std::string_view ns, std::string_view id, WatchSet* ws) const {
  return find(ws, ns, id);
}
Rows<PeriodicLaunch> PeriodicLaunchTable::all(WatchSet* ws) const { return scan(ws, Dir::kForward); }

Ref<Evaluation> EvalTable::get(const Uuid& id, WatchSet* ws) const { return find(ws, id); }
Rows<Evaluation> EvalTable::by_prefix(const UuidPrefix& p, WatchSet* ws, Dir dir) const { return scan(ws, dir, p); }
Rows<Evaluation> EvalTable::all(WatchSet* ws, Dir dir) const { return by<ByCreate<Evaluation>>(ws, dir); }
Rows<Evaluation> EvalTable::by_namespace(std::string_view ns, WatchSet* ws, Dir dir) const {
  return by<ByNamespaceCreate<Evaluation>>(ws, dir, ns);
}
Rows<Evaluation> EvalTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<EvalByJob>(ws, Dir::kForward, ns, job);
}
Rows<Evaluation> EvalTable::by_job_status(std::string_view ns, std::string_view job, std::string_view status,
                                          WatchSet* ws) const {
  return by<EvalByJob>(ws, Dir::kForward, ns, job, status);
}

Ref<Deployment> DeploymentTable::get(const Uuid& id, WatchSet* ws) const { return find(ws, id); }
Rows<Deployment> DeploymentTable::by_prefix(const UuidPrefix& p, WatchSet* ws, Dir dir) const {
  return scan(ws, dir, p);
}
Rows<Deployment> DeploymentTable::all(WatchSet* ws, Dir dir) const { return by<ByCreate<Deployment>>(ws, dir); }
Rows<Deployment> DeploymentTable::by_namespace(std::string_view ns, WatchSet* ws, Dir dir) const {
  return by<ByNamespaceCreate<Deployment>>(ws, dir, ns);
}
Rows<Deployment> DeploymentTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<DeploymentByJob>(ws, Dir::kForward, ns, job);
}
Ref<Deployment> DeploymentTable::latest_by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  Ref<Deployment> latest;
  for (auto& d : by_job(ns, job, ws))
    if (!latest || d->CreateIndex > latest->CreateIndex) latest = d;
  return latest;
}

bool AllocByNode::key(const Allocation& a, Key& k) {
  k = {a.NodeID, is_terminal(a), a.ID};
  return !a.NodeID.nil();
}
AllocByNode::Entry AllocByNode::entry(const Allocation& a) {
  return {(fold(a.NodeID) & ~uint64_t{1}) | is_terminal(a), head_of(a.ID)};
}
bool AllocBySigningKey::key(const Allocation& a, Key& k) {
  k = {a.SigningKeyID, !(is_client_terminal(a) && is_server_terminal(a)), a.ID};
  return !a.SigningKeyID.empty();
}

Ref<Allocation> AllocTable::get(const Uuid& id, WatchSet* ws) const { return find(ws, id); }
Rows<Allocation> AllocTable::by_prefix(const UuidPrefix& p, WatchSet* ws, Dir dir) const { return scan(ws, dir, p); }
Rows<Allocation> AllocTable::by_namespace(std::string_view ns, WatchSet* ws, Dir dir) const {
  return by<AllocByCreate>(ws, dir, ns);
}

namespace {

// Merges the namespaces' allocations into one order of creation.
class AllInCreation final : public Rows<Allocation>::Source {
  struct Waiting {
    Ref<Allocation> row;
    size_t from;
  };
  // Whether a comes out after b.
  auto later() const {
    return [this](const Waiting& a, const Waiting& b) {
      std::tuple x(a.row->CreateIndex, a.row->ID), y(b.row->CreateIndex, b.row->ID);
      return dir_ == Dir::kForward ? y < x : x < y;
    };
  }

 public:
  AllInCreation(std::vector<Rows<Allocation>> namespaces, Dir dir) : dir_(dir), namespaces_(std::move(namespaces)) {
    for (size_t i = 0; i < namespaces_.size(); ++i) pull(i);
  }
  const Ref<Allocation>* next() override {
    if (waiting_.empty()) return nullptr;
    std::pop_heap(waiting_.begin(), waiting_.end(), later());
    current_ = std::move(waiting_.back().row);
    size_t from = waiting_.back().from;
    waiting_.pop_back();
    pull(from);
    return &current_;
  }

 private:
  void pull(size_t i) {
    auto row = namespaces_[i].next();
    if (!row) return;
    waiting_.push_back({std::move(row), i});
    std::push_heap(waiting_.begin(), waiting_.end(), later());
  }

  Dir dir_;
  std::vector<Rows<Allocation>> namespaces_;
  std::vector<Waiting> waiting_;
  Ref<Allocation> current_;
};

}  // namespace

Rows<Allocation> AllocTable::all(WatchSet* ws, Dir dir) const {
  watch_by<AllocByCreate>(ws);
  std::vector<Rows<Allocation>> namespaces;
  for (auto& ns : first_parts<AllocByCreate>()) namespaces.push_back(by_namespace(ns, nullptr, dir));
  if (namespaces.size() == 1) return std::move(namespaces[0]);
  return Rows<Allocation>(std::make_unique<AllInCreation>(std::move(namespaces), dir));
}
Rows<Allocation> AllocTable::by_node(const Uuid& node, WatchSet* ws) const {
  return by<AllocByNode>(ws, Dir::kForward, node);
}
Rows<Allocation> AllocTable::by_node_terminal(const Uuid& node, bool is_terminal, WatchSet* ws) const {
  return by<AllocByNode>(ws, Dir::kForward, node, is_terminal);
}
Rows<Allocation> AllocTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<AllocByJob>(ws, Dir::kForward, ns, job);
}
Rows<Allocation> AllocTable::by_eval(const Uuid& eval, WatchSet* ws) const {
  return by<AllocByEval>(ws, Dir::kForward, eval);
}
Rows<Allocation> AllocTable::by_deployment(const Uuid& deployment, WatchSet* ws) const {
  return by<AllocByDeployment>(ws, Dir::kForward, deployment);
}
Rows<Allocation> AllocTable::by_signing_key(std::string_view key_id, bool live, WatchSet* ws) const {
  return by<AllocBySigningKey>(ws, Dir::kForward, key_id, live);
}

template class Table<TableId::nodes, Node, NodeById, NodeBySecret>;
template class Table<TableId::jobs, Job, ByJobId<Job>, JobByType, JobByGC, JobByPeriodic>;
template class Table<TableId::job_summaries, JobSummary, ByJobId<JobSummary>>;
template class Table<TableId::job_versions, Job, JobVersionById>;
template class Table<TableId::job_submissions, JobSubmission, JobSubmissionById>;
template class Table<TableId::periodic_launches, PeriodicLaunch, ByJobId<PeriodicLaunch>>;
template class Table<TableId::evals, Evaluation, ById<Evaluation>, ByCreate<Evaluation>, ByNamespaceCreate<Evaluation>,
                     EvalByJob>;
template class Table<TableId::deployments, Deployment, ById<Deployment>, ByCreate<Deployment>,
                     ByNamespaceCreate<Deployment>, DeploymentByJob>;
template class Table<TableId::allocs, Allocation, ById<Allocation>, AllocByCreate, AllocByNode, AllocByJob, AllocByEval,
                     AllocByDeployment, AllocBySigningKey>;

}  // namespace drover::state
