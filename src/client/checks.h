// Results of the checks that this node runs, by allocation. Kept in memory; the state database has them for a successor of
// the agent, written when a status changes.
#pragma once

#include <map>

#include "model/alloc.h"

namespace drover::client {

class StateDb;

class CheckStore {
 public:
  explicit CheckStore(StateDb& state) : state_(state) {}

  // What an earlier life of the agent knew.
  void restore(const Uuid& alloc);
  const Map<CheckQueryResult>& of(const Uuid& alloc) const;
  void put(const Uuid& alloc, const CheckQueryResult& result);
  void remove(const Uuid& alloc, const std::string& check);
  void purge(const Uuid& alloc);

 private:
  StateDb& state_;
  std::map<Uuid, Map<CheckQueryResult>> results_;
};

}  // namespace drover::client
