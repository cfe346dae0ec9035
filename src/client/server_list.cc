#include "client/server_list.h"

#include <algorithm>

namespace drover::client {
namespace {

constexpr double kConnectionsPerServer = 64;  // new connections a second that a server is asked to bear
constexpr Duration kMinRebalance = 5min;

}  // namespace

Result<net::Address> parse_server_address(std::string_view text) {
  if (auto whole = net::split_host_port(text)) return net::Address::parse(text);
  std::string host(text);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return net::Address::parse(net::join_host_port(host, std::to_string(kServerPort)));
}

bool ServerList::set(std::vector<net::Address> servers) {
  std::sort(servers.begin(), servers.end());
  servers.erase(std::unique(servers.begin(), servers.end()), servers.end());
  auto have = servers_;
  std::sort(have.begin(), have.end());
  if (have == servers) return false;
  servers_ = std::move(servers);
  shuffle();
  return true;
}

std::optional<net::Address> ServerList::find() const {
  if (servers_.empty()) return std::nullopt;
  return servers_.front();
}

void ServerList::failed(const net::Address& server) {
  if (servers_.size() > 1 && servers_.front() == server) std::rotate(servers_.begin(), servers_.begin() + 1, servers_.end());
}

void ServerList::shuffle() {
  for (size_t i = servers_.size(); i > 1; --i) std::swap(servers_[i - 1], servers_[random_.below(i)]);
}

void ServerList::prefer(const net::Address& server) {
  auto it = std::find(servers_.begin(), servers_.end(), server);
  if (it != servers_.end()) std::rotate(servers_.begin(), it, it + 1);
}

Duration ServerList::rebalance_interval(int num_nodes) {
  double rate = static_cast<double>(std::max<size_t>(1, servers_.size())) * kConnectionsPerServer;
  auto scaled = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(num_nodes / rate));
  auto interval = std::max(kMinRebalance, scaled);
  return interval + random_.jitter(interval);
}

}  // namespace drover::client
