// StateView over a snapshot of the store.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "scheduler/state_view.h"
#include "state/store.h"

namespace drover::scheduler {

class SnapshotView final : public StateView {
 public:
  explicit SnapshotView(state::Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  const state::Snapshot& snapshot() const { return snapshot_; }

  uint64_t index() const override { return snapshot_.index(); }
  void each_node(const std::function<void(const Ref<Node>&)>& fn) const override;
  Ref<Node> node(const Uuid& id) const override;
  Ref<Job> job(std::string_view ns, std::string_view id) const override;
  Ref<Job> job_version(std::string_view ns, std::string_view id, uint64_t version) const override;
  std::vector<Ref<Allocation>> allocs_by_job(std::string_view ns, std::string_view id) const override;
  std::vector<Ref<Allocation>> allocs_by_node(const Uuid& node) const override;
  Ref<Allocation> alloc(const Uuid& id) const override;
  std::vector<Ref<Deployment>> deployments_by_job(std::string_view ns, std::string_view id) const override;
  Ref<Deployment> latest_deployment(std::string_view ns, std::string_view id) const override;
  Ref<SchedulerConfiguration> scheduler_config() const override;
  Ref<CSIVolume> csi_volume(std::string_view ns, std::string_view id) const override;
  std::vector<Ref<CSIVolume>> csi_volumes_by_node(const Uuid& node) const override;
  bool changes(const StateView& older, const std::function<void(const Uuid&)>& node, const AllocChange& alloc) const override;

 private:
  state::Snapshot snapshot_;
  mutable std::once_flag claims_once_;
  mutable std::unordered_map<std::string, std::vector<Ref<CSIVolume>>> claimed_on_;  // by node id
};

inline std::shared_ptr<const StateView> make_view(state::Snapshot snapshot) {
  return std::make_shared<const SnapshotView>(std::move(snapshot));
}

}  // namespace drover::scheduler
