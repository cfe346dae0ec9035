// Helpers of endpoints: ids in requests, pages of lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bexpr/bexpr.h"
#include "model/requests.h"
#include "state/store.h"

namespace drover::server {

inline constexpr std::string_view kAllNamespaces = "*";

// The namespace of a request, "default" when it names none.
inline std::string_view namespace_of(const std::string& ns) { return ns.empty() ? std::string_view("default") : ns; }

// An id that a request names. `what` is the front of the error text ("node lookup failed"); may be empty. Texts:
// `<what>: index error: UUID must be 36 characters`, `... Invalid UUID: encoding/hex: invalid byte: U+007A 'z'`.
Result<Uuid> parse_id(std::string_view text, std::string_view what);

// The prefix of a list request; the whole range when empty.
Result<state::UuidPrefix> parse_prefix(std::string_view text, std::string_view what);

// "<index>.<id>", the page token of lists in order of creation.
std::string create_token(uint64_t create_index, const Uuid& id);

// Whether the place `a` comes before `b` in a list. "<index>.<rest>" goes by number first; the reference compares such
// tokens as text, which loses rows where the indexes of a page have different lengths.
bool token_before(std::string_view a, std::string_view b);

// Takes one page of `rows`: those that `select` admits, from NextToken on, that pass the filter, up to PerPage (0: all;
// negative: none, as in the reference).
// `token` names a row's place; `take` receives what is on the page. Returns the token of the next page, empty at the
// end. Errors are the reference's, kInvalid.
struct TakeAll {
  bool operator()(const auto&) const { return true; }
};
struct AsItIs {
  const auto& operator()(const auto& row) const { return row; }
};
// `shape`: what the filter sees of a row.
template <class T, class Token, class Take, class Select = TakeAll, class Shape = AsItIs>
Result<std::string> paginate(state::Rows<T> rows, const QueryOptions& o, Token token, Take take, Select select = {}, Shape shape = {}) {
  std::optional<bexpr::Filter> filter;
  if (!o.Filter.empty()) {
    auto parsed = bexpr::Filter::parse(o.Filter);
    if (!parsed) return invalid("failed to create result paginator: failed to read filter expression: " + parsed.error().message);
    filter = std::move(*parsed);
  }
  int32_t count = 0;
  for (auto& row : rows) {
    if (!select(*row)) continue;
    std::string at;
    if (!o.NextToken.empty() || o.PerPage != 0) at = token(*row);
    if (!o.NextToken.empty() && (o.Reverse ? token_before(o.NextToken, at) : token_before(at, o.NextToken))) continue;
    if (filter) {
      auto yes = filter->matches(shape(*row));
      if (!yes) return invalid("failed to read result page: " + yes.error().message);
      if (!*yes) continue;
    }
    if (o.PerPage != 0 && count >= o.PerPage) return at;
    ++count;
    take(row);
  }
  return std::string();
}

}  // namespace drover::server
