#include "hcl/lexer.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// What the text at the current place means. Interpolations nest inside strings, strings inside interpolations.
struct Frame {
  enum Kind : unsigned char { kCode, kQuoted, kHeredoc, kTemplate } kind = kCode;
  bool interpolation = false;   // kCode: a closing brace at depth 0 ends the frame
  int braces = 0;
  std::string_view marker;      // kHeredoc
  bool line_start = false;      // kHeredoc
};

class Lexer {
 public:
  Lexer(const Source& source, Pos from, LexMode mode) : text_(source.text), at_(from) {
    frames_.push_back({mode == LexMode::kBody ? Frame::kCode : Frame::kTemplate});
    tokens_.reserve(text_.size() / 4 + 8);
  }

  std::vector<Token> run() {
    if (at_.byte == 0 && text_.starts_with("\xEF\xBB\xBF")) at_.byte = 3;
    while (at_.byte < text_.size() && tokens_.size() < kMaxTokens) {
      switch (frames_.back().kind) {
        case Frame::kCode: code(); break;
        case Frame::kQuoted: quoted(); break;
        case Frame::kHeredoc: heredoc(); break;
        case Frame::kTemplate: literal_run(false); break;
      }
    }
    tokens_.push_back({Tok::kEof, at_, at_});
    return std::move(tokens_);
  }

 private:
  unsigned char peek(size_t ahead = 0) const {
    size_t i = at_.byte + ahead;
    return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0;
  }
  std::string_view rest() const { return text_.substr(at_.byte); }

  void emit(Tok type, size_t length) {
    Pos end = advance(at_, text_.substr(at_.byte, length));
    tokens_.push_back({type, at_, end});
    at_ = end;
  }

  size_t ident_length() const {
    size_t n = 0, size = 0;
    while (at_.byte + n < text_.size()) {
      int32_t c = decode_utf8(text_, at_.byte + n, size);
      if (n == 0 ? !is_id_start(c) : !is_id_continue(c)) break;
      n += size;
    }
    return n;
  }

  // Digits, points and exponents, ending in a digit. Not all of these are numbers.
  size_t number_length() const {
    auto digit = [&](size_t n) { return peek(n) >= '0' && peek(n) <= '9'; };
    size_t length = 1;
    for (size_t n = 1;;) {
      if (digit(n)) {
        length = ++n;
      } else if (peek(n) == '.') {
        ++n;
      } else if (peek(n) == 'e' || peek(n) == 'E') {
        size_t m = n + 1 + (peek(n + 1) == '+' || peek(n + 1) == '-');
        if (!digit(m)) return length;
        length = n = m + 1;
      } else {
        return length;
      }
    }
  }

  void code() {
    unsigned char c = peek();
    if (c == ' ' || c == '\t') {
      ++at_.byte;
      ++at_.column;
      return;
    }
    if (c == '\n') return emit(Tok::kNewline, 1);
    if (c == '\r' && peek(1) == '\n') return emit(Tok::kNewline, 2);
    if (c >= '0' && c <= '9') return emit(Tok::kNumber, number_length());
    if (c == '#' || (c == '/' && peek(1) == '/')) return line_comment();
    if (c == '/' && peek(1) == '*') {
      size_t end = text_.find("*/", at_.byte + 2);
      // An unclosed comment is a division and a multiplication, which the parser refuses.
      if (end != std::string_view::npos) return emit(Tok::kComment, end + 2 - at_.byte);
    }
    if (c == '"') {
      emit(Tok::kOpenQuote, 1);
      frames_.push_back({Frame::kQuoted});
      return;
    }
    if (c == '<' && peek(1) == '<' && open_heredoc()) return;
    if (size_t n = ident_length()) return emit(Tok::kIdent, n);
    punctuation(c);
  }

  void line_comment() {
    size_t end = text_.find('\n', at_.byte);
    emit(Tok::kComment, (end == std::string_view::npos ? text_.size() : end + 1) - at_.byte);
  }

  bool open_heredoc() {
    size_t n = 2;
    if (peek(n) == '-') ++n;
    size_t start = at_.byte + n, size = 0, end = start;
    while (end < text_.size()) {
      int32_t c = decode_utf8(text_, end, size);
      if (end == start ? !is_id_start(c) : !is_id_continue(c)) break;
      end += size;
    }
    if (end == start) return false;
    size_t stop = end;
    if (stop < text_.size() && text_[stop] == '\r') ++stop;
    if (stop >= text_.size() || text_[stop] != '\n') return false;
    std::string_view marker = text_.substr(start, end - start);
    emit(Tok::kOpenHeredoc, stop + 1 - at_.byte);
    Frame frame{Frame::kHeredoc};
    frame.marker = marker;
    frame.line_start = true;
    frames_.push_back(frame);
    return true;
  }

  // The length of a heredoc's closing line up to its newline, 0 if this line does not close it.
  size_t closing_length(std::string_view marker) const {
    std::string_view line = rest();
    size_t newline = line.find('\n');
    if (newline == std::string_view::npos) return 0;
    line = line.substr(0, newline);
    size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return 0;
    size_t end = line.find_last_not_of(" \t\r");
    return line.substr(begin, end + 1 - begin) == marker ? end + 1 : 0;
  }

  void heredoc() {
    Frame& frame = frames_.back();
    if (frame.line_start) {
      frame.line_start = false;
      if (size_t n = closing_length(frame.marker)) {
        emit(Tok::kCloseHeredoc, n);
        frames_.pop_back();
        return;
      }
    }
    literal_run(true);
  }

  // `$` or `%` where no sequence opens: alone, or as `$${` (maybe with `~`), which stands for `${`.
  size_t sign_length(size_t i) const {
    char c = text_[i];
    auto at = [&](size_t n) { return n < text_.size() ? text_[n] : '\0'; };
    if (at(i + 1) != c || at(i + 2) != '{') return 1;
    return at(i + 3) == '~' ? 4 : 3;
  }

  void open_sequence() {
    Tok type = peek() == '$' ? Tok::kInterpolation : Tok::kControl;
    emit(type, peek(2) == '~' ? 3 : 2);
    Frame frame{Frame::kCode};
    frame.interpolation = true;
    frames_.push_back(frame);
  }

  // Literal text up to the end of the line; a `$` or `%` is a token of its own, or opens a sequence.
  void literal_run(bool in_heredoc) {
    size_t i = at_.byte;
    if (text_[i] == '$' || text_[i] == '%') {
      if (peek(1) == '{') return open_sequence();
      i += sign_length(i);
      if (i < text_.size() && text_[i] == '\r' && i + 1 < text_.size() && text_[i + 1] == '\n') ++i;
    } else {
      i = std::min(text_.find_first_of("$%\n", i), text_.size());
    }
    if (i < text_.size() && text_[i] == '\n') {
      ++i;
      if (in_heredoc) frames_.back().line_start = true;
    }
    emit(Tok::kStringLiteral, i - at_.byte);
  }

  void quoted() {
    size_t i = at_.byte;
    if (text_[i] == '$' || text_[i] == '%') {
      if (peek(1) == '{') return open_sequence();
      // At the end of the text the sign stands for nothing.
      if (i + 1 == text_.size()) return emit(Tok::kInvalid, 1);
      return emit(Tok::kQuotedLiteral, sign_length(i));
    }
    while (i < text_.size() && std::string_view("\"\r\n$%").find(text_[i]) == std::string_view::npos) {
      if (text_[i] == '\\') {
        if (i + 1 >= text_.size() || text_[i + 1] == '\n' || text_[i + 1] == '\r') break;
        ++i;
      }
      ++i;
    }
    if (i > at_.byte) return emit(Tok::kQuotedLiteral, i - at_.byte);
    switch (peek()) {
      case '"':
        emit(Tok::kCloseQuote, 1);
        frames_.pop_back();
        return;
      case '\n': case '\r': {
        size_t end = std::min(text_.find_first_not_of("\r\n", at_.byte), text_.size());
        return emit(Tok::kQuotedNewline, end - at_.byte);
      }
      default: return emit(Tok::kInvalid, 1);  // a backslash at the end of the line
    }
  }

  void close_brace(size_t length) {
    Frame& frame = frames_.back();
    if (frame.interpolation && frame.braces == 0) {
      emit(Tok::kTemplateEnd, length);
      frames_.pop_back();
      return;
    }
    if (frame.braces > 0) --frame.braces;
    emit(Tok::kCloseBrace, 1);
  }

  // `~}` closes a sequence even where it closes a brace, for the parser to complain.
  void close_trimming() {
    Frame& frame = frames_.back();
    if (frame.interpolation && frame.braces == 0) return close_brace(2);
    if (frame.braces > 0) --frame.braces;
    emit(Tok::kTemplateEnd, 2);
  }

  void punctuation(unsigned char c) {
    struct Pair {
      char first, second;
      Tok type;
    };
    static constexpr Pair kPairs[] = {
        {'&', '&', Tok::kAnd}, {'|', '|', Tok::kOr}, {'=', '=', Tok::kEqualEqual}, {'!', '=', Tok::kNotEqual},
        {'<', '=', Tok::kLessEqual}, {'>', '=', Tok::kGreaterEqual}, {'=', '>', Tok::kArrow}};
    for (auto& p : kPairs) {
      if (c == p.first && peek(1) == p.second) return emit(p.type, 2);
    }
    if (c == '.' && peek(1) == '.' && peek(2) == '.') return emit(Tok::kEllipsis, 3);
    switch (c) {
      case '{':
        ++frames_.back().braces;
        return emit(Tok::kOpenBrace, 1);
      case '}': return close_brace(1);
      case '~':
        if (peek(1) == '}') return close_trimming();
        return emit(Tok::kBitNot, 1);
      case '(': return emit(Tok::kOpenParen, 1);
      case ')': return emit(Tok::kCloseParen, 1);
      case '[': return emit(Tok::kOpenBracket, 1);
      case ']': return emit(Tok::kCloseBracket, 1);
      case '.': return emit(Tok::kDot, 1);
      case ',': return emit(Tok::kComma, 1);
      case ':': return emit(Tok::kColon, 1);
      case '?': return emit(Tok::kQuestion, 1);
      case '=': return emit(Tok::kEqual, 1);
      case '+': return emit(Tok::kPlus, 1);
      case '-': return emit(Tok::kMinus, 1);
      case '*': return emit(Tok::kStar, 1);
      case '/': return emit(Tok::kSlash, 1);
      case '%': return emit(Tok::kPercent, 1);
      case '!': return emit(Tok::kBang, 1);
      case '<': return emit(Tok::kLess, 1);
      case '>': return emit(Tok::kGreater, 1);
      case '&': return emit(Tok::kBitAnd, 1);
      case '|': return emit(Tok::kBitOr, 1);
      case '^': return emit(Tok::kBitXor, 1);
      case '\'': return emit(Tok::kApostrophe, 1);
      case '`': return emit(Tok::kBacktick, 1);
      case ';': return emit(Tok::kSemicolon, 1);
      default: break;
    }
    size_t size = 1;
    decode_utf8(text_, at_.byte, size);
    emit(Tok::kInvalid, size);
  }

  std::string_view text_;
  Pos at_;
  std::vector<Frame> frames_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(const Source& source, Pos from, LexMode mode) { return Lexer(source, from, mode).run(); }

void check_tokens(const Source& source, const std::vector<Token>& tokens, Diagnostics& diagnostics) {
  int bitwise = 0, apostrophes = 0, backticks = 0, semicolons = 0;
  // Quotes come in pairs: the first and the third are told.
  auto opens = [](int& count) { return ++count == 1 || count == 3; };
  for (auto& t : tokens) {
    Range where{&source, t.start, t.end};
    switch (t.type) {
      case Tok::kBitAnd: case Tok::kBitOr: case Tok::kBitXor: case Tok::kBitNot: {
        if (++bitwise > 4) break;
        const char* hint = t.type == Tok::kBitAnd   ? " Did you mean boolean AND (\"&&\")?"
                           : t.type == Tok::kBitOr  ? " Did you mean boolean OR (\"||\")?"
                           : t.type == Tok::kBitNot ? " Did you mean boolean NOT (\"!\")?"
                                                    : "";
        diagnostics.add("Unsupported operator", fmt::format("Bitwise operators are not supported.{}", hint), where);
        break;
      }
      case Tok::kApostrophe:
        if (opens(apostrophes)) {
          diagnostics.add("Invalid character", "Single quotes are not valid. Use double quotes (\") to enclose strings.", where);
        }
        break;
      case Tok::kBacktick:
        if (opens(backticks)) {
          diagnostics.add("Invalid character",
                          "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, "
                          "like \"<<EOT\".", where);
        }
        break;
      case Tok::kSemicolon:
        if (++semicolons == 1) {
          diagnostics.add("Invalid character",
                          "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas "
                          "to separate items in collection values.", where);
        }
        break;
      case Tok::kQuotedNewline:
        diagnostics.add("Invalid multi-line string",
                        "Quoted strings may not be split over multiple lines. To produce a multi-line string, either "
                        "use the \\n escape to represent a newline character or use the \"heredoc\" multi-line template "
                        "syntax.", where);
        break;
      case Tok::kInvalid: {
        bool curly = where.text() == "\u201c" || where.text() == "\u201d";
        diagnostics.add("Invalid character",
                        curly ? "\"Curly quotes\" are not valid here. These can sometimes be inadvertently introduced when sharing code "
                                "via documents or discussion forums. It might help to replace the character with a \"straight quote\"."
                              : "This character is not used within the language.", where);
        break;
      }
      default: break;
    }
  }
}

}  // namespace drover::hcl
