// Templates: parse once, execute over any datum.
//
//   auto t = Template::parse("format", "{{.Name}}", standard_functions());
//   auto text = t->execute(Datum(type_of<Node>(), &node));
//
// A Template is immutable and may be used from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gotemplate/datum.h"

namespace drover::gotemplate {

using Function = std::function<Result<Datum>(std::vector<Datum>&)>;
using Functions = std::map<std::string, Function, std::less<>>;

// and, or, not, len, index, slice, print, printf, println, html, js, urlquery, call, eq, ne, lt, le, gt, ge.
// (`and` and `or` stop at the first argument that decides; the executor sees to that.)
const Functions& standard_functions();
// The sprig functions that the CLI offers, each as "sprig_<name>".
const Functions& sprig_functions();

struct Node;

class Template {
 public:
  // Errors: `template: format:1: function "x" not defined`, `template: format:1: unexpected "}" in operand` ...
  static Result<Template> parse(std::string_view name, std::string_view text, const Functions& extra = {});

  // `missing_key_error`: a missing map key is an error instead of "<no value>".
  Result<std::string> execute(const Datum& data, bool missing_key_error = false) const;

  static constexpr size_t kOutputMax = 64u << 20;  // bytes of one execution
  static constexpr int kDepthMax = 1000;           // nested templates and expressions

  struct Parts;  // the parsed form; ast.h

 private:
  explicit Template(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace drover::gotemplate
