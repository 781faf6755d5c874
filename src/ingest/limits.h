// Limits of the readers. Every one is enforced with an error that states it.
#pragma once

#include <cstdint>

namespace viand::ingest {

/// Rows and columns of a sheet: Excel's own limits.
inline constexpr int64_t kMaxSheetRows = 1'048'576;
inline constexpr int64_t kMaxSheetColumns = 16'384;
/// One part of a workbook after decompression: a full sheet of long inline texts stays below it.
inline constexpr int64_t kMaxPartBytes = int64_t{16} << 30;
/// Decompressed bytes for each compressed one. DEFLATE can reach 1032; the emptiest real sheets
/// stay near 100.
inline constexpr int64_t kMaxCompressionRatio = 400;
/// The ratio is judged only beyond this size: a small part does no harm.
inline constexpr int64_t kRatioFreeBytes = int64_t{64} << 20;
/// workbook.xml, styles.xml and relations are held in memory whole.
inline constexpr int64_t kMaxSmallPartBytes = int64_t{64} << 20;
/// Shared strings are held in memory and addressed by 32 bits.
inline constexpr int64_t kMaxSharedStringsBytes = (int64_t{4} << 30) - 1;
/// One row (or record, or line) of any text format.
inline constexpr int64_t kMaxRowBytes = int64_t{64} << 20;
/// Objects within objects of a JSON line.
inline constexpr int kMaxJsonDepth = 64;
/// Bytes that are scanned at a time: large enough to hide the cost of a batch, small enough for the
/// second-level cache and to keep several in flight.
inline constexpr int64_t kChunkBytes = int64_t{1} << 20;
/// Readable zero bytes behind every chunk, so that scanners may look ahead without a bounds check.
inline constexpr int64_t kChunkPadding = 64;

}  // namespace viand::ingest
