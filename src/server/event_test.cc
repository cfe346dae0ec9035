// The event stream: what becomes an event, who gets it, the buffer's bounds, and the streaming RPC.
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/msgpack.h"
#include "model/agent_self.h"
#include "model/client_rpc.h"
#include "net/rpc_wire.h"
#include "server/cluster_testing.h"
#include "server/event_broker.h"
#include "server/server_testing.h"
#include "server/streaming.h"
#include "state/fixtures.h"

namespace drover::server {
namespace {

using Topics = Map<List<std::string>>;

// One subscriber of a server, over the streaming RPC.
struct Reader {
  Reader(SimLoop& loop, Server& server, rpc::EventStreamRequest request) : loop(loop) {
    auto opened = open_stream(server, "Event.Stream");
    EXPECT_TRUE(opened);
    stream = std::move(*opened);
    wire = std::make_unique<net::RpcWire>(*stream);
    EXPECT_TRUE(*run_async(loop, wire->write(to_msgpack(request))));
  }
  // The next message; an error's text behind "error: "; "" when nothing comes in the time given.
  std::string next(Duration limit = 1s) {
    auto bytes = run_async(loop, wire->read_value(), limit);
    if (!bytes) return "";
    if (!*bytes) return "end";
    auto message = from_msgpack<rpc::EventStreamWrapper>(**bytes);
    EXPECT_TRUE(message);
    return message->Error ? "error: " + message->Error->Message : message->Event->Data.data;
  }
  // Topic:Type of the events of the next line, with the line's index in front.
  std::string line() {
    auto text = next();
    if (text.empty() || text == "{}") return text;
    std::string out;
    // Topic and type end each event.
    for (size_t at = 0; (at = text.find(R"("Topic":")", at)) != std::string::npos;) {
      auto from = at + 9, to = text.find('"', from);
      out += (out.empty() ? "" : " ") + text.substr(from, to - from);
      from = text.find(R"("Type":")", to) + 8, to = text.find('"', from);
      out += ":" + text.substr(from, to - from);
      at = to;
    }
    return out;
  }

  SimLoop& loop;
  std::unique_ptr<net::Stream> stream;
  std::unique_ptr<net::RpcWire> wire;
};

rpc::EventStreamRequest ask(Topics topics, std::string ns = "default", int64_t index = 0) {
  rpc::EventStreamRequest r;
  r.Region = "global";
  r.Namespace = std::move(ns);
  r.Topics = std::move(topics);
  r.Index = index;
  return r;
}

struct EventTest : ServerTest {};

TEST_F(EventTest, ARegistrationIsTwoLinesAndThenItsPlan) {
  add_node(1);
  auto eval = run(job("web", 1)).EvalID;
  ASSERT_TRUE(settled(eval));
  Reader all(sim.loop, *server, ask({{"*", {"*"}}}));
  EXPECT_EQ(all.next(), "{}") << "a heartbeat comes at once";
  EXPECT_EQ(all.line(), "Node:NodeRegistration");
  EXPECT_EQ(all.line(), "Node:NodeStreamEvent");
  EXPECT_EQ(all.line(), "Job:JobRegistered") << "the reference registers and evaluates in two transactions";
  EXPECT_EQ(all.line(), "Evaluation:JobRegistered");
  EXPECT_TRUE(all.line().find("Allocation:PlanResult") != std::string::npos);
  EXPECT_EQ(all.line(), "Evaluation:EvaluationUpdated");
}

TEST_F(EventTest, AHeartbeatComesEveryThirtySeconds) {
  Reader nothing(sim.loop, *server, ask({{"Nope", {"*"}}}));
  EXPECT_EQ(nothing.next(), "{}");
  EXPECT_EQ(nothing.next(29s), "");
  EXPECT_EQ(nothing.next(2s), "{}");
  EXPECT_EQ(nothing.next(29s), "");
  EXPECT_EQ(nothing.next(2s), "{}");
}

TEST_F(EventTest, KeysTopicsAndNamespacesSelect) {
  add_node(1);
  auto eval = run(job("web", 1)).EvalID;
  ASSERT_TRUE(settled(eval));
  Reader job_only(sim.loop, *server, ask({{"Job", {"web"}}}));
  EXPECT_EQ(job_only.next(), "{}");
  EXPECT_EQ(job_only.line(), "Job:JobRegistered");
  EXPECT_EQ(job_only.line(), "Job:PlanResult");
  EXPECT_EQ(job_only.line(), "");
  Reader by_filter_key(sim.loop, *server, ask({{"Evaluation", {"web", eval}}}));
  EXPECT_EQ(by_filter_key.next(), "{}");
  EXPECT_EQ(by_filter_key.line(), "Evaluation:JobRegistered Evaluation:JobRegistered") << "once for each key that matches";
  Reader elsewhere(sim.loop, *server, ask({{"Job", {"*"}}, {"Node", {"*"}}}, "other"));
  EXPECT_EQ(elsewhere.next(), "{}");
  EXPECT_EQ(elsewhere.line(), "Node:NodeRegistration") << "events without a namespace always pass";
  EXPECT_EQ(elsewhere.line(), "Node:NodeStreamEvent");
  EXPECT_EQ(elsewhere.line(), "");
  Reader everywhere(sim.loop, *server, ask({{"Job", {"*"}}}, "*"));
  EXPECT_EQ(everywhere.next(), "{}");
  EXPECT_EQ(everywhere.line(), "Job:JobRegistered");
}

TEST_F(EventTest, PayloadsAreWhatOperatorsMaySee) {
  auto node = add_node(1);
  run(job("web", 1));
  Reader nodes(sim.loop, *server, ask({{"Node", {node.str()}}}));
  EXPECT_EQ(nodes.next(), "{}");
  auto text = nodes.next();
  EXPECT_TRUE(text.find(R"("SecretID":"")") != std::string::npos) << text;
  Reader jobs(sim.loop, *server, ask({{"Job", {"*"}}}));
  EXPECT_EQ(jobs.next(), "{}");
  text = jobs.next();
  EXPECT_TRUE(text.starts_with(R"({"Events":[{"FilterKeys":null,"Index":)")) << text;
  EXPECT_TRUE(text.find(R"("Key":"web","Namespace":"default","Payload":{"Job":{)") != std::string::npos) << text;
}

TEST_F(EventTest, ABrokerThatIsSwitchedOffAnswersAnError) {
  server.reset();
  config.enable_event_broker = false;
  open();
  Reader none(sim.loop, *server, ask({{"*", {"*"}}}));
  EXPECT_EQ(none.next(), "error: EventBroker not configured");
}

TEST_F(EventTest, ASubscriberThatLeavesIsForgotten) {
  {
    Reader reader(sim.loop, *server, ask({{"*", {"*"}}}));
    EXPECT_EQ(reader.next(), "{}");
    EXPECT_EQ(server->events()->subscriptions(), 1u);
  }
  EXPECT_TRUE(sim.loop.run_until([&] { return server->events()->subscriptions() == 0; }, 1s));
}

// Batches of one job each, at the indexes given.
struct EventBrokerTest : ::testing::Test {
  void commit(EventBroker& broker, uint64_t index) {
    auto row = std::make_shared<Job>();
    row->ID = "j" + std::to_string(index);
    row->Namespace = "default";
    state::Change change{state::TableId::jobs, nullptr, std::shared_ptr<const Job>(row)};
    broker.commit({.index = index, .entry_type = static_cast<uint8_t>(state::EntryType::kJobRegister), .changes = {&change, 1}});
  }
  // The index of the next batch, or the error.
  std::string next(EventBroker::Subscription& sub) {
    auto r = run_async(sim.loop, sub.next(), 1s);
    if (!r) return "nothing";
    return *r ? std::to_string((**r)->index()) : r->error().message;
  }
  SimWorld sim{3};
};

TEST_F(EventBrokerTest, TheBufferIsBoundedAndSubscriptionsStartWhereTheyAsk) {
  EventBroker broker(sim.loop, 3);
  for (uint64_t i : {5, 7, 9, 11, 13, 15}) commit(broker, i);
  EXPECT_EQ(broker.size(), 4u);
  EXPECT_EQ(next(*broker.subscribe(0)), "9");
  EXPECT_EQ(next(*broker.subscribe(1)), "9") << "older than the buffer";
  EXPECT_EQ(next(*broker.subscribe(11)), "11");
  EXPECT_EQ(next(*broker.subscribe(12)), "13");
  EXPECT_EQ(next(*broker.subscribe(99)), "15") << "newer than the buffer: the newest";
}

TEST_F(EventBrokerTest, ASlowSubscriberIsDropped) {
  EventBroker broker(sim.loop, 2);
  commit(broker, 1);
  auto sub = broker.subscribe(0);
  EXPECT_EQ(next(*sub), "1");
  EXPECT_EQ(next(*sub), "nothing");
  for (uint64_t i : {2, 3, 4}) commit(broker, i);
  EXPECT_EQ(next(*sub), "event dropped from buffer");
}

TEST_F(EventBrokerTest, ARestoreClosesSubscriptionsAndEmptiesTheBuffer) {
  EventBroker broker(sim.loop, 2);
  commit(broker, 1);
  auto sub = broker.subscribe(0);
  EXPECT_EQ(next(*sub), "1");
  broker.commit({.index = 9, .replaced = true});
  EXPECT_EQ(next(*sub), "subscription closed by server, client should resubscribe");
  EXPECT_EQ(next(*broker.subscribe(0)), "nothing");
}

TEST_F(EventBrokerTest, SilentPartsAndOtherEntriesMakeNoEvents) {
  EventBroker broker(sim.loop, 5);
  std::vector<state::Change> changes;
  for (auto id : {"a", "b", "a", "c"}) {
    auto row = std::make_shared<Job>();
    row->ID = id;
    changes.push_back({state::TableId::jobs, nullptr, std::shared_ptr<const Job>(row)});
  }
  std::vector<state::RawCommit::Part> parts{{3, true}};
  auto type = static_cast<uint8_t>(state::EntryType::kJobRegister);
  broker.commit({.index = 1, .entry_type = type, .changes = changes, .parts = parts});
  broker.commit({.index = 2, .entry_type = static_cast<uint8_t>(state::EntryType::kNodeDeregister), .changes = changes});
  auto sub = broker.subscribe(0);
  auto batch = *run_async(sim.loop, sub->next(), 1s);
  ASSERT_TRUE(batch);
  EventFilter all{{{"*", {"*"}}}, "*"};
  auto rows = (*batch)->select(all);
  EXPECT_EQ(rows.size(), 2u) << "b, and a at its last write";
  auto text = (*batch)->encode(rows);
  EXPECT_LT(text.find(R"("Key":"b")"), text.find(R"("Key":"a")"));
  EXPECT_EQ(next(*sub), "nothing");
}

struct EventRegionsTest : ClusterTest {};

TEST_F(EventRegionsTest, AStreamGoesToItsRegion) {
  auto& here = add(1, 1);
  auto& there = add(2, 1, "mars");
  join(here, there);
  ASSERT_TRUE(until([&] { return here.server->leader() && here.server->leader()->ready() && there.server->leader() && there.server->leader()->ready(); }));
  auto request = ask({{"*", {"*"}}});
  request.Region = "mars";
  Reader reader(sim.loop, *here.server, request);
  EXPECT_EQ(reader.next(5s), "{}");
  EXPECT_EQ(there.server->events()->subscriptions(), 1u);
  EXPECT_EQ(here.server->events()->subscriptions(), 0u);
  request.Region = "venus";
  Reader lost(sim.loop, *here.server, request);
  EXPECT_EQ(lost.next(), "error: No path to region");
}

// An agent that says who it is.
struct FalseSelf final : AgentSelf {
  explicit FalseSelf(std::string name) : name(std::move(name)) {}
  Async<Result<rpc::HostDataResponse>> host() override {
    rpc::HostDataResponse out;
    out.HostData.ensure().OS = name;
    co_return out;
  }
  Async<Result<rpc::AgentPprofResponse>> profile(rpc::AgentPprofRequest request) override {
    rpc::AgentPprofResponse out;
    out.Payload.data = name + " " + request.Profile;
    co_return out;
  }
  Async<void> monitor(std::unique_ptr<net::Stream> stream, rpc::MonitorRequest) override {
    net::RpcWire wire(*stream);
    rpc::StreamErrWrapper out;
    out.Payload.data = name;
    (void)co_await wire.write(to_msgpack(out));
  }
  std::string name;
};

struct AgentsTest : ClusterTest {
  std::string monitor(Server& asked, rpc::MonitorRequest request) {
    auto stream = open_stream(asked, "Agent.Monitor");
    if (!stream) return stream.error().message;
    net::RpcWire wire(**stream);
    EXPECT_TRUE(*run_async(sim.loop, wire.write(to_msgpack(request))));
    auto bytes = run_async(sim.loop, wire.read_value(), 5s);
    if (!bytes || !*bytes) return "nothing";
    auto message = from_msgpack<rpc::StreamErrWrapper>(**bytes);
    return message->Error ? std::to_string(*message->Error->Code) + " " + message->Error->Message : message->Payload.data;
  }
};

TEST_F(AgentsTest, AnyServerAnswersForAnyOther) {
  three();
  ASSERT_TRUE(until([&] { return std::ranges::all_of(nodes, [](auto& n) { return n.second.server->serf()->members().size() == 3; }); }));
  std::map<int, std::unique_ptr<FalseSelf>> selves;
  for (auto& [n, node] : nodes) {
    selves[n] = std::make_unique<FalseSelf>("s" + std::to_string(n));
    node.server->set_self(selves[n].get());
  }
  for (auto& [n, asked] : nodes) {
    for (auto& [m, other] : nodes) {
      auto name = "s" + std::to_string(m);
      for (auto& target : {name + ".global", std::string(other.server->node_id())}) {
        rpc::HostDataRequest host;
        host.Region = "global";
        host.ServerID = target;
        auto found = run_async(sim.loop, asked.server->call<rpc::HostDataResponse>("Agent.Host", host), 5s);
        ASSERT_TRUE(found && *found) << target;
        EXPECT_EQ((*found)->HostData->OS, name);
        EXPECT_EQ((*found)->AgentID, name + ".global");
        rpc::MonitorRequest log;
        log.Region = "global";
        log.ServerID = target;
        EXPECT_EQ(monitor(*asked.server, log), name);
      }
    }
    rpc::AgentPprofRequest profile;
    profile.Region = "global";
    profile.ServerID = "leader";
    profile.Profile = "heap";
    auto found = run_async(sim.loop, asked.server->call<rpc::AgentPprofResponse>("Agent.Profile", profile), 5s);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->Payload.data, leader()->config.node_name + " heap");
    rpc::MonitorRequest none;
    none.Region = "global";
    none.ServerID = "none";
    EXPECT_EQ(monitor(*asked.server, none), "400 unknown Nomad server none");
    none.ServerID = "";
    none.NodeID = "x";
    EXPECT_EQ(monitor(*asked.server, none), "500 RPC Error:: 500,node lookup failed: index error: UUID must be 36 characters");
  }
  for (auto& [n, node] : nodes) node.server->set_self(nullptr);
}

TEST_F(AgentsTest, TheLeaderOfAnotherRegionIsFoundThere) {
  auto& here = add(1, 1);
  auto& there = add(2, 1, "mars");
  join(here, there);
  ASSERT_TRUE(until([&] { return there.server->is_leader() && here.server->serf()->members().size() == 2; }));
  FalseSelf near("near"), far("far");
  here.server->set_self(&near);
  there.server->set_self(&far);
  rpc::MonitorRequest log;
  log.Region = "mars";
  for (auto target : {"leader", "s2.mars", ""}) {
    log.ServerID = target;
    EXPECT_EQ(monitor(*here.server, log), "far") << target;
  }
  log.ServerID = "none";
  EXPECT_EQ(monitor(*here.server, log), "400 unknown Nomad server none");
  for (auto& [n, node] : nodes) node.server->set_self(nullptr);
}

}  // namespace
}  // namespace drover::server
