// Result<T>: a value or an Error. No function of ours throws; third-party exceptions are caught where the
// third party is called.
//
// An Error is a code that some caller can act on, and a message in words an operator would use. Layers add
// context in front ("reading config: open /x: permission denied"), once per layer.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace drover {

// A code exists only where a caller acts on it: HTTP maps it to a status, RPC to a retry or a forward.
enum class ErrorCode : unsigned char {
  kInternal,          // 500: unexpected; the message says what
  kInvalid,           // 400: the input is wrong
  kNotFound,          // 404
  kPermissionDenied,  // 403
  kMethodNotAllowed,  // 405
  kConflict,          // 409/500 by route: a check-and-set that lost
  kTooLarge,          // 413
  kNoLeader,          // retry later or elsewhere
  kNotLeader,         // forward to the leader
  kTimeout,           // a deadline passed; the outcome may be unknown
  kCancelled,         // the caller went away or shut down
  kUnavailable,       // a resource is temporarily out of reach
  kIo,                // disk or socket
  kCorrupt,           // stored data fails its check
  kNotImplemented,    // 501: an Enterprise feature or one that this build lacks
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  Error() = default;
  Error(ErrorCode c, std::string m) : code(c), message(std::move(m)) {}

  // Returns the same error with `context` and a colon in front of the message.
  Error with_context(std::string_view context) && {
    message.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

// [[nodiscard]] on the class makes every ignored Result a warning.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error e) : std::expected<T, Error>(std::unexpect, std::move(e)) {}  // NOLINT: implicit on purpose
};

using Status = Result<void>;

inline Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error internal(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

// "open /x: No such file or directory" from errno; `what` is the operation and its object.
Error errno_error(std::string_view what, int err);

}  // namespace drover

#define DROVER_CONCAT2(a, b) a##b
#define DROVER_CONCAT(a, b) DROVER_CONCAT2(a, b)

// DROVER_TRY(auto x, f()): x is the value, or the error is returned from this function.
#define DROVER_TRY(decl, expr) DROVER_TRY_IMPL(DROVER_CONCAT(drover_result_, __LINE__), return, decl, expr)
#define DROVER_CO_TRY(decl, expr) DROVER_TRY_IMPL(DROVER_CONCAT(drover_result_, __LINE__), co_return, decl, expr)
#define DROVER_TRY_IMPL(tmp, ret, decl, expr) \
  auto tmp = (expr);                          \
  if (!tmp) ret std::move(tmp).error();       \
  decl = std::move(*tmp)

// DROVER_CHECK(f()): for a Status; the error is returned from this function.
#define DROVER_CHECK(expr)                                         \
  do {                                                             \
    if (auto drover_status = (expr); !drover_status)               \
      return ::drover::Error(std::move(drover_status).error());    \
  } while (0)
#define DROVER_CO_CHECK(expr)                                      \
  do {                                                             \
    if (auto drover_status = (expr); !drover_status)               \
      co_return ::drover::Error(std::move(drover_status).error()); \
  } while (0)
