#include "model/client_rpc.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::AllocRestartRequest, "structs.AllocRestartRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID),
                DROVER_FIELD(TaskName), DROVER_FIELD(AllTasks))
DROVER_DESCRIBE(drover::rpc::AllocStatsRequest, "structs.AllocStatsRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID),
                DROVER_FIELD(Task))
DROVER_DESCRIBE(drover::rpc::AllocStatsResponse, "structs.AllocStatsResponse", DROVER_QUERY_META, DROVER_FIELD(Stats))
DROVER_DESCRIBE(drover::rpc::AllocChecksRequest, "structs.AllocChecksRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID))
DROVER_DESCRIBE(drover::rpc::AllocChecksResponse, "structs.AllocChecksResponse", DROVER_QUERY_META, DROVER_FIELD(Results))
DROVER_DESCRIBE(drover::rpc::ClientStatsResponse, "structs.ClientStatsResponse", DROVER_QUERY_META, DROVER_FIELD(HostStats))
DROVER_DESCRIBE(drover::rpc::FsRequest, "structs.FsListRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID), DROVER_FIELD(Path))
DROVER_DESCRIBE(drover::rpc::FsListResponse, "structs.FsListResponse", DROVER_QUERY_META, DROVER_FIELD(Files))
DROVER_DESCRIBE(drover::rpc::FsStatResponse, "structs.FsStatResponse", DROVER_QUERY_META, DROVER_FIELD(Info))
DROVER_DESCRIBE(drover::rpc::FsStreamRequest, "structs.FsStreamRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID),
                DROVER_FIELD(Path), DROVER_FIELD(Offset), DROVER_FIELD(Origin), DROVER_FIELD(PlainText), DROVER_FIELD(Limit),
                DROVER_FIELD(Follow))
DROVER_DESCRIBE(drover::rpc::FsLogsRequest, "structs.FsLogsRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID), DROVER_FIELD(Task),
                DROVER_FIELD(LogType), DROVER_FIELD(Offset), DROVER_FIELD(Origin), DROVER_FIELD(PlainText),
                DROVER_FIELD(Follow))
DROVER_DESCRIBE(drover::rpc::AllocExecRequest, "structs.AllocExecRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID),
                DROVER_FIELD(Task), DROVER_FIELD(Tty), DROVER_FIELD(Cmd))
DROVER_DESCRIBE(drover::rpc::StreamTarget, "structs.StreamTarget", DROVER_QUERY_OPTIONS, DROVER_FIELD(AllocID), DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::StreamError, "structs.RpcError", DROVER_FIELD(Message), DROVER_FIELD(Code))
DROVER_DESCRIBE(drover::rpc::StreamErrWrapper, "structs.StreamErrWrapper", DROVER_FIELD(Error), DROVER_FIELD(Payload))
DROVER_DESCRIBE(drover::rpc::EventStreamRequest, "structs.EventStreamRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(Topics),
                DROVER_FIELD(Index))
DROVER_DESCRIBE(drover::rpc::EventJson, "structs.EventJson", DROVER_FIELD(Data))
DROVER_DESCRIBE(drover::rpc::EventStreamWrapper, "structs.EventStreamWrapper", DROVER_FIELD(Error), DROVER_FIELD(Event))
DROVER_DESCRIBE(drover::rpc::MonitorRequest, "structs.MonitorRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(LogLevel),
                DROVER_FIELD(LogJSON), DROVER_FIELD(NodeID), DROVER_FIELD(ServerID), DROVER_FIELD(PlainText))
DROVER_DESCRIBE(drover::rpc::AgentPprofRequest, "structs.AgentPprofRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(ReqType),
                DROVER_FIELD(Profile), DROVER_FIELD(Seconds), DROVER_FIELD(Debug), DROVER_FIELD(GC), DROVER_FIELD(NodeID),
                DROVER_FIELD(ServerID))
DROVER_DESCRIBE(drover::rpc::AgentPprofResponse, "structs.AgentPprofResponse", DROVER_FIELD(AgentID), DROVER_FIELD(Payload),
                DROVER_FIELD(HTTPHeaders))
DROVER_DESCRIBE(drover::rpc::HostDataRequest, "structs.HostDataRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(NodeID),
                DROVER_FIELD(ServerID))
DROVER_DESCRIBE(drover::rpc::HostDataResponse, "structs.HostDataResponse", DROVER_FIELD(AgentID), DROVER_FIELD(HostData))
DROVER_DESCRIBE(drover::rpc::NodeConnQueryResponse, "structs.NodeConnQueryResponse", DROVER_QUERY_META, DROVER_FIELD(Connected),
                DROVER_FIELD(Established))
DROVER_DESCRIBE(drover::rpc::RootKey, "structs.RootKey", DROVER_FIELD(Meta), DROVER_FIELD(Key))
DROVER_DESCRIBE(drover::rpc::KeyringGetRootKeyRequest, "structs.KeyringGetRootKeyRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(KeyID))
DROVER_DESCRIBE(drover::rpc::KeyringGetRootKeyResponse, "structs.KeyringGetRootKeyResponse", DROVER_QUERY_META, DROVER_FIELD(Key))
DROVER_DESCRIBE(drover::rpc::RaftStats, "structs.RaftStats", DROVER_FIELD(LastContact), DROVER_FIELD(LastTerm),
                DROVER_FIELD(LastIndex))
