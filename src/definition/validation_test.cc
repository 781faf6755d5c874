#include "src/definition/validation.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <map>

#include "src/common/time.h"
#include "src/definition/definition_test_repos.h"

namespace viand::definition {
namespace {

std::map<std::string, std::string> TypesOf(const BoundView& view) {
  std::map<std::string, std::string> types;
  for (const auto& field : view.output->fields()) types[field->name()] = field->type()->ToString();
  return types;
}

TEST(Validation, TypesTheRetailExample) {
  const auto bound = ValidateText(kRetail);
  ASSERT_TRUE(bound.ok()) << RenderError(bound.status());
  EXPECT_TRUE(bound->complete);
  ASSERT_EQ(bound->datasets.size(), 1);
  const BoundDataset& dataset = bound->datasets[0];
  EXPECT_EQ(dataset.raw->num_fields(), 6);
  EXPECT_EQ(dataset.output->ToString(),
            "customer_id: int64\ninvoice_no: string\nstock_code: string\nquantity: int64\n"
            "invoice_date: timestamp[us]\nrevenue: double\nis_cancellation: bool");
  const std::map<std::string, std::string> rfm = {{"customer_id", "int64"},
                                                  {"recency_days", "int64"},
                                                  {"frequency", "int64"},
                                                  {"monetary", "double"},
                                                  {"tenure_days", "int64"}};
  EXPECT_EQ(TypesOf(*bound->FindView("customer_rfm_features")), rfm);
  const std::map<std::string, std::string> behavior = {
      {"customer_id", "int64"},      {"avg_order_value", "double"},
      {"avg_basket_size", "double"}, {"n_unique_products", "int64"},
      {"return_rate", "double"},     {"avg_days_between_purchases", "double"}};
  EXPECT_EQ(TypesOf(*bound->FindView("customer_behavior_features")), behavior);
  const std::map<std::string, std::string> labels = {{"customer_id", "int64"},
                                                     {"purchased", "int64"}};
  EXPECT_EQ(TypesOf(*bound->FindLabels("purchased_30d")), labels);
}

TEST(Validation, ResolvesWindowsDefaultsAndTtl) {
  const auto bound = ValidateText(kRetail);
  ASSERT_TRUE(bound.ok()) << RenderError(bound.status());
  const BoundView& rfm = *bound->FindView("customer_rfm_features");
  EXPECT_EQ(rfm.features[0].window.length_us, 90 * kMicrosPerDay);
  EXPECT_TRUE(rfm.features[3].window.unbounded);
  EXPECT_EQ(rfm.ttl_us, 0);
  EXPECT_EQ(rfm.timestamp_field, "invoice_date");
  EXPECT_NE(rfm.filter, nullptr);
  const BoundView& behavior = *bound->FindView("customer_behavior_features");
  EXPECT_EQ(behavior.ttl_us, 30 * kMicrosPerDay) << "one step of the grid";
  EXPECT_NE(behavior.having, nullptr);
  ASSERT_NE(behavior.features[4].default_value, nullptr);
  EXPECT_EQ(behavior.features[4].default_value->ToString(), "0");
  EXPECT_TRUE(behavior.features[4].default_value->type->Equals(arrow::float64()));
  EXPECT_TRUE(bound->FindLabels("purchased_30d")->features[0].window.following);
  EXPECT_EQ(bound->FindView("purchased_30d"), nullptr);
}

TEST(Validation, TypesTwoEntitiesReadyColumnsAndSpines) {
  const auto bound = ValidateText(kLogistics, LogisticsFiles());
  ASSERT_TRUE(bound.ok()) << RenderError(bound.status());
  EXPECT_TRUE(bound->complete);
  const BoundView& trips = *bound->FindView("lane_trips");
  EXPECT_EQ(trips.join_keys, (std::vector<std::string>{"origin", "target"}));
  EXPECT_EQ(trips.created_column, "loaded");
  EXPECT_GE(trips.source->GetFieldIndex("depot"), 0) << "field_mapping";
  EXPECT_EQ(trips.features[1].default_value->ToString(), "nobody");
  EXPECT_EQ(trips.features[2].window.length_us, 14 * kMicrosPerDay);
  EXPECT_EQ(trips.features[3].feature->name, "no");
  EXPECT_EQ(bound->FindView("depot_lanes")->join_keys,
            (std::vector<std::string>{"depot", "origin", "target"}));
  const BoundView& size = *bound->FindView("depot_size");
  ASSERT_EQ(size.features.size(), 2) << "a join key in a schema is no feature";
  EXPECT_TRUE(size.features[0].type->Equals(arrow::int16()));
  EXPECT_EQ(size.ttl_us, 7 * kMicrosPerDay);
  const BoundView& late = *bound->FindLabels("late");
  EXPECT_EQ(late.features[1].default_value->ToString(), "-1.5");
  EXPECT_EQ(late.features[1].window.length_us, kMicrosPerDay);
}

TEST(Validation, ColumnsOfALabelsSpineAreKeysToo) {
  // The labels are of a depot alone; the lane that features need passes through.
  const std::string depots =
      Replaced(kLogistics, "asked_at, entities: [depot, lane]}", "asked_at, entities: [depot]}");
  const auto bound = ValidateText(depots, LogisticsFiles());
  EXPECT_TRUE(bound.ok()) << RenderError(bound.status());

  auto files = LogisticsFiles();
  auto& orders = files.at("data/orders.parquet");
  orders = orders->RemoveField(orders->GetFieldIndex("origin")).ValueOrDie();
  const std::string error = RenderError(ValidateText(depots, files).status());
  EXPECT_NE(error.find("needs the key \"origin\", which the labels \"late\" lack"),
            std::string::npos)
      << error;

  const std::string text =
      Replaced(depots, "{spine: data/orders.parquet", "{spine: data/orders.csv");
  const auto unknown = ValidateText(text, LogisticsFiles());
  EXPECT_TRUE(unknown.ok()) << RenderError(unknown.status());
}

TEST(Validation, LeavesOpenWhatIsKnownAfterIngest) {
  const std::string undeclared = Replaced(kRetail, "CustomerID: bigint, ", "");
  const auto open = ValidateText(undeclared);
  ASSERT_TRUE(open.ok()) << RenderError(open.status());
  EXPECT_FALSE(open->complete);
  EXPECT_EQ(open->datasets[0].raw, nullptr);
  EXPECT_EQ(open->views[0].source, nullptr);
  EXPECT_EQ(open->views[0].output, nullptr);

  // What is on disk counts.
  const auto complete = ValidateText(kRetail);
  ASSERT_TRUE(complete.ok());
  const auto closed =
      ValidateText(undeclared, {{"data/transactions.parquet", complete->datasets[0].output}});
  ASSERT_TRUE(closed.ok()) << RenderError(closed.status());
  EXPECT_TRUE(closed->complete);
  EXPECT_EQ(TypesOf(closed->views[0]), TypesOf(complete->views[0]));
}

TEST(Validation, ParsesExpressionsOverUnknownColumns) {
  const std::string broken =
      Replaced(Replaced(kRetail, "CustomerID: bigint, ", ""), "sum(revenue)\n", "sum(revenue\n");
  const auto bound = ValidateText(broken);
  ASSERT_FALSE(bound.ok());
  EXPECT_TRUE(RenderError(bound.status()).starts_with("repo.yaml:37:"))
      << RenderError(bound.status());
}

TEST(Validation, BindsADatasetToItsFiles) {
  Definitions definitions;
  ASSERT_TRUE(
      ReadDefinitionText(Replaced(kRetail, "Quantity: bigint, ", ""), "repo.yaml", &definitions)
          .ok());
  const auto raw = arrow::schema(
      {arrow::field("InvoiceNo", arrow::utf8()), arrow::field("StockCode", arrow::utf8()),
       arrow::field("Quantity", arrow::int64()),
       arrow::field("InvoiceDate", arrow::timestamp(arrow::TimeUnit::MICRO)),
       arrow::field("UnitPrice", arrow::float64()), arrow::field("CustomerID", arrow::float64())});
  const auto bound = BindDataset(definitions.datasets[0], raw);
  ASSERT_TRUE(bound.ok()) << RenderError(bound.status());
  EXPECT_TRUE(bound->raw->GetFieldByName("CustomerID")->type()->Equals(arrow::int64()))
      << "as declared";
  EXPECT_EQ(bound->output->num_fields(), 7);

  const auto without = arrow::schema({raw->field(0), raw->field(1), raw->field(2)});
  const auto lacking = BindDataset(definitions.datasets[0], without);
  EXPECT_EQ(RenderError(lacking.status()),
            "repo.yaml:9:67: the files of dataset \"transactions\" have no column \"CustomerID\""
            "\n  hint: columns are InvoiceNo, StockCode, Quantity");
}

TEST(Validation, LetsAViewReadAView) {
  const std::string text = Replaced(kRetail, "labels:  ", R"(  - name: drift
    entities: [customer]
    source: customer_rfm_features
    snapshots: monthly
    window: 60d
    features: {n: count(*), mean_monetary: avg(monetary), since: min(event_timestamp)}
labels:  )");
  const auto bound = ValidateText(text);
  ASSERT_TRUE(bound.ok()) << RenderError(bound.status());
  const BoundView& drift = *bound->FindView("drift");
  EXPECT_EQ(drift.timestamp_field, "event_timestamp");
  EXPECT_EQ(drift.source->field_names().back(), "event_timestamp");
  EXPECT_NE(drift.output, nullptr);
}

TEST(Validation, BindsViewsBeforeTheirReadersInAnyOrder) {
  const auto forward = ValidateText(
      R"(
entities: [k]
sources: [{name: s, path: s.parquet, timestamp_field: t}]
snapshots: [{name: g, source: s, first: start, last: end, every: 1d}]
feature_views:
  - {name: c, entities: [k], source: b, snapshots: g, window: 1d, features: {z: sum(y)}}
  - {name: b, entities: [k], source: a, snapshots: g, window: 1d, features: {y: sum(x)}}
  - {name: a, entities: [k], source: s, snapshots: g, window: 1d, features: {x: count(*)}}
)",
      {{"s.parquet",
        arrow::schema({arrow::field("k", arrow::int64()), arrow::field("t", arrow::date32())})}});
  ASSERT_TRUE(forward.ok()) << RenderError(forward.status());
  EXPECT_TRUE(forward->complete);
  EXPECT_EQ(forward->views[0].view->name, "c") << "in the order of the file";
}

TEST(Validation, Warns) {
  const auto retail = ValidateText(kRetail);
  ASSERT_TRUE(retail.ok());
  ASSERT_EQ(retail->warnings.size(), 1);
  EXPECT_EQ(retail->warnings[0],
            "repo.yaml:28:11: feature view \"customer_rfm_features\": with ttl 0d a key that has "
            "lapsed keeps "
            "its last values for ever; without a ttl they last one step of the grid");
  std::string text = Replaced(kRetail, "ttl: 0d", "ttl: 36h");
  text = Replaced(text, "[customer_rfm_features, ", "[\"customer_rfm_features:monetary\", ");
  text = Replaced(text, "revenue: Quantity * UnitPrice",
                  "purchased: 1\n      revenue: Quantity * UnitPrice");
  const auto odd = ValidateText(text);
  ASSERT_TRUE(odd.ok()) << RenderError(odd.status());
  const std::vector<std::string> expected = {
      "repo.yaml:29:11: feature view \"customer_rfm_features\": Feast's duckdb store cannot read "
      "the ttl "
      "1d12h; whole days, or less than one day, work",
      "repo.yaml:29:11: feature view \"customer_rfm_features\": no feature service uses "
      "recency_days, "
      "frequency, tenure_days",
      "repo.yaml:68:11: model \"purchase_propensity\": its target \"purchased\" is also a column "
      "of the "
      "source \"transactions\" of its features"};
  EXPECT_EQ(odd->warnings, expected);
}

TEST(FeastTypes, RoundTrip) {
  for (const char* name : {"INT32", "INT64", "FLOAT", "DOUBLE", "STRING", "BYTES", "BOOL",
                           "UNIX_TIMESTAMP", "INT64_LIST", "STRING_LIST"}) {
    const auto type = TypeFromFeast(name);
    ASSERT_TRUE(type.ok()) << name;
    EXPECT_EQ(FeastTypeOf(**type).ValueOr("none"), name);
  }
  EXPECT_EQ((*TypeFromFeast("Float32"))->ToString(), "float");
  EXPECT_EQ((*TypeFromFeast("Array(Int64)"))->ToString(), "list<item: int64>");
  EXPECT_EQ(FeastTypeOf(*arrow::dictionary(arrow::int8(), arrow::large_utf8())).ValueOr(""),
            "STRING");
  EXPECT_EQ(RenderError(TypeFromFeast("INT644").status()),
            "unknown type \"INT644\"\n  hint: did you mean \"INT64\"?");
  EXPECT_FALSE(FeastTypeOf(*arrow::duration(arrow::TimeUnit::MICRO)).ok());
  EXPECT_EQ(FeastTypeOf(*arrow::decimal128(18, 4)).ValueOr(""), "DECIMAL");
  EXPECT_EQ(FeastTypeOf(*arrow::list(arrow::map(arrow::utf8(), arrow::int64()))).ValueOr(""),
            "MAP_LIST");
  EXPECT_EQ(FeastTypeOf(*arrow::list(arrow::list(arrow::int64()))).ValueOr(""), "VALUE_LIST");
  for (const char* name : {"JSON", "Json"}) EXPECT_EQ(LogicalFeastType(name), "JSON");
  EXPECT_EQ(LogicalFeastType("Set(Int64)"), "INT64_SET");
  EXPECT_EQ(LogicalFeastType("Array(Uuid)"), "UUID_LIST");
  EXPECT_EQ(LogicalFeastType("INT64"), std::nullopt);
  EXPECT_TRUE(CanHoldLogicalType("Set(Int64)", "INT64_LIST"));
  EXPECT_FALSE(CanHoldLogicalType("JSON", "INT64"));
  EXPECT_TRUE(IsFeastKeyType(*arrow::int32()));
  EXPECT_FALSE(IsFeastKeyType(*arrow::decimal128(18, 4)));
}

}  // namespace
}  // namespace viand::definition
