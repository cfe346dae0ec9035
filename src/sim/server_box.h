// ServerBox: one server's machine. The server in it is the real one; the box boots it, kills it and takes its power.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/flows.h"
#include "server/server.h"
#include "sim/host_world.h"
#include "sim/region.h"
#include "sim/server_disk.h"

namespace drover::sim {

class ServerBox {
 public:
  ServerBox(Region& region, int number);
  ~ServerBox();

  const std::string& ip() const { return ip_; }
  int number() const { return number_; }
  const std::string& id() const { return config_.node_id; }
  bool up() const { return server_ != nullptr; }
  bool paused() const { return host_.loop.paused(); }
  server::Server* server() { return server_.get(); }
  // Leads and is ready, and can be heard of.
  bool leads() const;
  ServerDisk& disk() { return disk_; }
  HostWorld& host() { return host_; }

  void boot();
  // The process ends at once; the machine stays.
  void kill();
  void lose_power();
  void pause() { host_.loop.pause(); }
  void resume() { host_.loop.resume(); }
  // The machine is replaced: an empty disk and another id. It must be down.
  void replace();
  // The next boot is with a peers.json that names this server alone. It must be down.
  void recover_alone() { alone_ = true; }
  // Term and index of the newest entry on its disk. It must be down.
  std::pair<uint64_t, uint64_t> log_end();
  // Boots when it is down, again and again until it works.
  void boot_soon(Duration within);

  // Calls a procedure as an agent's HTTP side does. `done` is not called when the server dies first.
  template <class Response, class Request>
  void ask(std::string_view method, Request request, std::function<void(Result<Response>)> done) {
    [[maybe_unused]] auto* row = server::find_rpc(method);
    DROVER_ASSERT(row && &row->request() == &type_of<Request>() && &row->response() == &type_of<Response>(), "the table's types");
    host_.loop.post([this, method, request = std::move(request), done = std::move(done)]() mutable {
      if (!server_) return;
      flows_.start(flow<Response>(*server_, method, std::move(request), std::move(done)));
    });
  }
  // Runs a flow on the server's loop; it ends with the server at the latest.
  void run(std::function<Async<void>(server::Server&)> make);

  // For every step: whether it leads a new term.
  void look();

 private:
  template <class Response, class Request>
  static Async<void> flow(server::Server& server, std::string_view method, Request request, std::function<void(Result<Response>)> done) {
    request.Region = "global";
    auto answer = co_await server.call<Response>(method, std::move(request));
    done(std::move(answer));
  }
  Async<void> join_flow();
  void stop();
  void failed(const Error& error);

  Region& region_;
  int number_;
  std::string ip_;
  HostWorld host_;
  net::Network& network_;
  ServerDisk disk_;
  server::Config config_;
  std::unique_ptr<server::Server> server_;
  Flows flows_;
  Running joining_;
  uint64_t life_ = 0, seen_term_ = 0;
  bool was_ready_ = false;
  bool alone_ = false;
};

}  // namespace drover::sim
