#include "src/ingest/sheet_scanner.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "src/ingest/cell_value.h"
#include "src/ingest/limits.h"
#include "src/ingest/xml_reader.h"

namespace viand::ingest {
namespace {

enum class ValueType : uint8_t {
  kNumber,
  kShared,
  kBoolean,
  kString,
  kError,
  kIso,
  kInline,
  kUnknown
};

ValueType ValueTypeOf(std::string_view t) {
  if (t == "s") return ValueType::kShared;
  if (t == "n" || t.empty()) return ValueType::kNumber;
  if (t == "str") return ValueType::kString;
  if (t == "b") return ValueType::kBoolean;
  if (t == "e") return ValueType::kError;
  if (t == "d") return ValueType::kIso;
  if (t == "inlineStr") return ValueType::kInline;
  return ValueType::kUnknown;
}

/// Tells whether a value is kept as the sheet's own bytes, or shown in an error, and they are not
/// UTF-8: numbers and booleans are parsed, shared strings were checked when they were read.
bool IsBadText(ValueType type, std::string_view text) {
  switch (type) {
    case ValueType::kString:
    case ValueType::kInline:
    case ValueType::kIso:
    case ValueType::kError:
      return !arrow::util::ValidateUTF8(text);
    default:
      return false;
  }
}

template <typename T>
bool ParseWhole(std::string_view text, T* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end;
}

/// Reads "AB12"; false where it is no cell reference within Excel's limits.
bool ParseReference(std::string_view text, int* column, int64_t* row) {
  size_t i = 0;
  int64_t letters = 0;
  for (; i < text.size() && i < 4 && text[i] >= 'A' && text[i] <= 'Z'; ++i)
    letters = letters * 26 + (text[i] - 'A' + 1);
  if (i == 0 || letters > kMaxSheetColumns) return false;
  *column = static_cast<int>(letters - 1);
  return ParseWhole(text.substr(i), row);
}

/// What lies between a cell's tags.
struct CellContent {
  std::string text;
  bool has_value = false;
  bool has_formula = false;
};

/// One scan of one chunk.
class Scan {
 public:
  Scan(const WorkbookContext& context, const std::vector<int>& slots, CellTable* table,
       std::string_view xml, bool plain)
      : context_(context),
        slots_(slots),
        table_(*table),
        end_(xml.data() + xml.size()),
        reader_(xml),
        plain_(plain) {}

  void Run(int64_t max_rows);
  const char* position() const { return reader_.position(); }

 private:
  bool NextToken(XmlToken* token);
  bool RunRow();
  bool StartRow();
  bool RunCell();
  bool ReadCellContent(ValueType type, CellContent* content);
  bool SkipElement();
  bool FastCells();
  const char* FastCell(const char* p);
  const char* FastReference(const char* p, int* column) const;
  bool Place(int column, ValueType type, uint32_t style, std::string_view text, bool owned);
  void PlaceFormula(int column);
  bool Problem(int column, std::string message, std::string hint = "");

  const WorkbookContext& context_;
  const std::vector<int>& slots_;
  CellTable& table_;
  const char* const end_;
  XmlReader reader_;
  const bool plain_;

  RawCell* cells_ = nullptr;
  int64_t row_ = 0;       // of the current row
  bool relative_ = true;  // row_ counts from the chunk's start
  int last_column_ = -1;
  bool has_value_ = false;
  std::string digits_;  // row_ as written, with the quote that follows it in a reference
};

bool Scan::Problem(int column, std::string message, std::string hint) {
  table_.problem.row = row_;
  table_.problem.relative = relative_;
  if (column >= 0 && !relative_)
    table_.problem.place = fmt::format(", cell {}{}", ColumnLetters(column), row_);
  table_.problem.message = std::move(message);
  table_.problem.hint = std::move(hint);
  return false;
}

/// Reads a token; false where the chunk ends within it or it is bad, which the table then says.
bool Scan::NextToken(XmlToken* token) {
  *token = reader_.Next();
  if (*token == XmlToken::kUnfinished || *token == XmlToken::kDone) {
    table_.finished = false;
    return false;
  }
  if (*token == XmlToken::kBad)
    return Problem(-1, fmt::format("the sheet's XML is damaged: {}", reader_.what()));
  return true;
}

void Scan::Run(int64_t max_rows) {
  while (max_rows < 0 || table_.rows() < max_rows) {
    const XmlToken token = reader_.Next();
    if (token == XmlToken::kDone) break;
    if (token == XmlToken::kText) continue;
    if (token == XmlToken::kUnfinished) {
      table_.finished = false;
      break;
    }
    if (token == XmlToken::kBad) {
      Problem(-1, fmt::format("the sheet's XML is damaged: {}", reader_.what()));
      break;
    }
    if (token == XmlToken::kEnd) {
      table_.end_of_data = true;  // of sheetData: nothing else is open
      break;
    }
    if (reader_.name() != "row") {
      if (!SkipElement()) break;
    } else if (!RunRow()) {
      break;
    }
  }
  table_.last_row = row_;
  table_.last_row_relative = relative_;
}

/// Passes over an element that means nothing here, and all within it.
bool Scan::SkipElement() {
  if (reader_.self_closing()) return true;
  XmlToken token;
  for (int depth = 1; depth > 0;) {
    if (!NextToken(&token)) return false;
    if (token == XmlToken::kStart && !reader_.self_closing()) ++depth;
    if (token == XmlToken::kEnd) --depth;
  }
  return true;
}

bool Scan::StartRow() {
  const auto number = reader_.Attribute("r");
  if (number) {
    int64_t row = 0;
    if (!ParseWhole(Trimmed(*number), &row) || row < 1) {
      return Problem(-1, fmt::format("the sheet's XML is damaged: row number \"{}\"", *number));
    }
    if (!relative_ && row <= row_) {
      return Problem(-1,
                     fmt::format("the sheet's XML is damaged: row {} follows row {}", row, row_));
    }
    row_ = row;
    relative_ = false;
  } else {
    ++row_;
  }
  if (row_ > kMaxSheetRows)
    return Problem(-1, fmt::format("a sheet has at most {} rows", kMaxSheetRows));
  digits_ = relative_ ? std::string() : fmt::format("{}\"", row_);
  last_column_ = -1;
  has_value_ = false;
  return true;
}

bool Scan::RunRow() {
  if (!StartRow()) return false;
  if (reader_.self_closing()) return true;
  cells_ = table_.AddRow(row_);
  while (true) {
    if (!plain_ && FastCells()) break;
    XmlToken token;
    if (!NextToken(&token)) break;
    if (token == XmlToken::kText) continue;
    if (token == XmlToken::kEnd) break;
    if (reader_.name() == "c" ? !RunCell() : !SkipElement()) break;
  }
  if (!table_.finished || !table_.problem.message.empty()) {
    table_.DropLastRow();
    return false;
  }
  if (!has_value_) {
    table_.DropLastRow();
  } else if (relative_) {
    table_.relative_rows = table_.rows();
  }
  return true;
}

/// Reads cells, as long as they are plain, and the row's end. True: the row has ended.
bool Scan::FastCells() {
  const char* p = reader_.position();
  while (const char* next = FastCell(p)) p = next;
  constexpr std::string_view kRowEnd = "</row>";
  const bool ended = end_ - p >= static_cast<int64_t>(kRowEnd.size()) &&
                     std::memcmp(p, kRowEnd.data(), kRowEnd.size()) == 0;
  reader_.set_position(ended ? p + kRowEnd.size() : p);
  return ended;
}

/// Reads `r="B17"` after its first quote; returns what follows the last, or null where it is not
/// the plain case: a cell of this row, right of the one before.
const char* Scan::FastReference(const char* p, int* column) const {
  int letters = 0;
  for (int i = 0; i < 3 && *p >= 'A' && *p <= 'Z'; ++i) letters = letters * 26 + (*p++ - 'A' + 1);
  *column = letters - 1;
  if (*column <= last_column_ || letters > kMaxSheetColumns) return nullptr;
  for (char c : digits_) {
    if (*p++ != c) return nullptr;
  }
  return digits_.empty() ? nullptr : p;
}

/// Reads `<c r="B17" s="1" t="s"><v>12</v></c>`, s and t optional, or `<c r="B17" s="1"/>`; null,
/// and nothing done, for whatever else is there. The zero padding behind the chunk ends every
/// comparison.
const char* Scan::FastCell(const char* p) {
  if (std::memcmp(p, "<c r=\"", 6) != 0) return nullptr;
  int column = 0;
  p = FastReference(p + 6, &column);
  if (p == nullptr) return nullptr;
  uint32_t style = 0;
  if (std::memcmp(p, " s=\"", 4) == 0) {
    p += 4;
    for (int i = 0; i < 6 && *p >= '0' && *p <= '9'; ++i) style = style * 10 + (*p++ - '0');
    if (*p++ != '"') return nullptr;
  }
  ValueType type = ValueType::kNumber;
  if (std::memcmp(p, " t=\"", 4) == 0) {
    const char* const start = p + 4;
    p = start;
    while (*p >= 'a' && *p <= 'z') ++p;
    type = ValueTypeOf(std::string_view(start, p - start));
    if (*p++ != '"' || type == ValueType::kUnknown || type == ValueType::kInline) return nullptr;
  }
  if (p[0] == '/' && p[1] == '>') {
    last_column_ = column;
    return p + 2;
  }
  if (std::memcmp(p, "><v>", 4) != 0) return nullptr;
  const char* const value = p + 4;
  for (p = value; *p != '<' && *p != '&' && *p != '\r' && *p != '_' && *p != '\0';) ++p;
  if (std::memcmp(p, "</v></c>", 8) != 0) return nullptr;
  // An empty or padded value, or a problem with this one, is left to the other path, which says
  // what it is.
  if (p == value || static_cast<unsigned char>(*value) <= ' ' ||
      static_cast<unsigned char>(p[-1]) <= ' ' ||
      IsBadText(type, std::string_view(value, p - value)) ||
      !Place(column, type, style, std::string_view(value, p - value), true))
    return nullptr;
  last_column_ = column;
  return p + 8;
}

/// Puts a value into its cell; `owned` tells that the text lives on.
bool Scan::Place(int column, ValueType type, uint32_t style, std::string_view text, bool owned) {
  const int slot = column < static_cast<int>(slots_.size()) ? slots_[column] : -1;
  if (slot < 0) {
    has_value_ = true;
    return true;
  }
  CellKind kind = CellKind::kText;
  switch (type) {
    case ValueType::kNumber:
      kind = CellKind::kNumber;
      if (style < context_.date_styles.size() && context_.date_styles[style]) {
        kind = context_.date1904 ? CellKind::kDateSerial1904 : CellKind::kDateSerial;
      }
      break;
    case ValueType::kShared: {
      int64_t index = 0;
      if (!ParseWhole(Trimmed(text), &index) || index < 0 || index >= context_.strings.size())
        return false;
      text = context_.strings[index];
      owned = true;
      break;
    }
    case ValueType::kBoolean:
      kind = CellKind::kBoolean;
      break;
    case ValueType::kError:
      kind = CellKind::kError;
      break;
    case ValueType::kIso:
      kind = CellKind::kIsoTime;
      break;
    default:
      break;
  }
  if (!owned) text = table_.Own(std::string(text));
  cells_[slot] = RawCell{text.data(), static_cast<uint32_t>(text.size()), kind};
  has_value_ = true;
  return true;
}

/// Keeps a formula without a value from passing for an empty cell.
void Scan::PlaceFormula(int column) {
  const int slot = column < static_cast<int>(slots_.size()) ? slots_[column] : -1;
  if (slot >= 0) cells_[slot] = RawCell{"", 0, CellKind::kFormula};
  has_value_ = true;
}

/// Reads a cell of any shape; the reader stands behind its start tag.
bool Scan::RunCell() {
  int column = last_column_ + 1;
  if (const auto reference = reader_.Attribute("r")) {
    int64_t row = 0;
    if (!ParseReference(Trimmed(*reference), &column, &row)) {
      return Problem(-1,
                     fmt::format("the sheet's XML is damaged: cell reference \"{}\"", *reference));
    }
    if ((!relative_ && row != row_) || column <= last_column_) {
      return Problem(
          -1, fmt::format("the sheet's XML is damaged: cell {} is out of order", *reference));
    }
  }
  if (column >= kMaxSheetColumns) {
    return Problem(-1, fmt::format("a sheet has at most {} columns", kMaxSheetColumns));
  }
  last_column_ = column;
  const auto t = reader_.Attribute("t");
  const ValueType type = ValueTypeOf(t ? Trimmed(*t) : std::string_view());
  uint32_t style = 0;
  if (const auto s = reader_.Attribute("s")) ParseWhole(Trimmed(*s), &style);
  if (type == ValueType::kUnknown) {
    return Problem(column, fmt::format("the sheet's XML is damaged: cell type \"{}\"", *t));
  }
  if (reader_.self_closing()) return true;
  CellContent content;
  if (!ReadCellContent(type, &content)) return false;
  const bool is_text = type == ValueType::kString || type == ValueType::kInline;
  const std::string_view text = is_text ? content.text : Trimmed(content.text);
  if (!content.has_value || (text.empty() && !is_text)) {
    if (content.has_formula) PlaceFormula(column);
    return true;
  }
  if (IsBadText(type, text)) {
    return Problem(column, "the sheet's text is not valid UTF-8",
                   "save the workbook anew with Excel or LibreOffice");
  }
  if (Place(column, type, style, text, false)) return true;
  return Problem(column, fmt::format("the sheet's XML is damaged: shared string \"{}\" of {}", text,
                                     context_.strings.size()));
}

/// Collects the text of `<v>`, or of the `<t>`s of `<is>`, up to the cell's end. Formulas, phonetic
/// text and extensions are passed over.
bool Scan::ReadCellContent(ValueType type, CellContent* content) {
  const bool is_inline = type == ValueType::kInline;
  const bool escaped_units = is_inline || type == ValueType::kString;
  bool collecting = false;
  XmlToken token;
  while (NextToken(&token)) {
    if (token == XmlToken::kEnd) {
      if (reader_.name() == "c") return true;
      collecting = false;
    } else if (token == XmlToken::kStart) {
      const std::string_view name = reader_.name();
      if (name == (is_inline ? "t" : "v")) {
        content->has_value = true;
        collecting = !reader_.self_closing();
      } else if (!is_inline || (name != "is" && name != "r")) {
        content->has_formula |= name == "f";
        if (!SkipElement()) return false;
      }
    } else if (collecting) {
      if (reader_.is_cdata()) {
        content->text.append(reader_.text());
      } else if (!(escaped_units ? AppendWorkbookText(reader_.text(), &content->text)
                                 : AppendXmlText(reader_.text(), &content->text))) {
        return Problem(last_column_, "the sheet's XML is damaged: an unknown entity");
      }
    }
  }
  return false;
}

}  // namespace

CellTable SheetScanner::Scan(std::string_view xml, int64_t max_rows, const char** stop) const {
  arrow::util::InitializeUTF8();
  CellTable table(columns_);
  ingest::Scan scan(*context_, slots_, &table, xml, plain_);
  scan.Run(max_rows);
  if (stop != nullptr) *stop = scan.position();
  return table;
}

arrow::Result<const char*> FindSheetData(const std::string& part, std::string_view xml,
                                         bool* empty) {
  VIAND_RETURN_NOT_OK(SkipXmlPreamble(part, &xml));
  XmlReader reader(xml);
  bool seen_root = false;
  while (true) {
    const XmlToken token = reader.Next();
    if (token == XmlToken::kDone || token == XmlToken::kUnfinished) return nullptr;
    if (token == XmlToken::kBad) {
      return MakeError(ErrorKind::kInput, fmt::format("{} is damaged: {}", part, reader.what()));
    }
    if (token != XmlToken::kStart) continue;
    if (!seen_root && reader.name() != "worksheet") {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} is no worksheet but a \"{}\"", part, reader.name()));
    }
    seen_root = true;
    if (reader.name() != "sheetData") continue;
    *empty = reader.self_closing();
    return reader.position();
  }
}

int64_t FindLastRow(std::string_view xml) {
  for (size_t at = xml.rfind('<'); at != std::string_view::npos && at > 0;
       at = xml.rfind('<', at - 1)) {
    size_t name = at + 1;
    if (name < xml.size() && xml[name] == '/') continue;
    while (name < xml.size() && name - at < 32 && xml[name] != '>' && xml[name] != ' ' &&
           xml[name] != ':')
      ++name;
    if (name < xml.size() && xml[name] == ':') {
      ++name;
    } else {
      name = at + 1;
    }
    const std::string_view rest = xml.substr(name, 4);
    if (rest == "row " || rest == "row>" || rest == "row/" || rest == "row\n" || rest == "row\r" ||
        rest == "row\t") {
      return static_cast<int64_t>(at);
    }
  }
  return 0;
}

std::string ColumnLetters(int column) {
  std::string letters;
  for (int rest = column + 1; rest > 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return letters;
}

}  // namespace viand::ingest
