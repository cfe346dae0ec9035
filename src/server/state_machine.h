// StateMachine: what the replicated log does to the store. The only place that turns entries into transactions.
#pragma once

#include "raft/types.h"
#include "state/store.h"

namespace drover::server {

class StateMachine final : public raft::StateMachine {
 public:
  explicit StateMachine(state::Store& store) : store_(store) {}

  // The outcome is a state::Outcome.
  std::any apply(uint64_t index, std::string_view entry) override;
  std::unique_ptr<raft::SnapshotSource> snapshot() override;
  Status restore(raft::SnapshotReader& in) override;

 private:
  state::Store& store_;
};

}  // namespace drover::server
