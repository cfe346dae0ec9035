#include "net/rpc_wire.h"

#include <memory>
#include <variant>

#include <fmt/format.h>

#include "codec/msgpack.h"
#include "net/rpc_header.h"

namespace drover::net {
namespace {

constexpr size_t kReadBytes = 16384;
constexpr size_t kReadAheadMax = 1 << 20;

}  // namespace

std::string encode_rpc(const RpcRequestMessage& m) {
  RpcRequestHeader h;
  h.ServiceMethod = m.method;
  h.Seq = m.seq;
  return to_msgpack(h) + m.body;
}

std::string encode_rpc(const RpcResponseMessage& m) {
  RpcResponseHeader h;
  h.ServiceMethod = m.method;
  h.Seq = m.seq;
  h.Error = m.error;
  return to_msgpack(h) + (m.error.empty() ? m.body : std::string("\x80"));
}

Async<Result<std::string>> RpcWire::read_value() {
  MsgpackScanner scanner;
  for (;;) {
    DROVER_CO_TRY(bool whole, scanner.scan(in_));
    if (whole) {
      std::string value = in_.substr(0, scanner.size());
      in_.erase(0, scanner.size());
      if (in_.empty()) std::string().swap(in_);
      co_return std::move(value);
    }
    if (in_.size() > max_bytes_)
      co_return Error(ErrorCode::kTooLarge, fmt::format("rpc: a message of more than {} bytes", max_bytes_));
    auto a = read_ahead();
    if (a.state == Attempt::kWait) co_await stream_.wait(a.event);
    if (a.state == Attempt::kEnd) co_return Error(ErrorCode::kIo, in_.empty() ? "EOF" : "unexpected EOF");
    if (a.state == Attempt::kFailed) co_return std::move(a.error);
  }
}

Attempt RpcWire::read_ahead() {
  // Shared by all wires of the thread, so that a waiting one owns no buffer.
  thread_local std::unique_ptr<char[]> scratch = std::make_unique<char[]>(kReadBytes);
  auto a = stream_.try_read(scratch.get(), kReadBytes);
  if (a.state == Attempt::kDone) in_.append(scratch.get(), a.size);
  return a;
}

Async<void> RpcWire::ended() {
  for (;;) {
    // A peer that sends far ahead is left to wait; its end is noticed when the answer is written.
    if (in_.size() >= kReadAheadMax) co_await Promise<std::monostate>();
    auto a = read_ahead();
    if (a.state == Attempt::kEnd || a.state == Attempt::kFailed) co_return;
    if (a.state == Attempt::kWait) co_await stream_.wait(a.event);
  }
}

Async<Result<RpcRequestMessage>> RpcWire::read_request() {
  DROVER_CO_TRY(auto head, co_await read_value());
  DROVER_CO_TRY(auto h, from_msgpack<RpcRequestHeader>(head));
  DROVER_CO_TRY(auto body, co_await read_value());
  co_return RpcRequestMessage{std::move(h.ServiceMethod), h.Seq, std::move(body)};
}

Async<Result<RpcResponseMessage>> RpcWire::read_response() {
  DROVER_CO_TRY(auto head, co_await read_value());
  DROVER_CO_TRY(auto h, from_msgpack<RpcResponseHeader>(head));
  DROVER_CO_TRY(auto body, co_await read_value());
  co_return RpcResponseMessage{std::move(h.ServiceMethod), h.Seq, std::move(h.Error), std::move(body)};
}

Async<Status> RpcWire::write(std::string bytes) { co_return co_await write_all(stream_, bytes); }

Async<Result<std::string>> RpcWire::call(std::string method, std::string body) {
  RpcRequestMessage request{method, seq_++, std::move(body)};
  DROVER_CO_CHECK(co_await write(encode_rpc(request)));
  DROVER_CO_TRY(auto response, co_await read_response());
  if (response.seq != request.seq) co_return Error(ErrorCode::kIo, "rpc: a response to another request");
  if (!response.error.empty()) co_return internal(std::move(response.error));
  co_return std::move(response.body);
}

}  // namespace drover::net
