#include "net/rpc_error.h"

#include <charconv>

#include <fmt/format.h>

namespace drover::net {
namespace {

constexpr std::string_view kCoded = "RPC Error:: ";

struct Coded {
  ErrorCode code;
  int status;
};
constexpr Coded kStatuses[] = {
    {ErrorCode::kInvalid, 400},  {ErrorCode::kPermissionDenied, 403}, {ErrorCode::kNotFound, 404},
    {ErrorCode::kMethodNotAllowed, 405}, {ErrorCode::kConflict, 409}, {ErrorCode::kTooLarge, 413},
    {ErrorCode::kNotImplemented, 501},
};

// Texts that callers match as they are, and the code that they stand for.
struct Known {
  std::string_view text;
  bool prefix;  // else the whole text, or its end
  ErrorCode code;
};
constexpr Known kKnown[] = {
    {"Permission denied", false, ErrorCode::kPermissionDenied},
    {"No cluster leader", false, ErrorCode::kNoLeader},
    {"Not ready to serve consistent reads", false, ErrorCode::kNoLeader},
    {"node is not the leader", false, ErrorCode::kNotLeader},
    {"No path to node", false, ErrorCode::kNotFound},
    {"Unknown allocation", true, ErrorCode::kNotFound},
    {"Unknown node", true, ErrorCode::kNotFound},
    {"Unknown job", true, ErrorCode::kNotFound},
    {"Unknown evaluation", true, ErrorCode::kNotFound},
    {"Unknown deployment", true, ErrorCode::kNotFound},
    {"Could not find task runner for task: ", true, ErrorCode::kNotFound},
    {"No such allocation on client", true, ErrorCode::kNotFound},
    {"Task not running", false, ErrorCode::kInvalid},
    {"no such file or directory", false, ErrorCode::kNotFound},
};

const Known* known(std::string_view text) {
  for (auto& k : kKnown)
    if (k.prefix ? text.starts_with(k.text) : text.ends_with(k.text)) return &k;
  return nullptr;
}

}  // namespace

int rpc_status_of(ErrorCode code) {
  for (auto& s : kStatuses)
    if (s.code == code) return s.status;
  return 500;
}

ErrorCode rpc_code_of(int64_t status) {
  for (auto& s : kStatuses)
    if (s.status == status) return s.code;
  return ErrorCode::kInternal;
}

std::string rpc_error_text(const Error& e) {
  int status = rpc_status_of(e.code);
  if (status == 500 || known(e.message)) return e.message.empty() ? "unknown error" : e.message;
  return fmt::format("{}{},{}", kCoded, status, e.message);
}

Error rpc_error(std::string_view text) {
  if (auto at = text.find(kCoded); at != std::string_view::npos) {
    auto rest = text.substr(at + kCoded.size());
    int status = 0;
    auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), status);
    if (ec == std::errc() && end != rest.data() + rest.size() && *end == ',')
      return {rpc_code_of(status), std::string(end + 1, rest.data() + rest.size())};
  }
  if (auto* k = known(text)) return {k->code, std::string(text)};
  return internal(std::string(text));
}

}  // namespace drover::net
