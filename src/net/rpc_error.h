// Errors as text on the RPC wire and back (reference server-core 5.2, 5.9): "RPC Error:: <status>,<message>" where the
// HTTP status is not 500, the bare text where others match on it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::net {

std::string rpc_error_text(const Error& error);
// The code is found from the status or the text; kInternal otherwise. Never kUnavailable or kIo: those are the wire's own.
Error rpc_error(std::string_view text);

// HTTP statuses of errors on streams ({Message, Code}).
int rpc_status_of(ErrorCode code);
ErrorCode rpc_code_of(int64_t status);

}  // namespace drover::net
