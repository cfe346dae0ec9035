// When nodes must be heard, and what a leader that stood still makes of it.
#include "server/heartbeats.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"

namespace drover::server {
namespace {

TEST(Heartbeats, ALeaderThatStoodStillBlamesNobody) {
  SimWorld sim{5};
  Heartbeats h(sim.random, {.min_ttl = 10s, .max_per_second = 50, .grace = 10s, .failover_ttl = 300s});
  auto one = Uuid::generate(sim.random), other = Uuid::generate(sim.random);
  Monotonic now = Monotonic{} + 1h;
  EXPECT_EQ(h.awake(now), Duration::zero()) << "the first time tells nothing";
  auto ttl = h.reset(one, now);
  h.give_failover_ttl(other, now);
  auto due = *h.next_deadline();
  EXPECT_EQ(due, now + ttl + 10s);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(h.awake(now += 500ms), Duration::zero());
  EXPECT_EQ(h.awake(now += 1900ms), Duration::zero()) << "a busy loop";
  EXPECT_EQ(*h.next_deadline(), due);

  EXPECT_EQ(h.awake(now += 1h), Duration(1h));
  EXPECT_EQ(*h.next_deadline(), due + 1h);
  EXPECT_TRUE(h.take_expired(now).empty());
  EXPECT_EQ(h.take_expired(due + 1h), std::vector{one});
  EXPECT_TRUE(h.take_expired(now + 250s).empty());
  h.forget(other);
  EXPECT_FALSE(h.next_deadline());
}

}  // namespace
}  // namespace drover::server
