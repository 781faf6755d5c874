// What validation refuses, with the exact text that a user reads. Each case changes one place of
// the retail example.
#include <gtest/gtest.h>

#include "src/definition/definition_test_repos.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

struct Case {
  const char* name;
  const char* from;
  const char* to;
  const char* error;
};

class BrokenDefinitions : public testing::TestWithParam<Case> {};

TEST_P(BrokenDefinitions, SaysWhatIsWrongAndWhere) {
  const auto bound = ValidateText(Replaced(kRetail, GetParam().from, GetParam().to));
  ASSERT_FALSE(bound.ok());
  EXPECT_EQ(RenderError(bound.status()), GetParam().error);
}

constexpr Case kNames[] = {
    {"Entity", "entities: [customer]", "entities: [custmer]",
     "repo.yaml:29:16: unknown entity \"custmer\"\n  hint: did you mean \"customer\"?"},
    {"Source", "source: transactions\n    snapshots", "source: transaction\n    snapshots",
     "repo.yaml:30:13: unknown source \"transaction\"\n  hint: did you mean \"transactions\"?"},
    {"Snapshots", "snapshots: monthly", "snapshots: weekly",
     "repo.yaml:31:16: unknown snapshots \"weekly\"\n  hint: there is: monthly"},
    {"GridSource", "{name: monthly, source: transactions", "{name: monthly, source: sales",
     "repo.yaml:25:29: unknown source \"sales\"\n  hint: there is: transactions"},
    {"Population", "population: customer_rfm_features", "population: customer_rmf_features",
     "repo.yaml:57:17: unknown feature view \"customer_rmf_features\"\n"
     "  hint: did you mean \"customer_rfm_features\"?"},
    {"View", "features: [customer_rfm_features, ", "features: [customer_rfm, ",
     "repo.yaml:64:47: unknown feature view \"customer_rfm\"\n  hint: there is: "
     "customer_rfm_features, customer_behavior_features"},
    {"ViewFeature", "features: [customer_rfm_features, ",
     "features: [\"customer_rfm_features:monetray\", ",
     "repo.yaml:64:47: the feature view \"customer_rfm_features\" has no feature \"monetray\"\n  "
     "hint: did you mean \"monetary\"?"},
    {"Service", "features: purchase_propensity_v1", "features: purchase_propensity_v2",
     "repo.yaml:69:15: unknown feature service \"purchase_propensity_v2\"\n"
     "  hint: did you mean \"purchase_propensity_v1\"?"},
    {"Labels", "labels: purchased_30d", "labels: purchased_60d",
     "repo.yaml:70:13: unknown labels \"purchased_60d\"\n  hint: did you mean \"purchased_30d\"?"},
    {"Target", "target: purchased", "target: purchase",
     "repo.yaml:67:11: model \"purchase_propensity\": the target \"purchase\" is no column of the "
     "labels "
     "\"purchased_30d\"\n  hint: did you mean \"purchased\"?"},
    {"ModelType", "type: xgboost", "type: xgbost",
     "repo.yaml:67:11: model \"purchase_propensity\": unknown type \"xgbost\", expected xgboost\n"
     "  hint: did you mean \"xgboost\"?"},
    {"TimestampField", "timestamp_field: invoice_date", "timestamp_field: invoice_dat",
     "repo.yaml:22:12: source \"transactions\": timestamp_field names the unknown column "
     "\"invoice_dat\"\n  hint: did you mean \"invoice_date\"?"},
    {"FieldMapping", "timestamp_field: invoice_date}",
     "timestamp_field: invoice_date, field_mapping: {revenu: money}}",
     "repo.yaml:22:12: source \"transactions\": field_mapping names the unknown column "
     "\"revenu\"\n  hint: did you mean \"revenue\"?"},
    {"JoinKeyMap", "features: [customer_rfm_features, ",
     "features: [{view: customer_rfm_features, join_key_map: {customer: id}}, ",
     "repo.yaml:64:54: join_key_map names \"customer\", which is no join key of the feature view "
     "\"customer_rfm_features\"\n  hint: its join keys are customer_id"},
};
INSTANTIATE_TEST_SUITE_P(Names, BrokenDefinitions, testing::ValuesIn(kNames),
                         [](const auto& info) { return info.param.name; });

constexpr Case kTypes[] = {
    {"RawType", "Quantity: bigint", "Quantity: bigit",
     "repo.yaml:9:85: unknown type \"bigit\"\n  hint: did you mean \"bigint\"?"},
    {"DatasetWhere", "where: CustomerID is not null", "where: CustomerID",
     "repo.yaml:10:12: expected a condition as \"where\" of the dataset \"transactions\", got "
     "bigint"},
    {"TimeIsText", "invoice_date: InvoiceDate", "invoice_date: InvoiceNo",
     "repo.yaml:22:12: source \"transactions\": timestamp_field \"invoice_date\" is of type "
     "varchar, expected timestamp or date"},
    {"KeyIsFloat", "customer_id: CustomerID", "customer_id: UnitPrice",
     "repo.yaml:29:16: the join key \"customer_id\" of the entity \"customer\" is of type double, "
     "which cannot be a key in source transactions\n  hint: a key is an integer, a text, bytes or "
     "a time: cast it in the dataset\nrepo.yaml:41:16: the join key \"customer_id\" of the entity "
     "\"customer\" is of type double, which cannot be a key in source transactions\n  hint: a key "
     "is an integer, a text, bytes or a time: cast it in the dataset"},
    {"ValueTypeIsFloat", "value_type: INT64", "value_type: DOUBLE",
     "repo.yaml:3:12: the entity \"customer\" has the value type \"DOUBLE\", expected INT64, "
     "INT32, STRING, "
     "BYTES, UNIX_TIMESTAMP\n"
     "  hint: floating numbers do not compare exactly, so no key is made of them"},
    {"ViewWhere", "where: not is_cancellation", "where: revenue",
     "repo.yaml:33:12: expected a condition as \"where\" of the feature view "
     "\"customer_rfm_features\", got double"},
    {"Having", "having: count(* where not is_cancellation) > 0", "having: sum(revenue)",
     "repo.yaml:45:13: expected a condition as \"having\" of the feature view "
     "\"customer_behavior_features\", got double"},
    {"HavingWithoutAggregate", "having: count(* where not is_cancellation) > 0",
     "having: is_cancellation",
     "repo.yaml:45:13: \"having\" of the feature view \"customer_behavior_features\" has no "
     "aggregate: expected one value for each key and time\n  hint: write an aggregate such as "
     "last(is_cancellation)"},
    {"BareColumn", "monetary: sum(revenue)", "monetary: revenue",
     "repo.yaml:37:17: the feature \"monetary\" has no aggregate: expected one value for each key "
     "and time\n  hint: write an aggregate such as last(revenue)"},
    {"Constant", "monetary: sum(revenue)", "monetary: 1 + 1",
     "repo.yaml:37:17: the feature \"monetary\" has no aggregate: expected one value for each key "
     "and time\n  hint: write an aggregate such as count(*)"},
    {"Interval", "monetary: sum(revenue)", "monetary: as_of - max(invoice_date)",
     "repo.yaml:37:17: the feature \"monetary\" is of type interval, which no feature can have\n  "
     "hint: turn an interval into a number with floor_days(...), another type with cast"},
    {"Default", "default: 0", "default: many",
     "repo.yaml:53:18: the default is no literal: unknown column \"many\""},
    {"DefaultType", "recency_days: floor_days(as_of - max(invoice_date))",
     "recency_days: {expr: floor_days(as_of - max(invoice_date)), default: 0.5}",
     "repo.yaml:35:76: the default 0.5 does not fit the feature's type bigint"},
    {"TextFeature", "monetary: sum(revenue)", "monetary: mode(stock_code)",
     "repo.yaml:67:11: model \"purchase_propensity\": the feature \"monetary\" of "
     "\"customer_rfm_features\" is "
     "of type varchar, expected a number or a boolean\n"
     "  hint: leave it out of the feature service, or make a number of it"},
};
INSTANTIATE_TEST_SUITE_P(Types, BrokenDefinitions, testing::ValuesIn(kTypes),
                         [](const auto& info) { return info.param.name; });

constexpr Case kMeaning[] = {
    {"TwoViews", "name: customer_behavior_features", "name: customer_rfm_features",
     "repo.yaml:40:11: two feature views are named \"customer_rfm_features\", first at "
     "repo.yaml:28:11\nrepo.yaml:64:70: unknown feature view \"customer_behavior_features\"\n  "
     "hint: did you mean \"customer_rfm_features\"?"},
    {"ViewAndLabels", "name: purchased_30d", "name: customer_rfm_features",
     "repo.yaml:56:11: labels and a feature view are both named \"customer_rfm_features\", first "
     "at repo.yaml:28:11\nrepo.yaml:70:13: unknown labels \"purchased_30d\"\n  hint: there is: "
     "customer_rfm_features"},
    {"LabelInService", "features: [customer_rfm_features, ", "features: [purchased_30d, ",
     "repo.yaml:64:47: \"purchased_30d\" are labels; a label is never a feature\n  hint: a model "
     "takes them as \"labels\""},
    {"LabelAsSource", "source: transactions\n    snapshots", "source: purchased_30d\n    snapshots",
     "repo.yaml:30:13: \"purchased_30d\" are labels; a label is never a feature\n  hint: a label "
     "looks into the future of its row"},
    {"LabelsAsFeatures", "features: purchase_propensity_v1", "features: purchased_30d",
     "repo.yaml:69:15: \"purchased_30d\" are labels; a label is never a feature"},
    {"Cycle", "source: transactions\n    snapshots", "source: customer_rfm_features\n    snapshots",
     "repo.yaml:30:13: feature views read one another in a cycle: customer_rfm_features -> "
     "customer_rfm_features"},
    {"FollowingInView", "window: 90d", "window: 90d following",
     "repo.yaml:32:13: a following window in the feature view \"customer_rfm_features\": it would "
     "look into the future\n  hint: only labels look after their row's time"},
    {"FollowingInFeature", "window: unbounded", "window: 5d following",
     "repo.yaml:38:74: a following window in the feature view \"customer_rfm_features\": it would "
     "look into the future\n  hint: only labels look after their row's time"},
    {"LabelsLookBack", "window: 30d following", "window: 30d",
     "repo.yaml:59:13: expected a following window in the labels \"purchased_30d\"\n"
     "  hint: labels look after their row's time: write such as \"30d following\""},
    {"NoWindow", "    window: 90d\n    where", "    where",
     "repo.yaml:28:11: the feature view \"customer_rfm_features\" lacks the key \"window\"\n  "
     "hint: its window decides which keys have a row: write such as 90d, or unbounded"},
    {"FeatureNamedAsKey", "monetary: sum(revenue)", "customer_id: sum(revenue)",
     "repo.yaml:37:7: the column \"customer_id\" of the feature view \"customer_rfm_features\" has "
     "the name of a join key"},
    {"FeatureNamedAsTime", "monetary: sum(revenue)", "event_timestamp: sum(revenue)",
     "repo.yaml:37:7: the column \"event_timestamp\" of the feature view \"customer_rfm_features\" "
     "has the name of the time of its rows"},
    {"TargetIsFeature", "monetary: sum(revenue)", "purchased: sum(revenue)",
     "repo.yaml:67:11: model \"purchase_propensity\": the target \"purchased\" is also a feature, "
     "of "
     "\"customer_rfm_features\""},
    {"OneNameTwice", "monetary: sum(revenue)", "return_rate: sum(revenue)",
     "repo.yaml:67:11: model \"purchase_propensity\": the feature \"return_rate\" comes from "
     "\"customer_rfm_features\" and from \"customer_behavior_features\"\n"
     "  hint: give one of the references in the feature service an alias"},
    {"ServiceTwice", "features: [customer_rfm_features, ",
     "features: [customer_rfm_features, \"customer_rfm_features:monetary\", ",
     "repo.yaml:64:70: the feature service \"purchase_propensity_v1\" names "
     "\"customer_rfm_features:monetary\" twice\n  hint: give one of them an alias"},
    {"ViewAsService", "features: purchase_propensity_v1", "features: customer_rfm_features",
     "repo.yaml:69:15: \"customer_rfm_features\" is a feature view, expected a feature service\n"
     "  hint: write feature_services: [{name: ..., features: [customer_rfm_features]}]"},
    {"PopulationWithoutSnapshots",
     "    snapshots: monthly\n    window: 90d\n    where: not is_cancellation\n",
     "    window: 90d\n    where: not is_cancellation\n",
     "repo.yaml:56:17: the population \"customer_rfm_features\" of labels \"purchased_30d\" is no "
     "view with "
     "snapshots\n  hint: give it snapshots, or write population: {spine: PATH, entities: [...]}"},
};
INSTANTIATE_TEST_SUITE_P(Meaning, BrokenDefinitions, testing::ValuesIn(kMeaning),
                         [](const auto& info) { return info.param.name; });

std::string LogisticsError(const std::string& from, const std::string& to) {
  const auto bound = ValidateText(Replaced(kLogistics, from, to), LogisticsFiles());
  return bound.ok() ? "no error" : RenderError(bound.status());
}

TEST(BrokenDefinitions, OfASpineAndReadyColumns) {
  EXPECT_EQ(LogisticsError("{name: docks, dtype: Int32}", "{name: docks, dtype: Int64}"),
            "repo.yaml:38:16: the feature \"docks\" is declared INT64, but source depot_stats has "
            "it as INT32\n"
            "  hint: write dtype: INT32, or leave it out");
  EXPECT_EQ(LogisticsError("{name: docks,", "{name: dox,"),
            "repo.yaml:38:16: unknown column \"dox\" in source depot_stats\n  hint: columns are "
            "depot, day, docks, area");
  EXPECT_EQ(LogisticsError("dtype: Int32", "dtype: Int33"),
            "repo.yaml:38:16: unknown type \"Int33\"\n  hint: did you mean \"INT32\"?");
  EXPECT_EQ(
      LogisticsError("split: {test: {fraction: 0.25, by: time}}", "split: {test: last_snapshot}"),
      "repo.yaml:54:11: model \"lateness\": the split \"last_snapshot\" needs snapshots, and the "
      "labels "
      "\"late\" have none\n"
      "  hint: write split: {test: {after: TIME}} or {test: {fraction: 0.2, by: time}}");
  EXPECT_EQ(
      LogisticsError("    timestamp_column: asked_at\n", ""),
      "repo.yaml:59:11: model \"lateness_from_file\": the spine data/orders.parquet has no column "
      "\"event_timestamp\"\n  hint: columns are depot, origin, target, asked_at, was_late");
  EXPECT_EQ(
      LogisticsError("    window: 36h\n", "    window: 36h\n    ttl: 5d\n"),
      "repo.yaml:15:11: the feature view \"lane_trips\" has a ttl and no snapshots\n"
      "  hint: without snapshots it is computed exactly at each row's time, so nothing grows old");
}

/// The retail example with a raw column of an unknown type, and one thing changed.
std::string UndeclaredError(const std::string& from, const std::string& to,
                            const Schemas& raw = {}) {
  const std::string undeclared = Replaced(kRetail, "CustomerID: bigint, ", "");
  const auto bound = ValidateText(Replaced(undeclared, from, to), {}, raw);
  return bound.ok() ? "no error" : RenderError(bound.status());
}

TEST(BrokenDefinitions, AreFoundBeforeTheDataIsThere) {
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: smu(revenue)"),
            "repo.yaml:37:17: unknown function \"smu\"\n  hint: did you mean \"sum\"?");
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: sum(revenu)"),
            "repo.yaml:37:21: unknown column \"revenu\" in source transactions\n  hint: did you "
            "mean \"revenue\"?")
      << "the dataset's columns are known by name";
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: sum(invoice_no)"),
            "repo.yaml:37:17: \"sum\" takes numbers, not varchar\n  hint: cast it, as in "
            "sum(cast(x as double))");
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: sum(customer_id, 2)"),
            "repo.yaml:37:17: \"sum\" takes 1 argument, not 2");
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: sum(max(customer_id))"),
            "repo.yaml:37:21: the aggregate \"max\" inside an aggregate lacks its \"per\"\n  "
            "hint: an aggregate of aggregates groups rows by keys: avg(sum(x) per key)");
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: customer_id"),
            "repo.yaml:37:17: the feature \"monetary\" has no aggregate: expected one value for "
            "each key and time\n  hint: write an aggregate such as last(customer_id)");
  EXPECT_EQ(UndeclaredError("where: not is_cancellation", "where: upper(customer_id)"),
            "repo.yaml:33:12: expected a condition as \"where\" of the feature view "
            "\"customer_rfm_features\", got varchar");
  EXPECT_EQ(UndeclaredError("customer_id: CustomerID", "customer_id: lenght(CustomerID)"),
            "repo.yaml:12:20: unknown function \"lenght\"\n  hint: did you mean \"length\"?");
  EXPECT_EQ(UndeclaredError("customer_id: CustomerID", "customer_id: length(CustomerID, 2)"),
            "repo.yaml:12:20: no function length(unknown, integer)\n  hint: it takes "
            "length(varchar)");
  EXPECT_EQ(UndeclaredError("timestamp_field: invoice_date", "timestamp_field: invoice_no"),
            "repo.yaml:22:12: source \"transactions\": timestamp_field \"invoice_no\" is of type "
            "varchar, expected timestamp or date");
  EXPECT_EQ(UndeclaredError("default: 0", "default: many"),
            "repo.yaml:53:18: the default is no literal: unknown column \"many\"");
  EXPECT_EQ(UndeclaredError("monetary: sum(revenue)", "monetary: mode(stock_code)"),
            "repo.yaml:67:11: model \"purchase_propensity\": the feature \"monetary\" of "
            "\"customer_rfm_features\" is of type varchar, expected a number or a boolean\n"
            "  hint: leave it out of the feature service, or make a number of it");
}

TEST(BrokenDefinitions, AreFoundByTheHeadersOfRawFiles) {
  using arrow::field;
  const auto& unknown = expression::UnknownType();
  const arrow::FieldVector declared = {field("InvoiceNo", unknown), field("StockCode", unknown),
                                       field("Quantity", unknown), field("UnitPrice", unknown),
                                       field("InvoiceDate", unknown)};
  const auto with = [&](const std::string& column) {
    arrow::FieldVector fields = declared;
    fields.push_back(field(column, unknown));
    return Schemas{{"data/online_retail.xlsx", arrow::schema(std::move(fields))}};
  };
  const std::string description = "description: Retail customer";
  EXPECT_EQ(UndeclaredError(description, description, with("CustomerID")), "no error");
  EXPECT_EQ(UndeclaredError(description, description, with("CustomrID")),
            "repo.yaml:10:12: unknown column \"CustomerID\" in the raw columns of dataset "
            "transactions\n  hint: did you mean \"CustomrID\"?\n"
            "repo.yaml:12:20: unknown column \"CustomerID\" in the raw columns of dataset "
            "transactions\n  hint: did you mean \"CustomrID\"?");
  const Schemas other = {{"data/online_retail.xlsx", arrow::schema({field("a", unknown)})}};
  EXPECT_EQ(UndeclaredError(description, description, other), "no error")
      << "files that lack a declared column are for ingest to refuse";
}

TEST(BrokenDefinitions, OfASpineOfLabels) {
  const auto spine_error = [](const arrow::FieldVector& fields) {
    Schemas files = LogisticsFiles();
    files["data/orders.csv"] = arrow::schema(fields);
    const auto bound = ValidateText(
        Replaced(kLogistics, "{spine: data/orders.parquet", "{spine: data/orders.csv"), files);
    return bound.ok() ? "no error" : RenderError(bound.status());
  };
  const auto& unknown = expression::UnknownType();
  const auto depot = arrow::field("depot", unknown), origin = arrow::field("origin", unknown),
             target = arrow::field("target", unknown), time = arrow::field("asked_at", unknown);
  EXPECT_EQ(spine_error({depot, origin, target, time}), "no error");
  EXPECT_EQ(spine_error({depot, arrow::field("orign", unknown), target, time}),
            "repo.yaml:41:11: the spine data/orders.csv of labels \"late\" has no column "
            "\"origin\", a join key of its entities\n  hint: did you mean \"orign\"?");
  EXPECT_EQ(spine_error({depot, origin, target}),
            "repo.yaml:41:11: the spine data/orders.csv of labels \"late\" has no column "
            "\"asked_at\", the time of its rows\n  hint: columns are depot, origin, target");
}

TEST(BrokenDefinitions, PlacesAnErrorInABlockOfSeveralLines) {
  EXPECT_TRUE(
      LogisticsError("distance_km > 0 ", "distanc_km > 0 ").starts_with("repo.yaml:21:13: "))
      << LogisticsError("distance_km > 0 ", "distanc_km > 0 ");
}

TEST(BrokenDefinitions, PrintsTheWayOfACycle) {
  const auto bound = ValidateText(R"(
entities: [k]
sources: [{name: s, path: s.parquet, timestamp_field: t}]
snapshots: [{name: g, source: s, first: start, last: end, every: 1d}]
feature_views:
  - {name: reader, entities: [k], source: a, snapshots: g, window: 1d, features: {y: sum(x)}}
  - {name: a, entities: [k], source: b, snapshots: g, window: 1d, features: {x: count(*)}}
  - {name: b, entities: [k], source: a, snapshots: g, window: 1d, features: {x: count(*)}}
)");
  EXPECT_EQ(RenderError(bound.status()),
            "repo.yaml:7:38: feature views read one another in a cycle: a -> b -> a");
}

TEST(BrokenDefinitions, TwoDatasetsWriteOnePath) {
  const auto bound = ValidateText(
      "datasets:\n  - {name: a, from: x.csv, to: data/./o.parquet}\n"
      "  - {name: b, from: y.csv, to: data/o.parquet}\n");
  EXPECT_EQ(RenderError(bound.status()),
            "repo.yaml:3:12: the datasets \"a\" and \"b\" both write data/o.parquet, first at "
            "repo.yaml:2:12");
}

}  // namespace
}  // namespace viand::definition
