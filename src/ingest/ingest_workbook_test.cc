// Workbooks end to end: every promise about cells, every promised error by its text.
#include <gtest/gtest.h>

#include "src/ingest/ingest_fixture.h"

namespace viand::ingest {
namespace {

using testing::Book;
using testing::BookOptions;
using testing::BookParts;
using testing::IngestTest;
using testing::Zip;

/// A row of inline strings.
std::string Header(const std::vector<std::string>& names) {
  std::string row = "<row>";
  for (const std::string& name : names)
    row += "<c t=\"inlineStr\"><is><t>" + name + "</t></is></c>";
  return row + "</row>";
}

std::string Column(const std::string& type, const std::string& cells,
                   const BookOptions& options = {}) {
  IngestTest test("column");
  test.Add("b.xlsx", Book(Header({"x"}) + cells, options));
  if (!type.empty()) test.Declare({{"x", type}});
  return type.empty() ? test.Types() : test.Rows();
}

std::string Cell(const std::string& attributes, const std::string& value) {
  return "<row><c " + attributes + "><v>" + value + "</v></c></row>";
}

constexpr const char* kOnError =
    "\n  hint: set on_error: skip (leaves the row out) or null (empties the cell)";
constexpr const char* kHint =
    "\n  hint: declare the column varchar, or set on_error: skip (leaves the row out) or null "
    "(empties the cell)";

TEST(Workbook, DateSystemsAndRounding) {
  const auto at = [](const std::string& serial, const std::string& properties = "") {
    BookOptions options;
    options.properties = properties;
    return Column("timestamp", Cell("s=\"1\"", serial), options);
  };
  EXPECT_EQ(at("40513.3506944444"), "2010-12-01 08:25:00.000000\n");
  EXPECT_EQ(at("40513.35138888889"), "2010-12-01 08:26:00.000000\n");
  EXPECT_EQ(at("1"), "1900-01-01 00:00:00.000000\n");
  EXPECT_EQ(at("59"), "1900-02-28 00:00:00.000000\n");
  EXPECT_EQ(at("60"),
            "b.xlsx, sheet \"First\", cell A2 (row 2, column \"x\"): found date serial 60, "
            "expected timestamp" +
                std::string(kHint));
  EXPECT_EQ(at("61"), "1900-03-01 00:00:00.000000\n");
  EXPECT_EQ(at("0.5", "date1904=\"1\""), "1904-01-01 12:00:00.000000\n");
  EXPECT_EQ(at("39051", "date1904=\"true\""), "2010-12-01 00:00:00.000000\n");
  EXPECT_EQ(at("2958465.9999999"),
            "b.xlsx, sheet \"First\", cell A2 (row 2, column \"x\"): found date serial "
            "2958465.9999999, expected timestamp" +
                std::string(kHint));
}

TEST(Workbook, TypesOfCells) {
  EXPECT_EQ(Column("varchar", Cell("", "536365") + Cell("", "2.5499999999999998") +
                                  Cell("t=\"b\"", "1") + Cell("s=\"1\"", "40513.5") +
                                  Cell("t=\"str\"", "C1") + Cell("", "1E+20") + Cell("", "5.0") +
                                  Cell("", "12345678901234567890") + Cell("t=\"b\"", "true")),
            "536365\n2.55\nTRUE\n2010-12-01 12:00:00\nC1\n1e+20\n5\n12345678901234567890\nTRUE\n");
  EXPECT_EQ(Column("bigint", Cell("", "17850") + Cell("t=\"str\"", " 12 ") + Cell("", "5.0") +
                                 Cell("t=\"str\"", "") + Cell("", "-3")),
            "17850\n12\n5\n-\n-3\n");
  EXPECT_EQ(Column("double", Cell("", "2.5") + Cell("t=\"str\"", "1e3")), "2.5\n1000\n");
  EXPECT_EQ(Column("boolean", Cell("t=\"b\"", "0") + Cell("", "1") + Cell("t=\"str\"", "True")),
            "false\ntrue\ntrue\n");
  EXPECT_EQ(Column("timestamp", Cell("", "40513.5") + Cell("t=\"str\"", "2011-01-02 03:04:05") +
                                    Cell("t=\"d\"", "2011-01-02T00:00:00Z")),
            "2010-12-01 12:00:00.000000\n2011-01-02 03:04:05.000000\n2011-01-02 00:00:00.000000\n");
  EXPECT_EQ(Column("date", Cell("s=\"1\"", "40513")), "2010-12-01\n");
}

TEST(Workbook, MisfitsNameTheCell) {
  const std::string place = "b.xlsx, sheet \"First\", cell A2 (row 2, column \"x\"): ";
  EXPECT_EQ(Column("bigint", Cell("t=\"str\"", "abc")),
            place + "found text \"abc\", expected bigint" + kHint);
  EXPECT_EQ(Column("bigint", Cell("", "1.5")), place + "found number 1.5, expected bigint" + kHint);
  EXPECT_EQ(Column("bigint", Cell("", "9223372036854775808")),
            place + "found number 9223372036854775808, expected bigint" + kHint);
  EXPECT_EQ(Column("bigint", Cell("s=\"1\"", "40513")),
            place + "found date 2010-12-01 00:00:00, expected bigint" + kHint);
  EXPECT_EQ(Column("varchar", Cell("t=\"e\"", "#N/A")),
            place + "found error #N/A, expected varchar" + kOnError);
  EXPECT_EQ(Column("varchar", "<row><c r=\"A2\"><f>1+1</f><v/></c></row>"),
            place +
                "found a formula without a computed value, expected varchar\n  hint: open the "
                "workbook in Excel or LibreOffice and save it, or set on_error: skip (leaves the "
                "row out) or null (empties the cell)");
  EXPECT_EQ(Column("double", Cell("t=\"b\"", "1")),
            place + "found boolean TRUE, expected double" + kHint);
  EXPECT_EQ(Column("date", Cell("s=\"1\"", "40513.5")),
            place + "found date 2010-12-01 12:00:00, expected date" + kHint);
}

TEST(Workbook, OnErrorSkipsOrEmpties) {
  for (const auto& [mode, rows] : {std::pair{definition::OnError::kSkip, "1\n3\n"},
                                   {definition::OnError::kNull, "1\n-\n3\n"}}) {
    IngestTest test("on_error");
    test.Add("b.xlsx",
             Book(Header({"x"}) + Cell("", "1") + Cell("t=\"e\"", "#DIV/0!") + Cell("", "3")));
    test.Declare({{"x", "bigint"}});
    test.dataset.on_error = mode;
    EXPECT_EQ(test.Rows(), rows);
  }
}

TEST(Workbook, InfersTypes) {
  EXPECT_EQ(Column("", Cell("", "1") + Cell("", "2")), "bigint");
  EXPECT_EQ(Column("", Cell("", "1") + Cell("", "2.5")), "double");
  EXPECT_EQ(Column("", Cell("", "1") + Cell("", "12345678901234567890")), "varchar");
  EXPECT_EQ(Column("", Cell("", "1") + Cell("t=\"str\"", "A")), "varchar");
  EXPECT_EQ(Column("", Cell("s=\"1\"", "40000")), "timestamp");
  EXPECT_EQ(Column("", Cell("t=\"b\"", "1")), "boolean");
  EXPECT_EQ(Column("", Cell("t=\"b\"", "1") + Cell("", "1")), "varchar");
}

TEST(Workbook, SparseRowsAndSheets) {
  IngestTest test("sparse");
  BookOptions options;
  options.second_rows = Header({"b"}) + Cell("", "7");
  options.zip.zip64 = true;
  test.Add(
      "b.xlsx",
      Book("<row r=\"3\"><c r=\"B3\" t=\"str\"><v>b</v></c><c r=\"D3\" t=\"str\"><v>d</v></c></row>"
           "<row r=\"5\"><c r=\"D5\"><v>1</v></c></row><row r=\"6\" s=\"1\"/>"
           "<row r=\"9\"><c r=\"B9\"><v>2</v></c><c r=\"C9\"><v>0</v></c></row>",
           options));
  EXPECT_EQ(test.Rows(), "-|1\n2|-\n");
  test.dataset.from.sheet_name = "Second";
  EXPECT_EQ(test.Rows(), "7\n");
  test.dataset.from.sheet_name = "Secnod";
  EXPECT_EQ(test.Rows(),
            "b.xlsx has no sheet \"Secnod\"; it has \"First\", \"Second\"\n  hint: did you mean "
            "\"Second\"?");
  test.dataset.from.sheet_name.reset();
  test.dataset.from.sheet_index = 2;
  EXPECT_EQ(test.Rows(), "b.xlsx has no sheet 2; it has 2, counted from 0");
}

std::string FileError(const std::string& content) {
  IngestTest test("file_error");
  test.Add("b.xlsx", content);
  test.Declare({{"x", "bigint"}});
  test.bind = true;
  return test.Rows();
}

TEST(Workbook, BadFiles) {
  const std::string book = Book(Header({"x"}) + Cell("", "1"));
  EXPECT_EQ(FileError(""), "b.xlsx is empty; expected an xlsx workbook");
  EXPECT_EQ(FileError("hello"),
            "b.xlsx is no xlsx workbook: it is not a zip file\n  hint: set `format` where the "
            "extension misleads");
  EXPECT_EQ(FileError("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1...."),
            "b.xlsx is an encrypted workbook or an old .xls; expected xlsx\n"
            "  hint: open it in Excel or LibreOffice and save it as .xlsx without a password");
  EXPECT_EQ(FileError(book.substr(0, book.size() / 2)),
            "b.xlsx is cut off: its zip directory is missing or incomplete\n  hint: copy or "
            "download the file again");
  EXPECT_EQ(FileError(Zip({{"a.txt", "x"}})),
            "b.xlsx is a zip file but no xlsx workbook: it has no xl/workbook.xml");
  BookOptions encrypted;
  encrypted.zip.flags = 1;
  EXPECT_EQ(FileError(Book("", encrypted)),
            "b.xlsx: _rels/.rels is encrypted\n  hint: save the workbook without a password");
  auto parts = BookParts(Header({"x"}) + Cell("", "1"));
  parts[5].second.resize(parts[5].second.find("</sheetData>"));
  EXPECT_EQ(FileError(Zip(parts)),
            "b.xlsx, sheet \"First\" is cut off: its rows do not end\n  hint: copy or download the "
            "file again");
  EXPECT_EQ(FileError(Book("")), "b.xlsx, sheet \"First\" is empty; expected a header row");
  EXPECT_EQ(
      FileError(Book(Header({"y"}))),
      "b.xlsx, sheet \"First\" has no column \"x\"; it has \"y\"\n  hint: did you mean \"y\"?");
  EXPECT_EQ(
      FileError(Book(Header({"x", "x"}))),
      "b.xlsx, sheet \"First\" has column \"x\" twice\n  hint: give each column a name of its own");
}

TEST(Workbook, DamagedBytes) {
  testing::ZipOptions stored;
  stored.deflate = false;
  std::string book = Zip(BookParts(Header({"x"}) + Cell("", "12345")), stored);
  book.replace(book.find("12345"), 5, "12346");
  const std::string error = FileError(book);
  EXPECT_NE(error.find("b.xlsx: xl/worksheets/sheet1.xml is damaged: checksum"), std::string::npos)
      << error;
}

TEST(Workbook, ZipBombIsRefused) {
  auto parts = BookParts("");
  parts[5].second = "<worksheet><sheetData>" + std::string(70 << 20, ' ');
  const std::string error = FileError(Zip(parts));
  EXPECT_NE(error.find("xl/worksheets/sheet1.xml looks like a zip bomb: 73400342 bytes out of "),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("; the limit is 400 to 1"), std::string::npos) << error;
}

TEST(Workbook, OtherEncodingIsRefused) {
  auto parts = BookParts("");
  parts[5].second =
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><worksheet><sheetData/></worksheet>";
  EXPECT_EQ(FileError(Zip(parts)),
            "b.xlsx, sheet \"First\" is encoded as ISO-8859-1; expected UTF-8\n"
            "  hint: save the workbook anew with Excel or LibreOffice");
}

}  // namespace
}  // namespace viand::ingest
