#include "src/ingest/sheet_scanner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "src/common/test_rounds.h"
#include "src/ingest/chunk_reader.h"
#include "src/ingest/number_format.h"
#include "src/ingest/xml_reader.h"

namespace viand::ingest {
namespace {

WorkbookContext MakeContext() {
  WorkbookContext context;
  context.strings = *SharedStrings::Parse(
      "strings",
      "<sst><si><t>zero</t></si><si><r><t>o</t></r><r><t>ne</t></r>"
      "<rPh><t>no</t></rPh></si><si><t xml:space=\"preserve\"> a&amp;b_x000D_ </t></si>"
      "<si/><si><t/></si></sst>");
  context.date_styles = {false, true};
  return context;
}

/// Prints a table as "row:kind text,kind text;".
std::string Print(const CellTable& table) {
  std::string out;
  for (int64_t row = 0; row < table.rows(); ++row) {
    out += fmt::format("{}{}:", table.row_numbers[row], row < table.relative_rows ? "+" : "");
    for (int column = 0; column < table.columns(); ++column) {
      const RawCell& cell = table.At(row, column);
      out += fmt::format("{}{}{}", column > 0 ? "," : "", static_cast<int>(cell.kind), cell.text());
    }
    out += ";";
  }
  if (!table.finished) out += "unfinished";
  if (table.end_of_data) out += "end";
  if (!table.problem.message.empty()) out += "! " + table.problem.message;
  return out;
}

std::string ScanText(const std::string& xml, bool plain = false) {
  static const WorkbookContext context = MakeContext();
  SheetScanner scanner(&context, {0, 1, 2}, 3);
  scanner.set_plain(plain);
  PaddedBytes bytes(0);
  bytes.Append(xml);
  return Print(scanner.Scan(bytes.view()));
}

TEST(SheetScanner, CellShapes) {
  EXPECT_EQ(ScanText("<row r=\"2\"><c r=\"A2\"><v>5</v></c><c r='C2' t='s'><v>0</v></c></row>"),
            "2:15,0,5zero;");
  EXPECT_EQ(ScanText("<row><c><v>1</v></c><c t=\"s\"><v>1</v></c></row>"), "1+:11,5one,0;");
  EXPECT_EQ(ScanText("<row r=\"7\"><c t=\"s\" r=\"B7\" s=\"1\"><v>2</v></c></row>"),
            "7:0,5 a&b\r ,0;");
  EXPECT_EQ(ScanText("<x:row r=\"1\"><x:c r=\"A1\" s=\"1\"><x:v>2.5</x:v></x:c></x:row>"),
            "1:22.5,0,0;");
  EXPECT_EQ(
      ScanText(
          "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><r><t>a</t></r><r><t>&#98;&#x63;</t></r>"
          "<rPh><t>x</t></rPh></is></c></row>"),
      "1:5abc,0,0;");
  EXPECT_EQ(
      ScanText(
          "<row r=\"1\"><c r=\"A1\" t=\"str\"><f>B1&amp;\"x\"</f><v><![CDATA[<&>]]></v></c></row>"),
      "1:5<&>,0,0;");
  EXPECT_EQ(
      ScanText("<row r=\"1\"><c r=\"A1\" t=\"b\"><v>1</v></c><c r=\"B1\" t=\"e\"><v>#N/A</v></c>"
               "<c r=\"C1\" t=\"d\"><v>2011-01-02</v></c></row>"),
      "1:71,8#N/A,42011-01-02;");
}

TEST(SheetScanner, BlankRowsAndColumnsBeyond) {
  EXPECT_EQ(ScanText("<row r=\"1\"/><row r=\"2\"><c r=\"A2\" s=\"1\"/></row><row r=\"9\"><c "
                     "r=\"D9\"><v>1</v></c></row>"),
            "9:0,0,0;");
  EXPECT_EQ(ScanText("<row r=\"1\"><!-- <row r=\"5\"> --><?pi <c?><c r=\"A1\"><v> 1 "
                     "</v></c>\n</row></sheetData>"),
            "1:11,0,0;end");
}

TEST(SheetScanner, UnfinishedAndDamaged) {
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"A1\"><v>1</v></c>"), "unfinished");
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><!-- "), "1:11,0,0;unfinished");
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>9</v></c></row>"),
            "! the sheet's XML is damaged: shared string \"9\" of 5");
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>"),
            "! the sheet's XML is damaged: cell A1 is out of order");
  EXPECT_EQ(ScanText("<row r=\"2\"/><row r=\"2\"/>"),
            "! the sheet's XML is damaged: row 2 follows row 2");
  EXPECT_EQ(ScanText("<row r=\"1048577\"/>"), "! a sheet has at most 1048576 rows");
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>"),
            "! the sheet's XML is damaged: cell reference \"XFE1\"");
  EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"A1\" t=\"str\"><v>&bomb;</v></c></row>"),
            "! the sheet's XML is damaged: an unknown entity");
  for (const std::string type : {"str", "inlineStr", "d", "e"}) {
    const bool in_line = type == "inlineStr";
    const std::string value = in_line ? "<is><t>\xE9</t></is>" : "<v>\xE9</v>";
    EXPECT_EQ(ScanText("<row r=\"1\"><c r=\"A1\" t=\"" + type + "\">" + value + "</c></row>"),
              "! the sheet's text is not valid UTF-8");
  }
  EXPECT_EQ(
      ScanText("<!DOCTYPE x><row/>"),
      "! the sheet's XML is damaged: a document type declaration, which workbooks must not have");
}

/// The fast path and the plain one find the same in rows that are nearly what Excel writes.
TEST(SheetScanner, FastPathAgreesWithPlain) {
  std::mt19937 random(20240607);
  const auto pick = [&](std::initializer_list<const char*> choices) {
    return std::string(*(choices.begin() + random() % choices.size()));
  };
  for (int round = 0; round < TestRounds(3000); ++round) {
    std::string xml;
    int row = 1;
    for (int i = random() % 4; i >= 0; --i) {
      row += random() % 20 == 0 ? 0 : 1;
      xml += random() % 8 == 0 ? "<row>" : fmt::format("<row r=\"{}\" spans=\"1:3\">", row);
      for (int column = 0; column < 4; ++column) {
        if (random() % 5 == 0) continue;
        xml += "<c";
        if (random() % 10 != 0)
          xml += fmt::format(" r=\"{}{}\"", ColumnLetters(column), random() % 40 ? row : row + 1);
        xml += pick({"", "", " s=\"0\"", " s=\"1\"", " s='1'"});
        xml += pick({"", "", " t=\"s\"", " t=\"str\"", " t=\"b\"", " t=\"e\"", " t=\"n\"",
                     " t=\"zz\"", " t=\"inlineStr\""});
        xml += pick({"/>", "></c>", "><v>1</v></c>", "><v>3</v></c>", "><v>2.5</v></c>",
                     "><v>&lt;</v></c>", "><v/></c>", "><v></v></c>", "><v> 1</v></c>",
                     "><f>A1</f><v>4</v></c>", "><is><t>x</t></is></c>", "><v>_x0041_</v></c>"});
      }
      xml += "</row>";
    }
    if (random() % 10 == 0) xml.resize(random() % (xml.size() + 1));
    EXPECT_EQ(ScanText(xml), ScanText(xml, true)) << xml;
  }
}

TEST(SheetScanner, CutsBeforeTheLastRow) {
  EXPECT_EQ(FindLastRow("<row r=\"1\"></row><row r=\"2\"><c>"), 17);
  EXPECT_EQ(FindLastRow("<a:row></a:row><a:row"), 0);
  EXPECT_EQ(FindLastRow("<row></row></sheetData><rowBreaks/>"), 0);
  EXPECT_EQ(ColumnLetters(0) + ColumnLetters(25) + ColumnLetters(26) + ColumnLetters(16383),
            "AZAAXFD");
}

TEST(NumberFormat, TellsDates) {
  for (const char* code :
       {"m/d/yyyy h:mm", "yyyy-mm-dd", "[h]:mm", "[$-409]d\\-mmm", "mm:ss.0", "\"on\" d"}) {
    EXPECT_TRUE(IsDateFormatCode(code)) << code;
  }
  for (const char* code : {"0.00", "General", "[Red]0", "0 \"days\"", "0.00E+00", "\\d0",
                           "#,##0;[Red]\\-d", "@", "_d0"}) {
    EXPECT_FALSE(IsDateFormatCode(code)) << code;
  }
  EXPECT_TRUE(IsBuiltinDateFormat(14) && IsBuiltinDateFormat(22) && IsBuiltinDateFormat(57));
  EXPECT_FALSE(IsBuiltinDateFormat(13) || IsBuiltinDateFormat(37) || IsBuiltinDateFormat(49));
}

}  // namespace
}  // namespace viand::ingest
