// Which of the nodes that fit are compared, in a walk over some of them. Rules: reference scheduler 6.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace drover::scheduler {

// Takes up to `limit` options in the order in which they come. One that would lower the quality of the choice (score
// 0 or less) is set aside as long as few are; those come last, in order, if the others do not fill the limit.
class Sample {
 public:
  struct Option {
    uint32_t row;
    double score;
    friend bool operator==(const Option&, const Option&) = default;
  };
  static constexpr size_t kMaxSetAside = 3;

  explicit Sample(size_t limit, size_t max_set_aside = kMaxSetAside) : limit_(limit), max_set_aside_(max_set_aside) {}

  // Enough of them: the walk may end.
  bool full() const { return taken_.size() >= limit_; }
  // Only while not full.
  void offer(uint32_t row, double score) {
    auto& to = score <= 0 && set_aside_.size() < max_set_aside_ ? set_aside_ : taken_;
    to.push_back({row, score});
  }
  // Ends the walk: all that are compared, in order.
  const std::vector<Option>& finish() {
    for (auto& o : set_aside_)
      if (!full()) taken_.push_back(o);
    set_aside_.clear();
    return taken_;
  }

 private:
  size_t limit_, max_set_aside_;
  std::vector<Option> taken_, set_aside_;
};

// The highest score; of equals the first.
inline std::optional<Sample::Option> best_of(const std::vector<Sample::Option>& options) {
  std::optional<Sample::Option> best;
  for (auto& o : options)
    if (!best || o.score > best->score) best = o;
  return best;
}

}  // namespace drover::scheduler
