#include "server/node_conns.h"

#include <algorithm>

#include "net/rpc_pool.h"
#include "net/rpc_wire.h"

namespace drover::server {
namespace {

Error gone() { return {ErrorCode::kUnavailable, "rpc error: session shutdown"}; }

}  // namespace

class NodeConns::Remote final : public NodeLink {
 public:
  explicit Remote(std::weak_ptr<net::RpcConnection> connection) : connection_(std::move(connection)) {}

  Async<Result<std::string>> call(std::string method, std::string body) override {
    DROVER_CO_TRY(auto stream, co_await open_stream(net::RpcByte::kNomad));
    net::RpcWire wire(*stream);
    co_return co_await wire.call(std::move(method), std::move(body));
  }
  Async<Result<std::unique_ptr<net::Stream>>> open(std::string method) override {
    DROVER_CO_TRY(auto stream, co_await open_stream(net::RpcByte::kStreaming));
    DROVER_CO_CHECK(co_await net::begin_streaming(*stream, std::move(method)));
    co_return std::move(stream);
  }

 private:
  Async<Result<std::unique_ptr<net::Stream>>> open_stream(net::RpcByte type) {
    auto c = connection_.lock();
    if (!c || !c->session) co_return gone();
    co_return co_await net::open_rpc_stream(*c->session, type);
  }
  std::weak_ptr<net::RpcConnection> connection_;
};

NodeConns::Noted::~Noted() {
  auto o = owner.lock();
  if (!o) return;
  auto& nodes = (*o)->nodes_;
  auto it = nodes.find(node_id);
  if (it == nodes.end()) return;
  std::erase_if(it->second, [&](auto& e) { return e.connection == connection; });
  if (it->second.empty()) nodes.erase(it);
}

void NodeConns::note(const std::shared_ptr<net::RpcConnection>& c, std::string_view node_id, Time now) {
  if (node_id.empty() || c->state || !c->session) return;
  c->state = std::make_shared<Noted>(self_, std::string(node_id), c.get());
  nodes_[std::string(node_id)].push_back({std::make_shared<Remote>(c), c.get(), now});
}

void NodeConns::set_local(std::string node_id, NodeLinkRef link, Time now) {
  auto& entries = nodes_[node_id];
  std::erase_if(entries, [](auto& e) { return e.connection == nullptr; });
  if (link) entries.push_back({std::move(link), nullptr, now});
  if (entries.empty()) nodes_.erase(node_id);
}

NodeLinkRef NodeConns::find(std::string_view node_id) const {
  auto it = nodes_.find(node_id);
  return it == nodes_.end() ? nullptr : it->second.back().link;
}

std::optional<Time> NodeConns::established(std::string_view node_id) const {
  auto it = nodes_.find(node_id);
  if (it == nodes_.end()) return std::nullopt;
  return it->second.back().established;
}

}  // namespace drover::server
