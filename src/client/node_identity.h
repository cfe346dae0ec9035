// Who this node is: its id and its secret, kept in the state directory (reference client, section 3).
#pragma once

#include <string>

#include "base/result.h"
#include "base/uuid.h"
#include "base/world.h"
#include "client/config.h"
#include "client/host_source.h"
#include "model/node.h"

namespace drover::client {

struct NodeIdentity {
  Uuid id, secret;
};
// Reads <state_dir>/client-id and secret-id, or makes them. In dev mode both are new and nothing is written. With
// no_host_uuid off the id comes from the machine's DMI uuid.
Result<NodeIdentity> load_identity(const Config& config, HostSource& host, Random& random);

// Metadata set at run time over the configured one; a null value masks a static key: pure.
struct NodeMeta {
  Map<std::string> fixed;                         // from the config, with the agent's defaults
  Map<std::optional<std::string>> dynamic;

  Map<std::string> merged() const;
  // Takes a change; a tombstone for a key that the config does not have is forgotten.
  void apply(const Map<std::optional<std::string>>& change);
  // kInvalid with the reference's words when a key will not do.
  static Status validate(const Map<std::optional<std::string>>& change);
};

}  // namespace drover::client
