#include "src/store/arrow_border.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace viand::store {
namespace {

std::shared_ptr<arrow::Table> Customers() {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  EXPECT_TRUE(ids.AppendValues(std::vector<int64_t>{1, 2, 3}).ok());
  EXPECT_TRUE(names.AppendValues({"Ann", "Ben"}).ok());
  EXPECT_TRUE(names.AppendNull().ok());
  return arrow::Table::Make(
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())}),
      {ids.Finish().ValueOrDie(), names.Finish().ValueOrDie()});
}

Table PublicCustomers() { return ToPublicTable(Customers()).ValueOrDie(); }

/// Gives one batch, then fails.
class FailingReader : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return Customers()->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (given_) {
      return ErrorAt({"views.yaml", 4, 2}, ErrorKind::kInput, "the disk hums", "play louder");
    }
    given_ = true;
    return Customers()->CombineChunksToBatch().Value(batch);
  }

 private:
  bool given_ = false;
};

TEST(ToPublic, CarriesKindPlaceAndHint) {
  const Status status = ToPublic(
      ErrorAt({"views.yaml", 12, 7}, ErrorKind::kDefinition, "unknown entity \"custmer\"", "look"));
  EXPECT_EQ(status.code(), StatusCode::kDefinition);
  EXPECT_EQ(status.file(), "views.yaml");
  EXPECT_EQ(status.line(), 12);
  EXPECT_EQ(status.column(), 7);
  EXPECT_EQ(status.ToString(), "views.yaml:12:7: unknown entity \"custmer\"\n  hint: look");
}

TEST(ToPublic, RendersAsTheCommandLineDoes) {
  for (const SourceLocation& where :
       {SourceLocation{}, SourceLocation{"a.yaml", 0, 0}, SourceLocation{"a.yaml", 3, 0},
        SourceLocation{"a.yaml", 3, 9}, SourceLocation{"", 3, 9}}) {
    for (const char* hint : {"", "try again"}) {
      const arrow::Status status = ErrorAt(where, ErrorKind::kInput, "wrong", hint);
      EXPECT_EQ(ToPublic(status).ToString(), RenderError(status));
    }
  }
  EXPECT_EQ(ToPublic(arrow::Status::OK()).ToString(), "OK");
}

TEST(ToPublic, MapsEveryKindAndArrowsOwnCodes) {
  const std::vector<std::pair<ErrorKind, StatusCode>> kinds = {
      {ErrorKind::kUsage, StatusCode::kUsage},
      {ErrorKind::kDefinition, StatusCode::kDefinition},
      {ErrorKind::kInput, StatusCode::kInput},
      {ErrorKind::kConflict, StatusCode::kConflict},
      {ErrorKind::kCancelled, StatusCode::kCancelled},
      {ErrorKind::kEnvironment, StatusCode::kEnvironment}};
  for (const auto& [kind, code] : kinds) EXPECT_EQ(ToPublic(MakeError(kind, "x")).code(), code);
  EXPECT_EQ(ToPublic(arrow::Status::IOError("x")).code(), StatusCode::kEnvironment);
  EXPECT_EQ(ToPublic(arrow::Status::Invalid("x")).code(), StatusCode::kInput);
  EXPECT_TRUE(ToPublic(arrow::Status::OK()).ok());
}

TEST(ToPublic, CarriesValues) {
  const Result<std::unique_ptr<int>> value =
      ToPublic(arrow::Result<std::unique_ptr<int>>(std::make_unique<int>(7)));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 7);
  EXPECT_TRUE(value.status().ok());
  const Result<int> failure = ToPublic(arrow::Result<int>(arrow::Status::Invalid("no")));
  EXPECT_FALSE(failure);
  EXPECT_EQ(failure.status().message(), "no");
}

TEST(Result, TakesWhatConverts) {
  struct Base {
    virtual ~Base() = default;
  };
  struct Derived : Base {};
  Result<std::unique_ptr<Base>> result = std::make_unique<Derived>();
  EXPECT_TRUE(result.ok());
  const std::unique_ptr<Base> moved = *std::move(result);
  EXPECT_NE(moved, nullptr);
  Result<std::string> text = "text";
  text->append("s");
  EXPECT_EQ(*text, "texts");
}

TEST(ResultDeathTest, AValueThatIsNotThereAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> failure = Status(StatusCode::kInput, "no such file");
  EXPECT_DEATH((void)*failure, "has no value: no such file");
  EXPECT_DEATH((void)Result<int>(Status()), "made of a success without a value");
}

TEST(Table, IsMoveOnly) {
  static_assert(!std::is_copy_constructible_v<Table> && !std::is_copy_assignable_v<Table>);
  static_assert(std::is_nothrow_move_constructible_v<Table>);
  Table first = PublicCustomers();
  Table second = std::move(first);
  EXPECT_FALSE(
      first.has_stream());  // NOLINT(bugprone-use-after-move): what a move leaves is promised
  EXPECT_TRUE(second.has_stream());
  second = Table();
  EXPECT_FALSE(second.has_stream());
}

TEST(Table, GoesOutAndComesBackTheSame) {
  for (const auto& table : {Customers(), Customers()->Slice(1, 1), Customers()->Slice(0, 0),
                            arrow::ConcatenateTables({Customers(), Customers()}).ValueOrDie()}) {
    const auto back = ToArrowTable(ToPublicTable(table).ValueOrDie()).ValueOrDie();
    EXPECT_TRUE(back->Equals(*table)) << table->ToString();
    EXPECT_TRUE(back->schema()->Equals(*table->schema(), /*check_metadata=*/true));
  }
}

TEST(Table, IsReadBatchByBatchWithTheCInterfaceAlone) {
  Table table = PublicCustomers();
  ArrowSchema schema;
  ASSERT_TRUE(table.GetSchema(&schema).ok());
  EXPECT_STREQ(schema.format, "+s");
  ASSERT_EQ(schema.n_children, 2);
  EXPECT_STREQ(schema.children[0]->name, "id");
  schema.release(&schema);
  ArrowArray batch;
  ASSERT_TRUE(table.Next(&batch).ok());
  EXPECT_EQ(batch.length, 3);
  batch.release(&batch);
  ASSERT_TRUE(table.Next(&batch).ok());
  EXPECT_EQ(batch.release, nullptr);
}

TEST(Table, IsReleasedOnce) {
  static int releases;
  releases = 0;
  ArrowArrayStream stream = {};
  stream.release = [](ArrowArrayStream* self) {
    ++releases;
    self->release = nullptr;
  };
  {
    Table table(&stream);
    EXPECT_EQ(stream.release, nullptr) << "taken over";
    Table other = std::move(table);
    ArrowArrayStream out;
    other.Release(&out);
    EXPECT_FALSE(other.has_stream());
    const Table last(&out);
    EXPECT_EQ(releases, 0);
  }
  EXPECT_EQ(releases, 1);
}

TEST(Table, WithoutAStreamSaysSo) {
  Table table;
  ArrowArray batch;
  EXPECT_EQ(table.Next(&batch).ToString(), "the table has no stream: it was moved or released");
  const arrow::Status status = ToReader(Table()).status();
  EXPECT_EQ(status.message(), "the table has no stream: it was moved or released");
  EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
}

TEST(Table, AFailureOnTheWayKeepsItsWords) {
  const std::string words = "views.yaml:4:2: the disk hums\n  hint: play louder";
  Table table = ToPublicTable(std::make_shared<FailingReader>()).ValueOrDie();
  ArrowArray batch;
  ASSERT_TRUE(table.Next(&batch).ok());
  batch.release(&batch);
  const Status failure = table.Next(&batch);
  EXPECT_NE(failure.message().find(words), std::string::npos) << failure.message();

  Table again = ToPublicTable(std::make_shared<FailingReader>()).ValueOrDie();
  const arrow::Status read = ToArrowTable(std::move(again)).status();
  EXPECT_EQ(KindOf(read), ErrorKind::kInput);
  EXPECT_EQ(read.message().rfind("cannot read the table: ", 0), 0u) << read.message();
  EXPECT_NE(read.message().find(words), std::string::npos) << read.message();
}

TEST(Table, AStreamThatIsNoTableIsRefused) {
  ArrowArrayStream stream = {};
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 5; };
  stream.get_last_error = [](ArrowArrayStream*) -> const char* { return "unplugged"; };
  stream.release = [](ArrowArrayStream* self) { self->release = nullptr; };
  const arrow::Status status = ToReader(Table(&stream)).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kInput);
  EXPECT_NE(status.message().find("unplugged"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace viand::store
