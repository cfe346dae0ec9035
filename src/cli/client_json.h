// JSON as the API's clients print it. They decode an answer into structs of their own, which lack some of the servers'
// fields and have some that no server sends; what they print is those structs (reference data-model.json,
// "api_vs_server").
#pragma once

#include <string>

#include "codec/type_info.h"

namespace drover::cli {

// Keys by name, `indent` spaces; a field that the client's struct has is there even when empty.
std::string client_json(const TypeInfo& type, const void* object, int indent);

}  // namespace drover::cli
