#include "src/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace viand::cli {
namespace {

constexpr auto kBarDelay = std::chrono::seconds(1);
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr int kBarWidth = 24;
/// Of a stage's name, however narrow the screen is.
constexpr size_t kLeastStageWidth = 12;

bool WantsColor(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  return isatty(fd) != 0 && (term == nullptr || std::string(term) != "dumb");
}

const char* CodeOf(Color color) {
  switch (color) {
    case Color::kBold:
      return "\033[1m";
    case Color::kDim:
      return "\033[2m";
    case Color::kRed:
      return "\033[31m";
    case Color::kGreen:
      return "\033[32m";
    case Color::kYellow:
      return "\033[33m";
    case Color::kCyan:
      return "\033[36m";
    default:
      return "";
  }
}

std::string Wrap(bool enabled, Color color, const std::string& text) {
  if (!enabled || color == Color::kPlain) return text;
  return CodeOf(color) + text + "\033[0m";
}

/// What a stage's name has behind it while it waits: "(waiting: WHY)".
bool Waits(const std::string& stage) { return stage.find(" (waiting: ") != std::string::npos; }

/// Columns of the screen that stderr is.
size_t ScreenWidth() {
  constexpr size_t kUsual = 80;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string CountText(double count, const std::string& unit) {
  return unit == "bytes" ? BytesText(count) : fmt::format("{:.0f} {}", count, unit);
}

std::string Pad(const std::string& text, size_t width, bool right) {
  const size_t have = DisplayWidth(text);
  const std::string spaces(width > have ? width - have : 0, ' ');
  return right ? spaces + text : text + spaces;
}

}  // namespace

std::string BytesText(double bytes) {
  for (const char* name : {"B", "KB", "MB", "GB"}) {
    if (bytes < 1000)
      return fmt::format("{:.{}f} {}", bytes, bytes < 10 && *name != 'B' ? 1 : 0, name);
    bytes /= 1000;
  }
  return fmt::format("{:.1f} TB", bytes);
}

size_t DisplayWidth(const std::string& text) {
  size_t width = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == '\033') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

std::string Shortened(const std::string& text, size_t width) {
  const size_t have = DisplayWidth(text);
  if (have <= width || width == 0) return text;
  const size_t before = (width - 1) / 2, after = have - (width - 1 - before);
  std::string kept;
  size_t at = 0;  // characters that have begun
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++at == before + 1) kept += "…";
    if (at <= before || at > after) kept += c;
  }
  return kept;
}

Terminal::Terminal()
    : stdout_color_(WantsColor(STDOUT_FILENO)),
      stderr_color_(WantsColor(STDERR_FILENO)),
      stderr_is_terminal_(isatty(STDERR_FILENO) != 0) {}

std::string Terminal::Paint(Color color, const std::string& text) const {
  return Wrap(stdout_color_, color, text);
}

std::string Terminal::PaintError(Color color, const std::string& text) const {
  return Wrap(stderr_color_, color, text);
}

void Terminal::ShowProgress(const std::string& stage, int64_t done, int64_t total,
                            const std::string& unit) {
  if (!stderr_is_terminal_) return SayWaiting(stage);
  if (total < 0) return ClearProgress();
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (stage != stage_ || done < done_) {
    stage_ = stage;
    stage_start_ = now;
  }
  done_ = done;
  if (now - stage_start_ < kBarDelay || now - last_drawn_ < kRedraw) return;
  last_drawn_ = now;
  Draw(done, total, unit);
}

void Terminal::Draw(int64_t done, int64_t total, const std::string& unit) {
  const double seconds = std::chrono::duration<double>(last_drawn_ - stage_start_).count();
  const double rate = static_cast<double>(done) / seconds;
  std::string line = CountText(static_cast<double>(done), unit);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kBarWidth);
    std::string bar;
    for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "█" : "░";
    line = fmt::format("{} {:3.0f} %  {} of {}", bar, share * 100,
                       CountText(static_cast<double>(done), unit),
                       CountText(static_cast<double>(total), unit));
    if (rate > 0)
      line += fmt::format("  ETA {}", SecondsText(static_cast<double>(total - done) / rate));
  }
  line += fmt::format("  {}/s", CountText(rate, unit));
  // A line that is too wide would go on in the next one, and stay there.
  const size_t width = ScreenWidth();
  line = Waits(stage_) ? "" : "  " + line;
  const size_t others = DisplayWidth(line) + 1;
  const size_t room = std::max(kLeastStageWidth, width > others ? width - others : 0);
  fmt::print(stderr, "\r\033[K{}{}", Shortened(stage_, room), line);
  std::fflush(stderr);
  drawn_ = true;
}

void Terminal::SayWaiting(const std::string& stage) {
  const std::lock_guard lock(mutex_);
  if (stage == stage_) return;
  stage_ = stage;
  if (Waits(stage)) fmt::print(stderr, "{}\n", stage);
}

void Terminal::ClearProgress() {
  const std::lock_guard lock(mutex_);
  stage_.clear();
  if (drawn_) fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

std::string TextTable::Render(const Terminal& terminal) const {
  std::vector<size_t> widths;
  for (const std::string& title : header_) widths.push_back(DisplayWidth(title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  const auto is_right = [this](size_t column) {
    return std::find(right_.begin(), right_.end(), column) != right_.end();
  };
  const auto line = [&](const std::vector<std::string>& cells, Color color) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      const std::string cell =
          last && !is_right(i) ? cells[i] : Pad(cells[i], widths[i], is_right(i));
      text += (i == 0 ? "" : "  ") + terminal.Paint(color, cell);
    }
    return text + "\n";
  };
  std::string text = line(header_, Color::kBold);
  for (const auto& row : rows_) text += line(row, Color::kPlain);
  return text;
}

std::string SecondsText(double seconds) {
  if (seconds < 10) return fmt::format("{:.3f} s", seconds);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace viand::cli
