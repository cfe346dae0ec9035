// Digests of a state, table by table: replicas that differ are told apart by them, and so is where they differ.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "state/store.h"

namespace drover::state {

struct StateDigest {
  struct Table {
    std::string_view name;
    uint64_t hash = 0;
    uint64_t rows = 0;
  };
  uint64_t index = 0;         // of the state; not part of any hash
  uint64_t hash = 0;          // of everything; what state_hash() gives
  std::vector<Table> tables;  // and "time_table", which has no rows
};

// Walks the whole state, at about a gigabyte a second. Any thread.
StateDigest digest(const Snapshot& snapshot);

}  // namespace drover::state
