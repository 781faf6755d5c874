// Errors of viand's C++ API, as values: what is wrong, where, and what to do.
//
// Every call returns a Status, or a Result<T> that holds a T or the Status that kept it from being
// made. Nothing throws. Header-only; needs no Arrow. Thread-safe as any value is.
//
//   viand::Result<viand::PlanReport> plan = store->Plan();
//   if (!plan.ok()) { std::cerr << plan.status().ToString() << "\n"; return 1; }
//   Print(*plan);
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace viand {

/// Kinds of failure. The numbers cross library versions: never change one, add at the end.
enum class StatusCode {
  kOk = 0,
  kUsage = 1,        ///< wrong use of a call: options that exclude each other, a wrong value
  kDefinition = 2,   ///< a definition (YAML, expression) is wrong
  kInput = 3,        ///< the user's data is wrong: a missing column, a cell that does not fit
  kConflict = 4,     ///< somebody else changed the registry meanwhile
  kCancelled = 5,    ///< the work was asked to stop
  kEnvironment = 6,  ///< disk full, permission, a missing library or server
  kNotFound = 7,     ///< a name that is not there; says the nearest that is
  kRegistry = 8,     ///< the registry cannot be read or written
};

/// Success, or one failure.
class [[nodiscard]] Status {
 public:
  /// Makes a success.
  Status() = default;

  /// Makes a failure. `message` says what is wrong and what was expected, `hint` what to do;
  /// `file`, `line` and `column` (from 1) are the place in a definition. What is empty or 0 is
  /// unknown.
  Status(StatusCode code, std::string message, std::string hint = "", std::string file = "",
         int line = 0, int column = 0)
      : code_(code),
        message_(std::move(message)),
        hint_(std::move(hint)),
        file_(std::move(file)),
        line_(line),
        column_(column) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::string& file() const { return file_; }
  int line() const { return line_; }
  int column() const { return column_; }

  /// Prints a failure as the command line does: "file:3:7: message", and on a line of its own "
  /// hint: ..."; "OK" for a success.
  std::string ToString() const {
    if (ok()) return "OK";
    std::string text = file_;
    if (line_ > 0) text += (text.empty() ? "line " : ":") + std::to_string(line_);
    if (line_ > 0 && column_ > 0) text += ":" + std::to_string(column_);
    if (!text.empty()) text += ": ";
    text += message_;
    if (!hint_.empty()) text += "\n  hint: " + hint_;
    return text;
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string hint_;
  std::string file_;
  int line_ = 0;
  int column_ = 0;
};

/// A value, or the failure that kept it from being made.
template <typename T>
class [[nodiscard]] Result {
 public:
  /// Takes a value, or anything that converts to one (a unique_ptr of a derived class).
  template <typename U = T, typename = std::enable_if_t<std::is_convertible_v<U&&, T> &&
                                                        !std::is_same_v<std::decay_t<U>, Result> &&
                                                        !std::is_same_v<std::decay_t<U>, Status>>>
  Result(U&& value) : state_(std::in_place_index<1>, std::forward<U>(value)) {}

  /// Takes a failure. A success without a value is a bug of the caller, and aborts.
  Result(Status status) : state_(std::in_place_index<0>, std::move(status)) {
    if (std::get<0>(state_).ok()) Die("made of a success without a value");
  }

  bool ok() const { return state_.index() == 1; }
  explicit operator bool() const { return ok(); }

  /// Returns the failure, or a success where there is a value.
  Status status() const { return ok() ? Status() : std::get<0>(state_); }

  /// Returns the value. Without one this is a bug of the caller, and aborts with the failure's
  /// text.
  const T& value() const& {
    Check();
    return std::get<1>(state_);
  }
  T& value() & {
    Check();
    return std::get<1>(state_);
  }
  T&& value() && {
    Check();
    return std::get<1>(std::move(state_));
  }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  [[noreturn]] static void Die(const std::string& reason) {
    std::fprintf(stderr, "viand::Result %s\n", reason.c_str());
    std::abort();
  }
  void Check() const {
    if (!ok()) Die("has no value: " + std::get<0>(state_).ToString());
  }

  std::variant<Status, T> state_;
};

}  // namespace viand
