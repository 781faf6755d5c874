#include "src/ingest/csv_scanner.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace viand::ingest {
namespace {

enum class FieldEnd { kField, kRow, kUnfinished, kBad };

/// Reads fields one after another. Not thread-safe.
class FieldReader {
 public:
  FieldReader(std::string_view text, char delimiter, bool last)
      : next_(text.data()), end_(text.data() + text.size()), delimiter_(delimiter), last_(last) {}

  /// Reads the next field into field(); `decoded` is where an escaped one is put together.
  FieldEnd Next() { return next_ < end_ && *next_ == '"' ? ReadQuoted() : ReadPlain(); }

  std::string_view field() const { return field_; }
  bool quoted() const { return quoted_; }
  bool decoded() const { return decoded_; }
  int64_t lines() const { return lines_; }
  bool at_end() const { return next_ >= end_; }
  const char* position() const { return next_; }

  /// Passes over line ends; true where there was one.
  bool SkipBlankLine() {
    if (next_ < end_ && (*next_ == '\n' || *next_ == '\r')) {
      EndLine();
      return true;
    }
    return false;
  }

 private:
  FieldEnd ReadPlain() {
    quoted_ = decoded_ = false;
    const char* p = next_;
    while (p < end_ && *p != delimiter_ && *p != '\n' && *p != '\r') ++p;
    field_ = std::string_view(next_, p - next_);
    next_ = p;
    return EndField();
  }

  FieldEnd ReadQuoted() {
    quoted_ = true;
    decoded_ = false;
    const char* start = next_ + 1;
    const char* p = start;
    scratch_.clear();
    while (true) {
      const char* quote = static_cast<const char*>(std::memchr(p, '"', end_ - p));
      if (quote == nullptr || (quote + 1 == end_ && !last_)) return FieldEnd::kUnfinished;
      lines_ += std::count(p, quote, '\n');
      p = quote + 1;
      if (p == end_ || *p != '"') break;
      scratch_.append(start, p);
      start = ++p;
      decoded_ = true;
    }
    if (decoded_) scratch_.append(start, p - 1);
    field_ = decoded_ ? std::string_view(scratch_) : std::string_view(start, p - 1 - start);
    next_ = p;
    return EndField();
  }

  FieldEnd EndField() {
    if (next_ == end_) return last_ ? FieldEnd::kRow : FieldEnd::kUnfinished;
    if (*next_ == delimiter_) {
      ++next_;
      return FieldEnd::kField;
    }
    if (*next_ != '\n' && *next_ != '\r') return FieldEnd::kBad;
    EndLine();
    return FieldEnd::kRow;
  }

  void EndLine() {
    ++lines_;
    if (*next_++ == '\r' && next_ < end_ && *next_ == '\n') ++next_;
  }

  const char* next_;
  const char* const end_;
  const char delimiter_;
  const bool last_;
  std::string_view field_;
  std::string scratch_;
  bool quoted_ = false, decoded_ = false;
  int64_t lines_ = 0;
};

void Report(CellTable* table, int64_t line, std::string message, std::string hint) {
  table->problem.row = line;
  table->problem.relative = true;
  table->problem.message = std::move(message);
  table->problem.hint = std::move(hint);
}

}  // namespace

std::string TextBehindQuote(int field) {
  return fmt::format("text follows the closing quote of field {}", field);
}

int64_t FindLastLine(std::string_view text) {
  const size_t at = text.rfind('\n');
  return at == std::string_view::npos ? 0 : static_cast<int64_t>(at) + 1;
}

bool CheckUtf8(std::string_view text, CellTable* table) {
  arrow::util::InitializeUTF8();
  if (arrow::util::ValidateUTF8(text)) return true;
  int64_t line = 1;
  while (true) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos || !arrow::util::ValidateUTF8(text.substr(0, end))) break;
    text.remove_prefix(end + 1);
    ++line;
  }
  Report(table, line, "the text is not valid UTF-8",
         "convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8");
  return false;
}

CellTable CsvScanner::Scan(std::string_view text, bool last) const {
  CellTable table(columns_);
  FieldReader reader(text, delimiter_, last);
  if (!CheckUtf8(text, &table)) return table;
  while (!reader.at_end()) {
    if (reader.SkipBlankLine()) continue;
    const int64_t line = reader.lines() + 1;
    RawCell* cells = table.AddRow(line);
    size_t count = 0;
    FieldEnd end = FieldEnd::kField;
    while (end == FieldEnd::kField) {
      end = reader.Next();
      if (end == FieldEnd::kUnfinished || end == FieldEnd::kBad) break;
      const int slot = count < slots_.size() ? slots_[count] : -1;
      ++count;
      if (slot < 0 || (reader.field().empty() && !reader.quoted())) continue;
      const std::string_view field =
          reader.decoded() ? table.Own(std::string(reader.field())) : reader.field();
      const CellKind kind = field.empty() ? CellKind::kText : CellKind::kUntyped;
      cells[slot] = RawCell{field.data(), static_cast<uint32_t>(field.size()), kind};
    }
    if (end == FieldEnd::kRow && count == slots_.size()) continue;
    table.DropLastRow();
    if (end == FieldEnd::kRow && skip_bad_rows_) {
      ++table.skipped_rows;
      continue;
    }
    if (end == FieldEnd::kUnfinished) {
      table.finished = false;
      if (last) Report(&table, line, "a quoted field is not closed", kQuoteHint);
    } else if (end == FieldEnd::kBad) {
      Report(&table, line, TextBehindQuote(static_cast<int>(count) + 1), kQuoteHint);
    } else {
      Report(&table, line, fmt::format("{} fields where the header has {}", count, slots_.size()),
             "is the delimiter right? on_error: skip leaves such rows out");
    }
    break;
  }
  table.relative_rows = table.rows();
  table.last_row = reader.lines();
  return table;
}

CsvHeader CsvScanner::ReadHeader(std::string_view text, char delimiter, bool last) {
  FieldReader reader(text, delimiter, last);
  while (reader.SkipBlankLine()) {
  }
  CsvHeader header;
  header.line = reader.lines() + 1;
  header.finished = last;
  if (reader.at_end()) return header;
  FieldEnd end = FieldEnd::kField;
  while (end == FieldEnd::kField) {
    end = reader.Next();
    if (end == FieldEnd::kBad) header.bad_field = static_cast<int>(header.names.size()) + 1;
    header.finished = end != FieldEnd::kUnfinished && end != FieldEnd::kBad;
    if (!header.finished) return header;
    header.names.emplace_back(reader.field());
  }
  header.rest = text.substr(reader.position() - text.data());
  header.lines = reader.lines();
  return header;
}

}  // namespace viand::ingest
