// SHA-256 of bytes, texts and files: the identity of inputs, definitions and registry objects.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand {

/// Hashes a stream of bytes. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(std::string_view bytes);
  /// Adds a text with its length in front, so that ("ab","c") and ("a","bc") differ.
  void UpdateField(std::string_view text);
  /// Returns 64 hex digits and ends the stream.
  std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns the hash of `bytes` as 64 hex digits.
std::string Sha256Hex(std::string_view bytes);

/// Returns the hash of a file's content as 64 hex digits; fails where it cannot be read.
arrow::Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace viand
