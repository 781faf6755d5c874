#include "src/common/sha256.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace viand {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256::UpdateField(std::string_view text) {
  const uint64_t size = text.size();
  Update({reinterpret_cast<const char*>(&size), sizeof(size)});
  Update(text);
}

std::string Sha256::HexDigest() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
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
