// What a scheduler may read: one immutable state of the cluster. The store's snapshots implement it (snapshot_view.h);
// tests have a small one of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "model/alloc.h"
#include "model/config_records.h"
#include "model/deployment.h"
#include "model/job.h"
#include "model/node.h"
#include "model/volume.h"

namespace drover::scheduler {

// Implementations are immutable and may be read from any thread.
class StateView {
 public:
  virtual ~StateView() = default;

  // The index of the latest write that this state contains.
  virtual uint64_t index() const = 0;

  virtual void each_node(const std::function<void(const Ref<Node>&)>& fn) const = 0;
  virtual Ref<Node> node(const Uuid& id) const = 0;

  virtual Ref<Job> job(std::string_view ns, std::string_view id) const = 0;
  virtual Ref<Job> job_version(std::string_view ns, std::string_view id, uint64_t version) const = 0;

  // Of any job that ever had this id.
  virtual std::vector<Ref<Allocation>> allocs_by_job(std::string_view ns, std::string_view id) const = 0;
  // All, terminal ones too.
  virtual std::vector<Ref<Allocation>> allocs_by_node(const Uuid& node) const = 0;
  virtual Ref<Allocation> alloc(const Uuid& id) const = 0;

  virtual std::vector<Ref<Deployment>> deployments_by_job(std::string_view ns, std::string_view id) const = 0;
  // The one with the greatest CreateIndex; null when there is none.
  virtual Ref<Deployment> latest_deployment(std::string_view ns, std::string_view id) const = 0;

  // Null when none was ever written.
  virtual Ref<SchedulerConfiguration> scheduler_config() const = 0;

  // With the health of its plugin and its claims.
  virtual Ref<CSIVolume> csi_volume(std::string_view ns, std::string_view id) const = 0;
  // Volumes claimed by allocations of the node.
  virtual std::vector<Ref<CSIVolume>> csi_volumes_by_node(const Uuid& node) const = 0;

  // Calls `node` with every node that was added, changed or removed since `older`, and `alloc` with every allocation that was:
  // as it was and as it is, null where it was not or is no more. False: cannot tell, everything may have changed.
  using AllocChange = std::function<void(const Ref<Allocation>&, const Ref<Allocation>&)>;
  virtual bool changes(const StateView& older, const std::function<void(const Uuid&)>& node, const AllocChange& alloc) const { return false; }
};

}  // namespace drover::scheduler
