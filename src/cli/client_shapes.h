// The structs of the API's clients. They decode an answer into structs of their own, which lack some of the servers'
// fields and have some that no server sends; what they print is those structs (reference data-model.json,
// "api_vs_server").
#pragma once

#include "codec/json.h"

namespace drover::cli {

// For JsonStyle::shape.
const JsonShape* client_shape(const TypeInfo& type);

}  // namespace drover::cli
