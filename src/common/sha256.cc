// The functions below do without OpenSSL's providers, whose loading takes 4 ms of every start.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "src/common/sha256.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace viand {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

void Sha256::UpdateField(std::string_view text) {
  const uint64_t size = text.size();
  Update({reinterpret_cast<const char*>(&size), sizeof(size)});
  Update(text);
}

std::string Sha256::HexDigest() {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_Final(digest, &state_->context);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * sizeof(digest));
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

arrow::Result<std::string> Sha256OfFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  ssize_t count = 0;
  while ((count = read(fd, buffer.data(), buffer.size())) > 0) {
    hash.Update({buffer.data(), static_cast<size_t>(count)});
  }
  const int error = errno;
  close(fd);
  if (count < 0) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot read {}: {}", path, std::strerror(error)));
  }
  return hash.HexDigest();
}

}  // namespace viand
