// SQL expression text -> tokens with their places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand::expression {

enum class TokenKind { kName, kQuotedName, kString, kInteger, kDecimal, kSymbol, kEnd };

struct Token {
  TokenKind kind;
  std::string text;  ///< a name as written, a string's or quoted name's content, a number's digits,
                     ///< a symbol
  std::string lower;  ///< kName: the text in lower case, for keywords
  SourceLocation where;
};

/// Cuts a text into tokens, the last of which is kEnd. Skips white space, `-- comments` and `/*
/// comments */`. Fails at the place of a character that starts no token, an open quote, or a number
/// run into letters (90d).
arrow::Result<std::vector<Token>> Tokenize(std::string_view text, const SourceLocation& where);

/// Turns a column into one that says "the whole text stands here" and back: with it in `where`, all
/// tokens have the text's own place, line by line or not.
constexpr int OnePlaceColumn(int column) { return -column - 1; }

/// Tells whether a lower-case word is reserved: a name spelled so must be quoted.
bool IsReservedWord(std::string_view lower);

/// Returns an ASCII text in lower case; other bytes stay.
std::string LowerAscii(std::string_view text);

}  // namespace viand::expression
