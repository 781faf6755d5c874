// Streaming decompression of DEFLATE (a zip's parts) and gzip by ISA-L, which is three times as
// fast as zlib (0.08 s against 0.27 s for the 159 MB of a sheet). Sizes, checksum and compression
// ratio are checked on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/ingest/byte_stream.h"

namespace viand::ingest {

/// What a zip's directory says of a part.
struct DeflateExpectation {
  std::string name;  ///< for errors: "book.xlsx: xl/workbook.xml"
  int64_t size_bytes = 0;
  uint32_t crc = 0;
};

/// Decompresses raw DEFLATE. Damage, another size or checksum than expected: kInput.
std::unique_ptr<ByteStream> MakeInflateStream(std::string_view compressed,
                                              std::shared_ptr<const void> owner,
                                              DeflateExpectation expectation);

/// Passes stored bytes on, checking size and checksum alike.
std::unique_ptr<ByteStream> MakeStoredStream(std::string_view bytes,
                                             std::shared_ptr<const void> owner,
                                             DeflateExpectation expectation);

/// Decompresses gzip, members one after another; `name` is for errors.
std::unique_ptr<ByteStream> MakeGzipStream(std::string_view compressed,
                                           std::shared_ptr<const void> owner, std::string name);

/// Fails where `size_bytes` out of `compressed_bytes` is beyond the limits of limits.h: a zip bomb.
arrow::Status CheckExpansion(const std::string& name, int64_t compressed_bytes, int64_t size_bytes);

}  // namespace viand::ingest
