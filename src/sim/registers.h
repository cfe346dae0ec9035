// Registers: variables as registers, and whether what readers and writers of them were told could have happened in the
// order in which it did (linearizability, over all variables together: the log gives the order).
#pragma once

#include <map>
#include <string>

#include "sim/oracle.h"

namespace drover::sim {

class Registers {
 public:
  Registers(Oracle& oracle, Report report);

  // Before the call: what every later answer must have seen.
  uint64_t now() const { return floor_; }
  // A write that began when now() was `floor` was acknowledged: `value` is the variable's since `index`.
  void wrote(const std::string& path, const std::string& value, uint64_t index, uint64_t floor);
  // A compare-and-set over version `expected` succeeded at `index`.
  void swapped(const std::string& path, uint64_t expected, uint64_t index);
  // A consistent read that began when now() was `floor`; version 0: there was none.
  void read(const std::string& path, uint64_t version, const std::string& value, uint64_t floor);
  // A read that may be old, but not wrong.
  void read_stale(const std::string& path, uint64_t version, const std::string& value);
  uint64_t reads() const { return reads_; }

 private:
  void committed(const state::CommitInfo& commit);
  void check_value(const std::string& path, uint64_t version, const std::string& value);

  Report report_;
  // Versions of a variable: index of the change -> version (0 when it was deleted).
  std::map<std::string, std::map<uint64_t, uint64_t>> versions_;
  std::map<std::pair<std::string, uint64_t>, std::string> values_;
  uint64_t floor_ = 0;  // index that some completed call has seen
  uint64_t reads_ = 0;
};

}  // namespace drover::sim
