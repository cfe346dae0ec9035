// EvalBroker: which evaluation a scheduler worker gets next (reference server-core section 8).
//
// A pure core: no thread, no clock, no timer of its own. The leader's shell calls in on its loop, passes `now`, and
// calls `tick` no later than `next_wake`. At most one evaluation of a job is out at a time; of those that pile up
// behind it only the newest survives, the others become cancelable.
//
//                 enqueue                    dequeue                ack
//   (unknown) ──┬─────────────► ready ─────────────────► unacked ─────────► (forgotten; next of the job is ready)
//               ├─ Wait, WaitUntil ─► waiting ─► ready      │ nack, or 60 s without an answer
//               └─ job busy ─► pending                      └─► waiting ─► ready …, third time: the failed queue
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/containers.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "base/world.h"
#include "model/eval.h"

namespace drover::server {

// Wall and steady time of one call: waits that are given as dates are compared with the wall clock.
struct Now {
  Monotonic mono;
  Time wall;
};

struct BrokerOptions {
  Duration nack_timeout = 60s;
  int delivery_limit = 3;
  Duration initial_nack_delay = 1s;
  Duration subsequent_nack_delay = 20s;
};

struct BrokerStats {
  struct ByType {
    size_t ready = 0;
    size_t unacked = 0;
  };
  size_t ready = 0, unacked = 0, pending = 0, waiting = 0, cancelable = 0;
  std::map<std::string, ByType> by_type;
};

class EvalBroker {
 public:
  // The queue of evaluations that were delivered too often.
  static constexpr std::string_view kFailedQueue = "_failed";

  struct Delivery {
    Ref<Evaluation> eval;
    Uuid token;
  };

  EvalBroker(Random& random, BrokerOptions options = {});

  bool enabled() const { return enabled_; }
  // Disabling forgets everything.
  void set_enabled(bool on);
  // Those that wait for a time of day, and until when.
  const std::multimap<Time, Ref<Evaluation>>& delayed() const { return delayed_; }

  // Takes an evaluation in. One that is known already is ignored, unless `token` is that of its delivery under way:
  // then it is enqueued again after the ack.
  void enqueue(Ref<Evaluation> eval, Now now, std::optional<Uuid> token = {});

  // The best ready evaluation of the given types, or nothing. Ties between types are drawn by chance.
  std::optional<Delivery> dequeue(const std::vector<std::string>& types, Now now);
  // Whether dequeue(types) would give something.
  bool has_ready(const std::vector<std::string>& types) const;

  // The token of the delivery under way, if any.
  std::optional<Uuid> outstanding(const Uuid& eval_id) const;
  Status ack(const Uuid& eval_id, const Uuid& token, Now now);
  Status nack(const Uuid& eval_id, const Uuid& token, Now now);
  // Starts the answer timer anew; used while a plan of the evaluation waits in the queue.
  Status outstanding_reset(const Uuid& eval_id, const Uuid& token, Now now);
  Status pause_nack_timeout(const Uuid& eval_id, const Uuid& token);
  Status resume_nack_timeout(const Uuid& eval_id, const Uuid& token, Now now);

  // Lets waits end and unanswered deliveries fail. Returns whether anything became ready.
  bool tick(Now now);
  // When tick has something to do next; the wall-clock waits are converted with `now`.
  std::optional<Monotonic> next_wake(Now now) const;

  // Takes up to `limit` superseded evaluations, which the caller writes as canceled.
  std::vector<Ref<Evaluation>> take_cancelable(size_t limit);

  BrokerStats stats() const;

 private:
  using JobKey = std::pair<std::string, std::string>;
  struct ReadyOrder {
    bool operator()(const Ref<Evaluation>& a, const Ref<Evaluation>& b) const;
  };
  struct PendingOrder {
    bool operator()(const Ref<Evaluation>& a, const Ref<Evaluation>& b) const;
  };
  struct Unacked {
    Ref<Evaluation> eval;
    std::string queue;
    Uuid token;
    std::optional<Monotonic> nack_at;  // unset while paused
  };

  static JobKey job_key(const Evaluation& e) { return {e.Namespace, e.JobID}; }
  void process(Ref<Evaluation> eval, Now now);
  void make_ready(Ref<Evaluation> eval, const std::string& queue);
  void wait_until(Ref<Evaluation> eval, Monotonic at);
  Result<Unacked*> find_unacked(const Uuid& eval_id, const Uuid& token);
  void fail_delivery(const Uuid& eval_id, Now now);

  Random& random_;
  BrokerOptions options_;
  bool enabled_ = false;
  std::unordered_map<Uuid, int> deliveries_;                            // every known evaluation
  std::map<JobKey, Uuid> current_;                                      // the job's ready or unacked evaluation
  std::map<JobKey, std::set<Ref<Evaluation>, PendingOrder>> pending_;
  std::map<std::string, std::set<Ref<Evaluation>, ReadyOrder>, std::less<>> ready_;
  std::unordered_map<Uuid, Unacked> unacked_;
  std::map<Uuid, Ref<Evaluation>> requeue_;                             // by token
  std::multimap<Monotonic, Ref<Evaluation>> waiting_;
  std::multimap<Time, Ref<Evaluation>> delayed_;                        // WaitUntil, wall clock
  std::deque<Ref<Evaluation>> cancelable_;
};

}  // namespace drover::server
