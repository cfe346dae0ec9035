// The order in which API clients hand lists out: last created first.
#pragma once

#include <algorithm>

namespace drover::cli {

template <class L>
void newest_first(L& list) {
  std::stable_sort(list.begin(), list.end(), [](auto& a, auto& b) { return a.CreateIndex > b.CreateIndex; });
}

}  // namespace drover::cli
