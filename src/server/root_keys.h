// The life of root keys: made by the first leader, rotated when old or when asked, deleted when nothing uses them
// (reference security section 8.4).
#pragma once

#include <string>
#include <string_view>

#include "base/async.h"
#include "model/config_records.h"

namespace drover::server {

class Server;

// Core jobs.
inline constexpr std::string_view kRekeyJob = "variables-rekey";
inline constexpr std::string_view kRootKeyJob = "root-key-rotate-gc";

// The id of the active key. Error: "keyring has not been initialized yet".
Result<std::string> active_key(Server& server);

struct NewRootKey {
  RootKeyMeta meta;
  uint64_t index = 0;
};
// A fresh active key. `rekey`: what the older ones encrypted is to be encrypted anew.
Async<Result<NewRootKey>> add_root_key(Server& server, bool rekey);

// Encrypts the variables of keys that are being left with the active one. What somebody else writes meanwhile is
// encrypted with it anyway.
Async<Status> rekey_variables(Server& server);
// Rotates an active key older than the configured age; deletes those that nothing uses any more. `old_index`: a key
// that was last changed at or before it is old enough to go.
Async<Status> care_for_root_keys(Server& server, uint64_t old_index);

}  // namespace drover::server
