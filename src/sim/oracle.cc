#include "sim/oracle.h"

#include <algorithm>

#include "codec/msgpack.h"

namespace drover::sim {
namespace {

constexpr size_t kHistory = 4000;

struct Hash {
  uint64_t value = 0xcbf29ce484222325ull;
  void mix(std::string_view bytes) {
    for (unsigned char c : bytes) value = (value ^ c) * 0x100000001b3ull;
    value ^= bytes.size();
    value *= 0xbf58476d1ce4e5b9ull;
  }
};

void encode_row(state::TableId table, const void* row, std::string& out) {
  switch (table) {
#define DROVER_X(member, type, name) \
  case state::TableId::member: return msgpack_encode(type_of<state::type::Row>(), row, out, {.omit_default = true});
    DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
    case state::TableId::kCount: return;
  }
}

uint64_t hash_of(const state::CommitInfo& commit) {
  Hash h;
  std::string bytes;
  for (auto& change : commit.changes) {
    bytes.clear();
    bytes += static_cast<char>(change.table);
    bytes += change.before ? 'b' : '-';
    bytes += change.after ? 'a' : '-';
    encode_row(change.table, change.after ? change.after.get() : change.before.get(), bytes);
    h.mix(bytes);
  }
  return h.value;
}

}  // namespace

void Oracle::committed(int server, const state::CommitInfo& commit) {
  Known mine{commit.before.index(), hash_of(commit)};
  auto [it, fresh] = known_.try_emplace(commit.index, mine);
  if (!fresh) {
    if (it->second.before != mine.before)
      report_(fmt::format("server {} applies index {} after {}, others after {}", server, commit.index, mine.before, it->second.before));
    else if (it->second.rows != mine.rows)
      report_(fmt::format("server {} applies something else at index {} than another server did", server, commit.index));
    return;
  }
  if (std::next(it) != known_.end())
    return report_(fmt::format("server {} applies index {}, which others skipped", server, commit.index));
  commits_++;
  newest_ = commit.after;
  history_.push_back(commit.after);
  if (history_.size() > kHistory) history_.pop_front();
  trace_.mix_time();
  trace_.mix(commit.index);
  trace_.mix(commit.entry_type * 1000 + commit.changes.size());
  for (auto& listener : listeners) listener(commit);
}

void Oracle::restored(int server, const state::Snapshot& state) {
  if (state.index() <= 1) return;
  restores_++;
  trace_.event("server {} restored a state at {}", server, state.index());
  auto it = std::lower_bound(history_.begin(), history_.end(), state.index(), [](auto& s, uint64_t i) { return s.index() < i; });
  if (it == history_.end()) return report_(fmt::format("server {} restored a state at index {} that was never committed", server, state.index()));
  if (it->index() != state.index()) {
    if (it == history_.begin()) return;  // older than what is kept
    return report_(fmt::format("server {} restored a state at index {}, which nobody has", server, state.index()));
  }
  if (state::state_hash(*it) != state::state_hash(state))
    report_(fmt::format("server {} restored another state at index {} than was committed", server, state.index()));
}

void Oracle::leads(int server, uint64_t term, uint64_t index) {
  auto [it, fresh] = leaders_.try_emplace(term, server);
  if (!fresh && it->second != server) report_(fmt::format("two leaders in term {}: servers {} and {}", term, it->second, server));
  if (index < acknowledged_)
    report_(fmt::format("server {} leads term {} with state {}, acknowledged was {}", server, term, index, acknowledged_));
}

void Oracle::acknowledged(uint64_t index, std::string_view what) {
  if (index > newest_.index())
    report_(fmt::format("{} was acknowledged with index {}, but nothing beyond {} is committed", what, index, newest_.index()));
  acknowledged_ = std::max(acknowledged_, std::min(index, newest_.index()));
}

void Oracle::compare(const std::vector<std::pair<int, state::Snapshot>>& servers) {
  std::map<uint64_t, std::pair<int, uint64_t>> hashes;  // index -> server, hash
  std::map<uint64_t, int> standing;
  for (auto& [n, snap] : servers) standing[snap.index()]++;
  for (auto& [n, snap] : servers) {
    if (standing[snap.index()] < 2) continue;
    auto hash = state::state_hash(snap);
    auto [it, fresh] = hashes.try_emplace(snap.index(), n, hash);
    if (!fresh && it->second.second != hash)
      report_(fmt::format("servers {} and {} have different states at index {}", it->second.first, n, snap.index()));
  }
}

}  // namespace drover::sim
