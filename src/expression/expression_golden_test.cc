// What DuckDB says of some thousands of constant expressions: tests/oracles/duckdb_expressions.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "src/expression/expression_fixture.h"

namespace viand::expression {
namespace {

TEST(Golden, AgreesWithDuckDb) {
  std::ifstream file(VIAND_SOURCE_DIR "/tests/oracles/duckdb_expressions.tsv");
  ASSERT_TRUE(file.is_open());
  std::string line;
  int count = 0, differing = 0;
  while (std::getline(file, line)) {
    const size_t tab = line.find('\t');
    const std::string expected = line.substr(tab + 1);
    std::string actual = EvaluateText(line.substr(0, tab));
    ++count;
    if (expected == "ERROR" && actual.starts_with("error: ")) continue;
    if (actual != expected && ++differing <= 400) {
      ADD_FAILURE() << line.substr(0, tab) << "\n  duckdb: " << expected
                    << "\n  viand:  " << actual;
    }
  }
  EXPECT_GT(count, 5000);
  EXPECT_EQ(differing, 0);
}

}  // namespace
}  // namespace viand::expression
