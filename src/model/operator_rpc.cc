#include "model/operator_rpc.h"

// The fields of the embedded bases, as the wire flattens them.
#define QUERY_OPTIONS                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime),    \
      DROVER_FIELD(AllowStale), DROVER_FIELD(Prefix), DROVER_FIELD(AuthToken), DROVER_FIELD(Filter),         \
      DROVER_FIELD(PerPage), DROVER_FIELD(NextToken), DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded)
#define WRITE_REQUEST                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken),    \
      DROVER_FIELD(Forwarded)
#define QUERY_META DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)

DROVER_DESCRIBE(drover::rpc::RaftPeerByAddressRequest, "structs.RaftPeerByAddressRequest", WRITE_REQUEST, DROVER_FIELD(Address))
DROVER_DESCRIBE(drover::rpc::RaftPeerByIDRequest, "structs.RaftPeerByIDRequest", WRITE_REQUEST, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::AutopilotSetConfigRequest, "structs.AutopilotSetConfigRequest", WRITE_REQUEST,
                DROVER_FIELD(Datacenter), DROVER_FIELD(Config), DROVER_FIELD(CAS))
DROVER_DESCRIBE(drover::rpc::ServerHealth, "structs.ServerHealth", DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Address),
                DROVER_FIELD(SerfStatus), DROVER_FIELD(Version), DROVER_FIELD(Leader), DROVER_FIELD(LastContact),
                DROVER_FIELD(LastTerm), DROVER_FIELD(LastIndex), DROVER_FIELD(Healthy), DROVER_FIELD(Voter),
                DROVER_FIELD(StableSince))
DROVER_DESCRIBE(drover::rpc::OperatorHealthReply, "structs.OperatorHealthReply", DROVER_FIELD(Healthy),
                DROVER_FIELD(FailureTolerance), DROVER_FIELD(Servers))
DROVER_DESCRIBE(drover::rpc::RaftIdentity, "structs.RaftIdentity", DROVER_FIELD(Wire), DROVER_FIELD(ID), DROVER_FIELD(Members))
DROVER_DESCRIBE(drover::rpc::StateHashRequest, "structs.StateHashRequest", QUERY_OPTIONS, DROVER_FIELD(AtIndex), DROVER_FIELD(Wait))
DROVER_DESCRIBE(drover::rpc::TableHash, "structs.TableHash", DROVER_FIELD(Name), DROVER_FIELD(Hash), DROVER_FIELD(Rows))
DROVER_DESCRIBE(drover::rpc::ServerStateHash, "structs.ServerStateHash", DROVER_FIELD(ID), DROVER_FIELD(Name),
                DROVER_FIELD(Address), DROVER_FIELD(Leader), DROVER_FIELD(Index), DROVER_FIELD(Hash), DROVER_FIELD(Tables),
                DROVER_FIELD(Error))
DROVER_DESCRIBE(drover::rpc::StateHashesResponse, "structs.StateHashesResponse", QUERY_META, DROVER_FIELD(Servers),
                DROVER_FIELD(Comparable), DROVER_FIELD(Equal))
