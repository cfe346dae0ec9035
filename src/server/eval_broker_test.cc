#include "server/eval_broker.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "server/blocked_evals.h"

namespace drover::server {
namespace {

Uuid id_of(int n) {
  Uuid id;
  id.bytes[15] = static_cast<uint8_t>(n);
  id.bytes[0] = 1;
  return id;
}

Ref<Evaluation> eval(int n, std::string job, int64_t priority = 50, uint64_t index = 0, std::string type = "service") {
  auto e = std::make_shared<Evaluation>();
  e->ID = id_of(n);
  e->Namespace = "default";
  e->JobID = std::move(job);
  e->Priority = priority;
  e->Type = std::move(type);
  e->CreateIndex = e->ModifyIndex = index ? index : static_cast<uint64_t>(n);
  return e;
}

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() { broker.set_enabled(true); }
  Now at(Duration d) const { return {Monotonic{} + 1h + d, Time::from_unix_seconds(1'000'000) + d}; }
  // The number of the evaluation that comes next, 0 when none.
  int next(Duration when, std::vector<std::string> types = {"service", "batch"}) {
    last = broker.dequeue(types, at(when));
    return last ? last->eval->ID.bytes[15] : 0;
  }
  SimRandom random{1};
  EvalBroker broker{random};
  std::optional<EvalBroker::Delivery> last;
};

TEST_F(BrokerTest, HigherPriorityFirstThenOlder) {
  broker.enqueue(eval(1, "a", 10), at(0s));
  broker.enqueue(eval(2, "b", 90), at(0s));
  broker.enqueue(eval(3, "c", 10), at(0s));
  EXPECT_EQ(next(0s), 2);
  EXPECT_EQ(next(0s), 1);
  EXPECT_EQ(next(0s), 3);
  EXPECT_EQ(next(0s), 0);
}

TEST_F(BrokerTest, OnlyTheAskedTypes) {
  broker.enqueue(eval(1, "a", 50, 0, "batch"), at(0s));
  EXPECT_EQ(next(0s, {"service"}), 0);
  EXPECT_FALSE(broker.has_ready({"service"}));
  EXPECT_TRUE(broker.has_ready({"batch"}));
  EXPECT_EQ(next(0s, {"batch"}), 1);
}

TEST_F(BrokerTest, OneEvaluationOfAJobAtATimeAndOnlyTheNewestOfThePileSurvives) {
  for (int n = 1; n <= 4; ++n) broker.enqueue(eval(n, "a"), at(0s));
  EXPECT_EQ(next(0s), 1);
  auto first = *last;
  EXPECT_EQ(next(0s), 0);
  EXPECT_EQ(broker.stats().pending, 3u);
  ASSERT_TRUE(broker.ack(first.eval->ID, first.token, at(0s)));
  EXPECT_EQ(next(0s), 4);
  auto canceled = broker.take_cancelable(10);
  ASSERT_EQ(canceled.size(), 2u);
  EXPECT_EQ(canceled[0]->ID, id_of(3));
  EXPECT_EQ(canceled[1]->ID, id_of(2));
}

TEST_F(BrokerTest, AKnownEvaluationIsNotTakenTwice) {
  broker.enqueue(eval(1, "a"), at(0s));
  broker.enqueue(eval(1, "a"), at(0s));
  EXPECT_EQ(next(0s), 1);
  EXPECT_EQ(next(0s), 0);
}

TEST_F(BrokerTest, EnqueueWithTheTokenOfTheDeliveryComesBackAfterTheAck) {
  broker.enqueue(eval(1, "a"), at(0s));
  next(0s);
  auto d = *last;
  broker.enqueue(eval(1, "a"), at(0s), d.token);
  EXPECT_EQ(next(0s), 0);
  ASSERT_TRUE(broker.ack(d.eval->ID, d.token, at(0s)));
  EXPECT_EQ(next(0s), 1);
}

TEST_F(BrokerTest, NackWaitsLongerEachTimeAndTheThirdGoesToTheFailedQueue) {
  broker.enqueue(eval(1, "a"), at(0s));
  next(0s);
  ASSERT_TRUE(broker.nack(last->eval->ID, last->token, at(0s)));
  broker.tick(at(999ms));
  EXPECT_EQ(next(999ms), 0);
  broker.tick(at(1s));
  EXPECT_EQ(next(1s), 1);
  ASSERT_TRUE(broker.nack(last->eval->ID, last->token, at(1s)));
  broker.tick(at(20s));
  EXPECT_EQ(next(20s), 0);
  broker.tick(at(21s));
  EXPECT_EQ(next(21s), 1);
  ASSERT_TRUE(broker.nack(last->eval->ID, last->token, at(21s)));
  EXPECT_EQ(next(100s), 0);
  EXPECT_EQ(next(100s, {"_failed"}), 1);
}

TEST_F(BrokerTest, AnUnansweredDeliveryComesBackAfterTheTimeoutUnlessPaused) {
  broker.enqueue(eval(1, "a"), at(0s));
  next(0s);
  auto d = *last;
  ASSERT_TRUE(broker.pause_nack_timeout(d.eval->ID, d.token));
  EXPECT_FALSE(broker.next_wake(at(0s)));
  broker.tick(at(300s));
  EXPECT_TRUE(broker.outstanding(d.eval->ID));
  ASSERT_TRUE(broker.resume_nack_timeout(d.eval->ID, d.token, at(300s)));
  EXPECT_EQ(*broker.next_wake(at(300s)), at(360s).mono);
  broker.tick(at(360s));
  EXPECT_FALSE(broker.outstanding(d.eval->ID));
  broker.tick(at(361s));
  EXPECT_EQ(next(361s), 1);
}

TEST_F(BrokerTest, AnswersWithAForeignTokenAreRefused) {
  broker.enqueue(eval(1, "a"), at(0s));
  next(0s);
  EXPECT_EQ(broker.ack(id_of(1), id_of(9), at(0s)).error().message, "Token does not match for Evaluation ID");
  EXPECT_EQ(broker.nack(id_of(2), id_of(9), at(0s)).error().message, "Evaluation ID not found");
  EXPECT_EQ(broker.outstanding_reset(id_of(1), id_of(9), at(0s)).error().message, "evaluation token does not match");
  EXPECT_EQ(broker.outstanding_reset(id_of(2), id_of(9), at(0s)).error().message, "evaluation is not outstanding");
}

TEST_F(BrokerTest, WaitsAreKept) {
  auto e = std::make_shared<Evaluation>(*eval(1, "a"));
  e->Wait = 5s;
  broker.enqueue(e, at(0s));
  auto f = std::make_shared<Evaluation>(*eval(2, "b"));
  f->WaitUntil = at(3s).wall;
  broker.enqueue(f, at(0s));
  EXPECT_EQ(*broker.next_wake(at(0s)), at(3s).mono);
  EXPECT_EQ(next(2s), 0);
  EXPECT_TRUE(broker.tick(at(3s)));
  EXPECT_EQ(next(3s), 2);
  EXPECT_TRUE(broker.tick(at(5s)));
  EXPECT_EQ(next(5s), 1);
}

TEST_F(BrokerTest, DisablingForgetsEverything) {
  broker.enqueue(eval(1, "a"), at(0s));
  broker.set_enabled(false);
  broker.set_enabled(true);
  EXPECT_EQ(next(0s), 0);
  EXPECT_EQ(broker.stats().ready, 0u);
}

// ---- blocked evaluations -----------------------------------------------------------------------------------------

std::shared_ptr<Evaluation> blocked(int n, std::string job, uint64_t snapshot) {
  auto e = std::make_shared<Evaluation>(*eval(n, std::move(job)));
  e->Status = "blocked";
  e->SnapshotIndex = snapshot;
  return e;
}

class BlockedTest : public ::testing::Test {
 protected:
  BlockedTest() { evals.set_enabled(true); }
  static std::vector<int> numbers(const std::vector<Unblocked>& released) {
    std::vector<int> out;
    for (auto& u : released) out.push_back(u.eval->ID.bytes[15]);
    return out;
  }
  BlockedEvals evals;
};

TEST_F(BlockedTest, AClassThatIsNotRuledOutReleases) {
  auto a = blocked(1, "a", 10);
  a->ClassEligibility = {{"v1:x", false}, {"v1:y", true}};
  EXPECT_TRUE(evals.block(a).empty());
  EXPECT_EQ(numbers(evals.unblock("v1:x", 20)), std::vector<int>{});
  EXPECT_EQ(numbers(evals.unblock("v1:y", 21)), std::vector<int>{1});
  EXPECT_EQ(numbers(evals.unblock("v1:y", 22)), std::vector<int>{});
}

TEST_F(BlockedTest, AnUnknownClassReleasesAndEscapedOnesGoAlways) {
  auto a = blocked(1, "a", 10);
  a->ClassEligibility = {{"v1:x", false}};
  evals.block(a);
  auto b = blocked(2, "b", 10);
  b->EscapedComputedClass = true;
  b->ClassEligibility = {{"v1:z", false}};
  evals.block(b);
  EXPECT_EQ(evals.stats().total_escaped, 1u);
  EXPECT_EQ(numbers(evals.unblock("v1:z", 20)), (std::vector<int>{2, 1}));
}

TEST_F(BlockedTest, CapacityThatCameBeforeTheEvaluationDidIsNotMissed) {
  evals.unblock("v1:x", 100);
  EXPECT_EQ(numbers(evals.block(blocked(1, "a", 99))), std::vector<int>{1});
  EXPECT_EQ(numbers(evals.block(blocked(2, "b", 100))), std::vector<int>{});
}

TEST_F(BlockedTest, OneEvaluationAJobTheOlderBecomesADuplicate) {
  evals.block(blocked(1, "a", 10));
  evals.block(blocked(2, "a", 20));
  evals.block(blocked(3, "a", 15));
  auto duplicates = evals.take_duplicates();
  ASSERT_EQ(duplicates.size(), 2u);
  EXPECT_EQ(duplicates[0]->ID, id_of(1));
  EXPECT_EQ(duplicates[1]->ID, id_of(3));
  EXPECT_EQ(numbers(evals.unblock("c", 30)), std::vector<int>{2});
}

TEST_F(BlockedTest, SystemEvaluationsAreReleasedByTheirNode) {
  auto on = [&](int n, int node) {
    auto e = blocked(n, "sys", 10);
    e->Type = "system";
    e->NodeID = id_of(node);
    return e;
  };
  evals.block(on(1, 101));
  evals.block(on(2, 102));
  EXPECT_EQ(evals.stats().total_blocked, 2u);
  EXPECT_EQ(numbers(evals.unblock_node(id_of(102))), std::vector<int>{2});
  evals.untrack("default", "sys");
  EXPECT_EQ(evals.stats().total_blocked, 0u);
}

TEST_F(BlockedTest, RunOutOfAttemptsIsReleasedOnItsOwnTimer) {
  auto e = blocked(1, "a", 10);
  e->TriggeredBy = "max-plan-attempts";
  evals.block(e);
  evals.block(blocked(2, "b", 10));
  EXPECT_EQ(numbers(evals.unblock_failed(Monotonic(100s))), std::vector<int>{1});
  EXPECT_TRUE(evals.unblock_failed(Monotonic(200s)).empty());
}

TEST_F(BlockedTest, AJobThatKeepsRunningOutOfAttemptsIsTriedMoreAndMoreSeldom) {
  auto run_out = [&](int n, const char* job) {
    auto e = blocked(n, job, 10);
    e->TriggeredBy = "max-plan-attempts";
    evals.block(e);
  };
  std::vector<int64_t> after;
  int n = 0;
  auto last = Duration::zero();
  run_out(++n, "a");
  for (Duration at = 0s; at < 300s; at += 1s) {
    if (evals.unblock_failed(Monotonic(1000s + at)).empty()) continue;
    after.push_back((at - last) / 1s);
    last = at;
    run_out(++n, "a");
  }
  EXPECT_EQ(after, (std::vector<int64_t>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60}));
  // Another job has its own pace, and so has this one once it went well for a while.
  run_out(++n, "b");
  EXPECT_EQ(numbers(evals.unblock_failed(Monotonic(1000s + last + 1s))), std::vector<int>{n});
  evals.untrack("default", "a");
  EXPECT_TRUE(evals.unblock_failed(Monotonic(1000s + last + 200s)).empty());
  run_out(++n, "a");
  EXPECT_EQ(numbers(evals.unblock_failed(Monotonic(1000s + last + 201s))), std::vector<int>{n});
  run_out(++n, "a");
  EXPECT_EQ(numbers(evals.unblock_failed(Monotonic(1000s + last + 202s))), std::vector<int>{n});
}

}  // namespace
}  // namespace drover::server
