#include "src/engine/arrange_stage.h"

#include <arrow/type.h>

#include <algorithm>
#include <numeric>

namespace viand::engine {
namespace {

/// Rows that are looked at for each part before it is chosen where parts begin.
constexpr int64_t kSampledRows = 64;
constexpr int64_t kLeastSampledRows = 16;

class ArrangeStage {
 public:
  ArrangeStage(const Arrangement& arrangement, const ExecuteOptions& options)
      : arrangement_(arrangement), options_(options) {}

  arrow::Result<PartitionInputs> Run(const PartitionInputs& tables) {
    PartitionInputs rows = WithRows(tables);
    if (PartsOf(rows) > 1) {
      VIAND_ASSIGN_OR_RETURN(rows, OrderEach(std::move(rows)));
      ordered_ = true;
    }
    const int parts = PartsOf(rows);
    std::vector<PartitionInputs> cut = {std::move(rows)};
    if (parts > 1) {
      VIAND_ASSIGN_OR_RETURN(cut, Cut(std::move(cut[0]), parts));
    }
    std::vector<FragmentCall> calls;
    for (PartitionInputs& part : cut) {
      if (part.empty() && !(calls.empty() && &part == &cut.back())) continue;
      calls.push_back({LastFragment(), std::move(part)});
    }
    return RunStage(std::move(calls));
  }

 private:
  static PartitionInputs WithRows(const PartitionInputs& tables) {
    PartitionInputs some;
    for (const TableReference& table : tables) {
      if (table->rows() > 0) some.push_back(table);
    }
    return some;
  }

  int PartsOf(const PartitionInputs& tables) const {
    const int64_t rows = RowsOf(tables);
    if (rows == 0) return 1;
    return ChoosePartitionCount({rows, rows * RowBytes(*arrangement_.columns)}, options_);
  }

  /// The outputs of fragments that have one each.
  arrow::Result<PartitionInputs> RunStage(std::vector<FragmentCall> calls) const {
    VIAND_ASSIGN_OR_RETURN(auto outputs, RunCalls(std::move(calls)));
    PartitionInputs tables;
    for (auto& of_call : outputs) tables.push_back(std::move(of_call[0]));
    return tables;
  }

  arrow::Result<std::vector<std::vector<TableReference>>> RunCalls(
      std::vector<FragmentCall> calls) const {
    return options_.executor->RunStage("order " + arrangement_.described_as, std::move(calls),
                                       options_.progress, nullptr);
  }

  ArrangeFragment EachFragment() const {
    ArrangeFragment fragment;
    // Once it was chosen it is what it is.
    if (!ordered_) fragment.chosen = arrangement_.chosen;
    fragment.columns = arrangement_.columns;
    fragment.order = arrangement_.order;
    fragment.distinct = arrangement_.distinct;
    return fragment;
  }

  ArrangeFragment LastFragment() const {
    ArrangeFragment fragment = EachFragment();
    fragment.dropped = arrangement_.dropped;
    fragment.time_us = arrangement_.time_us;
    fragment.time_name = arrangement_.time_name;
    return fragment;
  }

  arrow::Result<PartitionInputs> OrderEach(PartitionInputs tables) const {
    std::vector<FragmentCall> calls;
    for (TableReference& table : tables) calls.push_back({EachFragment(), {std::move(table)}});
    return RunStage(std::move(calls));
  }

  /// The rows of `tables`, each in order, by the part that they are in.
  arrow::Result<std::vector<PartitionInputs>> Cut(PartitionInputs tables, int parts) const {
    VIAND_ASSIGN_OR_RETURN(const TableReference begins, Begins(tables, parts));
    ArrangeFragment fragment;
    fragment.order = arrangement_.order;
    fragment.parts = parts;
    std::vector<FragmentCall> calls;
    for (TableReference& table : tables) calls.push_back({fragment, {std::move(table), begins}});
    VIAND_ASSIGN_OR_RETURN(auto outputs, RunCalls(std::move(calls)));
    std::vector<PartitionInputs> cut(static_cast<size_t>(parts));
    for (auto& of_table : outputs) {
      for (size_t part = 0; part < cut.size(); ++part) {
        if (of_table[part]->rows() > 0) cut[part].push_back(std::move(of_table[part]));
      }
    }
    return cut;
  }

  /// A table of the rows at which parts of one size would begin, were all rows like a sample.
  arrow::Result<TableReference> Begins(const PartitionInputs& tables, int parts) const {
    const int64_t all = RowsOf(tables);
    std::vector<FragmentCall> calls;
    for (const TableReference& table : tables) {
      ArrangeFragment sample;
      sample.chosen = arrangement_.order;
      // By the rows that it has of all.
      sample.most_rows = std::max(
          kLeastSampledRows,
          static_cast<int64_t>(static_cast<double>(table->rows()) / static_cast<double>(all) *
                               static_cast<double>(parts * kSampledRows)));
      calls.push_back({std::move(sample), {table}});
    }
    VIAND_ASSIGN_OR_RETURN(PartitionInputs samples, RunStage(std::move(calls)));
    ArrangeFragment choice;
    choice.order.resize(arrangement_.order.size());
    std::iota(choice.order.begin(), choice.order.end(), 0);
    choice.most_rows = parts;
    VIAND_ASSIGN_OR_RETURN(const PartitionInputs begins,
                           RunStage({{std::move(choice), std::move(samples)}}));
    return begins[0];
  }

  const Arrangement& arrangement_;
  const ExecuteOptions& options_;
  bool ordered_ = false;  // each table by itself
};

}  // namespace

arrow::Result<PartitionInputs> RunArrangeStage(const PartitionInputs& tables,
                                               const Arrangement& arrangement,
                                               const ExecuteOptions& options) {
  return ArrangeStage(arrangement, options).Run(tables);
}

}  // namespace viand::engine
