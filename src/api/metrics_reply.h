// /v1/metrics: the registry as JSON and as Prometheus text (reference metrics section 4).
#pragma once

#include "api/call.h"

namespace drover::api {
Reply metrics_json(Call& call);
Reply metrics_prometheus();
}  // namespace drover::api
