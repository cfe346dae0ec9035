#include "sim/node_checks.h"

#include "model/status.h"

namespace drover::sim {

NodeChecks::NodeChecks(Oracle& oracle, const Scenario& scenario, Report report) : report_(std::move(report)) {
  if (!scenario.gentle) return;
  oracle.listeners.push_back([this](const state::CommitInfo& commit) {
    for (auto& change : commit.changes) {
      if (change.table != state::TableId::nodes || !change.before || !change.after) continue;
      auto before = change.before_as<Node>(), after = change.after_as<Node>();
      bool given_up = after->Status == node_status::kDown || after->Status == node_status::kDisconnected;
      if (given_up && before->Status != after->Status)
        report_(fmt::format("node {} is given up ({}), and nothing ails it", after->Name, after->Status));
    }
  });
}

}  // namespace drover::sim
