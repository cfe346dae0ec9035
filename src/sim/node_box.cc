#include "sim/node_box.h"

#include "client/host_source.h"
#include "client/remote_servers.h"
#include "sim/node_host.h"

namespace drover::sim {

using namespace std::chrono_literals;

// The node's calls, with an ear for what the servers answer.
class NodeBox::Tap final : public client::ServerApi {
 public:
  Tap(Region& region, NodeBox& box) : region_(region), box_(box) {}
  void set_servers(const List<NodeServerInfo>& servers, int num_nodes) override { box_.servers_->set_servers(servers, num_nodes); }

 protected:
  Async<Status> invoke(std::string_view method, const TypeInfo& request_type, const void* request, const TypeInfo& response_type,
                       void* response) override {
    auto status = co_await box_.servers_->call_method(method, request_type, request, response_type, response);
    if (status && method == rpc::kAllocGetAllocs.name) {
      auto& answer = *static_cast<rpc::AllocsGetResponse*>(response);
      for (auto& alloc : answer.Allocs)
        if (alloc) hear(alloc);
    }
    co_return status;
  }

 private:
  void hear(Ref<Allocation>& alloc) {
    region_.tasks.node_told(box_.name_, *alloc);
    bool stops = alloc->DesiredStatus != "run";
    bool plant = region_.options.plant == Plant::kRunStopped;
    if (!plant || !stops) return;
    auto copy = std::make_shared<Allocation>(*alloc);
    copy->DesiredStatus = "run";
    alloc = std::move(copy);
  }
  Region& region_;
  NodeBox& box_;
};

NodeBox::NodeBox(Region& region, int number)
    : region_(region),
      number_(number),
      ip_(fmt::format("10.0.1.{}", number)),
      name_(fmt::format("n{}", number)),
      host_(region.sim, region.options.seed * 1000 + 100 + static_cast<uint64_t>(number), region.clock_rate()),
      network_(region.network.host(ip_, host_.loop)),
      machine_(region.sim, name_, region.tasks) {
  auto dir = region.scratch.path() + "/" + name_;
  config_.state_dir = dir + "/state";
  config_.alloc_dir = dir + "/alloc";
  config_.node_name = name_;
  config_.mount_secrets = false;
  config_.http_advertise = ip_ + ":4646";
  facts_ = make_node_host(name_, ip_, config_.state_dir, boots_);
  sync_state();
}

void NodeBox::sync_state() {
  synced_ = *rows_;
  later(region_.sim.loop, host_.dice.between(Duration(1s), Duration(40s)), [this] { sync_state(); });
}

NodeBox::~NodeBox() { stop(); }

void NodeBox::boot() {
  if (up()) return;
  region_.network.power_on(ip_);
  region_.trace.event("node {} boots", number_);
  servers_ = std::make_unique<client::RemoteServers>(host_.world, network_, client::RemoteServers::Options{});
  if (auto status = servers_->set_addresses(region_.server_addresses()); !status) region_.violation(status.error().message);
  tap_ = std::make_unique<Tap>(region_, *this);
  client::ClientDeps deps{host_.world, *tap_, *facts_, client::make_memory_state(rows_)};
  deps.network = &network_;
  deps.make_drivers = [this](const drivers::DriverContext& context) {
    std::vector<std::unique_ptr<drivers::Driver>> out;
    out.push_back(make_sim_driver(machine_, context));
    return out;
  };
  client_ = std::make_unique<client::Client>(config_, std::move(deps));
  starting_ = Running(start_flow());
}

Async<void> NodeBox::start_flow() {
  auto status = co_await client_->start();
  if (!status) region_.violation(fmt::format("node {} does not start: {}", number_, status.error().message));
  id_ = client_->node_id();
}

void NodeBox::stop() {
  starting_.reset();
  client_.reset();
  tap_.reset();
  servers_.reset();
  host_.loop.forget();
}

void NodeBox::kill() {
  if (!up()) return;
  region_.trace.event("node {}'s agent is killed", number_);
  stop();
}

void NodeBox::lose_power() {
  if (!up()) return;
  region_.trace.event("node {} loses power", number_);
  region_.network.power_off(ip_);
  stop();
  *rows_ = synced_;
  region_.tasks.node_forgets(name_);
  facts_ = make_node_host(name_, ip_, config_.state_dir, ++boots_);
  machine_.lose_power();
}

void NodeBox::boot_soon(Duration within) {
  later(region_.sim.loop, region_.dice.between(Duration(1ms), within), [this] { boot(); });
}

}  // namespace drover::sim
