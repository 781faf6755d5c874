#include "src/definition/sql_normal_form.h"

#include <algorithm>
#include <array>
#include <vector>

#include "src/expression/lexer.h"

namespace viand::definition {
namespace {

using expression::Token;
using expression::TokenKind;

// Words behind which a value stands; behind any other word that follows a value another word
// stands.
constexpr std::array<std::string_view, 18> kBeforeValue = {
    "and", "or", "not",  "in",   "like", "ilike", "between", "escape",   "where",
    "per", "by", "when", "then", "else", "from",  "is",      "distinct", "case"};
constexpr std::array<std::string_view, 4> kValues = {"null", "true", "false", "as_of"};
// Reserved only in front of a literal, or behind a value: else the name of a column.
constexpr std::array<std::string_view, 5> kContextual = {"date", "interval", "timestamp",
                                                         "timestamptz", "per"};

template <size_t n>
bool IsIn(const std::array<std::string_view, n>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsSymbol(const Token& token, std::string_view symbol) {
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool IsNumber(const Token& token) {
  return token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal;
}

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

/// The name of a column: bare where it can be.
std::string ColumnText(const std::string& name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  const bool digit_first = name[0] >= '0' && name[0] <= '9';
  const bool bare =
      letters && !digit_first && !expression::IsReservedWord(expression::LowerAscii(name));
  return bare ? name : Quoted(name, '"');
}

/// Walks over the tokens knowing whether a value or an operator is due, which tells columns from
/// words.
class Printer {
 public:
  explicit Printer(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::string Print() {
    for (; i_ + 1 < tokens_.size(); ++i_) {
      const std::string text = Next();
      if (i_ > 0 && IsBlankBefore()) normal_ += ' ';
      normal_ += text;
    }
    return std::move(normal_);
  }

 private:
  std::string Next() {
    const Token& token = tokens_[i_];
    if (token.kind == TokenKind::kSymbol) return SymbolText(token);
    if (token.kind == TokenKind::kName) return NameText(token, tokens_[i_ + 1]);
    value_due_ = false;
    type_due_ = false;
    was_function_ = false;
    if (token.kind == TokenKind::kQuotedName) return ColumnText(token.text);
    return token.kind == TokenKind::kString ? Quoted(token.text, '\'') : token.text;
  }

  std::string SymbolText(const Token& token) {
    const bool star = token.text == "*" && i_ > 0 && IsSymbol(tokens_[i_ - 1], "(");
    value_due_ = token.text != ")" && token.text != "]" && !star;
    type_due_ = token.text == "::";
    if (token.text == "!=") return "<>";
    return token.text == "==" ? "=" : token.text;
  }

  std::string NameText(const Token& name, const Token& next) {
    was_function_ = false;
    if (type_due_ || !value_due_) {
      // A type, an operator's word, a unit of time: all of them words.
      value_due_ = !type_due_ && IsIn(kBeforeValue, name.lower);
      type_due_ = !type_due_ && name.lower == "as";
      was_function_ = IsSymbol(next, "(") && !value_due_;
      return name.lower;
    }
    const bool literal =
        next.kind == TokenKind::kString || (name.lower == "interval" && IsNumber(next));
    was_function_ = IsSymbol(next, "(") && !IsIn(kBeforeValue, name.lower);
    if (literal || was_function_) return name.lower;
    if (expression::IsReservedWord(name.lower) && !IsIn(kContextual, name.lower)) {
      value_due_ = !IsIn(kValues, name.lower) && name.lower != "end";
      return name.lower;
    }
    value_due_ = false;
    return ColumnText(name.text);
  }

  bool IsBlankBefore() const {
    const Token& left = tokens_[i_ - 1];
    const Token& right = tokens_[i_];
    if (IsSymbol(left, "(") || IsSymbol(right, ")") || IsSymbol(right, ",")) return false;
    if (IsSymbol(left, "::") || IsSymbol(right, "::")) return false;
    return !(was_function_ && IsSymbol(right, "("));
  }

  const std::vector<Token>& tokens_;
  size_t i_ = 0;
  bool value_due_ = true;
  bool type_due_ = false;
  bool was_function_ = false;  ///< the name just printed is a function, its "(" comes next
  std::string normal_;
};

}  // namespace

std::string SqlNormalForm(std::string_view text) {
  const auto tokens = expression::Tokenize(text, {});
  if (!tokens.ok()) return std::string(text);
  return Printer(*tokens).Print();
}

}  // namespace viand::definition
