// Call: one HTTP request on its way through a route; Reply: what the route answers.
//
// A handler is a coroutine Call& -> Result<Reply>. Errors become the reference's plain text answers: the code of the
// Error chooses the status (kInvalid 400, kPermissionDenied 403, kNotFound 404, kMethodNotAllowed 405, kTooLarge 413,
// kNotImplemented 501, anything else 500), the message is the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/agent.h"
#include "base/async.h"
#include "base/result.h"
#include "codec/json.h"
#include "model/requests.h"
#include "net/http_server.h"
#include "net/url.h"

namespace drover::api {

inline constexpr size_t kBodyMax = 64u << 20;  // bytes of a request body; the log's limit on one entry is smaller

// The error of a method that a route does not take.
inline Error method_error() { return {ErrorCode::kMethodNotAllowed, "Invalid method"}; }
int status_of(const Error& error);
// Why a text is no 64 bit integer: "invalid syntax", "value out of range".
std::string_view number_fault(std::string_view text);

struct Reply {
  int status = 200;
  std::string body;
  bool json = false;      // encoded by us: Content-Type application/json
  bool sent = false;      // the handler has answered by itself (streams, websockets)
  std::string content_type;  // when not empty, instead of sniffing

  static Reply nothing() { return {}; }
  static Reply text(std::string t) { return {.body = std::move(t)}; }
};

// What is known at once, for handlers that only choose another one. These are no coroutines: one that waits for a blocking query
// would hold the frames of all that it might have chosen.
inline Async<Result<Reply>> at_once(Result<Reply> reply) { co_return std::move(reply); }

// Encodes `value`; any thread.
Reply json_reply(const TypeInfo& type, const void* value, const JsonStyle& style);

class Call {
 public:
  Call(Agent& agent, net::HttpRequest& request, net::HttpExchange& exchange);

  Agent& agent;
  net::HttpRequest& http;
  net::HttpExchange& exchange;
  std::string path;        // decoded
  std::string rest;        // what follows the route's pattern, for patterns that end in '/'
  net::Query query;
  // Text that goes in front of the reply's body with status 400: the reference writes some parse errors and carries on.
  std::string preamble;

  bool is(std::string_view method) const { return http.method == method; }
  bool is_write() const { return is("PUT") || is("POST"); }

  // ---- parameters (reference http-api section 2) ----
  // Fills QueryOptions of a read: region, namespace, token, blocking, paging, filter. Errors are 400.
  Status parse_options(QueryOptions& o);
  // Fills the write fields: region, namespace, token, idempotency token; the query wins over what is there.
  void parse_write(drover::WriteRequest& w) const;
  // A boolean or integer parameter; absent gives the fallback. Errors are 500, in the reference's words.
  Result<bool> flag(std::string_view name, bool fallback = false) const;
  Result<std::optional<int64_t>> number(std::string_view name) const;
  std::string token() const;

  // The body decoded into `value`. "Request body is empty" when there is none.
  template <class T>
  Async<Status> body(T& value) {
    return body_into(type_of<T>(), &value);
  }
  Async<Status> body_into(const TypeInfo& type, void* value);
  bool has_body() const { return http.has_body(); }

  // ---- answers ----
  template <class T>
  Reply json(const T& value) {
    return json_of(type_of<T>(), &value);
  }
  Reply json_of(const TypeInfo& type, const void* value);
  // For lists that may be long: `make()` gives the value; it is called, written as JSON and let go of in the pool.
  template <class Make>
  Async<Result<Reply>> json_in_pool(Make make) {
    co_return co_await on_pool(agent.world(), [make = std::move(make), style = json_style()]() mutable -> Result<Reply> {
      auto value = make();
      return json_reply(type_of<decltype(value)>(), &value, style);
    });
  }
  // X-Nomad-Index, X-Nomad-KnownLeader, X-Nomad-LastContact, X-Nomad-NextToken.
  void set_meta(const QueryMeta& meta);
  void set_index(uint64_t index);

  // ---- remote procedures ----
  template <class Response, class Request>
  Async<Result<Response>> rpc(std::string_view method, Request request) {
    Response response{};
    auto status = co_await agent.rpc(method, type_of<Request>(), &request, type_of<Response>(), &response);
    if (!status) co_return Error(std::move(status).error());
    co_return std::move(response);
  }
  // A read whose request inherits QueryOptions and whose response inherits QueryMeta: options parsed, meta headers set.
  // `namespaced` requests take ?namespace=.
  template <class Response, class Request>
  Async<Result<Response>> read(std::string_view method, Request request) {
    auto parsed = parse_options(request);
    if (!parsed) co_return Error(std::move(parsed).error());
    auto response = co_await rpc<Response>(method, std::move(request));
    if (response) set_meta(*response);
    co_return response;
  }

 private:
  bool pretty() const;
  JsonStyle json_style() const;
};

// Stubs and events of older allocations lack display messages; the HTTP layer fills them in.
}  // namespace drover::api
