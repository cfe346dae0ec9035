// Quoted strings, heredocs and the sequences inside them.
#include <fmt/format.h>

#include <algorithm>

#include "hcl/parser_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Reads up to `wanted` hex digits of `text` from `at`; returns how many there are.
size_t hex_digits(std::string_view text, size_t at, size_t wanted, uint32_t& code) {
  size_t n = 0;
  code = 0;
  for (; n < wanted && at + n < text.size() && is_hex(text[at + n]); ++n) {
    char c = text[at + n];
    code = code * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return n;
}

}  // namespace

// The characters that a literal token stands for. Bad escapes are reported and left out.
std::string Parser::literal_text(const Token& t, bool quoted) {
  std::string_view in = text(t);
  std::string out;
  out.reserve(in.size());
  auto complain = [&](size_t at, size_t length, std::string detail) {
    Pos start = advance(t.start, in.substr(0, at));
    diagnostics_->add("Invalid escape sequence", std::move(detail), {&source_, start, advance(start, in.substr(at, length))},
                     range(t));
  };
  for (size_t i = 0; i < in.size();) {
    char c = in[i];
    if (c == '$' || c == '%') {
      size_t run = 1;
      while (i + run < in.size() && in[i + run] == c) ++run;
      bool escape = run > 1 && i + run < in.size() && in[i + run] == '{';
      out.append(escape ? run - 1 : run, c);
      i += run;
      continue;
    }
    if (c != '\\' || !quoted) {
      out += c;
      ++i;
      continue;
    }
    char selector = i + 1 < in.size() ? in[i + 1] : '\0';
    static constexpr std::string_view kSelectors = "nrt\"\\", kMeanings = "\n\r\t\"\\";
    if (auto k = kSelectors.find(selector); selector != '\0' && k != std::string_view::npos) {
      out += kMeanings[k];
      i += 2;
    } else if (selector == 'u' || selector == 'U') {
      size_t wanted = selector == 'u' ? 4 : 8;
      uint32_t code = 0;
      size_t n = hex_digits(in, i + 2, wanted, code);
      if (n < wanted) {
        complain(i, 2 + n, fmt::format("The \\{} escape sequence must be followed by {} hexadecimal digits.", selector,
                                       wanted == 4 ? "four" : "eight"));
      } else if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        complain(i, 2 + n, fmt::format("Cannot encode character U+{:04x} in UTF-8.", code));
      } else {
        append_utf8(out, code);
      }
      i += 2 + n;
    } else {
      size_t length = i + 1 < in.size() ? next_grapheme(in.substr(i + 1)) : 0;
      complain(i, 1 + length, fmt::format("The symbol \"{}\" is not a valid escape sequence selector.", in.substr(i + 1, length)));
      i += 1 + length;
    }
  }
  return out;
}

namespace {

// Leading white space in characters; `bytes` is where it ends.
size_t indentation(std::string_view text, size_t limit, size_t& bytes) {
  size_t count = 0, size = 0;
  for (bytes = 0; bytes < text.size() && count < limit && text[bytes] != '\n'; ++count) {
    if (!is_unicode_space(decode_utf8(text, bytes, size))) break;
    bytes += size;
  }
  return count;
}

}  // namespace

ExprPtr Parser::placeholder(const Range& where) { return std::make_unique<LiteralExpr>(where, Value()); }

ExprPtr Parser::template_until(Tok end, const Token& open, bool flush) {
  Nested nested(*this);
  if (too_deep(range(open))) return nullptr;
  size_t before = diagnostics_->size();
  std::vector<TemplatePart> parts;
  Range end_range;
  template_parts(end, flush, parts, end_range);
  if (aborted_) return nullptr;
  Range all = range_between(range(open), end_range);
  ExprPtr result;
  if (parts.size() == 1 && parts[0].kind == TemplatePart::kValue) {
    auto node = std::make_unique<TemplateWrapExpr>(all);
    node->wrapped = std::move(parts[0].expr);
    auto& n = *node;
    result = finish(std::move(node), n.wrapped);
  } else {
    if (parts.empty()) {
      TemplatePart nothing;
      nothing.range = {&source_, end_range.end, end_range.end};
      parts.push_back(std::move(nothing));
    }
    std::vector<ExprPtr> joined;
    for (size_t at = 0; at < parts.size() && !aborted_;) append_part(joined, parts, at, end_range);
    result = join_parts(std::move(joined), all);
  }
  failed_ = failed_ || (recovering_ && diagnostics_->size() != before);
  return failed_ ? nullptr : std::move(result);
}

ExprPtr Parser::join_parts(std::vector<ExprPtr> parts, const Range& where) {
  auto node = std::make_unique<TemplateExpr>(where);
  if (parts.empty()) parts.push_back(std::make_unique<LiteralExpr>(empty_at_start(where), Value::raw_string("")));
  for (auto& p : parts) node->depth = std::max(node->depth, p->depth + 1);
  node->parts = std::move(parts);
  auto& n = *node;
  auto joined = finish(std::move(node), n.parts[0]);
  return joined ? std::move(joined) : placeholder(where);
}

// Reads up to and with `end`. What is wrong inside a sequence ends that sequence only.
void Parser::template_parts(Tok end, bool flush, std::vector<TemplatePart>& parts, Range& end_range) {
  Range first = range(peek());
  bool trim_next = false, can_trim = false;
  while (!aborted_) {
    Token t = next();
    end_range = range(t);
    if (t.type == end) break;
    bool cut_left = std::exchange(trim_next, false), after_text = std::exchange(can_trim, false);
    switch (t.type) {
      case Tok::kQuotedLiteral:
      case Tok::kStringLiteral: {
        TemplatePart part;
        part.range = range(t);
        part.text = nfc(literal_text(t, t.type == Tok::kQuotedLiteral));
        if (cut_left) part.text = std::string(trim_left_space(part.text));
        parts.push_back(std::move(part));
        can_trim = true;
        break;
      }
      case Tok::kInterpolation:
      case Tok::kControl:
        if (after_text && text(t).size() == 3) parts.back().text = std::string(trim_right_space(parts.back().text));
        if (t.type == Tok::kControl) control(t, first, parts, trim_next);
        else interpolation(t, first, parts, trim_next);
        failed_ = false;
        break;
      default:
        say_once("Unterminated template string", "No closing marker was found for the string.", range(t), range_between(first, range(t)));
        recover(end);
        end_range = range(last_);
        if (flush) flush_parts(parts);
        return;
    }
  }
  if (flush) flush_parts(parts);
}

// Takes away the indentation that all lines of a `<<-` heredoc share.
void Parser::flush_parts(std::vector<TemplatePart>& parts) {
  size_t least = SIZE_MAX, bytes = 0;
  bool line_start = true;
  std::vector<TemplatePart*> lines;
  for (auto& p : parts) {
    bool is_text = p.kind == TemplatePart::kLiteral;
    if (std::exchange(line_start, false)) {
      size_t spaces = is_text ? indentation(p.text, SIZE_MAX, bytes) : 0;
      bool blank = is_text && (p.text.substr(bytes) == "\n" || p.text.substr(bytes) == "\r\n");
      if (is_text && !blank) lines.push_back(&p);
      if (!blank) least = std::min(least, spaces);
    }
    if (is_text && p.text.ends_with('\n')) line_start = true;
  }
  for (auto* p : lines) {
    indentation(p->text, least, bytes);
    p->range.start = advance(p->range.start, std::string_view(p->text).substr(0, bytes));
    p->text.erase(0, bytes);
  }
}

void Parser::interpolation(const Token& open, const Range& first, std::vector<TemplatePart>& parts, bool& trim_next) {
  Newlines hidden(*this, false);
  TemplatePart part;
  part.kind = TemplatePart::kValue;
  part.expr = expression();
  if (aborted_) return;
  const Token close = peek();
  close_sequence(close, first, "Extra characters after interpolation expression",
                 "Expected a closing brace to end the interpolation expression, but found extra characters.", trim_next);
  part.range = range_between(range(open), range(close));
  if (!part.expr) part.expr = placeholder(part.range);
  parts.push_back(std::move(part));
}

void Parser::close_sequence(const Token& close, const Range& first, std::string summary, const char* detail, bool& trim_next) {
  if (close.type == Tok::kTemplateEnd) {
    next();
    trim_next = text(close).size() == 2;
    return;
  }
  say_once(std::move(summary), detail, range(close), range_between(first, range(close)));
  recover(Tok::kTemplateEnd);
}

void Parser::control(const Token& open, const Range& first, std::vector<TemplatePart>& parts, bool& trim_next) {
  Newlines hidden(*this, false);
  const Token word = peek();
  auto wrong_word = [&](const char* summary, std::string detail) {
    say_once(summary, std::move(detail), range(word), range_between(range(open), range(word)));
    recover(Tok::kTemplateEnd);
  };
  if (word.type != Tok::kIdent) {
    return wrong_word("Invalid template directive",
                      "A template directive keyword (\"if\", \"for\", etc) is expected at the beginning of a %{ sequence.");
  }
  next();
  auto name = text(word);
  struct Marker {
    std::string_view name;
    TemplatePart::Kind kind;
  };
  static constexpr Marker kMarkers[] = {
      {"if", TemplatePart::kIf}, {"for", TemplatePart::kFor}, {"else", TemplatePart::kElse}, {"endif", TemplatePart::kEndIf},
      {"endfor", TemplatePart::kEndFor}};
  auto* marker = std::find_if(std::begin(kMarkers), std::end(kMarkers), [&](auto& m) { return m.name == name; });
  if (marker == std::end(kMarkers)) {
    std::vector<std::string> known;
    for (auto& m : kMarkers) known.emplace_back(m.name);
    return wrong_word("Invalid template control keyword",
                      fmt::format("\"{}\" is not a valid template control keyword.{}", name, did_you_mean(std::string(name), known)));
  }
  TemplatePart part;
  part.kind = marker->kind;
  if (part.kind == TemplatePart::kIf) {
    part.expr = expression();
  } else if (part.kind == TemplatePart::kFor) {
    static constexpr ForTexts kTexts{"Invalid 'for' directive", "For directive requires variable name after 'for'.",
                                     "For directive requires value variable name after comma.",
                                     "For directive requires 'in' keyword after names."};
    part.loop = std::make_unique<ForExpr>(range(open));
    if (!for_names(*part.loop, kTexts, range(open))) return recover(Tok::kTemplateEnd);
    part.loop->collection = expression();
  }
  if (aborted_) return;
  failed_ = false;
  const Token close = peek();
  part.range = range_between(range(open), range(close));
  if (part.kind == TemplatePart::kIf && !part.expr) part.expr = placeholder(part.range);
  if (part.loop && !part.loop->collection) part.loop->collection = placeholder(part.range);
  close_sequence(close, first, fmt::format("Extra characters in {} marker", name),
                 "Expected a closing brace to end the sequence, but found extra characters.", trim_next);
  parts.push_back(std::move(part));
}

const char* Parser::marker_name(const TemplatePart& part) {
  return part.kind == TemplatePart::kElse ? "else" : part.kind == TemplatePart::kEndIf ? "endif" : "endfor";
}

// Nests the flat list: appends the expression that begins at `at`.
void Parser::append_part(std::vector<ExprPtr>& out, std::vector<TemplatePart>& parts, size_t& at, const Range& end_range) {
  TemplatePart& part = parts[at];
  switch (part.kind) {
    case TemplatePart::kLiteral: {
      out.push_back(std::make_unique<LiteralExpr>(part.range, Value::raw_string(std::move(part.text))));
      // The first literal keeps its own range, which is where complaints about the text point. Further lines join in
      // one go, so that a long text costs linear time.
      if (++at >= parts.size() || out.size() == 1 || parts[at].kind != TemplatePart::kLiteral) return;
      auto& joined = static_cast<LiteralExpr&>(*out.back());
      std::string lines = joined.value.as_string();
      for (; at < parts.size() && parts[at].kind == TemplatePart::kLiteral; ++at) {
        lines += parts[at].text;
        joined.range.end = parts[at].range.end;
      }
      joined.value = Value::raw_string(std::move(lines));
      return;
    }
    case TemplatePart::kValue:
      ++at;
      out.push_back(std::move(part.expr));
      return;
    case TemplatePart::kIf: out.push_back(assemble_if(parts, at, end_range)); return;
    case TemplatePart::kFor: out.push_back(assemble_for(parts, at, end_range)); return;
    default:
      ++at;
      diagnostics_->add(fmt::format("Unexpected {} directive", marker_name(part)),
                        "The control directives within this template are unbalanced.", part.range);
      out.push_back(placeholder(part.range));
  }
}

// The content of a directive up to the marker that follows it, which is consumed; null when the template ends first.
Parser::TemplatePart* Parser::directive_content(std::vector<ExprPtr>& out, const TemplatePart& open, std::vector<TemplatePart>& parts,
                                                size_t& at, const Range& end_range) {
  while (at < parts.size() && !aborted_) {
    auto kind = parts[at].kind;
    if (kind == TemplatePart::kElse || kind == TemplatePart::kEndIf || kind == TemplatePart::kEndFor) return &parts[at++];
    append_part(out, parts, at, end_range);
  }
  const char* name = open.kind == TemplatePart::kFor ? "for" : "if";
  diagnostics_->add("Unexpected end of template",
                    fmt::format("The {0} directive at {1} is missing its corresponding end{0} directive.", name,
                                Location(open.range).str()), end_range);
  return nullptr;
}

ExprPtr Parser::assemble_if(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range) {
  Nested nested(*this);
  TemplatePart& open = parts[at++];
  if (too_deep(open.range)) return placeholder(open.range);
  auto node = std::make_unique<ConditionalExpr>(open.range);
  std::vector<ExprPtr> yes, no;
  TemplatePart* close = directive_content(yes, open, parts, at, end_range);
  bool has_else = close && close->kind == TemplatePart::kElse;
  if (has_else) close = directive_content(no, open, parts, at, end_range);
  if (!close) return placeholder(end_range);
  if (close->kind != TemplatePart::kEndIf) {
    bool second_else = close->kind == TemplatePart::kElse;
    diagnostics_->add(fmt::format("Unexpected {} directive", marker_name(*close)),
                      fmt::format("{} for the if started at {}.", second_else ? "Already in the else clause" : "Expecting an endif directive",
                                  Location(open.range).str()),
                      close->range);
    return placeholder(close->range);
  }
  node->if_true = join_parts(std::move(yes), open.range);
  node->if_false = join_parts(std::move(no), close->range);
  node->condition = std::move(open.expr);
  node->range = range_between(open.range, close->range);
  auto& n = *node;
  auto whole = finish(std::move(node), n.condition, n.if_true, n.if_false);
  return whole ? std::move(whole) : placeholder(close->range);
}

ExprPtr Parser::assemble_for(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range) {
  Nested nested(*this);
  TemplatePart& open = parts[at++];
  if (too_deep(open.range)) return placeholder(open.range);
  std::vector<ExprPtr> content;
  TemplatePart* close = directive_content(content, open, parts, at, end_range);
  if (!close) return placeholder(end_range);
  if (close->kind != TemplatePart::kEndFor) {
    bool is_else = close->kind == TemplatePart::kElse;
    diagnostics_->add(fmt::format("Unexpected {} directive", marker_name(*close)),
                      is_else ? "An else clause is not expected for a for directive."
                              : fmt::format("Expecting an endfor directive corresponding to the for directive at {}.", Location(open.range).str()),
                      close->range);
    return placeholder(close->range);
  }
  auto loop = std::move(open.loop);
  loop->open = open.range;
  loop->range = range_between(open.range, close->range);
  loop->value = join_parts(std::move(content), loop->range);
  auto& l = *loop;
  auto node = std::make_unique<TemplateLoopExpr>(loop->range);
  node->loop = finish(std::move(loop), l.collection, l.value);
  if (!node->loop) return placeholder(close->range);
  auto& n = *node;
  auto whole = finish(std::move(node), n.loop);
  return whole ? std::move(whole) : placeholder(close->range);
}

}  // namespace drover::hcl
