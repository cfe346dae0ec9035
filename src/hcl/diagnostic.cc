#include "hcl/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "hcl/unicode.h"

namespace drover::hcl {

std::string Location::str() const {
  if (start.line == end.line) return fmt::format("{}:{},{}-{}", file, start.line, start.column, end.column);
  return fmt::format("{}:{},{}-{},{}", file, start.line, start.column, end.line, end.column);
}

std::string Diagnostic::str() const {
  return fmt::format("{}: {}; {}", subject ? subject->str() : "<nil>", summary, detail);
}

void Diagnostics::add(std::string summary, std::string detail, const Range& subject) {
  append({std::move(summary), std::move(detail), Location(subject), std::nullopt});
}
void Diagnostics::add(std::string summary, std::string detail, const Range& subject, const Range& context) {
  append({std::move(summary), std::move(detail), Location(subject), Location(context)});
}
void Diagnostics::add(std::string summary, std::string detail) {
  append({std::move(summary), std::move(detail), std::nullopt, std::nullopt});
}
void Diagnostics::append(Diagnostic diagnostic) {
  ++total_;
  if (list_.size() < kMaxKept) list_.push_back(std::move(diagnostic));
}
void Diagnostics::append(const Diagnostics& other) {
  for (auto& d : other.list_) append(d);
  total_ += other.total_ - other.list_.size();
}

std::string Diagnostics::summary_line() const {
  if (list_.empty()) return "";
  if (total_ == 1) return list_[0].str();
  return fmt::format("{}, and {} other diagnostic(s)", list_[0].str(), total_ - 1);
}

std::string Diagnostics::all_lines() const {
  std::string out;
  for (auto& d : list_) {
    if (!out.empty()) out += '\n';
    out += d.str();
  }
  return out;
}

namespace {

// Folds at spaces so that no line is longer than `width` where that is possible.
std::string fold(std::string_view text, size_t width) {
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size();) {
    size_t space = at;
    while (space < text.size() && (text[space] == ' ' || text[space] == '\n')) ++space;
    std::string_view gap = text.substr(at, space - at);
    size_t stop = space;
    while (stop < text.size() && text[stop] != ' ' && text[stop] != '\n') ++stop;
    std::string_view word = text.substr(space, stop - space);
    size_t length = grapheme_count(word);
    auto newline = gap.rfind('\n');
    if (newline != std::string_view::npos) {
      out += gap;
      column = gap.size() - newline - 1;
    } else if (column > 0 && column + gap.size() + length > width) {
      out += '\n';
      column = 0;
    } else {
      out += gap;
      column += gap.size();
    }
    out += word;
    column += length;
    at = stop;
  }
  return out;
}

// The lines a location touches: not empty ones, and the one that begins where the location ends as well.
void append_source_lines(std::string& out, std::string_view text, const Location& where) {
  uint32_t line = 1;
  size_t at = 0, first = where.start.byte, last = std::max(where.end.byte, where.start.byte + 1);
  while (at < text.size() && at <= last) {
    size_t stop = text.find('\n', at);
    std::string_view content = text.substr(at, stop == std::string_view::npos ? stop : stop - at);
    if (content.ends_with('\r')) content.remove_suffix(1);
    auto within = [](size_t n, size_t from, size_t to) { return from <= n && n < to; };
    size_t end = at + content.size();
    bool touched = within(first, at, end) || within(last, at, end) || within(at, first, last) || within(end, first, last);
    if (!content.empty() && touched) out += fmt::format("{:4}: {}\n", line, content);
    if (stop == std::string_view::npos) break;
    at = stop + 1;
    ++line;
  }
}

}  // namespace

std::string render_with_snippet(const Diagnostic& d, std::string_view text, size_t width) {
  std::string out = fmt::format("Error: {}\n\n", d.summary);
  if (d.subject) {
    Location shown = d.context ? *d.context : *d.subject;
    shown.start = std::min(shown.start, d.subject->start, [](auto& a, auto& b) { return a.byte < b.byte; });
    shown.end = std::max(shown.end, d.subject->end, [](auto& a, auto& b) { return a.byte < b.byte; });
    out += fmt::format("  on {} line {}:\n", d.subject->file, d.subject->start.line);
    append_source_lines(out, text, shown);
    out += '\n';
  }
  if (!d.detail.empty()) out += fold(d.detail, width) + "\n\n";
  return out;
}

namespace {

std::u32string characters(std::string_view text) {
  std::u32string out;
  for (size_t at = 0, size = 0; at < text.size(); at += std::max<size_t>(size, 1)) out += static_cast<char32_t>(decode_utf8(text, at, size));
  return out;
}

// Edit distance in characters, given up once it must reach `limit`.
size_t edit_distance(const std::u32string& a, const std::u32string& b, size_t limit) {
  if ((a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) >= limit) return limit;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t here = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = row[j];
      row[j] = here;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string near_name(std::string_view given, const std::vector<std::string>& candidates) {
  auto wanted = characters(given);
  for (auto& candidate : candidates) {
    if (edit_distance(wanted, characters(candidate), 3) < 3) return candidate;
  }
  return "";
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& candidates) {
  auto name = near_name(given, candidates);
  return name.empty() ? "" : fmt::format(" Did you mean \"{}\"?", name);
}

}  // namespace drover::hcl
