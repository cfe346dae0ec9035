// Every duty of the leader runs under its term: what comes due while a leader is cut off is done once, by the one that leads,
// and never by the one that led.
#include <algorithm>

#include "model/feature_requests.h"
#include "model/operator_rpc.h"
#include "server/cluster_testing.h"
#include "server/keyring.h"
#include "server/test_objects.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

using state::EntryType;

class DutiesTest;
struct Duty {
  std::string name;
  std::function<void(DutiesTest&)> arrange;              // so that the duty comes due while the leader is cut off
  Duration due;                                          // how long that may take
  std::function<size_t(const state::Snapshot&)> done;    // how often it was done, as the state tells
  EntryType entry;                                       // that it writes
};
std::ostream& operator<<(std::ostream& out, const Duty& d) { return out << d.name; }

class DutiesTest : public ClusterTest, public ::testing::WithParamInterface<Duty> {
 public:
  // A server that comes later configures itself the same.
  void three_with(std::function<void(Config&)> change) {
    for (int n : {1, 2, 3}) {
      auto& node = add(n, 3);
      node.server.reset();
      lan.reset(node.ip);
      change(node.config);
      boot(node);
    }
    join(nodes[2], nodes[1]);
    join(nodes[3], nodes[1]);
    ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3 && all_know(); }));
    ASSERT_TRUE(until([&] { return leader()->server->snapshot().root_keys().active() != nullptr; }));
  }
  Uuid add_node() {
    auto req = test_node(sim.random, 1);
    EXPECT_TRUE(call<NodeUpdateResponse>(*leader(), "Node.Register", req));
    rpc::NodeUpdateStatusRequest ready;
    ready.NodeID = req.Node->ID.str();
    ready.Status = node_status::kReady;
    EXPECT_TRUE(call<NodeUpdateResponse>(*leader(), "Node.UpdateStatus", ready));
    return req.Node->ID;
  }
  void run(Job job) {
    rpc::JobRegisterRequest req;
    req.Namespace = "default";
    req.Job = std::move(job);
    auto r = call<JobRegisterResponse>(*leader(), "Job.Register", std::move(req));
    EXPECT_TRUE(r) << r.error().message;
  }
  void stop(const std::string& job) {
    rpc::JobDeregisterRequest req;
    req.Namespace = "default";
    req.JobID = job;
    EXPECT_TRUE(call<JobDeregisterResponse>(*leader(), "Job.Deregister", req));
  }
  // Work that is done now is not what the test waits for.
  void settle() {
    ASSERT_TRUE(until([&] {
      auto s = leader()->server->leader()->broker().stats();
      return s.ready + s.unacked + s.pending == 0;
    }));
  }
  // Lets the duty come due. Something is written every minute: by that the state knows how old things are.
  bool done_by_the_leader(const Duty& duty) {
    for (Duration spent = 0s; spent < duty.due; spent += 1min) {
      if (until([&] { return leader() && duty.done(leader()->server->snapshot()) == 1; }, 1min)) return true;
      (void)put_namespace(*leader(), "minute");
    }
    return false;
  }
  // How many entries of the type were applied at `at` from now on.
  void count(Node& at, EntryType type) {
    at.server->store().observe([this, type](const state::CommitInfo& c) { entries += c.entry_type == static_cast<uint8_t>(type); });
  }
  size_t entries = 0;
};

size_t down_nodes(const state::Snapshot& s) {
  size_t n = 0;
  for (auto& node : s.nodes().all()) n += is_down(*node);
  return n;
}

size_t children(const state::Snapshot& s) {
  size_t n = 0;
  for (auto& job : s.jobs().all()) n += job->ParentID == "cron";
  return n;
}

const Duty kDuties[] = {
    {"heartbeats", [](DutiesTest& t) { t.add_node(); }, 10min, down_nodes, EntryType::kNodeUpdateStatus},
    {"periodic",
     [](DutiesTest& t) {
       auto job = test_job("cron", 1, "batch");
       auto& p = job.Periodic.ensure();
       p.Enabled = true;
       p.SpecType = "cron";
       p.Spec = "2 0 1 1 *";  // two minutes after the clock of tests begins, and then in a year
       p.TimeZone = "UTC";
       t.run(std::move(job));
     },
     2min, children, EntryType::kJobRegister},
    {"collection of jobs",
     [](DutiesTest& t) {
       t.run(test_job("old", 0));
       t.stop("old");
       t.settle();
     },
     40min, [](const state::Snapshot& s) { return static_cast<size_t>(s.jobs().get("default", "old") == nullptr); },
     EntryType::kJobBatchDeregister},
    {"collection of nodes",
     [](DutiesTest& t) {
       auto id = t.add_node();
       rpc::NodeUpdateStatusRequest down;
       down.NodeID = id.str();
       down.Status = node_status::kDown;
       EXPECT_TRUE(t.call<NodeUpdateResponse>(*t.leader(), "Node.UpdateStatus", down));
     },
     40min, [](const state::Snapshot& s) { return static_cast<size_t>(!s.nodes().all().any()); }, EntryType::kNodeBatchDeregister},
    {"rotation of root keys", [](DutiesTest&) {}, 11min,
     [](const state::Snapshot& s) { return s.root_keys().all().count() - 1; }, EntryType::kRootKeyMetaUpsert},
};

TEST_P(DutiesTest, IsDoneOnceByTheServerThatLeads) {
  auto& duty = GetParam();
  three_with([](Config& c) {
    c.gc.job = c.gc.node = c.gc.eval = 1min;
    c.gc.root_key_rotation = 5min;
    c.gc.interval = 5min;
    if (GetParam().name != "rotation of root keys") c.gc.root_key_rotation = 720h;
  });
  duty.arrange(*this);
  auto* old = leader();
  ASSERT_TRUE(old);
  ASSERT_EQ(duty.done(old->server->snapshot()), 0u) << "not yet";
  auto& other = follower();
  ASSERT_TRUE(until([&] { return other.server->snapshot().index() == old->server->snapshot().index(); }));
  count(other, duty.entry);
  lan.cut(old->ip);
  ASSERT_TRUE(until([&] { return leader() && leader() != old && !old->server->leader(); }));
  auto had = old->server->replica().stats().last_log_index;
  ASSERT_TRUE(done_by_the_leader(duty)) << "the new leader does it";
  EXPECT_EQ(duty.done(old->server->snapshot()), 0u);
  EXPECT_EQ(old->server->replica().stats().last_log_index, had) << "one that leads no more proposes nothing";
  lan.heal(old->ip);
  ASSERT_TRUE(until([&] { return duty.done(old->server->snapshot()) == 1; }));
  sim.loop.advance(30s);
  EXPECT_EQ(duty.done(leader()->server->snapshot()), 1u);
  EXPECT_EQ(entries, 1u) << "no second entry either";
  auto hashes = call<rpc::StateHashesResponse>(*leader(), "Operator.StateHashes", rpc::GenericRequest{});
  ASSERT_TRUE(hashes);
  EXPECT_TRUE(hashes->Equal);
}

// The leader that was is back among the others before the duty comes due.
TEST_P(DutiesTest, IsNotDoneByTheLeaderThatWas) {
  auto& duty = GetParam();
  three_with([](Config& c) {
    c.gc.job = c.gc.node = c.gc.eval = 1min;
    c.gc.interval = 5min;
    c.gc.root_key_rotation = GetParam().name == "rotation of root keys" ? 5min : 720h;
  });
  duty.arrange(*this);
  auto* old = leader();
  ASSERT_TRUE(old);
  lan.cut(old->ip);
  auto term = old->server->replica().stats().term;
  ASSERT_TRUE(until([&] { return leader() && leader() != old && leader()->server->leader()->term() > term; }));
  lan.heal(old->ip);
  ASSERT_TRUE(until([&] { return old->server->replica().stats().term > term; }));
  count(*old, duty.entry);
  ASSERT_TRUE(done_by_the_leader(duty));
  ASSERT_TRUE(until([&] { return duty.done(old->server->snapshot()) == 1; }));
  sim.loop.advance(30s);
  EXPECT_EQ(entries, 1u);
  EXPECT_EQ(duty.done(leader()->server->snapshot()), 1u);
}

INSTANTIATE_TEST_SUITE_P(Table, DutiesTest, ::testing::ValuesIn(kDuties), [](auto& info) {
  auto name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST_F(ClusterTest, CollectorsCannotTakeWhatHasComeToLife) {
  three();
  rpc::JobRegisterRequest req;
  req.Namespace = "default";
  req.Job = test_job("alive", 1);  // it waits for a node
  ASSERT_TRUE(call<JobRegisterResponse>(*leader(), "Job.Register", req));
  rpc::JobBatchDeregisterRequest late;
  late.Jobs.push_back({.Namespace = "default", .ID = "alive", .Purge = true});
  ASSERT_TRUE(call<GenericResponse>(follower(), "Job.BatchDeregister", late));
  EXPECT_TRUE(leader()->server->snapshot().jobs().get("default", "alive")) << "it runs again";
  auto node = test_node(sim.random, 1);
  ASSERT_TRUE(call<NodeUpdateResponse>(*leader(), "Node.Register", node));
  rpc::NodeBatchDeregisterRequest gone;
  gone.NodeIDs = {node.Node->ID.str()};
  ASSERT_TRUE(call<GenericResponse>(follower(), "Node.BatchDeregister", gone));
  EXPECT_TRUE(leader()->server->snapshot().nodes().get(node.Node->ID)) << "it is not down";
  rpc::EvalReapRequest reap;
  for (auto& e : leader()->server->snapshot().evals().by_job("default", "alive"))
    if (!is_terminal(*e)) reap.Evals.push_back(e->ID);
  ASSERT_FALSE(reap.Evals.empty());
  reap.Allocs.push_back(Uuid::generate(sim.random));
  EXPECT_TRUE(call<GenericResponse>(follower(), "Eval.Reap", reap));
  for (auto& id : reap.Evals) EXPECT_TRUE(leader()->server->snapshot().evals().get(id)) << "it is not done";
}

}  // namespace
}  // namespace drover::server
