#include "server/root_keys.h"

#include "base/log.h"
#include "model/feature_requests.h"
#include "model/raft_requests.h"
#include "model/requests.h"
#include "server/keyring.h"
#include "server/server.h"
#include "state/config_ops.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad.keyring";

Async<Status> write_meta(Server& server, const RootKeyMeta& meta, bool rekey, uint64_t* index = nullptr) {
  rpc::KeyringUpdateRootKeyMetaRequest entry;
  entry.RootKeyMeta = meta;
  entry.Rekey = rekey;
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kRootKeyMetaUpsert, entry));
  if (index) *index = applied.index;
  co_return Status{};
}

// The variable under the active key, unless somebody wrote it meanwhile.
Async<Status> rekey(Server& server, const VariableEncrypted& old) {
  DROVER_CO_TRY(auto plain, server.keyring().decrypt(old.KeyID, old.Data.data));
  rpc::VarApplyStateRequest entry;
  entry.Op = "cas";
  entry.Var = old;
  auto& fresh = *entry.Var;
  DROVER_CO_TRY(fresh.KeyID, active_key(server));
  DROVER_CO_TRY(fresh.Data.data, server.keyring().encrypt(fresh.KeyID, plain));
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kVarApplyState, entry));
  co_return Status{};
}

}  // namespace

Result<std::string> active_key(Server& server) {
  auto key = server.snapshot().root_keys().active();
  if (!key) return internal("keyring has not been initialized yet");
  return key->KeyID;
}

Async<Result<NewRootKey>> add_root_key(Server& server, bool rekey) {
  NewRootKey made;
  made.meta.KeyID = Uuid::generate(server.world().random).str();
  made.meta.Algorithm = Keyring::kAlgorithm;
  made.meta.CreateTime = server.world().clock.now().unix_nanos;
  made.meta.State = "active";
  DROVER_CO_TRY(auto key, Keyring::random_key());
  DROVER_CO_CHECK(server.keyring().add(made.meta, std::move(key)));
  DROVER_CO_CHECK(co_await write_meta(server, made.meta, rekey, &made.index));
  log_info(kLog, "root key is active", {{"key_id", made.meta.KeyID}});
  co_return made;
}

Async<Status> rekey_variables(Server& server) {
  for (auto& key : server.snapshot().root_keys().all().all()) {
    if (key->State != "rekeying") continue;
    for (auto& variable : server.snapshot().variables().by_key(key->KeyID).all())
      DROVER_CO_CHECK(co_await rekey(server, *variable));
    if (server.snapshot().variables().by_key(key->KeyID).any()) continue;  // the next run sees to what came between
    auto done = *key;
    done.State = "deprecated";
    DROVER_CO_CHECK(co_await write_meta(server, done, false));
  }
  co_return Status{};
}

Async<Status> care_for_root_keys(Server& server, uint64_t old_index) {
  auto snap = server.snapshot();
  auto active = snap.root_keys().active();
  auto now = server.world().clock.now();
  if (active && now - Time::from_unix_nanos(active->CreateTime) > server.config().gc.root_key_rotation) {
    rpc::KeyringRotateRootKeyRequest rotate;
    rotate.Region = server.config().region;
    auto made = co_await server.call<KeyringRotateRootKeyResponse>("Keyring.Rotate", rotate);
    co_return made ? Status{} : Status(Error(std::move(made).error()));  // its predecessor is looked at in the next run
  }
  for (auto& key : snap.root_keys().all().all()) {
    if (key->State == "active" || key->State == "rekeying") continue;
    if (key->ModifyIndex > old_index || state::root_key_in_use(snap.state(), key->KeyID)) continue;
    rpc::KeyringDeleteRootKeyRequest entry;
    entry.KeyID = key->KeyID;
    entry.Region = server.config().region;
    auto gone = co_await server.call<KeyringDeleteRootKeyResponse>("Keyring.Delete", entry);
    if (!gone) co_return Error(std::move(gone).error());
  }
  co_return Status{};
}

}  // namespace drover::server
