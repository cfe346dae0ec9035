// The member snapshot file (`serf/snapshot`): one line an event, so that a server that starts again knows whom to join
// and which events are old.
//
//   alive: <name> <ip:port>   not-alive: <name>   clock: <n>   event-clock: <n>   query-clock: <n>   leave   # comment
//
// "leave" forgets everything before it, unless the server rejoins after a leave.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::gossip {

class SnapshotLog {
 public:
  // What a file says. Lines that are not understood are passed over and counted.
  void replay(std::string_view file, bool rejoin_after_leave);

  const std::map<std::string, std::string>& alive() const { return alive_; }
  uint64_t clock() const { return clock_; }
  uint64_t event_clock() const { return event_clock_; }
  uint64_t query_clock() const { return query_clock_; }
  size_t unknown_lines() const { return unknown_; }

  // Each takes in an event and adds the line for it to pending().
  void member_alive(const std::string& name, const std::string& address);
  void member_gone(const std::string& name);
  void clocks(uint64_t clock, uint64_t event_clock, uint64_t query_clock);  // only what has grown
  void leave(bool rejoin_after_leave);

  // Lines to append to the file; taken.
  std::string take_pending();
  bool has_pending() const { return !pending_.empty(); }
  // The file has grown so far past what it needs that it is to be written anew.
  bool wants_compaction() const;
  std::string compacted();   // the whole file; pending lines are in it

 private:
  void add(std::string line);
  std::map<std::string, std::string> alive_;   // name -> ip:port
  uint64_t clock_ = 0, event_clock_ = 0, query_clock_ = 0;
  std::string pending_;
  size_t size_ = 0;          // of the file with what is pending
  size_t unknown_ = 0;
  bool left_ = false;
};

}  // namespace drover::gossip
