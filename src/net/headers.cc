#include "net/headers.h"

#include <algorithm>

#include "base/strings.h"

namespace drover::net {
namespace {
bool token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
}  // namespace

std::string canonical_header(std::string_view name) {
  std::string out(name);
  bool upper = true;
  for (char& c : out) {
    if (!token_char(c)) return std::string(name);
    if (upper && c >= 'a' && c <= 'z') c -= 'a' - 'A';
    else if (!upper && c >= 'A' && c <= 'Z') c += 'a' - 'A';
    upper = c == '-';
  }
  return out;
}

std::string_view Headers::get(std::string_view name) const {
  for (auto& [k, v] : entries_)
    if (equal_fold(k, name)) return v;
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](auto& e) { return equal_fold(e.first, name); });
}

std::vector<std::string_view> Headers::values(std::string_view name) const {
  std::vector<std::string_view> out;
  for (auto& [k, v] : entries_)
    if (equal_fold(k, name)) out.push_back(v);
  return out;
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(name, std::move(value));
}

void Headers::add(std::string_view name, std::string value) {
  entries_.emplace_back(canonical_header(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](auto& e) { return equal_fold(e.first, name); });
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (auto list : values(name)) {
    while (!list.empty()) {
      auto comma = list.find(',');
      if (equal_fold(trim_space(list.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  return false;
}

void Headers::write_to(std::string& out) const {
  std::vector<const Entry*> sorted;
  for (auto& e : entries_) sorted.push_back(&e);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->first < b->first; });
  for (auto* e : sorted) {
    out += e->first;
    out += ": ";
    size_t at = out.size();
    out += e->second;
    for (; at < out.size(); ++at)
      if (out[at] == '\r' || out[at] == '\n') out[at] = ' ';
    out += "\r\n";
  }
}

}  // namespace drover::net
