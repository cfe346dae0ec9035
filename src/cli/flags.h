// Flags as Go's flag package reads them: one or two dashes, `-name value` or `-name=value`, booleans without a value,
// everything from the first word on is an argument (reference cli section 1.2).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace drover::cli {

enum class FlagKind : unsigned char {
  kBool,
  kBoolText,      // a boolean that needs a value: -x true
  kText,
  kInt,
  kUint,
  kUintText,      // an unsigned number whose errors are strconv's
  kDuration,
  kDurationText,  // a duration whose errors are time's
  kList,          // may be given several times
  kDoc,           // stands in the help text only
};

struct Flag {
  std::string_view name;
  FlagKind kind;
  std::string_view hint;      // follows the name in the help text: "=<path>"
  std::string_view help;      // "": accepted, but not in the help text
  std::string_view fallback;  // the value when not given
};

class Args {
 public:
  bool given(std::string_view flag) const;
  bool on(std::string_view flag) const;
  std::string text(std::string_view flag) const;
  int64_t number(std::string_view flag) const;
  uint64_t count(std::string_view flag) const;
  Duration duration(std::string_view flag) const;
  std::vector<std::string> list(std::string_view flag) const;

  std::vector<std::string> rest;  // the arguments behind the flags

  // Errors: "flag provided but not defined: -x", "flag needs an argument: -x", `invalid value "y" for flag -x: ...`.
  static Result<Args> parse(std::span<const std::span<const Flag>> known, std::span<const std::string> words);

 private:
  struct Held {
    std::vector<std::string> values;
    std::string_view fallback;
  };
  std::map<std::string, Held, std::less<>> held_;
};

}  // namespace drover::cli
