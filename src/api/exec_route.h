// /v1/client/allocation/:id/exec: a command beside a task, over a websocket (reference http-api section 13).
#pragma once

#include "api/call.h"

namespace drover::api {
Async<Result<Reply>> exec_alloc(Call& call, std::string id);
}
