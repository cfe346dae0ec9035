// PeriodicDispatcher: launches the children of periodic jobs when their time comes (reference server-workflows
// section 7). Lives with the leader, on the loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/flows.h"
#include "base/world.h"
#include "model/eval.h"
#include "model/job.h"

namespace drover::server {

class Server;

class PeriodicDispatcher {
 public:
  explicit PeriodicDispatcher(Server& server);
  ~PeriodicDispatcher();

  // Takes up every periodic job of the state. A launch that was missed while nobody led is made up for, once.
  void restore();
  // A job as it was just registered: watched from now on, or no longer when it is not an active periodic job.
  void add(const Ref<Job>& job);
  void remove(const std::string& ns, const std::string& id);
  // Launches a child now, whatever else runs: the evaluation as stored. Error: `can't force run non-tracked job "x" (ns)`.
  Async<Result<Evaluation>> force(std::string ns, std::string id);

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, id
  struct Tracked {
    Ref<Job> job;
    std::optional<Time> next;
  };

  void arm();
  void on_timer();
  void launch(const Ref<Job>& job, Time at);
  Async<void> launch_now(Ref<Job> job, Time at);
  Async<Result<Evaluation>> register_child(Ref<Job> job, Time at);

  Server& server_;
  std::map<Key, Tracked> tracked_;
  Timer timer_;
  Flows launches_;
};

}  // namespace drover::server
