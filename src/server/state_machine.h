// StateMachine: the replicated log's view of the store. Applies entries, streams snapshots in and out.
#pragma once

#include <functional>
#include <optional>

#include "raft/types.h"
#include "state/fsm.h"
#include "state/store.h"

namespace drover::server {

class StateMachine final : public raft::StateMachine {
 public:
  // What a proposer learns of its entry.
  struct Answer {
    std::optional<Error> error;
    bool updated = true;
    std::optional<rpc::VarApplyStateResponse> variable;
    std::vector<std::optional<Error>> parts;
  };
  struct Hooks {
    std::function<void(const state::Effects&, uint64_t index)> effects;
    // An entry that cannot be applied: going on would let this state drift from the others'.
    std::function<void(const Error&)> fatal;
  };

  StateMachine(state::Store& store, Hooks hooks) : store_(store), fsm_(store), hooks_(std::move(hooks)) {}

  // The outcome is an Answer.
  std::any apply(uint64_t index, std::string_view entry) override { return apply_own(index, entry, nullptr); }
  // `body`: of the type that the entry's row names.
  std::any apply_own(uint64_t index, std::string_view entry, const std::shared_ptr<const void>& body) override;
  std::unique_ptr<raft::SnapshotSource> snapshot() override;
  Result<Swap> load(raft::SnapshotReader& in) override;

 private:
  state::Store& store_;
  state::Fsm fsm_;
  Hooks hooks_;
};

}  // namespace drover::server
