// Allocations in snapshot streams. Each of the reference's has its whole job in it, which is most of its bytes; here a job is
// encoded and decoded once, however many allocations have it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/alloc.h"

namespace drover::state {

// Keeps the encoded jobs: for one stream.
class AllocEncoder {
 public:
  // `written`: what is written in a job's place.
  explicit AllocEncoder(std::function<Job(const Ref<Job>&)> written) : written_(std::move(written)) {}
  void encode(const Allocation& alloc, std::string& out);

 private:
  std::function<Job(const Ref<Job>&)> written_;
  std::unordered_map<const Job*, std::pair<Ref<Job>, std::string>> jobs_;
  std::string rest_;
};

class AllocDecoder {
 public:
  // Given a job that was decoded for the first time: the object to use for it.
  explicit AllocDecoder(std::function<Ref<Job>(Ref<Job>)> known) : known_(std::move(known)) {}
  // `bytes` is one whole object.
  Result<Allocation> decode(std::string_view bytes);

 private:
  Result<Ref<Job>> job_of(std::string_view bytes);

  std::function<Ref<Job>(Ref<Job>)> known_;
  std::unordered_map<size_t, std::vector<std::pair<std::string, Ref<Job>>>> jobs_;  // by hash of the bytes
  std::string_view last_bytes_;  // of the job before; in jobs_
  Ref<Job> last_job_;
  std::string rest_;
};

}  // namespace drover::state
