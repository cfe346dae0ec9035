// The allocations' compact indexes against plain filtering, with ids that begin alike and parts that fold alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "state/core_tables.h"

namespace drover::state {
namespace {

void put_number(Uuid& id, size_t from, uint64_t n) { std::memcpy(id.bytes.data() + from, &n, 8); }

// Sixteen ids, of which those with the same n % 4 have one fold: the second half makes up for the first.
Uuid node_id(uint64_t n) {
  Uuid id;
  uint64_t a = n / 4 + 1;
  put_number(id, 0, a);
  put_number(id, 8, (n % 4) * 977 ^ (a * 0x9e3779b97f4a7c15));
  return id;
}

// Ids with few different heads.
Uuid alloc_id(uint64_t n) {
  Uuid id;
  id.bytes[0] = static_cast<uint8_t>(n % 5 + 1);
  id.bytes[15] = static_cast<uint8_t>(n);
  return id;
}

Allocation some_alloc(std::mt19937& random) {
  Allocation a;
  a.ID = alloc_id(random() % 60);
  a.NodeID = random() % 8 ? node_id(random() % 16) : Uuid();
  a.EvalID = node_id(random() % 16);
  a.DeploymentID = random() % 3 ? node_id(random() % 16) : Uuid();
  a.Namespace = random() % 2 ? "default" : "other";
  a.JobID = std::string("job-") + static_cast<char>('a' + random() % 3);
  a.DesiredStatus = "run";
  a.ClientStatus = random() % 2 ? "running" : "complete";
  a.CreateIndex = random() % 6;
  return a;
}

using Model = std::map<Uuid, Ref<Allocation>>;

template <class Order, class Where>
void expect_rows(Rows<Allocation> got, const Model& model, Dir dir, Order order, Where where) {
  std::vector<Ref<Allocation>> want;
  for (auto& [id, a] : model)
    if (where(*a)) want.push_back(a);
  std::stable_sort(want.begin(), want.end(), [&](auto& a, auto& b) { return order(*a) < order(*b); });
  if (dir == Dir::kReverse) std::reverse(want.begin(), want.end());
  ASSERT_EQ(got.all(), want);
}

void expect_all(const AllocTable& t, const Model& m, std::mt19937& random) {
  auto id = [](auto& a) { return a.ID; };
  auto created = [](auto& a) { return std::tuple(a.CreateIndex, a.ID); };
  auto terminal = [](auto& a) { return std::tuple(a.ClientStatus == "complete", a.ID); };
  auto n = node_id(random() % 16);
  expect_rows(t.by_node(n), m, Dir::kForward, terminal, [&](auto& a) { return a.NodeID == n; });
  for (bool end : {false, true})
    expect_rows(t.by_node_terminal(n, end), m, Dir::kForward, id,
                [&](auto& a) { return a.NodeID == n && (a.ClientStatus == "complete") == end; });
  expect_rows(t.by_eval(n), m, Dir::kForward, id, [&](auto& a) { return a.EvalID == n; });
  expect_rows(t.by_deployment(n), m, Dir::kForward, id, [&](auto& a) { return a.DeploymentID == n; });
  for (auto job : {"job-a", "job-b"})
    expect_rows(t.by_job("other", job), m, Dir::kForward, id,
                [&](auto& a) { return a.Namespace == "other" && a.JobID == job; });
  for (auto dir : {Dir::kForward, Dir::kReverse}) {
    expect_rows(t.by_namespace("default", nullptr, dir), m, dir, created, [](auto& a) { return a.Namespace == "default"; });
    expect_rows(t.all(nullptr, dir), m, dir, created, [](auto&) { return true; });
  }
}

TEST(CompactIndex, FindsWhatFilteringFinds) {
  ASSERT_EQ(fold(node_id(1)), fold(node_id(5)));
  ASSERT_NE(node_id(1), node_id(5));
  std::mt19937 random(3);
  AllocTable table;
  Model model;
  for (int step = 0; step < 3000; ++step) {
    auto a = std::make_shared<const Allocation>(some_alloc(random));
    if (random() % 3) {
      table.put(a);
      model[a->ID] = a;
    } else {
      ASSERT_EQ(table.remove({a->ID}) != nullptr, model.erase(a->ID) == 1);
    }
    if (step % 3 == 0) expect_all(table, model, random);
    if (HasFatalFailure()) FAIL() << "after step " << step;
  }
  while (!model.empty()) {
    table.remove({model.begin()->first});
    model.erase(model.begin());
    expect_all(table, model, random);
  }
  EXPECT_EQ(table.memory(), 0u);  // no entry is left behind
}

}  // namespace
}  // namespace drover::state
