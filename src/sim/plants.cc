#include "sim/plants.h"

#include "model/raft_requests.h"
#include "model/rpc.h"
#include "model/status.h"
#include "sim/node_box.h"
#include "sim/server_box.h"

namespace drover::sim {
namespace {

using namespace std::chrono_literals;

std::vector<std::shared_ptr<RunningTask>> healthy_tasks(Region& region) {
  std::vector<std::shared_ptr<RunningTask>> out;
  for (auto& node : region.nodes)
    for (auto& [id, task] : node->machine().tasks()) {
      auto alloc = region.oracle.newest().allocs().get(*Uuid::parse(task->alloc_id));
      if (task->running && !task->stop_asked && alloc && alloc->DesiredStatus == alloc_desired::kRun) out.push_back(task);
    }
  return out;
}

bool stop_healthy(Region& region) {
  auto tasks = healthy_tasks(region);
  if (tasks.empty()) return false;
  for (auto& node : region.nodes)
    if (node->name() == tasks[0]->node) node->machine().stop(tasks[0]->id, 1s);
  return true;
}

bool run_twice(Region& region) {
  auto tasks = healthy_tasks(region);
  if (tasks.empty()) return false;
  region.nodes.back()->machine().start(tasks[0]->id + "-again", tasks[0]->alloc_id, tasks[0]->name, 0s, 0, 1s);
  return true;
}

// The log stops an allocation on a node that is well, as lost.
bool stop_for_nothing(Region& region) {
  auto* leader = region.leader();
  auto tasks = healthy_tasks(region);
  if (!leader || tasks.empty()) return false;
  rpc::ApplyPlanResultsRequest plan;
  auto stop = std::make_shared<Allocation>();
  stop->ID = *Uuid::parse(tasks[0]->alloc_id);
  stop->DesiredDescription = "alloc is lost since its node is down";
  stop->ClientStatus = alloc_client::kLost;
  plan.AllocsStopped.push_back(stop);
  leader->run([plan](server::Server& server) -> Async<void> { (void)co_await server.apply(state::EntryType::kApplyPlanResults, plan); });
  return true;
}

bool overbook(Region& region) {
  auto* leader = region.leader();
  auto tasks = healthy_tasks(region);
  if (!leader || tasks.empty()) return false;
  auto large = std::make_shared<Allocation>(*region.oracle.newest().allocs().get(*Uuid::parse(tasks[0]->alloc_id)));
  large->ID = Uuid::generate(region.dice.random());
  large->PreviousAllocation = {};
  auto resources = std::make_shared<AllocatedResources>(*large->AllocatedResources);
  resources->Tasks["main"].Cpu.CpuShares = 1'000'000;
  large->AllocatedResources = std::move(resources);
  rpc::ApplyPlanResultsRequest plan;
  plan.AllocsUpdated.push_back(large);
  plan.Job = large->Job;
  leader->run([plan](server::Server& server) -> Async<void> { (void)co_await server.apply(state::EntryType::kApplyPlanResults, plan); });
  return true;
}

bool other_state(Region& region) {
  auto* server = region.servers[1]->server();
  if (!server) return false;
  auto txn = server->store().begin(server->snapshot().index(), server->snapshot().stamp());
  Namespace odd;
  odd.Name = "only-here";
  txn.namespaces().upsert(odd);
  server->store().publish(std::move(txn));
  return true;
}

bool deaf_node(Region& region) {
  region.network.cut(region.nodes[0]->ip());
  return true;
}

bool no_majority(Region& region) {
  for (int i : {0, 1}) region.servers[static_cast<size_t>(i)]->disk().thread.hang(true);
  return true;
}

bool launch_twice(Region& region) {
  auto* leader = region.leader();
  if (!leader) return false;
  for (auto& job : region.oracle.newest().jobs().all()) {
    if (job->ParentID.empty()) continue;
    rpc::JobRegisterRequest again;
    again.Namespace = job->Namespace;
    again.Job = *job;
    again.Job->Meta.set("again", "yes");
    leader->run([again](server::Server& server) -> Async<void> { (void)co_await server.apply(state::EntryType::kJobRegister, again); });
    return true;
  }
  return false;
}

struct Row {
  Plant plant;
  bool (*strike)(Region&);  // false: not yet possible
};
constexpr Row kRows[] = {
    {Plant::kStopHealthy, stop_healthy},
    {Plant::kRunTwice, run_twice},
    {Plant::kStopForNothing, stop_for_nothing},
    {Plant::kOverbook, overbook},
    {Plant::kOtherState, other_state},
    {Plant::kLaunchTwice, launch_twice},
    {Plant::kDeafNode, deaf_node},
    {Plant::kNoMajority, no_majority},
};

void try_again(Region& region, const Row& row) {
  later(region.sim.loop, 2s, [&region, &row] {
    if (!row.strike(region)) try_again(region, row);
  });
}

}  // namespace

void plant_fault(Region& region) {
  for (auto& row : kRows)
    if (row.plant == region.options.plant) try_again(region, row);
}

}  // namespace drover::sim
