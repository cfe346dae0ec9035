#include "hcl/format.h"

#include <algorithm>
#include <span>
#include <vector>

#include "hcl/ast.h"
#include "hcl/lexer.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

struct Piece {
  Tok type;
  std::string_view text;
  size_t blanks = 0;   // before the token
  size_t columns = 0;  // of the token
};

// A line as it is laid out: everything up to an aligned equals sign, from that on, and a trailing comment.
struct Line {
  std::span<Piece> all, lead, assign, comment;
};

int bracket_change(Tok type) {
  switch (type) {
    case Tok::kOpenBrace: case Tok::kOpenBracket: case Tok::kOpenParen: case Tok::kInterpolation: case Tok::kControl: return 1;
    case Tok::kCloseBrace: case Tok::kCloseBracket: case Tok::kCloseParen: case Tok::kTemplateEnd: return -1;
    default: return 0;
  }
}

int net_brackets(std::span<const Piece> pieces) {
  int net = 0;
  for (auto& p : pieces) net += bracket_change(p.type);
  return net;
}

bool opens_text(Tok t) { return t == Tok::kOpenQuote || t == Tok::kOpenHeredoc || t == Tok::kInterpolation || t == Tok::kControl; }
bool closes_text(Tok t) { return t == Tok::kCloseQuote || t == Tok::kCloseHeredoc || t == Tok::kTemplateEnd; }
bool is_text(Tok t) { return t == Tok::kQuotedLiteral || t == Tok::kStringLiteral || t == Tok::kQuotedNewline; }
bool is_sequence(Tok t) { return t == Tok::kInterpolation || t == Tok::kControl; }

// Whether a minus behind this token must be a sign.
bool expects_operand(Tok before) {
  switch (before) {
    case Tok::kOpenParen: case Tok::kOpenBrace: case Tok::kOpenBracket: case Tok::kInterpolation: case Tok::kControl:
    case Tok::kEqual: case Tok::kColon: case Tok::kComma: case Tok::kQuestion: case Tok::kArrow:
    case Tok::kPlus: case Tok::kMinus: case Tok::kStar: case Tok::kSlash: case Tok::kPercent: case Tok::kBang:
    case Tok::kEqualEqual: case Tok::kNotEqual: case Tok::kLess: case Tok::kLessEqual: case Tok::kGreater:
    case Tok::kGreaterEqual: case Tok::kAnd: case Tok::kOr:
      return true;
    default: return false;
  }
}

// Whether a blank goes between `left` and `right`; `before` is the token before `left`, kEof at the line's start.
bool wants_blank(Tok before, const Piece& left, const Piece& right) {
  if (right.type == Tok::kNewline || right.type == Tok::kEof) return false;
  if (is_text(left.type) || is_text(right.type) || opens_text(left.type) || closes_text(right.type)) return false;
  if (left.type == Tok::kTemplateEnd || is_sequence(right.type)) return false;
  if (left.type == Tok::kIdent && right.type == Tok::kOpenParen) return false;
  if (left.type == Tok::kDot || right.type == Tok::kDot) return false;
  if (right.type == Tok::kComma || right.type == Tok::kEllipsis) return false;
  if (left.type == Tok::kComma) return true;
  if (left.type == Tok::kBang) return false;
  if (left.type == Tok::kMinus) return before != Tok::kEof && !expects_operand(before);
  if (left.type == Tok::kOpenParen || right.type == Tok::kCloseParen) return false;
  if (left.type == Tok::kOpenBracket || right.type == Tok::kCloseBracket) return false;
  if (left.type == Tok::kOpenBrace && right.type == Tok::kCloseBrace) return false;
  if (right.type == Tok::kOpenBracket) {
    if (left.type == Tok::kIdent && left.text == "in") return true;
    bool index = left.type == Tok::kIdent || left.type == Tok::kNumber || bracket_change(left.type) < 0;
    if (index) return false;
  }
  return true;
}

void space_tokens(Line& line) {
  for (size_t i = 1; i < line.all.size(); ++i) {
    Tok before = i >= 2 ? line.all[i - 2].type : Tok::kEof;
    line.all[i].blanks = wants_blank(before, line.all[i - 1], line.all[i]) ? 1 : 0;
  }
}

// Indentation follows brackets: a line that opens more than it closes indents what follows by one level, however
// many it opens; closing brackets take the levels back.
class Indenter {
 public:
  void apply(Line& line) {
    Piece& first = line.all[0];
    if (first.type == Tok::kNewline) {
      first.blanks = 0;
      return;
    }
    int net = net_brackets(line.all);
    if (net < 0) close(-net);
    // Deeper text does not parse; without an end its layout would grow with the square of its length.
    first.blanks = 2 * std::min<size_t>(open_.size(), 2 * kMaxDepth);
    if (net > 0) open_.push_back(net);
  }

 private:
  void close(int count) {
    while (count > 0 && !open_.empty()) {
      int take = std::min(count, open_.back());
      count -= take;
      if ((open_.back() -= take) == 0) open_.pop_back();
    }
  }
  std::vector<int> open_;  // per level, the brackets that make it
};

void split_cells(Line& line) {
  line.lead = line.all;
  // A block comment with more of the line behind it, be it the line's end, stays where it is.
  size_t last = line.lead.size() - 1;
  if (last > 0 && line.lead[last].type == Tok::kComment) {
    line.comment = line.lead.subspan(last);
    line.lead = line.lead.first(last);
  }
  for (size_t i = 1; i < line.lead.size(); ++i) {
    if (line.lead[i].type != Tok::kEqual) continue;
    // An expression that goes on in the next line is not aligned.
    if (net_brackets(line.lead.subspan(i)) == 0) {
      line.assign = line.lead.subspan(i);
      line.lead = line.lead.first(i);
    }
    break;
  }
}

size_t columns(std::span<const Piece> pieces) {
  size_t n = 0;
  for (auto& p : pieces) n += p.blanks + (p.type == Tok::kNewline ? 0 : p.columns);
  return n;
}

// In each run of lines that have the cell, moves the cell to one column behind the longest text before it.
template <class Cell, class Before>
void align(std::vector<Line>& lines, Cell cell, Before before) {
  for (size_t i = 0; i < lines.size();) {
    if (cell(lines[i]).empty()) {
      ++i;
      continue;
    }
    size_t end = i, widest = 0;
    for (; end < lines.size() && !cell(lines[end]).empty(); ++end) widest = std::max(widest, before(lines[end]));
    for (; i < end; ++i) cell(lines[i])[0].blanks = widest - before(lines[i]) + 1;
  }
}

}  // namespace

std::string format_source(std::string_view text) {
  Source source{"", std::string(text)};
  auto tokens = lex(source);
  std::vector<Piece> pieces;
  pieces.reserve(tokens.size());
  for (auto& t : tokens) {
    auto content = t.text(source);
    pieces.push_back({t.type, content, 0, grapheme_count(content)});
  }
  std::vector<Line> lines;
  size_t start = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    auto& p = pieces[i];
    bool ends = p.type == Tok::kNewline || p.type == Tok::kEof || (p.type == Tok::kComment && p.text.ends_with('\n'));
    if (!ends) continue;
    lines.push_back({std::span(pieces).subspan(start, i + 1 - start), {}, {}, {}});
    start = i + 1;
  }
  Indenter indenter;
  for (auto& line : lines) {
    space_tokens(line);
    indenter.apply(line);
    split_cells(line);
  }
  align(lines, [](Line& l) { return l.assign; }, [](Line& l) { return columns(l.lead); });
  align(lines, [](Line& l) { return l.comment; }, [](Line& l) { return columns(l.lead) + columns(l.assign); });
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (auto& p : pieces) {
    if (p.type == Tok::kEof) break;
    out.append(p.blanks, ' ');
    out += p.text;
  }
  // Blanks before the end of the text stay, as many as there are.
  size_t end = tokens.back().start.byte, last = tokens.size() > 1 ? tokens[tokens.size() - 2].end.byte : 0;
  return out.append(end - last, ' ');
}

}  // namespace drover::hcl
