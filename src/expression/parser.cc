#include "src/expression/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "src/expression/interval.h"
#include "src/expression/lexer.h"
#include "src/expression/syntax.h"

namespace viand::expression {
namespace {

constexpr size_t kTextLimitBytes = 64 << 10;
// Recursion in the parser, and depth of the tree, which every later walk recurses over.
constexpr int kNestingLimit = 200;
constexpr int kTreeDepthLimit = 400;

using SyntaxResult = arrow::Result<SyntaxPtr>;

/// Recursive descent, one method a level of precedence, loosest first.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  SyntaxResult Run() {
    if (Peek().kind == TokenKind::kEnd) return Error("empty expression", "");
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Or());
    if (Peek().kind != TokenKind::kEnd)
      return Unexpected("an operator or the end of the expression", HintAfterTheEnd(Peek().lower));
    return tree;
  }

 private:
  /// What people write behind an aggregate in other SQL.
  static std::string HintAfterTheEnd(std::string_view word) {
    if (word == "where" || word == "filter")
      return "the condition stands inside the aggregate: count(* where x > 0)";
    if (word == "per" || word == "group")
      return "groups stand inside an aggregate of aggregates: avg(sum(x) per key)";
    if (word == "order") return "the order stands inside the aggregate: last(x order by y)";
    if (word == "over") return "the window is the view's or the feature's key \"window\"";
    return "";
  }

  /// Counts a level of recursion while it lives.
  struct Level {
    explicit Level(int* depth) : depth(depth) { ++*depth; }
    ~Level() { --*depth; }
    int* depth;
  };

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
  }
  bool AtSymbol(std::string_view symbol, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text == symbol;
  }
  bool AtWord(std::string_view word, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kName && Peek(ahead).lower == word;
  }
  bool TakeSymbol(std::string_view symbol) { return AtSymbol(symbol) && (++position_, true); }
  bool TakeWord(std::string_view word) { return AtWord(word) && (++position_, true); }

  static std::string Describe(const Token& token) {
    switch (token.kind) {
      case TokenKind::kEnd:
        return "the end";
      case TokenKind::kString:
        return fmt::format("'{}'", token.text);
      default:
        return fmt::format("\"{}\"", token.text);
    }
  }
  arrow::Status Error(std::string message, std::string hint) const {
    return ErrorAt(Peek().where, ErrorKind::kDefinition, std::move(message), std::move(hint));
  }
  arrow::Status Unexpected(std::string_view expected, std::string hint = "") const {
    return Error(fmt::format("expected {}, found {}", expected, Describe(Peek())), std::move(hint));
  }
  arrow::Status ExpectSymbol(std::string_view symbol) {
    if (TakeSymbol(symbol)) return arrow::Status::OK();
    return Unexpected(fmt::format("\"{}\"", symbol));
  }
  arrow::Status ExpectWord(std::string_view word) {
    if (TakeWord(word)) return arrow::Status::OK();
    return Unexpected(fmt::format("\"{}\"", word));
  }

  static Syntax Node(SyntaxKind kind, const SourceLocation& where, std::string text = "") {
    Syntax node;
    node.kind = kind;
    node.where = where;
    node.text = std::move(text);
    return node;
  }

  /// Seals a node; refuses a tree deeper than later walks can bear.
  static SyntaxResult Seal(Syntax node) {
    auto deepen = [&node](const SyntaxPtr& child) {
      if (child != nullptr) node.depth = std::max(node.depth, child->depth + 1);
    };
    for (const SyntaxPtr& child : node.args) deepen(child);
    for (const SyntaxPtr& child : node.per_keys) deepen(child);
    deepen(node.filter);
    deepen(node.order_by);
    if (node.depth > kTreeDepthLimit) {
      return ErrorAt(node.where, ErrorKind::kDefinition,
                     fmt::format("expression nested deeper than {} levels", kTreeDepthLimit),
                     "split it over several columns or features");
    }
    return std::make_shared<const Syntax>(std::move(node));
  }
  static SyntaxResult Call(std::string name, const SourceLocation& where,
                           std::vector<SyntaxPtr> args) {
    Syntax node = Node(SyntaxKind::kCall, where, std::move(name));
    node.args = std::move(args);
    return Seal(std::move(node));
  }

  SyntaxResult Chain(const char* word, SyntaxResult (Parser::*next)()) {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr first, (this->*next)());
    if (!AtWord(word)) return first;
    const SourceLocation where = first->where;
    std::vector<SyntaxPtr> args = {std::move(first)};
    while (TakeWord(word)) {
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr arg, (this->*next)());
      args.push_back(std::move(arg));
    }
    return Call(word, where, std::move(args));
  }

  SyntaxResult Or() {
    const Level level(&nesting_);
    if (nesting_ > kNestingLimit) {
      return Error(fmt::format("expression nested deeper than {} levels", kNestingLimit),
                   "split it over several columns or features");
    }
    return Chain("or", &Parser::And);
  }
  SyntaxResult And() { return Chain("and", &Parser::Not); }

  SyntaxResult Not() {
    std::vector<SourceLocation> nots;
    while (AtWord("not")) {
      nots.push_back(Peek().where);
      ++position_;
    }
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Is());
    while (!nots.empty()) {
      VIAND_ASSIGN_OR_RETURN(tree, Call("not", nots.back(), {tree}));
      nots.pop_back();
    }
    return tree;
  }

  SyntaxResult Is() {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr left, Comparison());
    while (AtWord("is") || AtWord("isnull") || AtWord("notnull")) {
      const SourceLocation where = left->where;
      if (TakeWord("isnull")) {
        VIAND_ASSIGN_OR_RETURN(left, Call("is null", where, {left}));
        continue;
      }
      if (TakeWord("notnull")) {
        VIAND_ASSIGN_OR_RETURN(left, Call("is not null", where, {left}));
        continue;
      }
      ++position_;
      const std::string prefix = TakeWord("not") ? "is not " : "is ";
      if (TakeWord("distinct")) {
        VIAND_RETURN_NOT_OK(ExpectWord("from"));
        VIAND_ASSIGN_OR_RETURN(SyntaxPtr right, Comparison());
        VIAND_ASSIGN_OR_RETURN(left, Call(prefix + "distinct from", where, {left, right}));
      } else if (AtWord("null") || AtWord("true") || AtWord("false")) {
        VIAND_ASSIGN_OR_RETURN(left, Call(prefix + Peek().lower, where, {left}));
        ++position_;
      } else {
        return Unexpected("null, true, false or distinct from after \"is\"");
      }
    }
    return left;
  }

  std::optional<std::string> ComparisonOperator() const {
    if (Peek().kind != TokenKind::kSymbol) return std::nullopt;
    const std::string& symbol = Peek().text;
    if (symbol == "!=") return "<>";
    if (symbol == "==") return "=";
    for (std::string_view name : {"=", "<>", "<", "<=", ">", ">="}) {
      if (symbol == name) return symbol;
    }
    return std::nullopt;
  }

  SyntaxResult Comparison() {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr left, Membership());
    const std::optional<std::string> name = ComparisonOperator();
    if (!name) return left;
    ++position_;
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr right, Membership());
    if (ComparisonOperator())
      return Error("chained comparisons", "combine comparisons with \"and\"");
    return Call(*name, left->where, {left, right});
  }

  /// between, in, like, ilike and their negations.
  SyntaxResult Membership() {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr left, Concatenation());
    const SourceLocation where = left->where;
    const bool negated = AtWord("not");
    const size_t ahead = negated ? 1 : 0;
    if (!AtWord("between", ahead) && !AtWord("in", ahead) && !AtWord("like", ahead) &&
        !AtWord("ilike", ahead)) {
      return left;
    }
    position_ += ahead;
    const std::string name = Peek().lower;
    ++position_;
    SyntaxPtr tree;
    if (name == "between") {
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr low, Concatenation());
      VIAND_RETURN_NOT_OK(ExpectWord("and"));
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr high, Concatenation());
      VIAND_ASSIGN_OR_RETURN(tree, Call(name, where, {left, low, high}));
    } else if (name == "in") {
      VIAND_ASSIGN_OR_RETURN(tree, InList(left));
    } else {
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr pattern, Concatenation());
      std::vector<SyntaxPtr> args = {left, pattern};
      if (TakeWord("escape")) {
        VIAND_ASSIGN_OR_RETURN(SyntaxPtr escape, Concatenation());
        args.push_back(std::move(escape));
      }
      VIAND_ASSIGN_OR_RETURN(tree, Call(name, where, std::move(args)));
    }
    return negated ? Call("not", where, {tree}) : SyntaxResult(tree);
  }

  SyntaxResult InList(const SyntaxPtr& left) {
    VIAND_RETURN_NOT_OK(ExpectSymbol("("));
    std::vector<SyntaxPtr> args = {left};
    do {
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr item, Or());
      args.push_back(std::move(item));
    } while (TakeSymbol(","));
    VIAND_RETURN_NOT_OK(ExpectSymbol(")"));
    return Call("in", left->where, std::move(args));
  }

  /// Parses a level of left-associative binary operators.
  SyntaxResult LeftAssociative(std::initializer_list<std::string_view> symbols,
                               SyntaxResult (Parser::*next)()) {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr left, (this->*next)());
    while (Peek().kind == TokenKind::kSymbol &&
           std::find(symbols.begin(), symbols.end(), Peek().text) != symbols.end()) {
      std::string name = Peek().text;
      ++position_;
      if (name == "^" || name == "**") name = "pow";
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr right, (this->*next)());
      const SourceLocation where = left->where;
      VIAND_ASSIGN_OR_RETURN(left, Call(std::move(name), where, {left, right}));
    }
    return left;
  }
  SyntaxResult Concatenation() { return LeftAssociative({"||"}, &Parser::Sum); }
  SyntaxResult Sum() { return LeftAssociative({"+", "-"}, &Parser::Product); }
  SyntaxResult Product() { return LeftAssociative({"*", "/", "//", "%"}, &Parser::Power); }
  SyntaxResult Power() { return LeftAssociative({"^", "**"}, &Parser::Sign); }

  SyntaxResult Sign() {
    std::vector<SourceLocation> minuses;
    while (AtSymbol("-") || AtSymbol("+")) {
      if (AtSymbol("-")) minuses.push_back(Peek().where);
      ++position_;
    }
    // A minus belongs to the number after it, or the least bigint could not be written.
    if (!minuses.empty() && !AtSymbol("::", 1) &&
        (Peek().kind == TokenKind::kInteger || Peek().kind == TokenKind::kDecimal)) {
      Syntax number =
          Node(Peek().kind == TokenKind::kInteger ? SyntaxKind::kInteger : SyntaxKind::kDecimal,
               minuses.back(), "-" + Peek().text);
      ++position_;
      minuses.pop_back();
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Seal(std::move(number)));
      return Negated(std::move(tree), std::move(minuses));
    }
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Postfix());
    return Negated(std::move(tree), std::move(minuses));
  }

  static SyntaxResult Negated(SyntaxPtr tree, std::vector<SourceLocation> minuses) {
    while (!minuses.empty()) {
      VIAND_ASSIGN_OR_RETURN(tree, Call("unary -", minuses.back(), {tree}));
      minuses.pop_back();
    }
    return tree;
  }

  SyntaxResult Postfix() {
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Primary());
    while (TakeSymbol("::")) {
      VIAND_ASSIGN_OR_RETURN(tree, CastTo(tree, tree->where, false));
    }
    return tree;
  }

  /// Reads a type's name and makes the cast.
  SyntaxResult CastTo(const SyntaxPtr& value, const SourceLocation& where, bool null_on_failure) {
    Syntax node = Node(SyntaxKind::kCast, where);
    node.null_on_failure = null_on_failure;
    node.args = {value};
    node.type_where = Peek().where;
    if (Peek().kind != TokenKind::kName)
      return Unexpected("a type such as bigint, double or varchar");
    node.type_name = Peek().lower;
    ++position_;
    if (node.type_name == "double") TakeWord("precision");
    if (node.type_name == "timestamp" && AtWord("time", 1) && AtWord("zone", 2)) {
      if (AtWord("with")) node.type_name = "timestamptz";
      if (AtWord("with") || AtWord("without")) position_ += 3;
    }
    const bool text_type = node.type_name == "varchar" || node.type_name == "char";
    if (text_type && AtSymbol("(") && Peek(1).kind == TokenKind::kInteger && AtSymbol(")", 2)) {
      position_ += 3;  // DuckDB ignores the length
    }
    return Seal(std::move(node));
  }

  SyntaxResult Literal(SyntaxKind kind) {
    Syntax node = Node(kind, Peek().where, Peek().text);
    if (kind == SyntaxKind::kBoolean) node.text = Peek().lower;
    ++position_;
    return Seal(std::move(node));
  }

  SyntaxResult Primary() {
    switch (Peek().kind) {
      case TokenKind::kInteger:
        return Literal(SyntaxKind::kInteger);
      case TokenKind::kDecimal:
        return Literal(SyntaxKind::kDecimal);
      case TokenKind::kString:
        return Literal(SyntaxKind::kString);
      case TokenKind::kQuotedName:
        return Name();
      case TokenKind::kName:
        return Word();
      default:
        break;
    }
    if (!TakeSymbol("(")) return Unexpected("a value");
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, Or());
    VIAND_RETURN_NOT_OK(ExpectSymbol(")"));
    return tree;
  }

  SyntaxResult Word() {
    const std::string& word = Peek().lower;
    if (word == "null") return Literal(SyntaxKind::kNull);
    if (word == "true" || word == "false") return Literal(SyntaxKind::kBoolean);
    if (word == "case") return Case();
    if (word == "cast" || word == "try_cast") return Cast();
    if (word == "interval" &&
        (Peek(1).kind == TokenKind::kString || Peek(1).kind == TokenKind::kInteger ||
         Peek(1).kind == TokenKind::kDecimal || AtSymbol("(", 1))) {
      return IntervalLiteral();
    }
    if (Peek(1).kind == TokenKind::kString) return TypedLiteral();
    if (AtSymbol("(", 1)) return FunctionCall();
    if (IsReservedWord(word) && word != "as_of" && word != "date" && word != "interval" &&
        !word.starts_with("timestamp") && word != "per") {
      return Unexpected(
          "a value",
          fmt::format("a column of this name is written \"{}\" in double quotes", Peek().text));
    }
    return Name();
  }

  SyntaxResult Name() {
    if (AtSymbol(".", 1)) {
      return Error("a name with a point",
                   "a column stands alone; quote a name that has a point in it: \"a.b\"");
    }
    Syntax node = Node(SyntaxKind::kName, Peek().where, Peek().text);
    node.quoted = Peek().kind == TokenKind::kQuotedName;
    ++position_;
    return Seal(std::move(node));
  }

  SyntaxResult TypedLiteral() {
    Syntax node = Node(SyntaxKind::kTypedLiteral, Peek().where, Peek(1).text);
    node.type_name = Peek().lower;
    node.type_where = Peek().where;
    if (node.type_name != "date" && !node.type_name.starts_with("timestamp")) {
      ++position_;
      return Unexpected(
          "an operator or the end of the expression",
          "literals with a type in front are date '2011-01-01', timestamp '...', interval '...'");
    }
    position_ += 2;
    return Seal(std::move(node));
  }

  SyntaxResult IntervalLiteral() {
    Syntax node = Node(SyntaxKind::kInterval, Peek().where);
    ++position_;
    const Token& value = Peek();
    if (AtSymbol("(") || value.kind == TokenKind::kDecimal) {
      return Unexpected(
          "a whole number or a string after \"interval\"",
          "write x * interval '1 day' for a computed interval, '36 hours' for 1.5 days");
    }
    ++position_;
    std::optional<TimeUnit> unit;
    if (Peek().kind == TokenKind::kName) unit = TimeUnitFromName(Peek().lower);
    if (unit) ++position_;
    if (!unit && value.kind == TokenKind::kInteger) {
      return Unexpected("a unit of time such as days");
    }
    auto interval = ParseInterval(value.text, unit);
    if (!interval.ok()) {
      return ErrorAt(
          value.where, ErrorKind::kDefinition, interval.status().message(),
          "write it as interval '90 days', interval '1 month' or interval '1 day 02:30:00'");
    }
    node.months = interval->months;
    node.us = interval->us;
    return Seal(std::move(node));
  }

  SyntaxResult Cast() {
    const SourceLocation where = Peek().where;
    const bool null_on_failure = Peek().lower == "try_cast";
    ++position_;
    VIAND_RETURN_NOT_OK(ExpectSymbol("("));
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr value, Or());
    VIAND_RETURN_NOT_OK(ExpectWord("as"));
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr tree, CastTo(value, where, null_on_failure));
    VIAND_RETURN_NOT_OK(ExpectSymbol(")"));
    return tree;
  }

  /// `case when c then v ... [else e] end` becomes case(c, v, ..., e); `case x when ...` becomes
  /// "case of"(x, ...).
  SyntaxResult Case() {
    Syntax node = Node(SyntaxKind::kCall, Peek().where, "case");
    ++position_;
    if (!AtWord("when")) {
      node.text = "case of";
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr operand, Or());
      node.args.push_back(std::move(operand));
    }
    if (!AtWord("when")) return Unexpected("\"when\"");
    while (TakeWord("when")) {
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr condition, Or());
      VIAND_RETURN_NOT_OK(ExpectWord("then"));
      VIAND_ASSIGN_OR_RETURN(SyntaxPtr value, Or());
      node.args.push_back(std::move(condition));
      node.args.push_back(std::move(value));
    }
    SyntaxPtr otherwise;
    if (TakeWord("else")) {
      VIAND_ASSIGN_OR_RETURN(otherwise, Or());
    } else {
      VIAND_ASSIGN_OR_RETURN(otherwise, Seal(Node(SyntaxKind::kNull, node.where)));
    }
    node.args.push_back(std::move(otherwise));
    VIAND_RETURN_NOT_OK(ExpectWord("end"));
    return Seal(std::move(node));
  }

  SyntaxResult FunctionCall() {
    Syntax node = Node(SyntaxKind::kCall, Peek().where, Peek().lower);
    if (IsReservedWord(node.text) && node.text != "date") {
      return Unexpected("a value");
    }
    position_ += 2;
    if (node.text == "extract") return Extract(std::move(node));
    if (node.text == "position") return Position(std::move(node));
    node.distinct = TakeWord("distinct");
    if (AtSymbol("*")) {
      ++position_;
      node.star = true;
    } else if (!AtSymbol(")") && !AtWord("where")) {
      do {
        VIAND_ASSIGN_OR_RETURN(SyntaxPtr arg, Or());
        node.args.push_back(std::move(arg));
      } while (TakeSymbol(","));
    }
    VIAND_RETURN_NOT_OK(Tail(&node));
    if (!TakeSymbol(")")) return Unexpected("\",\" or \")\"");
    return Seal(std::move(node));
  }

  /// What may follow an aggregate's last argument: per, where, order by; each once.
  arrow::Status Tail(Syntax* node) {
    if (TakeWord("per")) {
      do {
        VIAND_ASSIGN_OR_RETURN(SyntaxPtr key, Or());
        node->per_keys.push_back(std::move(key));
      } while (TakeSymbol(","));
    }
    if (TakeWord("where")) {
      VIAND_ASSIGN_OR_RETURN(node->filter, Or());
    }
    if (AtWord("order")) {
      ++position_;
      VIAND_RETURN_NOT_OK(ExpectWord("by"));
      VIAND_ASSIGN_OR_RETURN(node->order_by, Or());
      if (TakeWord("desc")) {
        node->descending = true;
      } else {
        TakeWord("asc");
      }
    }
    if (AtWord("per") || AtWord("where") || AtWord("order")) {
      return Error(fmt::format("misplaced \"{}\"", Peek().lower),
                   "the order is: agg(x per key, ... where p order by e), each at most once");
    }
    return arrow::Status::OK();
  }

  /// extract(part from x) is date_part('part', x).
  SyntaxResult Extract(Syntax node) {
    node.text = "date_part";
    if (Peek().kind != TokenKind::kName && Peek().kind != TokenKind::kString) {
      return Unexpected("a part of time such as year");
    }
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr part,
                           Seal(Node(SyntaxKind::kString, Peek().where, LowerAscii(Peek().text))));
    ++position_;
    VIAND_RETURN_NOT_OK(ExpectWord("from"));
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr value, Or());
    VIAND_RETURN_NOT_OK(ExpectSymbol(")"));
    node.args = {std::move(part), std::move(value)};
    return Seal(std::move(node));
  }

  /// position(a in b) is strpos(b, a).
  SyntaxResult Position(Syntax node) {
    node.text = "strpos";
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr needle, Concatenation());
    VIAND_RETURN_NOT_OK(ExpectWord("in"));
    VIAND_ASSIGN_OR_RETURN(SyntaxPtr text, Or());
    VIAND_RETURN_NOT_OK(ExpectSymbol(")"));
    node.args = {std::move(text), std::move(needle)};
    return Seal(std::move(node));
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
  int nesting_ = 0;
};

}  // namespace

arrow::Result<SyntaxPtr> Parse(std::string_view text, const SourceLocation& where) {
  if (text.size() > kTextLimitBytes) {
    return ErrorAt(
        where, ErrorKind::kDefinition,
        fmt::format("expression of {} bytes; the limit is {}", text.size(), kTextLimitBytes), "");
  }
  VIAND_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text, where));
  return Parser(std::move(tokens)).Run();
}

}  // namespace viand::expression
