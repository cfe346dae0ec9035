#include "model/agent_info.h"

DROVER_DESCRIBE(drover::AgentMember, "agent.Member",
    DROVER_FIELD(Name), DROVER_FIELD(Addr).wire("net.IP"), DROVER_FIELD(Port), DROVER_FIELD(Tags),
    DROVER_FIELD(Status), DROVER_FIELD(ProtocolMin), DROVER_FIELD(ProtocolMax), DROVER_FIELD(ProtocolCur),
    DROVER_FIELD(DelegateMin), DROVER_FIELD(DelegateMax), DROVER_FIELD(DelegateCur))

DROVER_DESCRIBE(drover::AgentHealthPart, "agent.healthResponseAgent",
    DROVER_FIELD(Ok).json("ok"), DROVER_FIELD(Message).json("message").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::AgentHealthResponse, "agent.healthResponse",
    DROVER_FIELD(Client).json("client").with(drover::kOmitEmpty),
    DROVER_FIELD(Server).json("server").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::AgentJoinResult, "agent.joinResult",
    DROVER_FIELD(NumJoined).json("num_joined"), DROVER_FIELD(Error).json("error"))

DROVER_DESCRIBE(drover::WsHandshakeMessage, "agent.wsHandshakeMessage",
    DROVER_FIELD(Version).json("version"), DROVER_FIELD(AuthToken).json("auth_token"))

DROVER_DESCRIBE(drover::VersionInfo, "version.VersionInfo",
    DROVER_FIELD(BuildDate), DROVER_FIELD(Revision), DROVER_FIELD(Version), DROVER_FIELD(VersionPrerelease),
    DROVER_FIELD(VersionMetadata))
