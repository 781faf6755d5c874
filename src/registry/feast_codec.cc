#include "src/registry/feast_codec.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "feast/core/project.pb.h"
#include "src/common/time.h"

namespace viand::registry {
namespace {

using google::protobuf::Message;
using google::protobuf::Timestamp;

std::unique_ptr<Message> NewMessage(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kProject:
      return std::make_unique<feast::core::Project>();
    case ObjectKind::kEntity:
      return std::make_unique<feast::core::Entity>();
    case ObjectKind::kDataSource:
      return std::make_unique<feast::core::DataSource>();
    case ObjectKind::kFeatureView:
      return std::make_unique<feast::core::FeatureView>();
    case ObjectKind::kFeatureService:
      return std::make_unique<feast::core::FeatureService>();
    default:
      return nullptr;
  }
}

using Tags = google::protobuf::Map<std::string, std::string>;

const Tags* TagsOf(ObjectKind kind, const Message& message) {
  switch (kind) {
    case ObjectKind::kProject:
      return &static_cast<const feast::core::Project&>(message).spec().tags();
    case ObjectKind::kEntity:
      return &static_cast<const feast::core::Entity&>(message).spec().tags();
    case ObjectKind::kDataSource:
      return &static_cast<const feast::core::DataSource&>(message).tags();
    case ObjectKind::kFeatureView:
      return &static_cast<const feast::core::FeatureView&>(message).spec().tags();
    case ObjectKind::kFeatureService:
      return &static_cast<const feast::core::FeatureService&>(message).spec().tags();
    default:
      return nullptr;
  }
}

}  // namespace

bool HasMessage(ObjectKind kind) { return NewMessage(kind) != nullptr; }

arrow::Result<std::unique_ptr<Message>> ParseMessage(ObjectKind kind, const std::string& name,
                                                     const std::string& content) {
  std::unique_ptr<Message> message = NewMessage(kind);
  if (message == nullptr || ParseBytes(content, message.get())) return message;
  return MakeError(
      ErrorKind::kInput,
      fmt::format("the registry's {} \"{}\" is damaged: its {} bytes are no {} message",
                  KindName(kind), name, content.size(), message->GetTypeName()),
      "delete its row, or restore the registry from a copy");
}

bool ParseBytes(const std::string& bytes, Message* message) {
  // Protobuf prints what it finds wrong; errors are ours to tell.
  [[maybe_unused]] static const auto logged = google::protobuf::SetLogHandler(nullptr);
  return message->ParseFromString(bytes);
}

std::string SerializeMessage(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string TagOf(ObjectKind kind, const Message& message, const std::string& tag) {
  const Tags* tags = TagsOf(kind, message);
  if (tags == nullptr) return "";
  const auto found = tags->find(tag);
  return found == tags->end() ? "" : found->second;
}

StoredTimes TimesOf(const StoredObject& object) {
  StoredTimes times;
  const auto parsed = ParseMessage(object.kind, object.name, object.content);
  if (!parsed.ok() || *parsed == nullptr) return times;
  const Message& message = **parsed;
  const auto* meta_field = message.GetDescriptor()->FindFieldByName("meta");
  const Message& meta = message.GetReflection()->GetMessage(message, meta_field);
  const auto time_of = [&](const char* name) {
    const auto* field = meta.GetDescriptor()->FindFieldByName(name);
    const auto& time = static_cast<const Timestamp&>(meta.GetReflection()->GetMessage(meta, field));
    return time.seconds() * kMicrosPerSecond + time.nanos() / 1000;
  };
  times.created_us = time_of("created_timestamp");
  times.updated_us = time_of("last_updated_timestamp");
  return times;
}

void StampTimes(int64_t now_us, Message* message) {
  // Every kind has the two fields in a submessage `meta`, under the same names.
  const auto* meta_field = message->GetDescriptor()->FindFieldByName("meta");
  Message* meta = message->GetReflection()->MutableMessage(message, meta_field);
  for (const char* name : {"created_timestamp", "last_updated_timestamp"}) {
    const auto* field = meta->GetDescriptor()->FindFieldByName(name);
    const bool created = std::string_view(name) == "created_timestamp";
    if (created && meta->GetReflection()->HasField(*meta, field)) continue;
    auto* time = static_cast<Timestamp*>(meta->GetReflection()->MutableMessage(meta, field));
    time->set_seconds(now_us / kMicrosPerSecond);
    time->set_nanos(static_cast<int32_t>(now_us % kMicrosPerSecond * 1000));
  }
}

}  // namespace viand::registry
