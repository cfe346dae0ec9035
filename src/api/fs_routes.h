// /v1/client/fs/...: the files and logs of an allocation (reference http-api section 14).
#pragma once

#include "api/call.h"

namespace drover::api {
Async<Result<Reply>> alloc_files(Call& call);
}
