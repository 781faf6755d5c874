// The screen: colour where a person looks (not when piped, not with NO_COLOR), tables, a progress
// bar on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace viand::cli {

enum class Color { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

class Terminal {
 public:
  Terminal();

  /// Wraps a text in a colour for stdout or stderr; unchanged where that is no terminal.
  std::string Paint(Color color, const std::string& text) const;
  std::string PaintError(Color color, const std::string& text) const;

  /// Shows a stage of work; called from any thread. Draws once a stage has gone on for a second, in
  /// one line of the screen. Where stderr is no terminal, it only says once what a stage waits for
  /// ("STAGE (waiting: WHY)").
  void ShowProgress(const std::string& stage, int64_t done, int64_t total, const std::string& unit);

  /// Takes the bar off the screen.
  void ClearProgress();

 private:
  void Draw(int64_t done, int64_t total, const std::string& unit);
  void SayWaiting(const std::string& stage);

  const bool stdout_color_, stderr_color_, stderr_is_terminal_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string stage_;
  int64_t done_ = 0;
  std::chrono::steady_clock::time_point stage_start_, last_drawn_;
  bool drawn_ = false;
};

/// A table of texts: columns aligned, numbers to the right, colours ignored in widths.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  void AlignRight(size_t column) { right_.push_back(column); }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// Prints header, rule and rows.
  std::string Render(const Terminal& terminal) const;

 private:
  std::vector<std::string> header_;
  std::vector<size_t> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// "0.123 s", "12.3 s", "2 min 5 s".
std::string SecondsText(double seconds);

/// "812 B", "1.4 KB", "31 MB".
std::string BytesText(double bytes);

/// A text with its middle cut out where it is wider than `width`.
std::string Shortened(const std::string& text, size_t width);

/// Width of a text on the screen: UTF-8 code points, escape sequences not counted.
size_t DisplayWidth(const std::string& text);

}  // namespace viand::cli
