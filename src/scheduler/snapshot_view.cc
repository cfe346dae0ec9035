#include "scheduler/snapshot_view.h"

#include "state/csi_ops.h"

namespace drover::scheduler {

void SnapshotView::each_node(const std::function<void(const Ref<Node>&)>& fn) const {
  for (auto& node : snapshot_.nodes().all()) fn(node);
}

Ref<Node> SnapshotView::node(const Uuid& id) const { return snapshot_.nodes().get(id); }

Ref<Job> SnapshotView::job(std::string_view ns, std::string_view id) const { return snapshot_.jobs().get(ns, id); }

Ref<Job> SnapshotView::job_version(std::string_view ns, std::string_view id, uint64_t version) const {
  return snapshot_.job_versions().get(ns, id, version);
}

std::vector<Ref<Allocation>> SnapshotView::allocs_by_job(std::string_view ns, std::string_view id) const {
  return snapshot_.allocs().by_job(ns, id).all();
}

std::vector<Ref<Allocation>> SnapshotView::allocs_by_node(const Uuid& node) const {
  return snapshot_.allocs().by_node(node).all();
}

Ref<Allocation> SnapshotView::alloc(const Uuid& id) const { return snapshot_.allocs().get(id); }

std::vector<Ref<Deployment>> SnapshotView::deployments_by_job(std::string_view ns, std::string_view id) const {
  return snapshot_.deployments().by_job(ns, id).all();
}

Ref<Deployment> SnapshotView::latest_deployment(std::string_view ns, std::string_view id) const {
  return snapshot_.deployments().latest_by_job(ns, id);
}

Ref<SchedulerConfiguration> SnapshotView::scheduler_config() const { return snapshot_.scheduler_config().get(); }

Ref<CSIVolume> SnapshotView::csi_volume(std::string_view ns, std::string_view id) const {
  auto stored = snapshot_.csi_volumes().get(ns, id);
  if (!stored) return nullptr;
  return std::make_shared<const CSIVolume>(state::with_plugin(snapshot_.state(), *stored));
}

std::vector<Ref<CSIVolume>> SnapshotView::csi_volumes_by_node(const Uuid& node) const {
  std::call_once(claims_once_, [&] {
    for (auto& volume : snapshot_.csi_volumes().all())
      for (auto* claims : {&volume->ReadClaims, &volume->WriteClaims})
        for (auto& [alloc, claim] : *claims) {
          auto& volumes = claimed_on_[claim.NodeID];
          if (volumes.empty() || volumes.back() != volume) volumes.push_back(volume);
        }
  });
  auto it = claimed_on_.find(node.str());
  return it == claimed_on_.end() ? std::vector<Ref<CSIVolume>>{} : it->second;
}

bool SnapshotView::changes(const StateView& older, const std::function<void(const Uuid&)>& node, const AllocChange& alloc) const {
  auto* before = dynamic_cast<const SnapshotView*>(&older);
  if (!before) return false;
  state::diff_nodes(before->snapshot_, snapshot_,
                    [&](const Ref<Node>& b, const Ref<Node>& a) { node(a ? a->ID : b->ID); });
  state::diff_allocs(before->snapshot_, snapshot_, alloc);
  return true;
}

}  // namespace drover::scheduler
