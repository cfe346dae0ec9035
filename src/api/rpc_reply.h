// Short forms for routes that are one remote procedure.
#pragma once

#include <string_view>
#include <utility>

#include "api/call.h"
#include "codec/reflect.h"

namespace drover::api {

// A read: options parsed, meta headers set, one member of the response as JSON.
template <class Response, class Request, class Member>
Async<Result<Reply>> reply_member(Call& call, std::string_view method, Request request, Member member) {
  auto response = co_await call.read<Response>(method, std::move(request));
  if (!response) co_return Error(std::move(response).error());
  co_return co_await call.json_in_pool([value = std::move((*response).*member)]() mutable { return std::move(value); });
}

// The same for a pointer that may be null: 404 with `missing`.
template <class Response, class Request, class Member>
Async<Result<Reply>> reply_object(Call& call, std::string_view method, Request request, Member member, std::string missing) {
  auto response = co_await call.read<Response>(method, std::move(request));
  if (!response) co_return Error(std::move(response).error());
  if (!((*response).*member)) co_return not_found(std::move(missing));
  co_return call.json(*((*response).*member));
}

// Fills the write fields of a request that has them in line.
template <class Request>
void scope_write(const Call& call, Request& request) {
  auto write = convert<drover::WriteRequest>(request);
  call.parse_write(write);
  reflect_convert(type_of<drover::WriteRequest>(), &write, type_of<Request>(), &request);
}

// A write: index header set, the whole response as JSON.
template <class Response, class Request>
Async<Result<Reply>> reply_write(Call& call, std::string_view method, Request request) {
  scope_write(call, request);
  auto response = co_await call.rpc<Response>(method, std::move(request));
  if (!response) co_return Error(std::move(response).error());
  call.set_index(response->Index);
  co_return call.json(*response);
}

// A write whose response is not shown.
template <class Response, class Request>
Async<Result<Reply>> reply_written(Call& call, std::string_view method, Request request) {
  scope_write(call, request);
  auto response = co_await call.rpc<Response>(method, std::move(request));
  if (!response) co_return Error(std::move(response).error());
  call.set_index(response->Index);
  co_return Reply::nothing();
}

}  // namespace drover::api
