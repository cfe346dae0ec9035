// Inputs made to exhaust the stack, the memory or patience, too large to keep as files.
#pragma once

#include <string>
#include <vector>

namespace drover::fuzz {

struct Hostile {
  std::string name;
  std::string text;
};

std::vector<Hostile> hostile_inputs();

}  // namespace drover::fuzz
