// What an evaluation has learnt about computed node classes. A blocked evaluation carries it, so that only capacity
// of a class that can help wakes it. Rules: reference scheduler 5.7, 13.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/job.h"
#include "scheduler/fleet.h"

namespace drover::scheduler {

class Eligibility {
 public:
  enum class Status : unsigned char { kUnknown, kIneligible, kEligible };

  // Notes which constraints escape: those ask for what nodes of one class do not share.
  void set_job(const Job& job);
  bool job_escaped() const { return job_escaped_; }
  bool group_escaped(const std::string& group) const;
  bool has_escaped() const;

  Status job(uint32_t cls) const { return get(job_, cls); }
  Status group(const std::string& group, uint32_t cls) const;
  // A class is eligible as soon as one of its nodes is: some rules (host volumes, networks) look at more than the class.
  void set_job(uint32_t cls, bool eligible);
  void set_group(const std::string& group, uint32_t cls, bool eligible);

  // Grows with everything learnt.
  uint64_t generation() const { return generation_; }

  // Class name -> eligible, merged over the job and its groups.
  Map<bool> classes(const Column& names) const;

 private:
  using Statuses = std::vector<Status>;  // by class code
  static Status get(const Statuses& s, uint32_t cls) { return cls < s.size() ? s[cls] : Status::kUnknown; }
  void set(Statuses& s, uint32_t cls, bool eligible);

  bool job_escaped_ = false;
  std::map<std::string, bool> group_escaped_;
  Statuses job_;
  std::map<std::string, Statuses> groups_;
  uint64_t generation_ = 1;
};

}  // namespace drover::scheduler
