// The fields of the bases that requests and replies embed, as the wire flattens them: for descriptions only.
#pragma once

#include "codec/type_info.h"

#define DROVER_QUERY_OPTIONS                                                                                 \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime),    \
      DROVER_FIELD(AllowStale), DROVER_FIELD(Prefix), DROVER_FIELD(AuthToken), DROVER_FIELD(Filter),         \
      DROVER_FIELD(PerPage), DROVER_FIELD(NextToken), DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded)
#define DROVER_WRITE_REQUEST                                                                                 \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken),    \
      DROVER_FIELD(Forwarded)
#define DROVER_QUERY_META \
  DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)
#define DROVER_WRITE_META DROVER_FIELD(Index)
