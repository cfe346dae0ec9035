#include "state/state_hash.h"

#include <string>

#include "codec/msgpack.h"

namespace drover::state {
namespace {

// FNV-1a, with the length of each piece behind it.
class Hash {
 public:
  void mix(std::string_view bytes) {
    for (unsigned char c : bytes) h_ = (h_ ^ c) * 0x100000001b3ull;
    h_ ^= bytes.size();
  }
  void number(uint64_t n) { mix({reinterpret_cast<const char*>(&n), sizeof n}); }
  uint64_t value() const { return h_; }

 private:
  uint64_t h_ = 0xcbf29ce484222325ull;
};

template <class Table>
StateDigest::Table digest_of(std::string_view name, const Table& t, std::string& bytes) {
  using Row = typename Table::Row;
  Hash h;
  h.number(t.index());
  h.number(t.size());
  for (auto& row : t.each()) {
    bytes.clear();
    msgpack_encode(type_of<Row>(), row.get(), bytes, {.omit_default = true});
    h.mix(bytes);
  }
  return {name, h.value(), t.size()};
}

}  // namespace

StateDigest digest(const Snapshot& snapshot) {
  StateDigest d;
  d.index = snapshot.index();
  std::string bytes;
#define DROVER_X(member, type, name) d.tables.push_back(digest_of(name, snapshot.member(), bytes));
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
  Hash times;
  for (auto& e : snapshot.times().entries()) {
    times.number(e.Index);
    times.number(static_cast<uint64_t>(e.Time.unix_nanos));
  }
  d.tables.push_back({"time_table", times.value(), 0});
  Hash all;
  all.number(snapshot->acl_bootstrap_index);
  for (auto& t : d.tables) all.number(t.hash);
  d.hash = all.value();
  return d;
}

uint64_t state_hash(const Snapshot& snapshot) { return digest(snapshot).hash; }

}  // namespace drover::state
