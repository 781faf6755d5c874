#include "src/distributed/frame_socket.h"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "src/common/block_pool.h"

namespace viand::distributed {
namespace {

/// What stands before a header: its bytes and those of the payload, the lowest byte first.
struct Lengths {
  uint32_t header = 0;
  uint32_t reserved = 0;
  uint64_t payload = 0;
};
static_assert(sizeof(Lengths) == 16);

/// Beyond any that a driver sends: a stream that is none of ours ends here, not in memory.
constexpr uint32_t kMostHeaderBytes = 64 << 20;
constexpr uint64_t kMostPayloadBytes = uint64_t{1} << 40;
/// A system call takes no more at once.
constexpr int64_t kMostAtOnce = int64_t{1} << 30;

arrow::Status NotAMessage() {
  return MakeError(ErrorKind::kInput, "the cluster's driver sent what is no message",
                   "the driver and viand must be of the same version");
}

}  // namespace

FrameSocket::~FrameSocket() { ::close(descriptor_); }

void FrameSocket::Shut() { ::shutdown(descriptor_, SHUT_RDWR); }

arrow::Status FrameSocket::SendBytes(const void* bytes, int64_t size) {
  const auto* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = ::send(descriptor_, next, std::min(size, kMostAtOnce), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      return MakeError(ErrorKind::kEnvironment,
                       fmt::format("the cluster's driver is gone: {}", std::strerror(errno)));
    }
    next += sent;
    size -= sent;
  }
  return arrow::Status::OK();
}

arrow::Status FrameSocket::Send(const nlohmann::json& header, const arrow::Buffer* payload) {
  const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const Lengths lengths{.header = static_cast<uint32_t>(text.size()),
                        .payload = payload == nullptr ? 0 : static_cast<uint64_t>(payload->size())};
  const std::lock_guard lock(sending_);
  VIAND_RETURN_NOT_OK(SendBytes(&lengths, sizeof(lengths)));
  VIAND_RETURN_NOT_OK(SendBytes(text.data(), static_cast<int64_t>(text.size())));
  return payload == nullptr ? arrow::Status::OK() : SendBytes(payload->data(), payload->size());
}

arrow::Result<bool> FrameSocket::ReceiveBytes(void* bytes, int64_t size) {
  auto* next = static_cast<char*>(bytes);
  const int64_t asked = size;
  while (size > 0) {
    const ssize_t count = ::recv(descriptor_, next, std::min(size, kMostAtOnce), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 && size == asked) return false;
    if (count <= 0) return MakeError(ErrorKind::kEnvironment, "the cluster's driver broke off");
    next += count;
    size -= count;
  }
  return true;
}

arrow::Result<std::optional<Frame>> FrameSocket::Receive() {
  Lengths lengths;
  VIAND_ASSIGN_OR_RETURN(const bool any, ReceiveBytes(&lengths, sizeof(lengths)));
  if (!any) return std::nullopt;
  if (lengths.header > kMostHeaderBytes || lengths.payload > kMostPayloadBytes)
    return NotAMessage();
  std::string text(lengths.header, '\0');
  VIAND_ASSIGN_OR_RETURN(const bool whole, ReceiveBytes(text.data(), lengths.header));
  Frame frame{.header = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false)};
  if (!whole || !frame.header.is_object()) return NotAMessage();
  VIAND_ASSIGN_OR_RETURN(
      frame.payload, arrow::AllocateBuffer(static_cast<int64_t>(lengths.payload), ProcessPool()));
  VIAND_ASSIGN_OR_RETURN(const bool all, ReceiveBytes(frame.payload->mutable_data(),
                                                      static_cast<int64_t>(lengths.payload)));
  if (!all) return NotAMessage();
  return frame;
}

}  // namespace viand::distributed
