// GET /v1/event/stream (reference http-api section 26).
#include <fmt/format.h>

#include "api/routes.h"
#include "base/strings.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"

namespace drover::api {
namespace {

Result<Map<List<std::string>>> topics_of(const Call& call) {
  Map<List<std::string>> topics;
  if (!call.query.has("topic")) topics["*"].push_back("*");
  for (auto& value : call.query.values("topic")) {
    auto parts = split(value, ':');
    if (parts.size() > 2)
      return invalid(fmt::format("Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: {}", value));
    topics[parts[0]].push_back(parts.size() == 2 ? parts[1] : "*");
  }
  return topics;
}

// The lines of the answer, until the stream or the reader ends. An error before the first has a status of its own.
Async<Status> pass_lines(Call& call, net::Stream& stream, std::string first) {
  auto& x = call.exchange;
  net::RpcWire wire(stream);
  for (;;) {
    DROVER_CO_TRY(auto bytes, co_await wire.read_value());
    DROVER_CO_TRY(auto message, from_msgpack<rpc::EventStreamWrapper>(bytes));
    if (message.Error && message.Error->Code)
      co_return Error(net::rpc_code_of(*message.Error->Code), std::move(message.Error->Message));
    if (!x.started()) {
      DROVER_CO_CHECK(co_await x.start(first.empty() ? 200 : 400));
    }
    if (!co_await x.write(std::exchange(first, {}) + (message.Event ? message.Event->Data.data : "") + "\n")) co_return Status{};
  }
}

Async<Result<Reply>> event_stream(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::EventStreamRequest request;
  if (auto text = call.query.get("index"); !text.empty()) {
    auto n = parse_int(text);
    if (!n) co_return invalid(fmt::format("Unable to parse index: strconv.Atoi: parsing {}: {}", go_quote(text), number_fault(text)));
    request.Index = *n;
  }
  DROVER_CO_TRY(request.Topics, topics_of(call));
  auto& headers = call.exchange.headers();
  headers.set("Content-Type", "application/json");
  headers.set("Cache-Control", "no-cache");
  // The reference writes what is wrong with the other parameters, and streams behind it.
  std::string first;
  if (auto parsed = call.parse_options(request); !parsed) first = parsed.error().message;
  first += std::exchange(call.preamble, {});
  DROVER_CO_TRY(auto stream, co_await call.agent.stream("Event.Stream"));
  std::string bytes = to_msgpack(request);
  DROVER_CO_CHECK(co_await net::write_all(*stream, bytes));
  auto done = co_await pass_lines(call, *stream, first);
  if (!done && !call.exchange.started()) {
    call.preamble = std::move(first);
    co_return internal(done.error().message);
  }
  if (!done) (void)co_await call.exchange.write(done.error().message);
  (void)co_await call.exchange.finish();
  co_return Reply{.sent = true};
}

}  // namespace

void add_event_routes(std::vector<Route>& routes) { routes.push_back({"/v1/event/stream", event_stream}); }

}  // namespace drover::api
