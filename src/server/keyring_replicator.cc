#include "server/keyring_replicator.h"

#include <vector>

#include "base/log.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/address.h"
#include "server/cluster.h"
#include "server/keyring.h"
#include "server/membership.h"
#include "server/rpc.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad.keyring.replicator";
constexpr Duration kRetry = 1s;  // while a key cannot be had

Async<Status> keyring_get(Server& server, const rpc::KeyringGetRootKeyRequest& req, rpc::KeyringGetRootKeyResponse& resp) {
  if (req.KeyID.empty()) co_return internal("root key ID is required");
  auto meta = server.snapshot().root_keys().get(req.KeyID);
  if (!meta) co_return Status{};
  DROVER_CO_TRY(auto secret, server.keyring().secret(req.KeyID));
  auto& key = resp.Key.ensure();
  key.Meta = *meta;
  key.Key.data = std::move(secret);
  resp.Index = meta->ModifyIndex;
  co_return Status{};
}

}  // namespace

KeyringReplicator::KeyringReplicator(Server& server) : server_(server), running_(run()) {}

void KeyringReplicator::look() { news_.set_from_any_thread(server_.world().loop, true); }

Async<void> KeyringReplicator::run() {
  for (;;) {
    news_ = Promise<bool>();
    auto news = news_;
    bool all = true;
    std::vector<RootKeyMeta> missing;
    for (auto& key : server_.snapshot().root_keys().all())
      if (!server_.keyring().has(key->KeyID)) missing.push_back(*key);
    for (auto& meta : missing) all = co_await fetch(std::move(meta)) && all;
    Timer timer;
    if (!all) timer = server_.world().loop.after(kRetry, [news]() mutable { news.set(false); });
    co_await news;
  }
}

Async<bool> KeyringReplicator::fetch(RootKeyMeta meta) {
  if (!server_.cluster() || !server_.membership()) co_return true;
  std::vector<std::string> addresses;
  if (auto leader = server_.leader_address(); !leader.empty() && !server_.is_leader()) addresses.push_back(leader);
  for (auto& s : server_.membership()->peers().in_region(server_.config().region))
    if (s.id != server_.node_id()) addresses.push_back(s.address);
  rpc::KeyringGetRootKeyRequest ask;
  ask.Region = server_.config().region;
  ask.KeyID = meta.KeyID;
  ask.AllowStale = true;
  for (auto& text : addresses) {
    auto address = net::Address::parse(text);
    if (!address) continue;
    auto body = co_await server_.cluster()->pool().call(*address, ask.Region, "Keyring.Get", to_msgpack(ask));
    if (!body) continue;
    auto answer = from_msgpack<rpc::KeyringGetRootKeyResponse>(*body);
    if (!answer || !answer->Key || answer->Key->Key.data.size() != Keyring::kKeyBytes) continue;
    auto added = server_.keyring().add(meta, std::move(answer->Key->Key.data));
    if (!added) {
      log_error(kLog, "failed to add key to keyring", {{"key", meta.KeyID}, {"error", added.error().message}});
      co_return false;
    }
    log_debug(kLog, "added key", {{"key", meta.KeyID}});
    co_return true;
  }
  log_warn(kLog, "failed to fetch key from any peer", {{"key", meta.KeyID}});
  co_return false;
}

void add_keyring_rows(std::vector<RpcRow>& rows) { rows.push_back(rpc_row<&keyring_get>("Keyring.Get", Where::kStale)); }

}  // namespace drover::server
