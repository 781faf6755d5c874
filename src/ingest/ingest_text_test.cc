// CSV, JSON lines, Parquet, several files, sorting: end to end, errors by their text.
#include <gtest/gtest.h>

#include "src/common/cancellation.h"
#include "src/ingest/ingest_fixture.h"

namespace viand::ingest {
namespace {

using testing::IngestTest;

std::string Rows(const std::string& name, const std::string& content,
                 std::vector<std::pair<std::string, std::string>> types = {},
                 definition::OnError on_error = definition::OnError::kFail) {
  IngestTest test("text");
  test.Add(name, content);
  test.Declare(std::move(types));
  test.dataset.on_error = on_error;
  return test.Rows();
}

std::string Types(const std::string& name, const std::string& content) {
  IngestTest test("types");
  test.Add(name, content);
  return test.Types();
}

TEST(Csv, QuotesLinesAndNulls) {
  EXPECT_EQ(Rows("a.csv", "\xEF\xBB\xBFx,y\r\n\"a,\"\"b\"\"\nc\",1\r\n\n,\"\"\r\nd\"e,3",
                 {{"x", "varchar"}, {"y", "bigint"}}),
            "a,\"b\"\nc|1\n-|-\nd\"e|3\n");
  EXPECT_EQ(Rows("a.csv.gz", testing::Gzipped("x\n1\n") + testing::Gzipped("2\n")), "1\n2\n");
}

TEST(Csv, InfersOverTheWholeFile) {
  EXPECT_EQ(
      Types("a.csv",
            "a,b,c,d,e,f,g\n1,1,1,true,2011-01-02,01,\n-2,1.5,x,FALSE,2011-01-02 03:04:05,2,\n"),
      "bigint|double|varchar|boolean|timestamp|varchar|varchar");
}

TEST(Csv, Errors) {
  const std::vector<std::pair<std::string, std::string>> types = {{"x", "bigint"}};
  EXPECT_EQ(Rows("a.csv", "x,y\n1,2\n\n3,\"a\nb\"\nz,4\n", types),
            "a.csv, line 6, column \"x\": found text \"z\", expected bigint\n"
            "  hint: declare the column varchar, or set on_error: skip (leaves the row out) or "
            "null (empties the cell)");
  EXPECT_EQ(Rows("a.csv", "x,y\n1,2\n1\n", types),
            "a.csv, line 3: 1 fields where the header has 2\n  hint: is the delimiter right? "
            "on_error: skip leaves such rows out");
  EXPECT_EQ(Rows("a.csv", "x,y\n1,2\n1\n5,6\n", types, definition::OnError::kSkip), "1|2\n5|6\n");
  EXPECT_EQ(Rows("a.csv", "x\n1\n\"2\n3", types),
            "a.csv, line 3: a quoted field is not closed\n  hint: a quote within quotes is written "
            "twice");
  EXPECT_EQ(Rows("a.csv", "x\n\"1\"2\n", types),
            "a.csv, line 2: text follows the closing quote of field 1\n  hint: a quote within "
            "quotes is written twice");
  EXPECT_EQ(Rows("a.csv", "x\n1\n\xE9\n", types),
            "a.csv, line 3: the text is not valid UTF-8\n  hint: convert the file, for example: "
            "iconv -f WINDOWS-1252 -t UTF-8");
  EXPECT_EQ(Rows("a.csv", "y\n1\n", {{"yy", "bigint"}}),
            "the files of dataset \"things\" have no column \"yy\"\n  hint: did you mean \"y\"?");
  EXPECT_EQ(Rows("a.csv", "", types), "a.csv is empty");
  EXPECT_EQ(Rows("a.csv", "x\n", types),
            "dataset \"things\" has no rows: 0 read, 0 left out by on_error, 0 by where");
  EXPECT_EQ(Rows("a.doc", "x\n", types),
            "cannot tell the format of a.doc by its extension\n  hint: set `format`: xlsx, csv, "
            "json or parquet");
}

TEST(Json, MembersAndTypes) {
  EXPECT_EQ(Rows("a.jsonl",
                 "{\"a\": 1, \"b\": {\"c\": \"x\\u00e9\\n\"}, \"z\": [1, {}]}\n\n{\"b\": {\"c\": "
                 "null}, \"a\": 5.0}\n",
                 {{"a", "varchar"}, {"b.c", "varchar"}, {"z", "varchar"}}),
            "a.jsonl, line 1, column \"z\": found nested [1, {}], expected varchar\n"
            "  hint: set on_error: skip (leaves the row out) or null (empties the cell)");
  EXPECT_EQ(Rows("a.ndjson", "{\"b\": {\"c\": \"x\\u00e9\"}, \"a\": 1}\n{\"a\": 5.0, \"b\": {}}\n",
                 {{"a", "varchar"}, {"b.c", "varchar"}}),
            "x\xC3\xA9|1\n-|5\n");
  EXPECT_EQ(Types("a.json",
                  "{\"i\": 1, \"d\": 1.5, \"t\": \"2011-01-02\", \"s\": \"12\", \"f\": true}\n"),
            "bigint|double|timestamp|varchar|boolean");
}

TEST(Json, Errors) {
  EXPECT_EQ(Rows("a.json", "[1]\n"),
            "a.json, line 1: not a JSON object: an array; expected one object a line (byte 1 of "
            "the line)\n"
            "  hint: the format is JSON lines: one object a line");
  EXPECT_EQ(Rows("a.json", "{\"a\": 1}\n{\"a\": tru}\n"),
            "a.json, line 2: not a JSON object: expected a value (byte 7 of the line)\n"
            "  hint: the format is JSON lines: one object a line");
  EXPECT_EQ(
      Rows("a.json", "{\"amount\": 1}\n", {{"amont", "bigint"}}),
      "the files of dataset \"things\" have no column \"amont\"\n  hint: did you mean \"amount\"?");
}

TEST(Files, ManyMustAgree) {
  IngestTest test("files");
  test.Add("b.csv", "y,x\n4,3\n");
  test.Add("a.csv", "x,y\n1,2\n");
  EXPECT_EQ(test.Rows(), "1|2\n3|4\n");
  test.dataset.from.paths = {{"*.csv", {}}};
  EXPECT_EQ(test.Rows(), "1|2\n3|4\n");
  test.folder.Write("c.csv", "x,z\n1,2\n");
  EXPECT_EQ(test.Rows(), "c.csv lacks column \"y\", which a.csv has\n  hint: did you mean \"z\"?");
  test.dataset.from.paths = {{"*.tsv", {}}};
  EXPECT_EQ(test.Rows(), "no file matches *.tsv\n  hint: paths are relative to the repo");
  test.dataset.from.paths = {{"q.csv", {}}};
  EXPECT_EQ(test.Rows(), "there is no file q.csv\n  hint: paths are relative to the repo");
}

TEST(Plan, WhereThenColumnsThenSort) {
  IngestTest test("plan");
  test.Add("a.csv", "k,t,n\na,2011-01-03,1\nb,2011-01-01,2\n,2011-01-02,x\nc,2011-01-01,4\n");
  test.Declare({{"t", "timestamp"}});
  test.dataset.filter = definition::Sql{"k is not null", {}};
  test.dataset.columns = {{"when", {"t", {}}}, {"key", {"k", {}}}};
  test.sort_by = "when";
  EXPECT_EQ(
      test.Rows(),
      "2011-01-01 00:00:00.000000|b\n2011-01-01 00:00:00.000000|c\n2011-01-03 00:00:00.000000|a\n");
  test.Declare({{"t", "timestamp"}, {"n", "bigint"}});
  EXPECT_EQ(test.Rows(),
            "a.csv, line 4, column \"n\": found text \"x\", expected bigint\n"
            "  hint: declare the column varchar, or set on_error: skip (leaves the row out) or "
            "null (empties the cell)");
  test.Declare({});
  test.dataset.filter = definition::Sql{"k = 'nobody'", {}};
  EXPECT_EQ(
      test.Rows(),
      "dataset \"things\" has no rows after where: 4 read, 0 left out by on_error, 4 by where");
  test.sort_by = "wen";
  EXPECT_EQ(test.Rows(),
            "the rows are to be sorted by \"wen\", which is no column of the output; it has "
            "\"when\", \"key\"\n"
            "  hint: did you mean \"when\"?");
}

TEST(Plan, BoundBeforehandReadsWhatItNeeds) {
  IngestTest test("bound");
  test.Add("a.jsonl", "{\"n\": 2, \"zz\": \"x\", \"m\": 5}\n{\"m\": 7, \"n\": null}\n");
  test.Declare({{"n", "bigint"}, {"m", "bigint"}});
  test.bind = true;
  test.dataset.filter = definition::Sql{"n is not null", {}};
  test.dataset.columns = {{"product", {"n * m", {}}}};
  EXPECT_EQ(test.Rows(), "10\n");
  test.Declare({{"n", "bigint"}, {"m", "bigint"}, {"z", "bigint"}});
  EXPECT_EQ(test.Rows(), "a.jsonl has no column \"z\" in any line\n  hint: did you mean \"zz\"?");
  test.folder.Write("a.jsonl", "{\"n\": 9223372036854775807, \"m\": 2}\n");
  test.Declare({{"n", "bigint"}, {"m", "bigint"}});
  const std::string error = test.Rows();
  EXPECT_NE(error.find("a.jsonl, rows 1 to 1: n * m: "), std::string::npos) << error;
  EXPECT_NE(error.find("overflow"), std::string::npos) << error;
}

TEST(Plan, ParquetGoesByTheSameRules) {
  IngestTest first("parquet1");
  first.Add("a.csv", "n,s\n1,a\n,b\n3,c\n");
  ASSERT_TRUE(first.Run().ok());
  IngestTest second("parquet2");
  std::filesystem::copy_file(first.folder.Path("out.parquet"), second.folder.Path("in.parquet"));
  second.dataset.from.paths = {{"in.parquet", {}}};
  EXPECT_EQ(second.Rows(), "1|a\n-|b\n3|c\n");
  second.Declare({{"n", "varchar"}});
  EXPECT_EQ(second.Rows(), "1|a\n-|b\n3|c\n");
  second.Declare({{"s", "bigint"}});
  EXPECT_EQ(second.Rows(),
            "in.parquet, row 1, column \"s\": found text \"a\", expected bigint\n"
            "  hint: declare the column varchar, or set on_error: skip (leaves the row out) or "
            "null (empties the cell)");
}

TEST(Plan, CancelledLeavesNothing) {
  IngestTest test("cancelled");
  test.Add("a.csv", "x\n1\n");
  test.Declare({{"x", "bigint"}});
  RequestCancellation();
  EXPECT_EQ(KindOf(test.Run().status()), ErrorKind::kCancelled);
  ResetCancellation();
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(test.folder.root()))
    ++entries;
  EXPECT_EQ(entries, 1);
}

}  // namespace
}  // namespace viand::ingest
