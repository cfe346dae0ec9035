#include "server/state_machine.h"

#include "base/metrics.h"
#include "base/turns.h"
#include "server/fsm_metrics.h"
#include "state/snapshot_io.h"

namespace drover::server {
namespace {

class Source final : public raft::SnapshotSource {
 public:
  explicit Source(state::Snapshot snap) : snap_(std::move(snap)) {}
  Status write(raft::SnapshotSink& out) override {
    MetricTimer timer("nomad.fsm.persist");
    return state::write_snapshot(snap_, [&](std::string_view bytes) { return out.write(bytes); });
  }

 private:
  state::Snapshot snap_;
};

}  // namespace

std::any StateMachine::apply_own(uint64_t index, std::string_view entry, const std::shared_ptr<const void>& body) {
  auto began = std::chrono::steady_clock::now();
  auto outcome = fsm_.apply(index, entry, body.get());
  if (auto name = fsm_timer(entry); !name.empty()) {
    MetricLabels labels;
    if (outcome.variable) labels.emplace_back("op", outcome.variable->Op);
    metric_sample(name, metric_milliseconds(std::chrono::steady_clock::now() - began), labels);
  }
  if (outcome.error && (outcome.error->code == ErrorCode::kCorrupt || outcome.error->code == ErrorCode::kNotImplemented))
    hooks_.fatal(*outcome.error);
  note_turn("the leader's part of an entry");
  if (!outcome.error) hooks_.effects(outcome.effects, index);
  return Answer{std::move(outcome.error), outcome.applied, std::move(outcome.variable), std::move(outcome.parts)};
}

std::unique_ptr<raft::SnapshotSource> StateMachine::snapshot() { return std::make_unique<Source>(store_.snapshot()); }

Result<StateMachine::Swap> StateMachine::load(raft::SnapshotReader& in) {
  state::Interner interner;
  DROVER_TRY(auto state, state::read_snapshot([&](char* out, size_t size) { return in.read(out, size); }, interner));
  auto ready = std::make_unique<std::pair<state::State, state::Interner>>(std::move(state), std::move(interner));
  return Swap([&store = store_, ready = std::move(ready)] {
    return store.replace(std::move(ready->first), std::move(ready->second));
  });
}

}  // namespace drover::server
