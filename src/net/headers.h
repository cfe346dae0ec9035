// HTTP header fields. Names are kept in the canonical form that Go prints (Content-Type, X-Nomad-Index), so lookups are
// case-insensitive and output is what existing clients see.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::net {

// "x-nomad-index" -> "X-Nomad-Index"; a name with bytes that no header name may have is returned as it is.
std::string canonical_header(std::string_view name);

class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;

  // The first value, "" when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> values(std::string_view name) const;
  void set(std::string_view name, std::string value);
  void add(std::string_view name, std::string value);
  void remove(std::string_view name);
  // Whether the comma-separated lists under `name` have `token` (case-insensitive): "Connection: keep-alive, Upgrade".
  bool has_token(std::string_view name, std::string_view token) const;

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  // "Name: value\r\n" lines sorted by name, values in order of adding. Line breaks in values become spaces.
  void write_to(std::string& out) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace drover::net
