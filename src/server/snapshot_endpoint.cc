#include "server/snapshot_endpoint.h"

#include <fmt/format.h>

#include "base/log.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "model/snapshot_rpc.h"
#include "net/rpc_error.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"
#include "raft/replica.h"
#include "server/leader.h"
#include "server/node_rpc.h"
#include "server/server.h"
#include "server/state_archive.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

constexpr size_t kPiece = 64 * 1024;
constexpr size_t kProbe = 64 * 1024;    // of an archive that comes: what is none is refused before the rest has come
constexpr Duration kReassert = 60s;     // for the leader's duties to begin again
constexpr Duration kReassertPoll = 10ms;
constexpr std::string_view kSave = "Operator.SnapshotSave", kRestore = "Operator.SnapshotRestore";

void set_meta(Server& server, QueryMeta& meta) {
  auto leader = server.replica().leader();
  meta.KnownLeader = !leader.address.empty();
  if (!server.is_leader()) meta.LastContact = std::max(Duration::zero(), server.replica().stats().last_contact);
}

template <class Response>
Async<void> refuse(net::Stream& stream, Error e) {
  Response out;
  out.ErrorCode = net::rpc_status_of(e.code);
  out.ErrorMsg = std::move(e.message);
  std::string bytes = to_msgpack(out);
  (void)co_await net::write_all(stream, bytes);
  stream.shutdown_write();
}

// The stream that is to answer in this server's place, its method taken; null: this server.
template <class Request>
Async<Result<std::unique_ptr<net::Stream>>> elsewhere(Server& server, const Request& request, bool stale, std::string_view method) {
  if (!request.Region.empty() && request.Region != server.config().region)
    co_return co_await open_in_region(server, request.Region, std::string(method));
  if (stale) co_return std::unique_ptr<net::Stream>();
  co_return co_await open_to_leader(server, std::string(method), !request.Forwarded);
}

// The request passed on, and all that follows it both ways.
template <class Request>
Async<void> pass_on(Server& server, net::Stream& stream, net::Stream& there, Request request, std::string unread) {
  request.Forwarded = true;
  co_await net::bridge(server.world().loop, stream, there, to_msgpack(request) + unread);
}

Async<void> save_here(Server& server, net::Stream& stream, bool stale) {
  rpc::SnapshotSaveResponse out;
  set_meta(server, out);
  if (!stale) {
    // What a majority has acknowledged is in it.
    auto fresh = co_await server.replica().read_index();
    if (!fresh) co_return co_await refuse<rpc::SnapshotSaveResponse>(stream, internal(fresh.error().message));
  }
  auto saved = co_await save_state(server);
  if (!saved) {
    log_error("nomad.snapshot", "failed to make a snapshot", {{"error", saved.error().message}});
    co_return co_await refuse<rpc::SnapshotSaveResponse>(stream, internal("failed to write snapshot file: " + saved.error().message));
  }
  out.SnapshotChecksum = saved->digest();
  out.Index = saved->meta().Index;
  std::string bytes = to_msgpack(out);
  if (!co_await net::write_all(stream, bytes)) co_return;
  bytes.resize(kPiece);
  for (uint64_t at = 0; at < saved->size();) {
    auto n = saved->read_at(at, bytes.data(), bytes.size());
    if (!n || *n == 0) break;  // the reader's digest will not fit
    if (!co_await net::write_all(stream, std::string_view(bytes).substr(0, *n))) co_return;
    at += *n;
  }
  stream.shutdown_write();
}

// The archive's bytes, out of the frames they come in.
struct Received {
  archive::Spool archive;
  std::optional<Error> cut;
};
Async<Result<Received>> receive(Server& server, net::RpcWire& wire) {
  DROVER_CO_TRY(auto spool, archive::Spool::create(spool_dir(server)));
  archive::ArchiveReader probe([](std::string_view) { return Status(); });
  for (;;) {
    auto value = co_await wire.read_value();
    auto frame = value ? from_msgpack<rpc::StreamErrWrapper>(*value) : Result<rpc::StreamErrWrapper>(value.error());
    if (!frame) co_return Received{std::move(spool), internal("failed to decode input: " + frame.error().message)};
    std::string_view bytes = frame->Payload.data;
    if (spool.size() < kProbe) {
      DROVER_CO_CHECK(probe.write(bytes));
    }
    DROVER_CO_CHECK(spool.append(bytes));
    if (!frame->Error) continue;
    auto& why = frame->Error->Message;
    if (why == "EOF") co_return Received{std::move(spool), std::nullopt};
    auto text = fmt::format("failed to read after {}: {}", spool.size(), why);
    co_return Received{std::move(spool), internal(std::move(text))};
  }
}

// Waits until the leader's duties run on the state that was restored.
Async<Status> reasserted(Server& server) {
  auto& clock = server.world().clock;
  auto deadline = clock.monotonic() + kReassert;
  do {
    co_await sleep_for(server.world().loop, kReassertPoll);
    if (!server.leader()) co_return internal("leadership has not been established");
    if (server.leader()->ready()) co_return Status{};
  } while (clock.monotonic() < deadline);
  co_return internal("timed out waiting for re-run of leader actions");
}

Async<Status> restore_here(Server& server, net::RpcWire& wire) {
  DROVER_CO_TRY(auto received, co_await receive(server, wire));
  DROVER_CO_TRY(auto loaded, co_await load_state(server, std::move(received.archive), std::move(received.cut)));
  log_info("nomad.snapshot", "restoring a snapshot", {{"id", loaded.meta.ID}, {"index", std::to_string(loaded.meta.Index)}});
  auto min_index = loaded.min_index;
  auto applied = co_await server.replica().restore_state(stream_of(std::move(loaded)), min_index);
  if (!applied) co_return internal("Raft error when restoring snapshot: " + applied.error().message);
  if (auto* outcome = std::any_cast<Status>(&applied->outcome); outcome && !*outcome)
    co_return internal("Raft error when restoring snapshot: " + outcome->error().message);
  co_return Status{};
}

}  // namespace

Async<void> serve_snapshot_save(Server& server, std::unique_ptr<net::Stream> stream, std::string unread) {
  net::RpcWire wire(*stream, std::move(unread));
  auto value = co_await wire.read_value();
  if (!value) co_return;
  auto request = from_msgpack<rpc::SnapshotSaveRequest>(*value);
  if (!request) co_return co_await refuse<rpc::SnapshotSaveResponse>(*stream, internal(request.error().message));
  auto there = co_await elsewhere(server, *request, request->AllowStale, kSave);
  if (!there) co_return co_await refuse<rpc::SnapshotSaveResponse>(*stream, internal(there.error().message));
  if (*there) co_return co_await pass_on(server, *stream, **there, *request, wire.take_unread());
  co_await save_here(server, *stream, request->AllowStale);
}

Async<void> serve_snapshot_restore(Server& server, std::unique_ptr<net::Stream> stream, std::string unread) {
  net::RpcWire wire(*stream, std::move(unread));
  auto value = co_await wire.read_value();
  if (!value) co_return;
  auto request = from_msgpack<rpc::SnapshotRestoreRequest>(*value);
  if (!request) co_return co_await refuse<rpc::SnapshotRestoreResponse>(*stream, internal(request.error().message));
  auto there = co_await elsewhere(server, *request, false, kRestore);
  if (!there) co_return co_await refuse<rpc::SnapshotRestoreResponse>(*stream, internal(there.error().message));
  if (*there) co_return co_await pass_on(server, *stream, **there, *request, wire.take_unread());
  auto restored = co_await restore_here(server, wire);
  if (!restored) {
    log_error("nomad.snapshot", "failed to restore a snapshot", {{"error", restored.error().message}});
    co_return co_await refuse<rpc::SnapshotRestoreResponse>(*stream, internal("failed to restore from snapshot: " + restored.error().message));
  }
  auto ready = co_await reasserted(server);
  if (!ready) co_return co_await refuse<rpc::SnapshotRestoreResponse>(*stream, std::move(ready).error());
  rpc::SnapshotRestoreResponse out;
  set_meta(server, out);
  out.Index = server.snapshot().latest_index();
  std::string bytes = to_msgpack(out);
  (void)co_await net::write_all(*stream, bytes);
  stream->shutdown_write();
}

}  // namespace drover::server
