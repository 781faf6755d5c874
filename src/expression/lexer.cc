#include "src/expression/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace viand::expression {
namespace {

constexpr std::array<std::string_view, 31> kReserved = {
    "and",  "as",   "asc",      "between", "case",  "cast",  "desc",   "distinct",
    "else", "end",  "escape",   "false",   "from",  "group", "having", "ilike",
    "in",   "is",   "like",     "not",     "null",  "or",    "order",  "select",
    "then", "true", "try_cast", "when",    "where", "as_of", "per"};

// Words that open a literal when a string follows; quoted when printed so that no reader stumbles.
constexpr std::array<std::string_view, 4> kTypeWords = {"date", "interval", "timestamp",
                                                        "timestamptz"};

// Longest first.
constexpr std::array<std::string_view, 26> kSymbols = {
    "::", "||", "//", "**", "<=", ">=", "<>", "!=", "==", "(", ")", ",", "+",
    "-",  "*",  "/",  "%",  "^",  "=",  "<",  ">",  ".",  ";", "[", "]", "~"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  Lexer(std::string_view text, const SourceLocation& where) : text_(text), here_(where) {
    if (here_.line <= 0) here_.line = 1;
    one_place_ = here_.column < 0;
    if (one_place_) here_.column = OnePlaceColumn(here_.column);
    if (!one_place_ && here_.column == 0) here_.column = 1;
  }

  arrow::Result<std::vector<Token>> Run() {
    while (true) {
      VIAND_RETURN_NOT_OK(SkipBlanks());
      if (position_ >= text_.size()) break;
      VIAND_RETURN_NOT_OK(Next());
    }
    tokens_.push_back({TokenKind::kEnd, "", "", here_});
    return std::move(tokens_);
  }

 private:
  char At(size_t ahead) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }

  void Advance(size_t count) {
    for (size_t i = 0; i < count && position_ < text_.size(); ++i, ++position_) {
      const char c = text_[position_];
      if (one_place_) continue;
      if (c == '\n') {
        ++here_.line;
        here_.column = 1;
      } else if ((c & 0xC0) != 0x80) {  // columns count characters, not bytes
        ++here_.column;
      }
    }
  }

  arrow::Status SkipBlanks() {
    while (position_ < text_.size()) {
      if (IsSpace(At(0))) {
        Advance(1);
      } else if (At(0) == '-' && At(1) == '-') {
        while (position_ < text_.size() && At(0) != '\n') Advance(1);
      } else if (At(0) == '/' && At(1) == '*') {
        const size_t end = text_.find("*/", position_ + 2);
        if (end == std::string_view::npos)
          return Error("comment without its end", "close it with */");
        Advance(end + 2 - position_);
      } else {
        break;
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Next() {
    const char c = At(0);
    if (c == '\'') return Quoted('\'', TokenKind::kString);
    if (c == '"') return Quoted('"', TokenKind::kQuotedName);
    if (IsDigit(c) || (c == '.' && IsDigit(At(1)))) return Number();
    if (IsLetter(c) || c == '$') return Name();
    for (std::string_view symbol : kSymbols) {
      if (text_.substr(position_).starts_with(symbol)) {
        Push(TokenKind::kSymbol, std::string(symbol), symbol.size());
        return arrow::Status::OK();
      }
    }
    return Error(fmt::format("unexpected character {}", Printed(c)),
                 text_.substr(position_).starts_with("&&") ? "write: a and b" : "");
  }

  static std::string Printed(char c) {
    const bool plain = c >= 0x20 && c < 0x7F;
    return plain ? fmt::format("\"{}\"", c)
                 : fmt::format("of code {}", static_cast<int>(static_cast<unsigned char>(c)));
  }

  arrow::Status Quoted(char quote, TokenKind kind) {
    std::string content;
    size_t i = position_ + 1;
    for (;; ++i) {
      if (i >= text_.size()) {
        return Error(kind == TokenKind::kString ? "string without its closing '"
                                                : "quoted name without its closing \"",
                     "write the quote twice to have it inside");
      }
      if (text_[i] != quote) {
        content += text_[i];
      } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
        content += quote;
        ++i;
      } else {
        break;
      }
    }
    if (kind == TokenKind::kQuotedName && content.empty()) return Error("empty quoted name", "");
    Push(kind, std::move(content), i + 1 - position_);
    return arrow::Status::OK();
  }

  /// Appends digits at `*i`, with single underscores between them, to `*digits`.
  void TakeDigits(size_t* i, std::string* digits) const {
    while (*i < text_.size()) {
      if (IsDigit(text_[*i])) {
        *digits += text_[*i];
      } else if (text_[*i] != '_' || *i + 1 >= text_.size() || !IsDigit(text_[*i + 1])) {
        break;
      }
      ++*i;
    }
  }

  arrow::Status Number() {
    std::string digits;
    size_t i = position_;
    TokenKind kind = TokenKind::kInteger;
    TakeDigits(&i, &digits);
    if (i < text_.size() && text_[i] == '.') {
      kind = TokenKind::kDecimal;
      digits += '.';
      ++i;
      TakeDigits(&i, &digits);
    }
    if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
      size_t exponent = i + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && IsDigit(text_[exponent])) {
        kind = TokenKind::kDecimal;
        digits += text_.substr(i, exponent - i);
        i = exponent;
        TakeDigits(&i, &digits);
      }
    }
    if (i < text_.size() && (IsLetter(text_[i]) || text_[i] == '$')) {
      size_t end = i;
      while (end < text_.size() && (IsLetter(text_[end]) || IsDigit(text_[end]))) ++end;
      return Error(fmt::format("\"{}\" is not a number", text_.substr(position_, end - position_)),
                   "a span of time is written interval '90 days'");
    }
    Push(kind, std::move(digits), i - position_);
    return arrow::Status::OK();
  }

  arrow::Status Name() {
    size_t end = position_ + 1;
    while (end < text_.size() &&
           (IsLetter(text_[end]) || IsDigit(text_[end]) || text_[end] == '$')) {
      ++end;
    }
    std::string name(text_.substr(position_, end - position_));
    tokens_.push_back({TokenKind::kName, name, LowerAscii(name), here_});
    Advance(end - position_);
    return arrow::Status::OK();
  }

  void Push(TokenKind kind, std::string content, size_t length) {
    tokens_.push_back({kind, std::move(content), "", here_});
    Advance(length);
  }

  arrow::Status Error(std::string message, std::string hint) const {
    return ErrorAt(here_, ErrorKind::kDefinition, std::move(message), std::move(hint));
  }

  std::string_view text_;
  SourceLocation here_;
  bool one_place_ = false;
  size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

arrow::Result<std::vector<Token>> Tokenize(std::string_view text, const SourceLocation& where) {
  return Lexer(text, where).Run();
}

bool IsReservedWord(std::string_view lower) {
  return std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end() ||
         std::find(kTypeWords.begin(), kTypeWords.end(), lower) != kTypeWords.end();
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace viand::expression
