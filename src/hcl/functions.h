// The functions of the language: a table of 83, and what they may do on the machine.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hcl/value.h"

namespace drover {
class Random;
}

namespace drover::hcl {

// What a function may reach outside its arguments.
struct FunctionHost {
  bool allow_files = false;   // file functions fail with "filesystem function disabled" otherwise
  std::string base_dir;       // relative paths of file functions start here; "" is the working directory
  std::string home;           // for `~`
  Random* random = nullptr;   // uuidv4 and bcrypt salts; the system's if null
};

// Why a call failed: about one argument (by its place), or about the call.
struct CallError {
  int argument = -1;
  std::string message;
};
using CallResult = std::expected<Value, CallError>;
using Arguments = std::span<const Value>;

inline std::unexpected<CallError> call_error(std::string message) { return std::unexpected(CallError{-1, std::move(message)}); }
inline std::unexpected<CallError> argument_error(int argument, std::string message) {
  return std::unexpected(CallError{argument, std::move(message)});
}

struct Parameter {
  std::string_view name;
  Type type;                // arguments are converted to it
  bool allow_null = false;
};

// try, can and convert look at expressions, not values; the evaluator knows them.
enum class Special : unsigned char { kNone, kTry, kCan, kConvert };

struct Function {
  std::string_view name;
  std::vector<Parameter> parameters;
  std::optional<Parameter> rest;  // for any further arguments
  CallResult (*call)(Arguments, const FunctionHost&) = nullptr;
  Special special = Special::kNone;
};

// All functions, sorted by name.
const std::vector<Function>& function_table();

// The table together with a host: what a Scope refers to.
class Functions {
 public:
  explicit Functions(FunctionHost host) : host_(std::move(host)) {}
  const Function* find(std::string_view name) const;
  const FunctionHost& host() const { return host_; }

 private:
  FunctionHost host_;
};

}  // namespace drover::hcl
