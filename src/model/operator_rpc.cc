#include "model/operator_rpc.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::RaftPeerByAddressRequest, "structs.RaftPeerByAddressRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Address))
DROVER_DESCRIBE(drover::rpc::RaftPeerByIDRequest, "structs.RaftPeerByIDRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::AutopilotSetConfigRequest, "structs.AutopilotSetConfigRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Datacenter), DROVER_FIELD(Config), DROVER_FIELD(CAS))
DROVER_DESCRIBE(drover::rpc::ServerHealth, "structs.ServerHealth", DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Address),
                DROVER_FIELD(SerfStatus), DROVER_FIELD(Version), DROVER_FIELD(Leader), DROVER_FIELD(LastContact),
                DROVER_FIELD(LastTerm), DROVER_FIELD(LastIndex), DROVER_FIELD(Healthy), DROVER_FIELD(Voter),
                DROVER_FIELD(StableSince))
DROVER_DESCRIBE(drover::rpc::OperatorHealthReply, "structs.OperatorHealthReply", DROVER_FIELD(Healthy),
                DROVER_FIELD(FailureTolerance), DROVER_FIELD(Servers))
DROVER_DESCRIBE(drover::rpc::RaftIdentity, "structs.RaftIdentity", DROVER_FIELD(Wire), DROVER_FIELD(ID), DROVER_FIELD(Members))
DROVER_DESCRIBE(drover::rpc::StateHashRequest, "structs.StateHashRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AtIndex), DROVER_FIELD(Wait))
DROVER_DESCRIBE(drover::rpc::TableHash, "structs.TableHash", DROVER_FIELD(Name), DROVER_FIELD(Hash), DROVER_FIELD(Rows))
DROVER_DESCRIBE(drover::rpc::ServerStateHash, "structs.ServerStateHash", DROVER_FIELD(ID), DROVER_FIELD(Name),
                DROVER_FIELD(Address), DROVER_FIELD(Leader), DROVER_FIELD(Index), DROVER_FIELD(Hash), DROVER_FIELD(Tables),
                DROVER_FIELD(Error))
DROVER_DESCRIBE(drover::rpc::StateHashesResponse, "structs.StateHashesResponse", DROVER_QUERY_META, DROVER_FIELD(Servers),
                DROVER_FIELD(Comparable), DROVER_FIELD(Equal))
