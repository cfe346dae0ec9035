// StateHashes: proof that the replicas of a region agree. Hashes are made when somebody asks, on the pool, of a snapshot:
// replication does not wait for them. On the server's loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/async.h"
#include "model/operator_rpc.h"
#include "state/store.h"

namespace drover::server {

class Server;

class StateHashes {
 public:
  explicit StateHashes(Server& server) : server_(server) {}
  ~StateHashes();

  // This server's, as rpc::StateHashRequest says.
  Async<rpc::ServerStateHash> here(uint64_t at_index, Duration wait);
  // Those of all servers at one index: of where they stand when nothing is written, else of an index that is still to come.
  Async<rpc::StateHashesResponse> everywhere();

  void on_commit(const state::CommitInfo& commit);

 private:
  struct Waiting {
    uint64_t index;
    Promise<state::Snapshot> reached;
  };
  Async<rpc::ServerStateHash> there(std::string id, std::string address, uint64_t at_index, Duration wait);
  Async<std::vector<rpc::ServerStateHash>> ask_all(uint64_t at_index, Duration wait);

  Server& server_;
  std::map<uint64_t, Waiting> waiting_;  // by place in the row
  uint64_t places_ = 0;
};

}  // namespace drover::server
