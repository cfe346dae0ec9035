// From the text of one configuration file to a Config: HCL1 or JSON, by the tables of config_keys.h.
#pragma once

#include <string_view>

#include "agent/config_types.h"
#include "base/result.h"

namespace drover::agent {

// What the file does not set stays at its zero value. Errors, in the order in which they are looked for:
//   syntax and types   `At 3:13: root.client.enabled: unknown type *ast.ListType`
//   durations          `server.heartbeat_grace can't parse time duration soon`
//   unknown keys       `client unexpected keys a, b`; in a nested block the inner name comes first
// The first kind is wrapped by the caller as "failed to decode HCL file".
struct DecodeFailure {
  bool syntax = false;
  Error error;
};
std::expected<Config, DecodeFailure> decode_config(std::string_view text);

}  // namespace drover::agent
