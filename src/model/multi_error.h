// Several problems found at once, in the text form that the reference's clients know: "2 errors occurred:\n\t* a\n\t*
// b\n\n". A nested group is text inside an item, newlines and all.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover {

class MultiError {
 public:
  bool empty() const { return items_.empty(); }
  explicit operator bool() const { return !items_.empty(); }
  const std::vector<std::string>& items() const { return items_; }

  void add(std::string problem) { items_.push_back(std::move(problem)); }
  // The group's text as one item; nothing when it is empty.
  void add_nested(const MultiError& group) {
    if (group) add(group.text());
  }
  // `prefix` and the group's text as one item ("Task t validation failed: 1 error ..."); nothing when it is empty.
  void add_nested(std::string_view prefix, const MultiError& group) {
    if (group) add(std::string(prefix) + group.text());
  }
  // The group's items, each on its own.
  void append(const MultiError& group) { items_.insert(items_.end(), group.items_.begin(), group.items_.end()); }
  // The same, each with `prefix` and a space in front.
  void append_prefixed(std::string_view prefix, const MultiError& group) {
    for (auto& item : group.items_) add(std::string(prefix) + " " + item);
  }

  // "" when empty.
  std::string text() const;

 private:
  std::vector<std::string> items_;
};

// The text of the API's Warnings fields: "1 warning:\n\n* a", "2 warnings:\n\n* a\n* b", "" for none. Items are trimmed.
std::string warnings_text(const std::vector<std::string>& warnings);

}  // namespace drover
