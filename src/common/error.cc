#include "src/common/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <numeric>

namespace viand {
namespace {

arrow::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCancelled:
      return arrow::StatusCode::Cancelled;
    case ErrorKind::kEnvironment:
    case ErrorKind::kRegistry:
      return arrow::StatusCode::IOError;
    case ErrorKind::kConflict:
      return arrow::StatusCode::AlreadyExists;
    default:
      return arrow::StatusCode::Invalid;
  }
}

bool SameLetter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Edits between two words; two swapped letters count as one, for that is how fingers err.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (SameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && SameLetter(a[i - 1], b[j - 2]) && SameLetter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

/// "entity" of "entities", "label" of "labels".
std::string Singular(std::string_view word) {
  if (word.ends_with("ies")) return std::string(word.substr(0, word.size() - 3)) + "y";
  return std::string(word.ends_with('s') ? word.substr(0, word.size() - 1) : word);
}

/// Length of the UTF-8 character that a text starts with; 0 where it starts with none.
size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (first > 0xF4 || length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string SourceLocation::ToString() const {
  std::string text = file;
  if (line > 0) text += fmt::format("{}{}", text.empty() ? "line " : ":", line);
  if (line > 0 && column > 0) text += fmt::format(":{}", column);
  return text;
}

arrow::Status MakeError(ErrorKind kind, std::string message, std::string hint) {
  return ErrorAt({}, kind, std::move(message), std::move(hint));
}

arrow::Status ErrorAt(const SourceLocation& where, ErrorKind kind, std::string message,
                      std::string hint) {
  return arrow::Status(CodeOf(kind), std::move(message),
                       std::make_shared<ErrorDetail>(kind, where, std::move(hint)));
}

const ErrorDetail* DetailOf(const arrow::Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::strcmp(detail->type_id(), ErrorDetail::kTypeId) != 0)
    return nullptr;
  return static_cast<const ErrorDetail*>(detail.get());
}

ErrorKind KindOf(const arrow::Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return detail->kind;
  if (status.IsCancelled()) return ErrorKind::kCancelled;
  if (status.IsIOError() || status.IsOutOfMemory()) return ErrorKind::kEnvironment;
  return ErrorKind::kInput;
}

int ExitCodeOf(const arrow::Status& status) {
  if (status.ok()) return 0;
  switch (KindOf(status)) {
    case ErrorKind::kUsage:
    case ErrorKind::kNotFound:
      return 2;
    case ErrorKind::kCancelled:
      return 130;
    default:
      return 1;
  }
}

std::string RenderError(const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr) return status.message();
  const std::string where = detail->where.ToString();
  std::string text = where.empty() ? status.message() : where + ": " + status.message();
  if (!detail->hint.empty()) text += "\n  hint: " + detail->hint;
  return text;
}

arrow::Status WithContext(const arrow::Status& status, std::string_view prefix) {
  if (status.ok()) return status;
  return status.WithMessage(prefix, status.message());
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  // A third of the letters may be wrong: enough for typing errors, too few for another word.
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    // One of several is one mistake, whatever English makes of it.
    const bool plural = candidate != name && Singular(candidate) == Singular(name);
    const size_t distance = plural ? 1 : EditDistance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::string() : fmt::format("did you mean \"{}\"?", *best);
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterBytes(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0 || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      printable += fmt::format("\\x{:02x}", byte);
      ++i;
    } else {
      printable += text.substr(i, length);
      i += length;
    }
  }
  return printable;
}

std::string NearestOrAll(std::string_view name, const std::vector<std::string>& candidates,
                         std::string_view lead) {
  // More names than this help nobody who looks for one.
  constexpr size_t kMaxShown = 12;
  if (candidates.empty()) return "there is none";
  std::string text = DidYouMean(name, candidates);
  if (!text.empty()) return text;
  text = lead;
  const size_t shown =
      candidates.size() <= kMaxShown + 1 ? candidates.size() : kMaxShown;  // never "and 1 more"
  for (size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + Printable(candidates[i]);
  if (shown < candidates.size()) text += fmt::format(" and {} more", candidates.size() - shown);
  return text;
}

}  // namespace viand
