#include "raft/configuration.h"

#include <algorithm>
#include <set>

#include "raft/bytes.h"

namespace drover::raft {
namespace {

bool in(const std::vector<uint64_t>& ids, uint64_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

void encode_ids(ByteWriter& out, const std::vector<uint64_t>& ids) {
  out.put(static_cast<uint32_t>(ids.size()));
  for (uint64_t id : ids) out.put(id);
}

void decode_ids(ByteReader& in, std::vector<uint64_t>& ids) {
  ids.resize(in.count(8));
  for (auto& id : ids) id = in.get<uint64_t>();
}

}  // namespace

bool Configuration::has(uint64_t id) const {
  return in(voters, id) || in(learners, id) || in(outgoing, id) || in(learners_next, id);
}

bool Configuration::is_voter(uint64_t id) const { return in(voters, id) || in(outgoing, id); }

bool Configuration::only(uint64_t id) const {
  return voters.size() == 1 && voters[0] == id && outgoing.empty() && learners.empty() && learners_next.empty();
}

std::vector<Server> Configuration::list() const {
  std::vector<Server> out;
  for (auto& [id, server] : servers) {
    out.push_back(server);
    out.back().suffrage = in(voters, id) ? Suffrage::kVoter : Suffrage::kNonvoter;
  }
  std::sort(out.begin(), out.end(), [](const Server& a, const Server& b) { return a.id < b.id; });
  return out;
}

void Configuration::assign(const dr_conf_state& c) {
  voters.assign(c.voters, c.voters + c.n_voters);
  learners.assign(c.learners, c.learners + c.n_learners);
  outgoing.assign(c.outgoing, c.outgoing + c.n_outgoing);
  learners_next.assign(c.learners_next, c.learners_next + c.n_learners_next);
  auto_leave = c.auto_leave != 0;
  std::erase_if(servers, [&](auto& s) { return !has(s.first); });
}

dr_conf_state Configuration::view() const {
  return {voters.data(),   voters.size(),        learners.data(),      learners.size(), outgoing.data(),
          outgoing.size(), learners_next.data(), learners_next.size(), auto_leave};
}

void encode_server(ByteWriter& out, const Server& server) {
  out.str(server.id);
  out.str(server.address);
}

bool decode_server(ByteReader& in, Server& server) {
  server.id = in.str();
  server.address = in.str();
  return in.ok();
}

void Configuration::encode(ByteWriter& out) const {
  for (auto* ids : {&voters, &learners, &outgoing, &learners_next}) encode_ids(out, *ids);
  out.put(static_cast<uint8_t>(auto_leave));
  out.put(static_cast<uint32_t>(servers.size()));
  for (auto& [id, server] : servers) encode_server(out, server);
}

bool Configuration::decode(ByteReader& in) {
  for (auto* ids : {&voters, &learners, &outgoing, &learners_next}) decode_ids(in, *ids);
  auto_leave = in.get<uint8_t>() != 0;
  servers.clear();
  for (size_t n = in.count(8); n > 0 && in.ok(); n--) {
    Server s;
    if (!decode_server(in, s)) return false;
    uint64_t id = peer_id(s.id);
    servers.emplace(id, std::move(s));
  }
  return in.ok();
}

Configuration Configuration::of(const std::vector<Server>& servers) {
  Configuration c;
  for (auto& s : servers) {
    uint64_t id = peer_id(s.id);
    (s.suffrage == Suffrage::kVoter ? c.voters : c.learners).push_back(id);
    c.servers.emplace(id, s);
  }
  std::sort(c.voters.begin(), c.voters.end());
  std::sort(c.learners.begin(), c.learners.end());
  return c;
}

}  // namespace drover::raft
