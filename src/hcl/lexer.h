// The tokens of a native-syntax text. Every byte belongs to exactly one token or to the blanks between tokens; the
// parser and the formatter both work on this list.
#pragma once

#include <string_view>
#include <vector>

#include "hcl/diagnostic.h"
#include "hcl/source.h"

namespace drover::hcl {

enum class Tok : unsigned char {
  kEof, kInvalid, kNewline, kComment, kIdent, kNumber,
  kOpenQuote, kCloseQuote, kQuotedLiteral, kQuotedNewline,
  kOpenHeredoc, kCloseHeredoc, kStringLiteral,   // kStringLiteral: one line (or the rest of one) of a heredoc
  kInterpolation, kControl, kTemplateEnd,        // `${`, `%{`, and the brace that closes them, each maybe with `~`
  kOpenBrace, kCloseBrace, kOpenParen, kCloseParen, kOpenBracket, kCloseBracket,
  kDot, kComma, kColon, kQuestion, kEqual, kEllipsis, kArrow,
  kPlus, kMinus, kStar, kSlash, kPercent, kBang,
  kEqualEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kAnd, kOr,
  kBitAnd, kBitOr, kBitXor, kBitNot, kApostrophe, kBacktick, kSemicolon,
};

struct Token {
  Tok type = Tok::kEof;
  Pos start, end;
  std::string_view text(const Source& source) const {
    return std::string_view(source.text).substr(start.byte, end.byte - start.byte);
  }
};

enum class LexMode : unsigned char { kBody, kTemplate };

// Tokens of `source` from `from` on (positions count from there), ended by one kEof. Valid UTF-8 is assumed.
// Reading ends after kMaxTokens; the last token then does not end where the text does. In
// template mode the text is literal with `${` and `%{` sequences.
std::vector<Token> lex(const Source& source, Pos from = {}, LexMode mode = LexMode::kBody);

// Complaints about tokens that no expression can use.
void check_tokens(const Source& source, const std::vector<Token>& tokens, Diagnostics& diagnostics);

}  // namespace drover::hcl
