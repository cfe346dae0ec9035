// /v1/operator/snapshot: archives out and in, streamed (reference http-api section 24).
#include "api/routes.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "model/snapshot_rpc.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"

namespace drover::api {
namespace {

constexpr size_t kPiece = 64 * 1024;

// One frame of the archive on its way to the leader; `end` says how the body ended.
std::string frame_of(std::string bytes, std::string end = {}) {
  rpc::StreamErrWrapper frame;
  frame.Payload = Bytes(std::move(bytes));
  if (!end.empty()) frame.Error.ensure().Message = std::move(end);
  return to_msgpack(frame);
}

Async<void> send_body(net::HttpExchange& exchange, net::Stream& stream) {
  for (;;) {
    auto piece = co_await exchange.read_body_some();
    auto end = !piece ? piece.error().message : piece->empty() ? "EOF" : "";
    auto frame = frame_of(piece ? std::move(*piece) : std::string(), end);
    if (!co_await net::write_all(stream, frame) || !end.empty()) co_return;
  }
}

template <class Response>
Result<Response> answered(Result<std::string> value) {
  if (!value) return internal(value.error().message);
  DROVER_TRY(auto response, from_msgpack<Response>(*value));
  if (!response.ErrorMsg.empty()) return Error(net::rpc_code_of(response.ErrorCode), std::move(response.ErrorMsg));
  return response;
}

Async<Result<Reply>> save(Call& call) {
  rpc::SnapshotSaveRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  DROVER_CO_TRY(auto stream, co_await call.agent.stream("Operator.SnapshotSave"));
  net::RpcWire wire(*stream);
  DROVER_CO_CHECK(co_await wire.write(to_msgpack(req)));
  DROVER_CO_TRY(auto resp, answered<rpc::SnapshotSaveResponse>(co_await wire.read_value()));
  auto& h = call.exchange.headers();
  bool plain = call.preamble.empty();  // else a status line went out before the rest was known
  if (plain) {
    h.set("Digest", std::move(resp.SnapshotChecksum));
    h.set("Content-Type", "application/x-gzip");
    h.set("Content-Encoding", "identity");  // it is packed already
  }
  DROVER_CO_CHECK(co_await call.exchange.start(plain ? 200 : 400));
  DROVER_CO_CHECK(co_await call.exchange.write(call.preamble));
  std::string bytes = wire.take_unread();
  DROVER_CO_CHECK(co_await call.exchange.write(bytes));
  bytes.resize(kPiece);
  for (;;) {
    DROVER_CO_TRY(size_t n, co_await net::read_some(*stream, bytes.data(), bytes.size()));
    if (n == 0) co_return Reply{.sent = true};
    DROVER_CO_CHECK(co_await call.exchange.write(std::string_view(bytes).substr(0, n)));
  }
}

Async<Result<Reply>> restore(Call& call) {
  rpc::SnapshotRestoreRequest req;
  call.parse_write(req);
  DROVER_CO_TRY(auto stream, co_await call.agent.stream("Operator.SnapshotRestore"));
  net::RpcWire wire(*stream);
  DROVER_CO_CHECK(co_await wire.write(to_msgpack(req)));
  // The answer may come before the whole body has gone: then the rest is not wanted.
  Running sending(send_body(call.exchange, *stream));
  DROVER_CO_TRY(auto resp, answered<rpc::SnapshotRestoreResponse>(co_await wire.read_value()));
  static_cast<void>(resp);
  co_return Reply::nothing();
}

Async<Result<Reply>> snapshot(Call& call) {
  if (call.is("GET")) co_return co_await save(call);
  if (call.is_write()) co_return co_await restore(call);
  co_return method_error();
}

}  // namespace

void add_snapshot_routes(std::vector<Route>& routes) { routes.push_back({"/v1/operator/snapshot", snapshot}); }

}  // namespace drover::api
