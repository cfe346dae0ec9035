// The table of remote procedures: one row each, with types and where it runs. Forwarding, blocking and metadata are
// wrappers that read the row; an endpoint is only its own rule.
//
//   read  row: a function of (snapshot, watch set, request) -> response. Plain and blocking queries share it.
//   write row: a coroutine that proposes to the log.
//
// In-process callers (HTTP, the node agent of the same process) and the wire call the same rows.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "codec/type_info.h"
#include "server/rpc_metrics.h"
#include "state/store.h"

namespace drover::server {

class Server;

enum class Where : uint8_t {
  kLeader,  // on the leader, once it is ready for consistent reads
  kStale,   // the same, but any server may answer when the request allows stale answers
  kLocal,   // on whichever server is asked
};

// Which thread makes the answer of a read. A list of everything would hold up the loop, and the heartbeats with it.
enum class On : uint8_t { kLoop, kPool };

// What a read is answered from.
struct ReadContext {
  Server& server;  // not to be asked for anything by rows that are made in the pool
  const state::Snapshot& snap;
  state::WatchSet* watch;  // null when nobody waits
};

using ReadFn = Status (*)(ReadContext&, const void* request, void* response);
using WriteFn = Async<Status> (*)(Server&, const void* request, void* response);

struct RpcRow {
  std::string_view method;
  Where where;
  TypeGetter request;
  TypeGetter response;
  std::shared_ptr<void> (*make_request)();   // default-made values
  std::shared_ptr<void> (*make_response)();
  ReadFn read = nullptr;    // one of the two
  WriteFn write = nullptr;
  void (*move_response)(void* to, void* from) = nullptr;  // reads
  On on = On::kLoop;
  bool sparse = false;  // on the wire without its defaults: what is read for every allocation. Made on the loop.
  const RpcMetrics* metrics = nullptr;  // of the method; set by rpc_table()
};

namespace detail {
template <class T>
std::shared_ptr<void> made() {
  return std::make_shared<T>();
}

template <auto Fn>
struct RowOf;

template <class Req, class Resp, Status (*Fn)(ReadContext&, const Req&, Resp&)>
struct RowOf<Fn> {
  static RpcRow make(std::string_view method, Where where) {
    return {method, where, &TypeOf<Req>::get, &TypeOf<Resp>::get, &made<Req>, &made<Resp>,
            [](ReadContext& c, const void* req, void* resp) {
              return Fn(c, *static_cast<const Req*>(req), *static_cast<Resp*>(resp));
            },
            nullptr,
            [](void* to, void* from) { *static_cast<Resp*>(to) = std::move(*static_cast<Resp*>(from)); }};
  }
};

template <class Req, class Resp, Async<Status> (*Fn)(Server&, const Req&, Resp&)>
struct RowOf<Fn> {
  static RpcRow make(std::string_view method, Where where) {
    return {method, where, &TypeOf<Req>::get, &TypeOf<Resp>::get, &made<Req>, &made<Resp>, nullptr,
            [](Server& s, const void* req, void* resp) {
              return Fn(s, *static_cast<const Req*>(req), *static_cast<Resp*>(resp));
            }};
  }
};
}  // namespace detail

template <auto Fn>
RpcRow rpc_row(std::string_view method, Where where, On on = On::kLoop) {
  auto row = detail::RowOf<Fn>::make(method, where);
  row.on = on;
  return row;
}

// Every procedure of this server, sorted by method.
const std::vector<RpcRow>& rpc_table();
const RpcRow* find_rpc(std::string_view method);

// The rows of one endpoint file each; rpc_table() joins them.
void add_job_rows(std::vector<RpcRow>& rows);
void add_eval_rows(std::vector<RpcRow>& rows);
void add_alloc_rows(std::vector<RpcRow>& rows);
void add_deployment_rows(std::vector<RpcRow>& rows);
void add_node_rows(std::vector<RpcRow>& rows);
void add_status_rows(std::vector<RpcRow>& rows);
void add_operator_rows(std::vector<RpcRow>& rows);
void add_namespace_rows(std::vector<RpcRow>& rows);
void add_service_rows(std::vector<RpcRow>& rows);
void add_node_rpc_rows(std::vector<RpcRow>& rows);
void add_keyring_rows(std::vector<RpcRow>& rows);
void add_search_rows(std::vector<RpcRow>& rows);
void add_scaling_rows(std::vector<RpcRow>& rows);
void add_dispatch_rows(std::vector<RpcRow>& rows);
void add_variable_rows(std::vector<RpcRow>& rows);
void add_csi_rows(std::vector<RpcRow>& rows);
void add_identity_rows(std::vector<RpcRow>& rows);
void add_worker_rows(std::vector<RpcRow>& rows);
void add_agent_rows(std::vector<RpcRow>& rows);

}  // namespace drover::server
