// URLs as Go's net/url reads and writes them: which characters are escaped where, what is an error and in which words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace drover::net {

std::string query_escape(std::string_view text);  // space becomes +
std::string path_escape(std::string_view text);   // for one segment: / becomes %2F
// `invalid URL escape "%zz"`
Result<std::string> query_unescape(std::string_view text);
Result<std::string> path_unescape(std::string_view text);

// Query parameters in the order of the text.
class Query {
 public:
  // Skips pairs that cannot be read; `error`, when given, gets the text of the first failure (`invalid URL escape
  // "%zz"`, `invalid semicolon separator in query`).
  static Query parse(std::string_view text, std::string* error = nullptr);

  // The first value, "" when absent.
  std::string_view get(std::string_view key) const;
  bool has(std::string_view key) const;
  std::vector<std::string_view> values(std::string_view key) const;
  void set(std::string_view key, std::string value);
  void add(std::string_view key, std::string value);
  void remove(std::string_view key);
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  // "a=1&b=2", sorted by key.
  std::string encode() const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

struct Url {
  std::string scheme;   // lower case
  std::string opaque;   // "mailto:x": what follows the colon
  std::optional<std::pair<std::string, std::optional<std::string>>> user;  // name and password
  std::string host;     // with port, brackets kept
  std::string path;     // decoded
  std::string raw_path; // as written, only where encoding `path` would write it otherwise
  bool force_query = false;
  std::string raw_query;
  std::string fragment;

  // Absolute or relative. Errors: `parse "x": first path segment in URL cannot contain colon` and the like.
  static Result<Url> parse(std::string_view text);
  // A request target: an absolute URL or an absolute path, no fragment.
  static Result<Url> parse_request_target(std::string_view text);

  std::string hostname() const;  // without port and brackets
  std::string port() const;      // "" when absent
  std::string escaped_path() const;
  // Path and query as they go into a request line; "/" for an empty path.
  std::string request_target() const;
  std::string str() const;
  std::string redacted() const;  // the password as "xxxxx"
};

// The path that the reference's router redirects to: no //, . or .. elements, a trailing slash kept.
std::string clean_path(std::string_view path);

}  // namespace drover::net
