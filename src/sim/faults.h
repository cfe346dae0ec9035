// Faults: what goes wrong, as a table. Each is drawn by its weight; what it breaks it mends by itself after a while, and
// all is mended when the calm begins.
#pragma once

#include <map>
#include <string_view>

#include "sim/region.h"

namespace drover::sim {

class Faults {
 public:
  explicit Faults(Region& region) : region_(region) {}
  void start();
  // Mends everything and starts what is down.
  void end();
  const std::map<std::string_view, uint64_t>& counts() const { return counts_; }

 private:
  struct Fault {
    std::string_view name;
    int weight;
    void (Faults::*strike)();
    bool minority = false;  // it strikes one server and nothing else
  };
  static const Fault kFaults[];
  void arm();
  void strike();

  void kill_server();
  void kill_leader();
  void server_power();
  void all_power();
  void pause_server();
  void cut_server();
  void isolate_server();
  void cut_one_way();
  void split_servers();
  void cut_nodes();
  void cut_both(const std::string& a, const std::string& b);
  void heal_network();
  void break_connections();
  void kill_node();
  void node_power();
  void pause_node();
  void slow_disk();
  void hang_disk();
  void fill_disk();
  void break_disk();
  void jump_clock();
  void take_snapshot();
  void transfer_leadership();
  void replace_server();
  void add_server();
  void remove_server();
  void leave_server();
  void lose_majority();

  Duration a_while();
  ServerBox* up_server();
  NodeBox* up_node();
  void mend_later(Duration after, std::move_only_function<void()> fn);

  Region& region_;
  bool over_ = false;
  Monotonic busy_until_{};  // of a gentle scenario
  std::map<std::string_view, uint64_t> counts_;
};

}  // namespace drover::sim
