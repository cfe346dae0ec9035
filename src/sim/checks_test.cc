// What the checks say, each of them on a history that is made to offend it and on one that does not.
#include <gtest/gtest.h>

#include "model/status.h"
#include "scheduler/texts.h"
#include "sim/availability.h"
#include "sim/node_checks.h"
#include "sim/placement_checks.h"
#include "sim/registers.h"
#include "sim/task_checks.h"
#include "state/fsm.h"
#include "state/store.h"

namespace drover::sim {
namespace {

using namespace std::chrono_literals;
namespace status = alloc_client;

class Checks : public ::testing::Test {
 protected:
  Report report() {
    return [this](std::string what) { said += what + "\n"; };
  }
  // One entry of the log, as a server applies it.
  using Write = std::function<void(state::Txn&)>;
  struct Server {
    explicit Server(Checks& checks, int number) : number(number) {
      store.observe([this, &checks](const state::CommitInfo& commit) { checks.oracle.committed(this->number, commit); });
    }
    void apply(uint64_t index, const Write& fn) {
      auto txn = store.begin(index, Time{static_cast<int64_t>(index) * 1'000'000'000});
      txn.set_entry_type(1);
      fn(txn);
      store.publish(std::move(txn));
    }
    int number;
    state::Store store;
  };
  void commit(const Write& fn) { first.apply(++index, fn); }
  void quiet() {
    EXPECT_EQ(said, "");
    said.clear();
  }
  void says(std::string_view what) {
    EXPECT_NE(said.find(what), std::string::npos) << "wanted: " << what << "\nsaid: " << said;
    said.clear();
  }
  static Write name(std::string text) {
    return [text](state::Txn& txn) {
      Namespace row;
      row.Name = text;
      txn.namespaces().upsert(row);
    };
  }
  Write variable(const std::string& path) {
    return [path](state::Txn& txn) {
      VariableEncrypted row;
      row.Namespace = "default";
      row.Path = path;
      row.ModifyIndex = txn.index();
      txn.variables().upsert(row);
    };
  }

  SimWorld sim{1};
  Trace trace{sim.clock, false};
  std::string said;
  Oracle oracle{trace, report()};
  Server first{*this, 1}, second{*this, 2};
  uint64_t index = 10;
};

// ---- what servers agree on

TEST_F(Checks, TwoServersThatApplyTheSameAreWell) {
  for (auto* server : {&first, &second}) {
    server->apply(11, name("a"));
    server->apply(13, name("b"));
  }
  oracle.compare({{1, first.store.snapshot()}, {2, second.store.snapshot()}});
  quiet();
}

TEST_F(Checks, AnotherRowAtAnIndex) {
  first.apply(11, name("a"));
  second.apply(11, name("b"));
  says("server 2 applies something else at index 11");
}

TEST_F(Checks, AnEntryThatWasLeftOut) {
  first.apply(11, name("a"));
  first.apply(12, name("b"));
  second.apply(12, name("b"));
  says("server 2 applies index 12 after 1, others after 11");
}

TEST_F(Checks, AnEntryThatOthersSkipped) {
  first.apply(11, name("a"));
  first.apply(13, name("c"));
  second.apply(11, name("a"));
  second.apply(12, name("b"));
  says("server 2 applies index 12, which others skipped");
}

TEST_F(Checks, StatesThatDiffer) {
  first.apply(11, name("a"));
  state::Store other;
  auto odd = other.begin(11, Time{11'000'000'000});
  name("b")(odd);
  oracle.compare({{1, first.store.snapshot()}, {2, odd.snapshot()}});
  says("servers 1 and 2 have different states at index 11");
}

TEST_F(Checks, StatesFromSnapshots) {
  first.apply(11, name("a"));
  auto then = first.store.snapshot();
  first.apply(13, name("b"));
  oracle.restored(2, then);
  quiet();
  state::Store other;
  auto at = [&](uint64_t n) {
    state::Txn odd(other.snapshot(), n, Time());
    name("odd")(odd);
    return odd.snapshot();
  };
  oracle.restored(2, at(11));
  says("server 2 restored another state at index 11");
  oracle.restored(2, at(12));
  says("at index 12, which nobody has");
  oracle.restored(2, at(14));
  says("at index 14 that was never committed");
}

TEST_F(Checks, LeadersOfATerm) {
  oracle.leads(1, 3, 0);
  oracle.leads(1, 3, 0);
  oracle.leads(2, 4, 0);
  quiet();
  oracle.leads(3, 4, 0);
  says("two leaders in term 4: servers 2 and 3");
}

TEST_F(Checks, WhatWasAcknowledgedStays) {
  commit(name("a"));
  oracle.acknowledged(11, "a write");
  oracle.leads(1, 2, 11);
  quiet();
  oracle.leads(2, 3, 10);
  says("server 2 leads term 3 with state 10, acknowledged was 11");
  oracle.acknowledged(12, "a write");
  says("a write was acknowledged with index 12, but nothing beyond 11 is committed");
}

// ---- variables

TEST_F(Checks, ReadsAndWritesOfVariables) {
  Registers registers(oracle, report());
  commit(variable("v"));  // 11
  registers.wrote("v", "one", 11, 0);
  auto began = registers.now();
  commit(variable("v"));  // 12
  registers.read("v", 11, "one", began);
  registers.read("v", 12, "two", began);
  registers.read("w", 0, "", began);
  registers.swapped("v", 11, 12);
  registers.read_stale("v", 11, "one");
  quiet();

  registers.read("v", 11, "one", registers.now());
  says("stale read: variable v at version 11, but 12");
  registers.read("v", 0, "", registers.now());
  says("stale read: variable v was not there");
  registers.read("v", 10, "", 0);
  says("read at version 10, which is not in the log");
  registers.read_stale("v", 10, "");
  says("read at version 10, which is not in the log");
  registers.read("v", 12, "three", 0);
  says("is \"two\" and \"three\" at index 12");
  registers.swapped("v", 10, 12);
  says("swapped at index 12 over 11, expected 10");
  registers.wrote("v", "four", 13, 0);
  says("acknowledged at index 13, where the log does not write it");
  registers.wrote("v", "two", 12, 12);
  says("behind 12 that somebody had seen before");
}

// ---- work

class WorkChecks : public Checks {
 protected:
  WorkChecks() {
    for (uint64_t n : {1, 2}) {
      commit([&](state::Txn& txn) {
        Node node;
        node.ID = id(n);
        node.Name = fmt::format("n{}", n);
        node.Status = node_status::kReady;
        node.SchedulingEligibility = "eligible";
        node.NodeResources.ensure().Cpu.CpuShares = 1000;
        node.NodeResources->Memory.MemoryMB = 1000;
        txn.nodes().upsert(node);
      });
    }
    job.ID = job.Name = "web";
    job.Namespace = "default";
    job.Type = "service";
    job.TaskGroups.emplace_back().Name = "group";
    job.TaskGroups[0].Count = 1;
    commit([&](state::Txn& txn) { txn.jobs().upsert(job); });
    place(5, 1);
  }
  static Uuid id(uint64_t n) { return *Uuid::parse(fmt::format("00000000-0000-4000-8000-{:012}", n)); }
  void place(uint64_t n, uint64_t node, uint64_t previous = 0, int64_t cpu = 100) {
    Allocation a;
    a.ID = id(n);
    a.Namespace = "default";
    a.JobID = "web";
    a.Job = std::make_shared<Job>(job);
    a.TaskGroup = "group";
    a.NodeID = id(node);
    a.NodeName = fmt::format("n{}", node);
    a.DesiredStatus = alloc_desired::kRun;
    a.ClientStatus = status::kRunning;
    if (previous) a.PreviousAllocation = id(previous);
    auto resources = std::make_shared<AllocatedResources>();
    resources->Tasks["main"].Cpu.CpuShares = cpu;
    a.AllocatedResources = resources;
    commit([&](state::Txn& txn) { txn.allocs().upsert(a); });
  }
  void change(uint64_t n, const std::function<void(Allocation&)>& fn) {
    Allocation a = *first.store.snapshot().allocs().get(id(n));
    fn(a);
    commit([&](state::Txn& txn) { txn.allocs().upsert(a); });
  }
  void stop(uint64_t n, std::string_view why) {
    change(n, [&](Allocation& a) {
      a.DesiredStatus = alloc_desired::kStop;
      a.DesiredDescription = why;
    });
  }
  void node_is(uint64_t n, std::string_view now) {
    Node node = *first.store.snapshot().nodes().get(id(n));
    node.Status = now;
    commit([&](state::Txn& txn) { txn.nodes().upsert(node); });
  }
  RunningTask task(uint64_t alloc, const std::string& node) {
    RunningTask t;
    t.alloc_id = id(alloc).str();
    t.id = t.alloc_id + node;
    t.name = "main";
    t.node = node;
    return t;
  }
  void starts(uint64_t alloc, const std::string& node) {
    checks.task_starting(node, id(alloc).str(), "main");
    checks.task_started(task(alloc, node));
  }

  Job job;
  TaskChecks checks{oracle, trace, report()};
};

TEST_F(WorkChecks, ATaskThatRunsWhereItWasPlacedAndIsReplaced) {
  starts(5, "n1");
  stop(5, scheduler::text::kNotNeeded);
  said.clear();  // of the reason, below
  checks.task_stop_asked(task(5, "n1"));
  checks.task_ended(task(5, "n1"), ExitCause::kStopped);
  place(6, 2, 5);
  starts(6, "n2");
  quiet();
}

TEST_F(WorkChecks, ATaskThatRunsTwice) {
  starts(5, "n1");
  checks.task_started(task(5, "n1"));
  says("starts on n1 while it runs on n1");
}

TEST_F(WorkChecks, ATaskThatRunsElsewhere) {
  starts(5, "n2");
  says("which was placed on n1");
}

TEST_F(WorkChecks, ATaskThatStartsBesideItsPredecessor) {
  starts(5, "n1");
  place(6, 2, 5);
  checks.task_starting("n2", id(6).str(), "main");
  says("while its predecessor runs on n1");
  node_is(1, node_status::kDown);
  checks.task_starting("n2", id(6).str(), "main");
  quiet();
}

TEST_F(WorkChecks, ATaskThatStartsThoughItWasToldToStop) {
  auto told = *first.store.snapshot().allocs().get(id(5));
  checks.node_told("n1", told);
  starts(5, "n1");
  quiet();
  told.DesiredStatus = alloc_desired::kStop;
  checks.node_told("n1", told);
  checks.task_starting("n1", id(5).str(), "main");
  says("which it was told to stop");
}

TEST_F(WorkChecks, AHealthyTaskThatIsStopped) {
  starts(5, "n1");
  checks.task_stop_asked(task(5, "n1"));
  says("which is to run (status running)");
}

TEST_F(WorkChecks, StopsForReasonsThatDoNotHold) {
  for (auto why : {scheduler::text::kNotNeeded, scheduler::text::kUpdating, scheduler::text::kLost, scheduler::text::kMigrating,
                   scheduler::text::kNodeTainted, scheduler::text::kRescheduled, scheduler::text::kReconnected}) {
    stop(5, why);
    says("which is not so");
    change(5, [](Allocation& a) { a.DesiredStatus = alloc_desired::kRun; });
  }
  stop(5, "of a whim");
  says("is stopped because of \"of a whim\"");
  place(6, 1);
  change(6, [](Allocation& a) { a.DesiredStatus = alloc_desired::kEvict; });
  says("is evicted for nobody");
}

TEST_F(WorkChecks, StopsForReasonsThatHold) {
  node_is(1, node_status::kDown);
  stop(5, scheduler::text::kLost);
  place(6, 2);
  place(7, 2);
  stop(7, scheduler::text::kNotNeeded);
  change(6, [](Allocation& a) { a.ClientStatus = status::kFailed; });
  quiet();
}

TEST_F(WorkChecks, ANodeThatIsGivenMoreThanItHas) {
  PlacementChecks placement(oracle, report());
  place(6, 1, 0, 900);
  quiet();
  place(7, 1, 0, 1);
  says("node n1 has more than it can hold");
  stop(6, scheduler::text::kNotNeeded);
  said.clear();
  place(8, 1, 0, 500);
  quiet();
  place(9, 3);
  says("on a node that does not exist");
}

TEST_F(WorkChecks, ANodeThatIsGivenUp) {
  Scenario gentle{.gentle = true};
  NodeChecks checks(oracle, gentle, report());
  node_is(1, node_status::kDown);
  says("node n1 is given up (down)");
  node_is(1, node_status::kReady);
  quiet();
}

TEST_F(WorkChecks, ALaunchThatComesTwice) {
  auto launch = [&] {
    commit([&](state::Txn& txn) {
      txn.set_entry_type(static_cast<uint8_t>(state::EntryType::kJobRegister));
      Job child = job;
      child.ID = "tick/periodic-1";
      child.ParentID = "tick";
      child.JobModifyIndex = txn.index();
      txn.jobs().upsert(child);
    });
  };
  launch();
  quiet();
  launch();
  says("tick/periodic-1 is launched twice");
}

// ---- going on

TEST_F(Checks, WritesThatDoNotGoOn) {
  Scenario gentle{.gentle = true};
  Availability availability(gentle, sim.clock, report());
  availability.begin();
  sim.loop.advance(7s);
  availability.look();
  availability.acknowledged();
  sim.loop.advance(7s);
  availability.look();
  quiet();
  EXPECT_EQ(availability.longest(), 7s);
  sim.loop.advance(2s);
  availability.look();
  says("no write was acknowledged for");
}

}  // namespace
}  // namespace drover::sim
