// Who is in the cluster: the engine's numbers (voters, learners, the old half of a joint change) and the servers
// behind them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "raft/engine/drover_raft.h"
#include "raft/types.h"

namespace drover::raft {

class ByteReader;
class ByteWriter;

struct Configuration {
  std::vector<uint64_t> voters, learners, outgoing, learners_next;
  bool auto_leave = false;
  std::map<uint64_t, Server> servers;  // every number above is a key; suffrage is filled by list()

  bool has(uint64_t id) const;
  bool is_voter(uint64_t id) const;  // in the new half or the old one
  bool empty() const { return voters.empty() && outgoing.empty() && learners.empty(); }
  // This server decides alone and replicates to nobody.
  bool only(uint64_t id) const;
  // With suffrage, sorted by id.
  std::vector<Server> list() const;

  // Takes the engine's numbers over and drops servers that are in none of them.
  void assign(const dr_conf_state& conf);
  // A view that lives as long as this object is unchanged.
  dr_conf_state view() const;

  void encode(ByteWriter& out) const;
  bool decode(ByteReader& in);

  static Configuration of(const std::vector<Server>& servers);
};

void encode_server(ByteWriter& out, const Server& server);
bool decode_server(ByteReader& in, Server& server);

}  // namespace drover::raft
