// Workload: what users and operators do meanwhile: a table of actors, each called again and again after a pause.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/deployment.h"
#include "model/job.h"
#include "sim/registers.h"
#include "sim/region.h"

namespace drover::sim {

class Workload {
 public:
  explicit Workload(Region& region);
  void start();
  // No more changes: what goes on from here is what was asked for. Ends drains, so that all can be placed.
  void settle();
  // Does what waits for a user, again and again after settle().
  void tend();
  // Everything that a user would call done is done; else what is missing.
  std::string unsettled() const;

  struct Counts {
    uint64_t calls = 0, writes = 0, errors = 0;
  };
  const Counts& counts() const { return counts_; }
  const Registers& registers() const { return registers_; }

 private:
  struct Actor {
    std::string_view name;
    void (Workload::*act)();
    Duration pause_min, pause_max;
  };
  static const Actor kActors[];
  void arm(const Actor& actor);

  void register_job();
  void stop_job();
  void stop_alloc();
  void drain_node();
  void end_drains();
  void collect_garbage();
  void purge_node();
  void toggle_node();
  void set_scheduler();
  void rotate_key();
  void dispatch_job();
  void scale_job();
  void revert_job();
  void evaluate_job();
  void steer_deployment();
  void promote(const Deployment& d);
  void pause(const Deployment& d, bool on);
  void register_again(const Job& job);
  void write_variable();
  void swap_variable();
  void delete_variable();
  void read_variable();
  void read_variable_stale();
  void read_somewhere();

  Job make_job(const std::string& id);
  // Where a call goes: any server, as a user's does.
  template <class Response, class Request>
  void call(std::string_view method, Request request, std::function<void(Result<Response>)> done);
  // The same for writes: what was acknowledged is told to the oracle.
  template <class Response, class Request>
  void write(std::string_view method, Request request, std::function<void(const Response&)> done = nullptr);

  Region& region_;
  Registers registers_;
  Counts counts_;
  bool settling_ = false;
  uint64_t next_value_ = 0;
  std::map<std::string, uint64_t> seen_versions_;  // of variables
  std::map<std::string, int> revisions_;           // of jobs
};

}  // namespace drover::sim
