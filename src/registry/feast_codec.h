// Stored protobuf <-> messages, for the kinds of Feast that viand writes: projects, entities, data
// sources, feature views, feature services. The other kinds stay bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "src/registry/registry.h"

namespace google::protobuf {
class Message;
}

namespace viand::registry {

/// Whether viand reads and writes the insides of this kind.
bool HasMessage(ObjectKind kind);

/// Parses a stored object; null where HasMessage is false; kInput names the object whose bytes are
/// damaged.
arrow::Result<std::unique_ptr<google::protobuf::Message>> ParseMessage(ObjectKind kind,
                                                                       const std::string& name,
                                                                       const std::string& content);

/// Parses bytes into the message; false where they are none of it. Quiet, unlike protobuf.
bool ParseBytes(const std::string& bytes, google::protobuf::Message* message);

/// Serializes with map keys in order, so that equal messages have equal bytes.
std::string SerializeMessage(const google::protobuf::Message& message);

/// Value of a tag; empty where it is not set.
std::string TagOf(ObjectKind kind, const google::protobuf::Message& message,
                  const std::string& tag);

/// When a stored object was first and last written; 0 where nothing says so.
struct StoredTimes {
  int64_t created_us = 0;
  int64_t updated_us = 0;
};

/// Tells the times of an object of a kind with a message; of any other, none.
StoredTimes TimesOf(const StoredObject& object);

/// Sets last_updated_timestamp, and created_timestamp where it is not set yet.
void StampTimes(int64_t now_us, google::protobuf::Message* message);

}  // namespace viand::registry
