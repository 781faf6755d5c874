// Prints the tree of each expression of standard input, one a line: the judge of tests that write
// expressions. With --functions: the names of all functions.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "src/expression/function_table.h"
#include "src/expression/parser.h"
#include "src/expression/syntax.h"

namespace {

using viand::expression::Syntax;
using viand::expression::SyntaxKind;

std::string Quoted(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

std::string Print(const Syntax& tree);

std::string Call(const Syntax& tree) {
  std::string text = "(" + tree.text;
  if (tree.distinct) text += " distinct";
  if (tree.star) text += " *";
  for (const auto& argument : tree.args) text += " " + Print(*argument);
  for (const auto& key : tree.per_keys) text += " per " + Print(*key);
  if (tree.filter != nullptr) text += " where " + Print(*tree.filter);
  if (tree.order_by != nullptr) text += " by " + Print(*tree.order_by);
  return text + (tree.descending ? " desc)" : ")");
}

std::string Print(const Syntax& tree) {
  switch (tree.kind) {
    case SyntaxKind::kString:
      return Quoted(tree.text, '\'');
    case SyntaxKind::kNull:
      return "null";
    case SyntaxKind::kTypedLiteral:
      return fmt::format("({} {})", tree.type_name, Quoted(tree.text, '\''));
    case SyntaxKind::kInterval:
      return fmt::format("(interval {} {})", tree.months, tree.us);
    case SyntaxKind::kName:
      return tree.quoted ? Quoted(tree.text, '"') : tree.text;
    case SyntaxKind::kCast:
      return fmt::format("({} {} {})", tree.null_on_failure ? "try_cast" : "cast", tree.type_name,
                         Print(*tree.args[0]));
    case SyntaxKind::kCall:
      return Call(tree);
    default:
      return tree.text;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--functions") {
    for (const std::string& name : viand::expression::FunctionNames()) std::cout << name << "\n";
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const auto tree = viand::expression::Parse(line);
    std::cout << (tree.ok() ? Print(**tree) : "error: " + viand::RenderError(tree.status()))
              << "\n";
  }
  return 0;
}
