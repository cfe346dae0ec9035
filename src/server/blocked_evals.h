// BlockedEvals: evaluations that could not place everything, until capacity appears (reference server-core 8.5).
//
// A pure core, owned by the leader's loop. What is released is returned, for the caller to enqueue in the broker.
// Capacity that appears between an evaluation's snapshot and its arrival here is not missed: the index of the last
// change of every class is remembered and compared with the evaluation's SnapshotIndex.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/containers.h"
#include "base/time.h"
#include "base/uuid.h"
#include "model/eval.h"

namespace drover::server {

// An evaluation on its way back to the broker; with the token of the delivery under way when it was re-blocked.
struct Unblocked {
  Ref<Evaluation> eval;
  std::optional<Uuid> token;
};

struct BlockedStats {
  size_t total_blocked = 0;
  size_t total_escaped = 0;
  size_t total_quota_limit = 0;
  struct Wanted {
    int64_t cpu = 0, memory_mb = 0;  // of what the nodes had too little of
  };
  std::map<std::pair<std::string, std::string>, Wanted> by_job;    // namespace, job
  std::map<std::pair<std::string, std::string>, Wanted> by_class;  // datacenter, class of the nodes that were full
};

class BlockedEvals {
 public:
  bool enabled() const { return enabled_; }
  void set_enabled(bool on);

  // Takes the evaluation in. Returned ones missed a change of capacity and must be enqueued at once.
  std::vector<Unblocked> block(Ref<Evaluation> eval, std::optional<Uuid> token = {});

  // A node of this class gained capacity at `index`.
  std::vector<Unblocked> unblock(const std::string& computed_class, uint64_t index);
  std::vector<Unblocked> unblock_quota(const std::string& quota, uint64_t index);
  // Only the system evaluations of the node.
  std::vector<Unblocked> unblock_node(const Uuid& node_id);
  // Those that ran out of plan attempts and whose job has waited long enough: the first at once, each further one of its job
  // twice as long after the one before, up to a minute. Mostly it was another worker that took the place, and the next try
  // succeeds; a job whose plans are always refused must not keep the log busy.
  std::vector<Unblocked> unblock_failed(Monotonic now);
  // The job got all it wanted.
  void untrack(const std::string& ns, const std::string& job_id);

  // Older evaluations of jobs that have a newer one here; the caller writes them as canceled.
  std::vector<Ref<Evaluation>> take_duplicates();
  // Forgets capacity changes before `index`, so that the memory of classes stays bounded.
  void prune(uint64_t index);

  BlockedStats stats() const;

 private:
  using JobKey = std::pair<std::string, std::string>;
  struct Entry {
    Ref<Evaluation> eval;
    std::optional<Uuid> token;
  };
  struct Patience {
    Duration wait{};  // before the next release
    Monotonic due{};
  };

  bool missed_unblock(const Evaluation& e) const;
  bool replace_duplicate(const Ref<Evaluation>& eval);
  void forget(const Evaluation& e);
  std::vector<Unblocked> release(const std::vector<Uuid>& ids);

  bool enabled_ = false;
  std::map<Uuid, Entry> captured_;
  std::map<Uuid, Entry> escaped_;
  std::map<Uuid, std::map<JobKey, Uuid>> system_by_node_;  // ids are in captured_ or escaped_ too
  std::map<JobKey, Uuid> by_job_;
  std::map<JobKey, Patience> out_of_attempts_;  // jobs whose evaluations were released for that in the last minutes
  std::vector<Ref<Evaluation>> duplicates_;
  std::map<std::string, uint64_t> unblock_indexes_;        // class or quota -> index of its last change
};

}  // namespace drover::server
