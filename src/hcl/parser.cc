#include "hcl/parser.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/strings.h"
#include "hcl/parser_impl.h"

namespace drover::hcl {

const Token& Parser::peek() {
  if (comment_newline_) {
    if (newlines_.back()) return synthetic_;
    comment_newline_ = false;
  }
  while (true) {
    const Token& t = tokens_[at_];
    if (t.type == Tok::kComment) {
      ++at_;
      // A line comment swallows its newline, which still counts as one.
      if (newlines_.back() && source_.text[t.end.byte - 1] == '\n') {
        comment_newline_ = true;
        synthetic_ = {Tok::kNewline, t.end, t.end};
        return synthetic_;
      }
      continue;
    }
    if (t.type == Tok::kNewline && !newlines_.back()) {
      ++at_;
      continue;
    }
    return t;
  }
}

const Token& Parser::next() {
  const Token& t = peek();
  if (comment_newline_) {
    comment_newline_ = false;
    return synthetic_;
  }
  if (t.type != Tok::kEof) ++at_;
  return t;
}

void Parser::fail(std::string summary, std::string detail, const Range& subject) {
  fail(std::move(summary), std::move(detail), subject, subject);
}
void Parser::fail(std::string summary, std::string detail, const Range& subject, const Range& context) {
  failed_ = true;
  if (!std::exchange(recovering_, true)) diagnostics_.add(std::move(summary), std::move(detail), subject, context);
}
void Parser::fail_anyway(std::string summary, std::string detail, const Range& subject, const Range& context) {
  failed_ = recovering_ = true;
  diagnostics_.add(std::move(summary), std::move(detail), subject, context);
}

bool Parser::too_deep(const Range& where) {
  if (depth_ <= kMaxDepth) return false;
  fail("Nesting too deep", fmt::format("Blocks and expressions may be nested at most {} levels deep.", kMaxDepth), where);
  aborted_ = true;
  return true;
}

namespace {

// The token that opens what `close` closes; kEof if none does.
Tok opener(Tok close) {
  switch (close) {
    case Tok::kCloseBrace: return Tok::kOpenBrace;
    case Tok::kCloseBracket: return Tok::kOpenBracket;
    case Tok::kCloseParen: return Tok::kOpenParen;
    case Tok::kCloseQuote: return Tok::kOpenQuote;
    case Tok::kCloseHeredoc: return Tok::kOpenHeredoc;
    case Tok::kTemplateEnd: return Tok::kInterpolation;
    default: return Tok::kEof;
  }
}

}  // namespace

void Parser::recover(Tok close) {
  Tok open = opener(close);
  for (int level = 0;;) {
    Tok type = next().type;
    if (type == Tok::kEof) return;
    if (close == Tok::kTemplateEnd && type == Tok::kControl) type = Tok::kInterpolation;
    if (type == open) ++level;
    if (type == close && level-- == 0) return;
  }
}

void Parser::recover_after_item() {
  std::vector<Tok> open;
  while (true) {
    Tok type = next().type;
    switch (type) {
      case Tok::kEof: return;
      case Tok::kNewline:
        if (open.empty()) return;
        break;
      case Tok::kOpenBrace: case Tok::kOpenBracket: case Tok::kOpenParen: case Tok::kOpenQuote: case Tok::kOpenHeredoc:
      case Tok::kInterpolation:
        open.push_back(type);
        break;
      case Tok::kControl: open.push_back(Tok::kInterpolation); break;
      case Tok::kCloseBrace: case Tok::kCloseBracket: case Tok::kCloseParen: case Tok::kCloseQuote: case Tok::kCloseHeredoc:
      case Tok::kTemplateEnd:
        while (!open.empty() && open.back() != opener(type)) open.pop_back();
        if (!open.empty()) open.pop_back();
        break;
      default: break;
    }
  }
}

// ---- bodies

void Parser::parse_body(BodyNode& body, Tok end) {
  Nested nested(*this);
  body.range = range(peek());
  if (too_deep(body.range)) return;
  while (!aborted_) {
    const Token t = peek();
    if (t.type == end) {
      body.range.end = t.end;
      return;
    }
    if (t.type == Tok::kNewline) {
      next();
      continue;
    }
    if (t.type != Tok::kIdent) {
      next();
      if (t.type == Tok::kOpenQuote) fail("Invalid argument name", "Argument names must not be quoted.", range(t));
      else fail("Argument or block definition required", "An argument or block definition is required here.", range(t));
      recover(end);
      return;
    }
    body_item(body);
    if (failed_ && !aborted_) {
      failed_ = false;
      recover_after_item();
    }
  }
}

void Parser::body_item(BodyNode& body) {
  Token first = next();
  switch (peek().type) {
    case Tok::kEqual: return attribute(body, first, false);
    case Tok::kOpenQuote: case Tok::kOpenBrace: case Tok::kIdent: return block(body, first);
    default:
      fail_anyway("Argument or block definition required",
                  "An argument or block definition is required here. To set an argument, use the equals sign \"=\" to introduce "
                  "the argument value.", range(first), range(first));
  }
}

void Parser::attribute(BodyNode& body, const Token& name, bool single_line) {
  next();  // the equals sign
  AttributeNode node;
  node.name = std::string(text(name));
  node.name_range = range(name);
  node.expr = expression();
  if (failed_) return;
  node.range = {&source_, name.start, node.expr->range.end};
  const Token& after = peek();
  if (single_line) {
    if (after.type != Tok::kCloseBrace) {
      std::string detail =
          after.type == Tok::kNewline || after.type == Tok::kEof
              ? "An argument definition on the same line as its containing block creates a single-line block definition, "
                "which must also be closed on the same line. Place the block's closing brace immediately after the "
                "argument definition."
          : after.type == Tok::kComma
              ? "Single-line block syntax can include only one argument definition. To define multiple arguments, use "
                "the multi-line block syntax with one argument definition per line."
              : "A single-line block definition must end with a closing brace immediately after its single argument "
                "definition.";
      return fail("Invalid single-argument block definition", std::move(detail), range(after));
    }
  } else if (after.type == Tok::kComma) {
    return fail("Unexpected comma after argument",
                "Argument definitions must be separated by newlines, not commas. An argument definition must end with a "
                "newline.", range(after));
  } else if (after.type != Tok::kNewline && after.type != Tok::kEof) {
    return fail("Missing newline after argument", "An argument definition must end with a newline.", range(after));
  }
  body.attributes.push_back(std::move(node));
}

std::string Parser::label_string(Range& where) {
  Token open = next();
  std::string out;
  while (true) {
    Token t = next();
    switch (t.type) {
      case Tok::kCloseQuote:
        where = {&source_, open.start, t.end};
        return out;
      case Tok::kQuotedLiteral:
        out += literal_text(t, true);
        break;
      case Tok::kInterpolation:
      case Tok::kControl: {
        auto mark = text(t).substr(0, 1);
        diagnostics_.add("Invalid string literal",
                         fmt::format("Template sequences are not allowed in this string. To include a literal \"{0}\", "
                                     "double it (as \"{0}{0}\") to escape it.", mark),
                         range(t), {&source_, open.start, t.end});
        // The rest of the sequence has no meaning; go on behind its brace.
        for (int braces = 1; braces > 0 && peek().type != Tok::kEof;) {
          Tok type = next().type;
          if (type == Tok::kInterpolation || type == Tok::kControl) ++braces;
          if (type == Tok::kTemplateEnd) --braces;
        }
        break;
      }
      default:
        fail("Unterminated string literal", "Unable to find the closing quote mark before the end of the file.", range(t),
             {&source_, open.start, t.end});
        return out;
    }
  }
}

void Parser::block(BodyNode& body, const Token& type) {
  BlockNode node;
  node.type = std::string(text(type));
  node.type_range = range(type);
  while (!failed_) {
    const Token t = peek();
    switch (t.type) {
      case Tok::kOpenBrace:
        next();
        node.open_brace = range(t);
        block_content(node);
        if (failed_) return;
        body.blocks.push_back(std::move(node));
        return;
      case Tok::kOpenQuote: {
        Range where;
        node.labels.push_back(label_string(where));
        node.label_ranges.push_back(where);
        break;
      }
      case Tok::kIdent:
        next();
        node.labels.emplace_back(text(t));
        node.label_ranges.push_back(range(t));
        break;
      case Tok::kEqual:
        return fail_anyway("Invalid block definition",
                    "The equals sign \"=\" indicates an argument definition, and must not be used when defining a block.",
                    range(t), {&source_, type.start, t.end});
      case Tok::kNewline:
        return fail_anyway("Invalid block definition",
                    "A block definition must have block content delimited by \"{\" and \"}\", starting on the same line as "
                    "the block header.", range(t), {&source_, type.start, t.end});
      default:
        return fail("Invalid block definition",
                    "Either a quoted string block label or an opening brace (\"{\") is expected here.", range(t),
                    {&source_, type.start, t.end});
    }
  }
}

void Parser::block_content(BlockNode& block) {
  block.body = std::make_unique<BodyNode>();
  const Token first = peek();
  if (first.type == Tok::kIdent) {
    next();
    if (peek().type != Tok::kEqual) {
      return fail("Argument definition required",
                  fmt::format("A single-line block definition can contain only a single argument. If you meant to define "
                              "argument \"{}\", use an equals sign to assign it a value. To define a nested block, place "
                              "it on a line of its own within its parent block.", text(first)),
                  range_between(range(first), range(peek())));
    }
    attribute(*block.body, first, true);
  } else if (first.type == Tok::kNewline) {
    parse_body(*block.body, Tok::kCloseBrace);
    // A body that recovered from an error has consumed its own end.
    if (failed_) return;
  } else if (first.type != Tok::kCloseBrace) {
    return fail("Argument or block definition required", "An argument or block definition is required here.", range(first));
  }
  if (failed_) return;
  Token close = next();
  block.body->range = range_between(block.open_brace, range(close));
  const Token& after = peek();
  if (after.type != Tok::kNewline && after.type != Tok::kEof) {
    fail("Missing newline after block definition", "A block definition must end with a newline.", range(after),
         range_between(block.type_range, range(after)));
  }
}

namespace {

void report_redefined(const BodyNode& body, Diagnostics& diagnostics) {
  std::unordered_map<std::string_view, const AttributeNode*> seen;
  for (auto& a : body.attributes) {
    auto [it, fresh] = seen.emplace(a.name, &a);
    if (!fresh) {
      diagnostics.add("Attribute redefined",
                      fmt::format("The argument \"{}\" was already set at {}. Each argument may be set only once.", a.name,
                                  Location(it->second->name_range).str()), a.name_range);
    }
  }
  for (auto& b : body.blocks) report_redefined(*b.body, diagnostics);
}

// The first byte that is no valid UTF-8.
Range first_bad_byte(const Source& source) {
  size_t low = 0, high = source.text.size();
  std::string_view text = source.text;
  while (low < high) {
    size_t middle = (low + high + 1) / 2;
    // A prefix may end inside a character; look at whole characters only.
    if (valid_utf8(text.substr(0, utf8_prefix(text, middle)))) low = middle; else high = middle - 1;
  }
  Pos at = advance({}, text.substr(0, low));
  Pos end = at;
  if (low < text.size()) {
    ++end.byte;
    ++end.column;
  }
  return {&source, at, end};
}

bool acceptable(const Source& source, Diagnostics& diagnostics) {
  if (source.text.size() > kMaxInput) {
    diagnostics.add("File too large", fmt::format("{} is larger than {} bytes.", source.name, kMaxInput));
    return false;
  }
  if (!valid_utf8(source.text)) {
    diagnostics.add("Invalid character encoding",
                    "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.",
                    first_bad_byte(source));
    return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<NativeFile> parse_native(std::string name, std::string text, Diagnostics& diagnostics,
                                         std::vector<Token>* tokens) {
  auto file = std::make_shared<NativeFile>();
  file->source = {std::move(name), std::move(text)};
  if (!acceptable(file->source, diagnostics)) return file;
  auto list = lex(file->source);
  if (tokens) *tokens = list;
  check_tokens(file->source, list, diagnostics);
  Parser parser(file->source, std::move(list), diagnostics);
  parser.parse_body(file->body, Tok::kEof);
  report_redefined(file->body, diagnostics);
  return file;
}

ExprPtr parse_expression(const Source& source, Diagnostics& diagnostics) {
  if (!acceptable(source, diagnostics)) return nullptr;
  auto list = lex(source);
  check_tokens(source, list, diagnostics);
  Parser parser(source, std::move(list), diagnostics);
  parser.set_newlines(false);
  auto expr = parser.expression();
  if (!parser.failed() && parser.peek().type != Tok::kEof) {
    parser.fail("Extra characters after expression",
                "An expression was successfully parsed, but extra characters were found after it.",
                parser.range(parser.peek()));
  }
  return parser.failed() ? nullptr : std::move(expr);
}

ExprPtr parse_template(const Source& source, Pos from, Diagnostics& diagnostics) {
  if (!acceptable(source, diagnostics)) return nullptr;
  auto list = lex(source, from, LexMode::kTemplate);
  check_tokens(source, list, diagnostics);
  Parser parser(source, std::move(list), diagnostics);
  auto expr = parser.template_until(Tok::kEof, {Tok::kEof, from, from}, false);
  return parser.failed() ? nullptr : std::move(expr);
}

}  // namespace drover::hcl
