#include "state/store.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/metrics.h"
#include "base/sim_loop.h"
#include "state/alloc_ops.h"
#include "state/fixtures.h"
#include "state/node_ops.h"

namespace drover::state {
namespace {

using namespace fixtures;

template <class Fn>
void commit(Store& store, Fn fn) {
  auto txn = store.begin(store.snapshot().index() + 1, at(static_cast<int64_t>(store.snapshot().index())));
  fn(txn);
  store.publish(std::move(txn));
}

template <class T>
std::vector<std::string> ids(Rows<T> rows) {
  std::vector<std::string> out;
  for (auto& r : rows) {
    if constexpr (std::is_same_v<decltype(r->ID), Uuid>) out.push_back(r->ID.str());
    else out.push_back(r->ID);
  }
  return out;
}

TEST(Store, ASnapshotNeverChanges) {
  Store store;
  auto empty = store.snapshot();
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_node(t, node(1))); });
  auto one = store.snapshot();
  commit(store, [](Txn& t) {
    ASSERT_TRUE(update_node_status(t, uid(1), "down", 5, nullptr));
    ASSERT_TRUE(upsert_node(t, node(2)));
  });
  EXPECT_EQ(empty.nodes().size(), 0u);
  EXPECT_EQ(one.nodes().get(uid(1))->Status, "ready");
  EXPECT_EQ(one.nodes().size(), 1u);
  EXPECT_EQ(store.snapshot().nodes().get(uid(1))->Status, "down");
  EXPECT_EQ(store.snapshot().nodes().size(), 2u);
  EXPECT_EQ(empty.index() + 2, store.snapshot().index());
}

TEST(Store, ADroppedTransactionLeavesNoTrace) {
  Store store;
  auto before = state_hash(store.snapshot());
  {
    auto txn = store.begin(9, at(0));
    ASSERT_TRUE(upsert_node(txn, node(1)));
    EXPECT_EQ(txn.nodes()->size(), 1u);
  }
  EXPECT_EQ(state_hash(store.snapshot()), before);
}

TEST(Store, WhatIfOnASnapshot) {
  Store store;
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  Txn dry(store.snapshot(), 100, at(0));
  Job changed = job("web");
  changed.Priority = 70;
  ASSERT_TRUE(upsert_job(dry, changed));
  EXPECT_EQ(dry.snapshot().jobs().get("default", "web")->Version, 1u);
  EXPECT_EQ(store.snapshot().jobs().get("default", "web")->Version, 0u);
}

TEST(Store, TableIndexesFollowTheirTablesOnly) {
  Store store;
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_node(t, node(1))); });
  uint64_t nodes = store.snapshot().table_index(TableId::nodes);
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  EXPECT_EQ(store.snapshot().table_index(TableId::nodes), nodes);
  EXPECT_EQ(store.snapshot().table_index(TableId::jobs), nodes + 1);
  EXPECT_EQ(store.snapshot().latest_index(), nodes + 1);
  EXPECT_EQ(table_by_name("csi_volumes"), TableId::csi_volumes);
  EXPECT_EQ(table_name(TableId::autopilot_config), "autopilot-config");
}

TEST(Store, ListsComeInTheirOrder) {
  Store store;
  commit(store, [](Txn& t) {
    for (auto id : {"web", "web-2", "api"}) ASSERT_TRUE(upsert_job(t, job(id)));
  });
  commit(store, [](Txn& t) { put_eval(t, eval(9, "web")); });
  commit(store, [](Txn& t) { put_eval(t, eval(3, "web")); });
  auto snap = store.snapshot();
  EXPECT_EQ(ids(snap.jobs().by_namespace("default")), (std::vector<std::string>{"api", "web", "web-2"}));
  EXPECT_EQ(ids(snap.jobs().by_prefix("default", "web")), (std::vector<std::string>{"web", "web-2"}));
  EXPECT_EQ(ids(snap.evals().all()), (std::vector<std::string>{uid(9).str(), uid(3).str()}));
  EXPECT_EQ(ids(snap.evals().by_namespace("default", nullptr, Dir::kReverse)),
            (std::vector<std::string>{uid(3).str(), uid(9).str()}));
  auto prefix = UuidPrefix::parse(uid(9).str().substr(0, 6));
  EXPECT_EQ(ids(snap.evals().by_prefix(*prefix)), (std::vector<std::string>{uid(9).str()}));
}

TEST(Store, RowsOutliveTheSnapshot) {
  Store store;
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  auto rows = store.snapshot().jobs().all();
  commit(store, [](Txn& t) { ASSERT_TRUE(delete_job(t, "default", "web")); });
  EXPECT_EQ(rows.next()->ID, "web");
}

TEST(Store, ACommitTellsWhatChangedOncePerRow) {
  Store store;
  std::vector<std::string> seen;
  store.observe([&](const CommitInfo& c) {
    for (auto& change : c.changes) {
      seen.push_back(std::string(table_name(change.table)) + (change.before ? "" : " new") + (change.after ? "" : " gone"));
      if (change.table == TableId::jobs && change.after) seen.push_back(change.after_as<Job>()->Status);
    }
  });
  commit(store, [](Txn& t) {
    ASSERT_TRUE(upsert_job(t, job("web")));
    upsert_evals(t, {eval(1, "web", "complete")});  // the job is dead now: its row is written twice
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"job_summary new", "job_version new", "jobs new", "dead", "evals new"}));
}

TEST(Store, DiffFindsExactlyTheChangedAllocations) {
  Store store;
  commit(store, [](Txn& t) {
    ASSERT_TRUE(upsert_job(t, job("web")));
    auto j = t.jobs()->get("default", "web");
    std::vector<Allocation> allocs;
    for (uint64_t i = 0; i < 500; ++i) allocs.push_back(alloc(i, j, uid(1), uid(2)));
    ASSERT_TRUE(upsert_allocs(t, std::move(allocs)));
  });
  auto before = store.snapshot();
  commit(store, [](Txn& t) {
    ASSERT_TRUE(update_allocs_from_client(t, {report(uid(17), "running"), report(uid(400), "failed")}));
    ASSERT_TRUE(delete_evals(t, {}, {uid(300)}, false));
  });
  std::map<std::string, std::string> seen;
  diff_allocs(before, store.snapshot(), [&](auto& b, auto& a) {
    seen[b->ID.str()] = a ? a->ClientStatus.str() : "gone";
  });
  EXPECT_EQ(seen, (std::map<std::string, std::string>{
                      {uid(17).str(), "running"}, {uid(400).str(), "failed"}, {uid(300).str(), "gone"}}));
}

TEST(Store, EqualPartsOfAllocationsAreShared) {
  Store store;
  commit(store, [](Txn& t) {
    ASSERT_TRUE(upsert_job(t, job("web")));
    auto j = t.jobs()->get("default", "web");
    ASSERT_TRUE(upsert_allocs(t, {alloc(1, j, uid(1), uid(2)), alloc(2, j, uid(1), uid(2))}));
  });
  auto snap = store.snapshot();
  auto a = snap.allocs().get(uid(1)), b = snap.allocs().get(uid(2));
  EXPECT_EQ(a->AllocatedResources.get(), b->AllocatedResources.get());
  EXPECT_EQ(a->JobID.view().data(), b->JobID.view().data());

  commit(store, [](Txn& t) {
    List<Allocation> reports{report(uid(1), "running"), report(uid(2), "running")};
    for (auto& r : reports) r.TaskStates["server"].Events[1].Details.set("message", "Building Task Directory");
    ASSERT_TRUE(update_allocs_from_client(t, reports));
  });
  snap = store.snapshot();
  auto& one = snap.allocs().get(uid(1))->TaskStates.at("server").Events[1].Details;
  auto& two = snap.allocs().get(uid(2))->TaskStates.at("server").Events[1].Details;
  EXPECT_EQ(one.at("message"), "Building Task Directory");
  EXPECT_TRUE(one.same(two));
}

TEST(TimeTable, GrainAndLimit) {
  TimeTable t;
  t.witness(10, at(0));
  t.witness(11, at(299));
  t.witness(12, at(300));
  EXPECT_EQ(t.entries().size(), 2u);
  EXPECT_EQ(t.nearest_index(at(299)), 10u);
  EXPECT_EQ(t.nearest_index(at(1000)), 12u);
  EXPECT_EQ(t.nearest_index(at(-1)), 0u);
  EXPECT_EQ(t.nearest_time(11), at(0));
  EXPECT_TRUE(t.nearest_time(9).unset());
  for (int64_t i = 2; i < 2000; ++i) t.witness(static_cast<uint64_t>(i), at(i * 300));
  EXPECT_EQ(t.entries().size(), TimeTable::kMaxEntries);
}

// --- watches ---

class Watch : public testing::Test {
 public:
  SimWorld sim;
  Store store;

  void SetUp() override {
    commit(store, [](Txn& t) {
      for (auto id : {"web", "api"}) ASSERT_TRUE(upsert_job(t, job(id)));
      for (uint64_t n : {1, 2}) ASSERT_TRUE(upsert_node(t, node(n)));
      auto j = t.jobs()->get("default", "web");
      ASSERT_TRUE(upsert_allocs(t, {alloc(10, j, uid(1), uid(5)), alloc(11, j, uid(2), uid(5))}));
    });
  }
  // A reader that gathers with `query` and waits; the result is 'w' woken, 't' timed out, '-' still waiting.
  struct Reader {
    char result = '-';
    Running flow;
  };
  std::unique_ptr<Reader> start(std::function<void(const Snapshot&, WatchSet&)> query) {
    auto r = std::make_unique<Reader>();
    auto flow = [](Watch& w, std::function<void(const Snapshot&, WatchSet&)> q, char& result) -> Async<void> {
      auto watch = w.store.watch();
      q(w.store.snapshot(), watch);
      result = co_await watch.wait(w.sim.loop, 60s) ? 'w' : 't';
    };
    r->flow = Running(flow(*this, std::move(query), r->result));
    return r;
  }
};

TEST_F(Watch, ACommitWakesThoseItConcernsOnly) {
  std::map<std::string, std::unique_ptr<Reader>> readers;
  readers["job web"] = start([](auto& s, auto& w) { s.jobs().get("default", "web", &w); });
  readers["job api"] = start([](auto& s, auto& w) { s.jobs().get("default", "api", &w); });
  readers["missing job"] = start([](auto& s, auto& w) { s.jobs().get("default", "new", &w); });
  readers["all jobs"] = start([](auto& s, auto& w) { s.jobs().all(&w); });
  readers["namespace other"] = start([](auto& s, auto& w) { s.jobs().by_namespace("other", &w); });
  readers["prefix w"] = start([](auto& s, auto& w) { s.jobs().by_prefix("default", "w", &w); });
  readers["prefix x"] = start([](auto& s, auto& w) { s.jobs().by_prefix("default", "x", &w); });
  readers["allocs of node 1"] = start([](auto& s, auto& w) { s.allocs().by_node(uid(1), &w); });
  readers["allocs of node 2"] = start([](auto& s, auto& w) { s.allocs().by_node(uid(2), &w); });
  readers["allocs of web"] = start([](auto& s, auto& w) { s.allocs().by_job("default", "web", &w); });
  readers["evals of web"] = start([](auto& s, auto& w) { s.evals().by_job("default", "web", &w); });
  readers["evals prefix"] = start([](auto& s, auto& w) { s.evals().by_prefix(*UuidPrefix::parse(uid(7).str().substr(0, 4)), &w); });
  auto woken = [&] {
    std::string out;
    for (auto& [name, r] : readers)
      if (r->result == 'w') out += name + "; ";
    return out;
  };
  commit(store, [](Txn& t) { ASSERT_TRUE(update_allocs_from_client(t, {report(uid(10), "pending")})); });
  sim.loop.run_ready();
  EXPECT_EQ(woken(), "allocs of node 1; allocs of web; ");
  commit(store, [](Txn& t) { put_eval(t, eval(7, "web", "blocked")); });
  sim.loop.run_ready();
  EXPECT_EQ(woken(), "allocs of node 1; allocs of web; evals of web; evals prefix; ");
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  sim.loop.run_ready();
  EXPECT_EQ(woken(), "all jobs; allocs of node 1; allocs of web; evals of web; evals prefix; job web; prefix w; ");
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("new"))); });
  sim.loop.run_ready();
  EXPECT_EQ(readers["missing job"]->result, 'w');
  EXPECT_EQ(readers["prefix x"]->result, '-');
  sim.loop.advance(61s);
  EXPECT_EQ(readers["namespace other"]->result, 't');
  EXPECT_EQ(store.waiting(), 0u);
}

// What operators see of it: the counter rises by those that were woken, by no other.
TEST_F(Watch, WokenReadersAreCounted) {
  configure_metrics({.now = [] { return Time::from_unix_nanos(0); }});
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 1000; ++i)
    readers.push_back(start([i](auto& s, auto& w) { s.jobs().get("default", "job-" + std::to_string(i), &w); }));
  auto counted = [] {
    for (auto& c : latest_metrics().counters)
      if (c.name == "nomad.state.watch.woken") return c.sum;
    return 0.0;
  };
  EXPECT_EQ(store.waiting(), 1000u);
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("job-7"))); });
  commit(store, [](Txn& t) { put_eval(t, eval(8, "job-8", "blocked")); });
  sim.loop.run_ready();
  EXPECT_EQ(store.waiting(), 999u);
  EXPECT_EQ(counted(), 1);
  for (size_t i = 0; i < readers.size(); ++i) EXPECT_EQ(readers[i]->result, i == 7 ? 'w' : '-') << i;
}

TEST_F(Watch, AChangeBetweenReadingAndWaitingIsNotMissed) {
  auto watch = store.watch();
  store.snapshot().jobs().get("default", "web", &watch);
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  auto woken = run_async(sim.loop, watch.wait(sim.loop, 60s), 0s);
  EXPECT_EQ(woken, true);
}

TEST_F(Watch, ADroppedReaderUnregisters) {
  auto r = start([](auto& s, auto& w) {
    s.jobs().get("default", "web", &w);
    s.allocs().by_job("default", "web", &w);
  });
  EXPECT_EQ(store.waiting(), 1u);
  r.reset();
  EXPECT_EQ(store.waiting(), 0u);
  commit(store, [](Txn& t) { ASSERT_TRUE(upsert_job(t, job("web"))); });
  sim.loop.run_ready();
}

TEST_F(Watch, ManyKeysFoldIntoTables) {
  auto watch = store.watch();
  auto snap = store.snapshot();
  for (uint64_t i = 0; i < 1000; ++i) snap.allocs().get(uid(i), &watch);
  EXPECT_LE(watch.keys().size(), WatchSet::kMaxKeys);
}

TEST_F(Watch, WaitingForAnIndex) {
  auto want = store.snapshot().index() + 2;
  std::optional<Result<Snapshot>> got;
  auto flow = [](Watch& w, uint64_t index, std::optional<Result<Snapshot>>& to) -> Async<void> {
    to.emplace(co_await w.store.snapshot_at(index, w.sim.loop, 5s));
  };
  Running running(flow(*this, want, got));
  commit(store, [](Txn&) {});
  sim.loop.run_ready();
  EXPECT_FALSE(got);
  commit(store, [](Txn&) {});
  sim.loop.run_ready();
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((**got).index(), want);
  auto late = run_async(sim.loop, store.snapshot_at(want + 5, sim.loop, 5s));
  EXPECT_EQ(late->error().code, ErrorCode::kTimeout);
}

TEST_F(Watch, ReadersOnOtherThreadsSeeWholeCommits) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::atomic<int> torn{0};
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        auto snap = store.snapshot();
        auto a = snap.nodes().get(uid(1)), b = snap.nodes().get(uid(2));
        if (a->StatusUpdatedAt != b->StatusUpdatedAt) ++torn;
      }
    });
  for (int64_t i = 1; i < 300; ++i)
    commit(store, [&](Txn& t) {
      for (uint64_t n : {1, 2}) ASSERT_TRUE(update_node_status(t, uid(n), "ready", i, nullptr));
    });
  stop = true;
  for (auto& t : threads) t.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace drover::state
