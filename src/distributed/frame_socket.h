// Messages with a cluster's driver (docs/formats/ray.md): a header of JSON and bytes behind it,
// over a stream socket.
//
//   FrameSocket socket(descriptor);
//   socket.Send({{"fetch", 7}}, nullptr);
//   VIAND_ASSIGN_OR_RETURN(auto frame, socket.Receive());
//
// Send is thread-safe, Receive is for one thread; Shut may be called by any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "src/common/error.h"

namespace arrow {
class Buffer;
}

namespace viand::distributed {

struct Frame {
  nlohmann::json header;  ///< an object
  std::shared_ptr<arrow::Buffer> payload;
};

class FrameSocket {
 public:
  /// Takes the descriptor over.
  explicit FrameSocket(int descriptor) : descriptor_(descriptor) {}
  ~FrameSocket();
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  /// Sends a message; `payload` may be null. kEnvironment where the other side is gone.
  arrow::Status Send(const nlohmann::json& header, const arrow::Buffer* payload);

  /// Waits for the next message; nothing where the other side has closed. Bytes that are no message
  /// are kInput.
  arrow::Result<std::optional<Frame>> Receive();

  /// Ends every Send and Receive, now and later.
  void Shut();

 private:
  arrow::Status SendBytes(const void* bytes, int64_t size);
  /// False where the other side closed before the first byte.
  arrow::Result<bool> ReceiveBytes(void* bytes, int64_t size);

  const int descriptor_;
  std::mutex sending_;
};

}  // namespace viand::distributed
