// Errors that a user reads: what is wrong, where, what was expected, what to do.
//
// Every failure that stems from the user's input, definitions or machine is an arrow::Status made
// here; its ErrorDetail carries the kind (which decides the exit code, and the exception class in
// Python), the place and a hint. Thread-safe: values only.
//
//   return ErrorAt(where, ErrorKind::kDefinition, "unknown entity \"custmer\"",
//   DidYouMean("custmer", names));
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace viand {

#define VIAND_CONCAT_INNER(a, b) a##b
#define VIAND_CONCAT(a, b) VIAND_CONCAT_INNER(a, b)
/// Returns the Status of `expr` from the enclosing function unless it is OK.
#define VIAND_RETURN_NOT_OK(expr) ARROW_RETURN_NOT_OK(expr)
/// Assigns the value of a Result to `lhs`, or returns its Status.
#define VIAND_ASSIGN_OR_RETURN(lhs, expr) ARROW_ASSIGN_OR_RAISE(lhs, expr)

enum class ErrorKind {
  kUsage,        ///< wrong use of a command: exit code 2
  kDefinition,   ///< a definition (YAML, expression) is wrong
  kInput,        ///< the user's data is wrong: a missing column, a cell that does not fit
  kConflict,     ///< somebody else changed the registry meanwhile
  kCancelled,    ///< ctrl-C: exit code 130
  kEnvironment,  ///< disk full, permission, a missing library or server
  kNotFound,     ///< a name that is not there: exit code 2
  kRegistry,     ///< the registry cannot be read or written
};

/// A place in a text file; line and column count from 1, 0 means unknown.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;

  /// Prints "file:line:column", leaving out what is unknown; empty when nothing is known.
  std::string ToString() const;
};

class ErrorDetail : public arrow::StatusDetail {
 public:
  ErrorDetail(ErrorKind kind, SourceLocation where, std::string hint)
      : kind(kind), where(std::move(where)), hint(std::move(hint)) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return hint; }

  static constexpr const char* kTypeId = "viand::ErrorDetail";
  const ErrorKind kind;
  const SourceLocation where;
  const std::string hint;
};

/// Makes an error without a place. `message` says what is wrong and what was expected; `hint` what
/// to do.
arrow::Status MakeError(ErrorKind kind, std::string message, std::string hint = "");

/// Makes an error at a place of a file.
arrow::Status ErrorAt(const SourceLocation& where, ErrorKind kind, std::string message,
                      std::string hint = "");

/// Returns the detail of an error made here, null for any other status.
const ErrorDetail* DetailOf(const arrow::Status& status);

/// Tells the kind of any failed status; one made by Arrow maps by its code (IOError: kEnvironment,
/// Cancelled: kCancelled, others: kInput).
ErrorKind KindOf(const arrow::Status& status);

/// Process exit code: 0 for OK, 2 for kUsage and kNotFound, 130 for kCancelled, 1 for the rest.
int ExitCodeOf(const arrow::Status& status);

/// Prints an error as the CLI shows it: "file:3:7: message" and, on a line of its own, "  hint:
/// ...".
std::string RenderError(const arrow::Status& status);

/// Returns the status with `prefix` in front of its message, kind, place and hint kept.
arrow::Status WithContext(const arrow::Status& status, std::string_view prefix);

/// Returns `did you mean "x"?` for the candidate nearest to `name` by edit distance, or empty where
/// none is near.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

/// Returns the text with control characters (but line ends and tabs) and bytes that are no UTF-8 as
/// \\x1b: a name out of a damaged file must not drive the terminal.
std::string Printable(std::string_view text);

/// Returns `did you mean "x"?`, or where none is near what there is, behind `lead`: "columns are a,
/// b, c and 12 more", or "there is none".
std::string NearestOrAll(std::string_view name, const std::vector<std::string>& candidates,
                         std::string_view lead);

}  // namespace viand
