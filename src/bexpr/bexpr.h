// The filter expression language of `?filter=` and of ACL binding rules (reference http-api section 7.3).
//
//   auto f = bexpr::Filter::parse(R"(Status == running and "web" in Tags)");
//   auto yes = f->matches(allocation);
//
// Expressions are evaluated over described structs by member name, case-sensitively. A Filter is immutable and may
// be used from any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "codec/type_info.h"

namespace drover::bexpr {

struct Node;

class Filter {
 public:
  // Errors carry the reference's text: `1:6 (5): no match found, expected: "!=", "==" or [ \t\r\n]`.
  static Result<Filter> parse(std::string_view text);

  // Errors: `error finding value in datum: /Nope at part 0: couldn't find key: struct field with name "Nope"`, and
  // values that cannot be converted to the field's kind.
  Result<bool> matches(const TypeInfo& type, const void* object) const;

  template <class T>
  Result<bool> matches(const T& object) const {
    return matches(type_of<T>(), &object);
  }

 private:
  explicit Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

// Nesting of parentheses and `not` beyond this is an error.
inline constexpr int kDepthMax = 200;

}  // namespace drover::bexpr
