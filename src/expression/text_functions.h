// Functions on text, as plain functions of values. Positions count Unicode code points from 1, as
// in DuckDB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/expression/function_table.h"

namespace viand::expression {

int64_t LengthOf(std::string_view text);
int64_t BytesOf(std::string_view text);
std::string_view Substring(std::string_view text, int64_t start);
std::string_view SubstringOf(std::string_view text, int64_t start, int64_t length);
std::string_view LeftOf(std::string_view text, int64_t count);
std::string_view RightOf(std::string_view text, int64_t count);
std::string_view Trim(std::string_view text);
std::string_view TrimLeft(std::string_view text);
std::string_view TrimRight(std::string_view text);
std::string_view TrimOf(std::string_view text, std::string_view letters);
std::string_view TrimLeftOf(std::string_view text, std::string_view letters);
std::string_view TrimRightOf(std::string_view text, std::string_view letters);
bool StartsWith(std::string_view text, std::string_view prefix);
bool EndsWith(std::string_view text, std::string_view suffix);
bool Contains(std::string_view text, std::string_view part);
int64_t PositionOf(std::string_view text, std::string_view part);  ///< 0: not found
arrow::Result<std::string> Replace(std::string_view text, std::string_view part,
                                   std::string_view by);
std::string_view SplitPart(std::string_view text, std::string_view separator, int64_t index);
std::string Reverse(std::string_view text);
arrow::Result<std::string> PadLeft(std::string_view text, int64_t length, std::string_view fill);
arrow::Result<std::string> PadRight(std::string_view text, int64_t length, std::string_view fill);
arrow::Result<std::string> Repeat(std::string_view text, int64_t count);
int64_t FirstCodePoint(std::string_view text);
arrow::Result<std::string> OfCodePoint(int64_t code);
std::string Sha256Text(std::string_view text);

/// LIKE: % is any run, _ any one code point; an escape (one byte; empty for none) takes the next
/// letter as it is.
bool Like(std::string_view text, std::string_view pattern);
arrow::Result<bool> LikeWithEscape(std::string_view text, std::string_view pattern,
                                   std::string_view escape);
arrow::Result<bool> ILikeWithEscape(std::string_view text, std::string_view pattern,
                                    std::string_view escape);

/// Lower and upper case by Arrow's kernels (Unicode, one code point to one).
arrow::Result<std::string> Lower(std::string_view text);
arrow::Result<std::string> Upper(std::string_view text);
arrow::Result<arrow::Datum> LowerBatch(const BatchCall& call);
arrow::Result<arrow::Datum> UpperBatch(const BatchCall& call);

arrow::Result<arrow::Datum> ILikeBatch(const BatchCall& call);
arrow::Result<Value> ILikeRow(const Expression& call, std::span<const Value> args);

/// regexp_matches: RE2 through Arrow's kernel; the pattern is a literal.
arrow::Result<arrow::Datum> RegexpBatch(const BatchCall& call);
arrow::Result<Value> RegexpRow(const Expression& call, std::span<const Value> args);

/// || (a null makes null), and concat (nulls are left out).
arrow::Result<std::string> Concatenate(std::string_view a, std::string_view b);
arrow::Result<arrow::Datum> ConcatBatch(const BatchCall& call);
arrow::Result<Value> ConcatRow(const Expression& call, std::span<const Value> args);

}  // namespace viand::expression
