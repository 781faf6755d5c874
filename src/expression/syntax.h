// The syntax tree: what the parser hands to the binder. Operators, case, in, like and between are
// calls by the name of their function in the function table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand::expression {

struct Syntax;
using SyntaxPtr = std::shared_ptr<const Syntax>;

enum class SyntaxKind {
  kInteger,       ///< text: digits, perhaps with a minus in front
  kDecimal,       ///< text: a number with a point or an exponent, perhaps with a minus in front
  kString,        ///< text
  kBoolean,       ///< text: "true" or "false"
  kNull,          ///< nothing
  kTypedLiteral,  ///< type_name 'text', as in date '2011-01-01'
  kInterval,      ///< months, us
  kName,          ///< text, quoted
  kCast,          ///< args[0] to type_name; null_on_failure for try_cast
  kCall,          ///< text: lower-case name; args, and what may follow the last argument
};

struct Syntax {
  SyntaxKind kind;
  SourceLocation where;
  int depth = 1;  ///< of the tree below, bounded by the parser
  std::string text;
  std::string type_name;
  SourceLocation type_where;
  std::vector<SyntaxPtr> args;
  bool quoted = false;
  bool null_on_failure = false;
  int64_t months = 0;
  int64_t us = 0;

  bool distinct = false;            // count(distinct x)
  bool star = false;                // count(*)
  std::vector<SyntaxPtr> per_keys;  // per k1, k2
  SyntaxPtr filter;                 // where p
  SyntaxPtr order_by;               // order by e
  bool descending = false;
};

}  // namespace viand::expression
