#include "api/exec_route.h"

#include <fmt/format.h>

#include "api/client_target.h"
#include "base/strings.h"
#include "client/exec_frames.h"
#include "codec/json.h"
#include "drivers/driver.h"
#include "model/agent_info.h"
#include "model/client_rpc.h"
#include "model/client_stats.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"
#include "net/websocket.h"

namespace drover::api {
namespace {

constexpr uint16_t kNormal = 1000, kPolicy = 1008, kServerError = 1011;

uint16_t close_code(const Error& e) { return status_of(e) == 500 ? kServerError : kPolicy; }

// What the client sends goes to the command, until it closes or breaks off.
Async<void> pump_input(net::WebSocket& socket, drivers::ExecSession& session) {
  for (;;) {
    auto message = co_await socket.read();
    if (!message) co_return;
    auto frame = from_json<ExecTaskStreamingRequest>(message->data);
    if (!frame) continue;
    co_await client::feed_exec(session, *frame);
  }
}

Async<Status> pump_output(net::WebSocket& socket, drivers::ExecSession& session) {
  for (;;) {
    DROVER_CO_TRY(auto out, co_await session.read());
    auto frame = client::exec_frame(std::move(out));
    DROVER_CO_CHECK(co_await socket.write(to_json(frame)));
    if (frame.Exited) co_return Status{};
  }
}

// What the client sends goes to the other node as it is.
Async<void> pass_input(net::WebSocket& socket, net::Stream& stream) {
  for (;;) {
    auto message = co_await socket.read();
    if (!message) break;
    auto frame = from_json<ExecTaskStreamingRequest>(message->data);
    if (!frame) continue;
    std::string bytes = to_msgpack(*frame);
    if (!co_await net::write_all(stream, bytes)) break;
  }
  // The command ends with its session.
  stream.close();
}

// The answers of the other node are those that the client expects.
Async<Status> pass_output(net::WebSocket& socket, net::Stream& stream) {
  net::RpcWire wire(stream);
  for (;;) {
    auto value = co_await wire.read_value();
    if (!value && value.error().message == "EOF") co_return Status{};
    if (!value) co_return std::move(value).error();
    DROVER_CO_TRY(auto message, from_msgpack<rpc::StreamErrWrapper>(*value));
    if (message.Error) co_return Error(net::rpc_code_of(message.Error->Code.value_or(500)), std::move(message.Error->Message));
    DROVER_CO_CHECK(co_await socket.write(message.Payload.data));
    if (auto frame = from_json<ExecTaskStreamingResponse>(message.Payload.data); frame && frame->Exited) co_return Status{};
  }
}

struct ExecQuery {
  std::string task;
  std::vector<std::string> command;
  bool tty = false, handshake = false;
};

Result<ExecQuery> parse_query(const Call& call) {
  ExecQuery q;
  q.task = call.query.get("task");
  auto command = from_json<List<std::string>>(call.query.get("command"));
  if (!command) {
    auto& why = command.error().message;
    bool cut = why == "EOF" || why == "unexpected EOF";
    return internal("failed to marshal command into json: " + (cut ? std::string("unexpected end of JSON input") : why));
  }
  q.command.assign(command->begin(), command->end());
  if (auto tty = call.query.get("tty"); !tty.empty()) {
    auto b = parse_bool(tty);
    if (!b) return internal(fmt::format("tty value is not a boolean: strconv.ParseBool: parsing {}: invalid syntax", go_quote(tty)));
    q.tty = *b;
  }
  q.handshake = call.query.get("ws_handshake") == "true";
  return q;
}

// The client's first message, where it announced one: its version, and the token that browsers cannot put in a header.
Async<Status> shake_hands(net::WebSocket& socket) {
  DROVER_CO_TRY(auto message, co_await socket.read());
  DROVER_CO_TRY(auto hello, from_json<WsHandshakeMessage>(message.data));
  if (hello.Version != 1) co_return invalid(fmt::format("unexpected handshake value: {}", hello.Version));
  co_return Status{};
}

Async<Status> run(Call& call, net::WebSocket& socket, const std::string& id, ExecQuery q) {
  if (q.handshake) DROVER_CO_CHECK(co_await shake_hands(socket));
  if (q.task.empty()) co_return invalid("must provide task name");
  if (q.command.empty()) co_return invalid("command is not present");
  auto* client = local_client_of(call, id);
  if (!client) {
    rpc::AllocExecRequest ask;
    ask.AllocID = id;
    ask.Task = q.task;
    ask.Tty = q.tty;
    ask.Cmd = List<std::string>(q.command);
    DROVER_CO_TRY(auto stream, co_await ask_node_stream(call, "Allocations.Exec", std::move(ask)));
    Running input(pass_input(socket, *stream));
    co_return co_await pass_output(socket, *stream);
  }
  DROVER_CO_TRY(auto session, co_await client->exec(*Uuid::parse(id), q.task, q.command, q.tty));
  co_return co_await client::run_exec(call.agent.world().loop, pump_input(socket, *session), pump_output(socket, *session));
}

}  // namespace

Async<Result<Reply>> exec_alloc(Call& call, std::string id) {
  DROVER_CO_TRY(auto query, parse_query(call));
  auto socket = co_await call.exchange.upgrade_websocket("failed to upgrade connection: ");
  if (!socket) co_return Reply{.sent = true};
  auto done = co_await run(call, **socket, id, std::move(query));
  if (done) (void)co_await (*socket)->close(kNormal, "");
  else (void)co_await (*socket)->close(close_code(done.error()), done.error().message);
  co_return Reply{.sent = true};
}

}  // namespace drover::api
