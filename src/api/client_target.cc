#include "api/client_target.h"

#include "base/strings.h"
#include "codec/json.h"
#include "model/client_rpc.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"

namespace drover::api {

client::Client* local_client_of(Call& call, const std::string& alloc_id) {
  auto* local = call.agent.client();
  auto id = Uuid::parse(alloc_id);
  return local && id && !id->nil() && local->has_alloc(*id) ? local : nullptr;
}

Result<client::Client*> local_client_of_node(Call& call, const std::string& node_id) {
  auto* local = call.agent.client();
  if (local && (node_id.empty() || node_id == local->node_id().str())) return local;
  if (node_id.empty()) return invalid("No local Node and node_id not provided");
  return nullptr;
}

Error operation_error(Error e) {
  bool missing = e.code == ErrorCode::kNotFound && (e.message.starts_with("Unknown allocation") || e.message == "No path to node");
  return missing || e.code == ErrorCode::kPermissionDenied ? e : internal(std::move(e.message));
}

namespace {

class RemoteFrames final : public client::FrameReader {
 public:
  explicit RemoteFrames(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)), wire_(*stream_) {}

  Async<Result<std::optional<StreamFrame>>> next() override {
    for (;;) {
      auto value = co_await wire_.read_value();
      if (!value && value.error().message == "EOF") co_return std::optional<StreamFrame>();
      if (!value) co_return std::move(value).error();
      DROVER_CO_TRY(auto message, from_msgpack<rpc::StreamErrWrapper>(*value));
      if (message.Error)
        co_return Error(net::rpc_code_of(message.Error->Code.value_or(500)), std::move(message.Error->Message));
      DROVER_CO_TRY(auto frame, from_json<StreamFrame>(message.Payload.data));
      if (frame == StreamFrame()) continue;  // the node's heartbeat; ours is sent anyway
      co_return std::optional(std::move(frame));
    }
  }

 private:
  std::unique_ptr<net::Stream> stream_;
  net::RpcWire wire_;
};

}  // namespace

std::unique_ptr<client::FrameReader> remote_frames(std::unique_ptr<net::Stream> stream) {
  return std::make_unique<RemoteFrames>(std::move(stream));
}

}  // namespace drover::api
