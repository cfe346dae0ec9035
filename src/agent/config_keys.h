// Which keys a configuration file may have, and the fields of config_types.h that they fill.
#pragma once

#include <string_view>
#include <vector>

#include "codec/type_info.h"

namespace drover::agent {

struct Key {
  std::string_view key;    // in the file; matched without case
  std::string_view field;  // empty: accepted and ignored
};

struct Block {
  std::string_view type;   // the struct's described name
  bool strict;             // other keys are errors
  std::vector<Key> keys;

  const Key* find(std::string_view key) const;
};

const std::vector<Block>& all_blocks();

// The block of a described configuration struct.
const Block& block_of(const TypeInfo& type);

}  // namespace drover::agent
