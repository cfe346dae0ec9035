// The tree of a parsed filter expression.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <re2/re2.h>

namespace drover::bexpr {

enum class Op : unsigned char { kEqual, kIn, kMatches, kEmpty };

struct Node {
  enum class Kind : unsigned char { kAnd, kOr, kNot, kMatch } kind = Kind::kMatch;
  std::shared_ptr<const Node> left, right;  // kNot: left only

  // kMatch
  std::vector<std::string> selector;
  Op op = Op::kEqual;
  bool negated = false;
  std::string value;
  std::shared_ptr<const re2::RE2> pattern;  // kMatches; null: `fault`
  std::string fault;                        // why the pattern does not compile: told where it is first applied
};

}  // namespace drover::bexpr
