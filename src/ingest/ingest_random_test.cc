// Random tables, written as xlsx (shared and inline strings), CSV, JSON lines and Parquet, in
// chunks of a few bytes, read to the same table.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "src/common/test_rounds.h"
#include "src/common/time.h"
#include "src/ingest/ingest_fixture.h"
#include "src/ingest/table_scan.h"

namespace viand::ingest {
namespace {

using testing::IngestTest;

struct Row {
  std::optional<int64_t> number;
  std::optional<double> real;
  std::optional<std::string> text;
  std::optional<int64_t> seconds;
  std::optional<bool> flag;
};

std::vector<Row> RandomRows(std::mt19937_64* random) {
  static const std::vector<std::string> texts = {
      "", "a", "x,y", "q\"uo\"te", "two\nlines", "&<>\xC3\xA9", "12", " pad ", "<row r=\"1\">"};
  std::vector<Row> rows(1 + (*random)() % 30);
  for (Row& row : rows) {
    // A row without any value is none in a sheet: one column is always there.
    row.number = static_cast<int64_t>((*random)() % 2'000'000) - 1'000'000;
    if ((*random)() % 4)
      row.real = static_cast<double>(static_cast<int64_t>((*random)() % 100'000)) / 64 - 500;
    if ((*random)() % 4) row.text = texts[(*random)() % texts.size()];
    if ((*random)() % 4) row.seconds = static_cast<int64_t>((*random)() % 2'000'000'000);
    if ((*random)() % 4) row.flag = (*random)() % 2 == 0;
  }
  return rows;
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string AsBook(const std::vector<Row>& rows, bool shared, std::mt19937_64* random) {
  testing::BookOptions options;
  std::string xml;
  int64_t strings = 0;
  const auto text_cell = [&](const std::string& reference, const std::string& text) {
    if (!shared)
      return fmt::format("<c r=\"{}\" t=\"inlineStr\"><is><t>{}</t></is></c>", reference,
                         Escaped(text));
    options.strings += fmt::format("<si><t>{}</t></si>", Escaped(text));
    return fmt::format("<c r=\"{}\" t=\"s\"><v>{}</v></c>", reference, strings++);
  };
  xml += "<row r=\"1\">";
  const char* names[] = {"n", "d", "s", "t", "b"};
  for (int i = 0; i < 5; ++i)
    xml += text_cell(fmt::format("{}1", static_cast<char>('A' + i)), names[i]);
  xml += "</row>";
  int64_t number = 1;
  for (const Row& row : rows) {
    number += 1 + (*random)() % 3;
    if ((*random)() % 5 == 0) xml += "<!-- <row r=\"9\"> -->";
    xml += fmt::format("<row r=\"{}\">", number);
    if (row.number) xml += fmt::format("<c r=\"A{}\"><v>{}</v></c>", number, *row.number);
    if (row.real) xml += fmt::format("<c r=\"B{}\"><v>{}</v></c>", number, *row.real);
    if (row.text) xml += text_cell(fmt::format("C{}", number), *row.text);
    if (row.seconds) {
      xml += fmt::format("<c r=\"D{}\" s=\"1\"><v>{:.17g}</v></c>", number,
                         25569 + static_cast<double>(*row.seconds) / 86400);
    }
    if (row.flag)
      xml += fmt::format("<c r=\"E{}\" t=\"b\"><v>{}</v></c>", number, *row.flag ? 1 : 0);
    xml += "</row>";
  }
  return testing::Book(xml, options);
}

std::string Quoted(const std::string& text, const char* quote) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"')
      out += quote;
    else if (c == '\n' && quote[0] == '\\')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

std::string AsCsv(const std::vector<Row>& rows) {
  std::string out = "n,d,s,t,b\n";
  for (const Row& row : rows) {
    out +=
        fmt::format("{},{},{},{},{}\r\n", *row.number, row.real ? fmt::format("{}", *row.real) : "",
                    row.text ? Quoted(*row.text, "\"\"") : "",
                    row.seconds ? FormatTimestamp(*row.seconds * kMicrosPerSecond) : "",
                    row.flag ? (*row.flag ? "true" : "false") : "");
  }
  return out;
}

std::string AsJson(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    out += fmt::format("{{\"n\": {}", *row.number);
    // Null and absent mean the same.
    out += row.flag ? (*row.flag ? ", \"b\": true" : ", \"b\": false") : ", \"b\": null";
    if (row.real) out += fmt::format(", \"d\": {}", *row.real);
    if (row.text) out += ", \"s\": " + Quoted(*row.text, "\\\"");
    if (row.seconds)
      out += fmt::format(", \"t\": \"{}\"", FormatTimestamp(*row.seconds * kMicrosPerSecond));
    out += "}\n";
  }
  return out;
}

std::string Expected(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    out += fmt::format(
        "{}|{}|{}|{}|{}\n", *row.number, row.real ? fmt::format("{}", *row.real) : "-",
        row.text.value_or("-"),
        row.seconds ? FormatTimestamp(*row.seconds * kMicrosPerSecond) + ".000000" : "-",
        row.flag ? (*row.flag ? "true" : "false") : "-");
  }
  return out;
}

TEST(IngestRandom, FormatsAgree) {
  std::mt19937_64 random(7);
  const std::vector<std::pair<std::string, std::string>> types = {
      {"n", "bigint"}, {"d", "double"}, {"s", "varchar"}, {"t", "timestamp"}, {"b", "boolean"}};
  for (int round = 0; round < TestRounds(40); ++round) {
    const std::vector<Row> rows = RandomRows(&random);
    const std::map<std::string, std::string> files = {{"shared.xlsx", AsBook(rows, true, &random)},
                                                      {"inline.xlsx", AsBook(rows, false, &random)},
                                                      {"a.csv", AsCsv(rows)},
                                                      {"a.csv.gz", testing::Gzipped(AsCsv(rows))},
                                                      {"a.jsonl", AsJson(rows)}};
    for (const auto& [name, content] : files) {
      IngestTest test("random");
      test.Add(name, content);
      test.Declare(types);
      test.dataset.columns = {
          {"n", {"n", {}}}, {"d", {"d", {}}}, {"s", {"s", {}}}, {"t", {"t", {}}}, {"b", {"b", {}}}};
      // A JSON column without any member is missing, rightly.
      const std::string actual = test.Rows();
      if (name == "a.jsonl" && actual.find("have no column") != std::string::npos) continue;
      ASSERT_EQ(actual, Expected(rows)) << name << " in round " << round;
    }
  }
}

/// Prints all rows of a file with their numbers, as ScanTables hands them over.
std::string Scanned(const std::string& path, int64_t chunk_bytes, int workers) {
  definition::Dataset dataset;
  std::string out;
  TableScanOptions options;
  options.files = {path};
  options.dataset = &dataset;
  options.chunk_bytes = chunk_bytes;
  options.workers = workers;
  options.select = [](RawFile* file) { return file->Select({"n", "s"}); };
  options.consume = [&](const RawFile&, const CellTable& table, int64_t base,
                        std::unique_ptr<TableWork>) {
    for (int64_t row = 0; row < table.rows(); ++row) {
      out += fmt::format("{}:{}|{}\n", RowNumber(table, row, base), table.At(row, 0).text(),
                         table.At(row, 1).text());
    }
    return arrow::Status::OK();
  };
  const auto report = ScanTables(options);
  return report.ok() ? out : report.status().message();
}

TEST(IngestRandom, ChunksOfAnySizeGiveTheSameRows) {
  std::mt19937_64 random(11);
  for (int round = 0; round < TestRounds(25); ++round) {
    const std::vector<Row> rows = RandomRows(&random);
    const testing::TestFolder folder("chunks");
    for (const std::string& path :
         {folder.Write("a.csv", AsCsv(rows)), folder.Write("a.jsonl", AsJson(rows)),
          folder.Write("a.xlsx", AsBook(rows, random() % 2, &random))}) {
      const std::string whole = Scanned(path, 1 << 20, 1);
      for (int64_t bytes : {16, 57, 333})
        ASSERT_EQ(Scanned(path, bytes, 3), whole) << path << " by " << bytes;
    }
  }
}

}  // namespace
}  // namespace viand::ingest
