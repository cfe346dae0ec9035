// Oracle: what was committed, as far as any server has applied it, and whether the servers agree. The rest of the checks
// stand on its history.
//
// A commit is known by its index, the index before it, its kind and the rows that it changed; the first server to apply it
// sets all of these, and every other one, now or after any number of crashes, must do the same.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "state/store.h"
#include "sim/trace.h"

namespace drover::sim {

using Report = std::function<void(std::string violation)>;

class Oracle {
 public:
  Oracle(Trace& trace, Report report) : trace_(trace), report_(std::move(report)), newest_(state::Store().snapshot()) {}

  // ---- Told by servers.
  void committed(int server, const state::CommitInfo& commit);
  // A state that came whole: from a snapshot of its own, or from another server.
  void restored(int server, const state::Snapshot& state);
  void leads(int server, uint64_t term, uint64_t index);

  // ---- Told by those who call servers.
  // A write was answered with this index: it must be committed, and stay.
  void acknowledged(uint64_t index, std::string_view what);
  uint64_t acknowledged() const { return acknowledged_; }

  // Whole states, compared where two servers stand at the same index.
  void compare(const std::vector<std::pair<int, state::Snapshot>>& servers);

  // The newest committed state.
  const state::Snapshot& newest() const { return newest_; }
  // Committed states, oldest first; the last few thousand.
  const std::deque<state::Snapshot>& history() const { return history_; }
  uint64_t commits() const { return commits_; }
  uint64_t terms() const { return leaders_.size(); }
  uint64_t restores() const { return restores_; }

  // Told of each commit once, when the first server has applied it.
  std::vector<std::function<void(const state::CommitInfo&)>> listeners;

 private:
  struct Known {
    uint64_t before;  // index
    uint64_t rows;    // hash
  };
  Trace& trace_;
  Report report_;
  std::map<uint64_t, Known> known_;
  std::map<uint64_t, int> leaders_;  // by term
  state::Snapshot newest_;
  std::deque<state::Snapshot> history_;
  uint64_t acknowledged_ = 0, commits_ = 0, restores_ = 0;
};

}  // namespace drover::sim
