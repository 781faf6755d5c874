#include "src/engine/schema_message.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/engine/coded_array.h"
#include "src/engine/plain_array.h"

namespace viand::engine {

arrow::Status DamagedFragment(std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("damaged fragment message: {}", what),
                   "it must come from the same version of viand");
}

arrow::Result<flatbuffers::Offset<Bytes>> WriteSchema(flatbuffers::FlatBufferBuilder* builder,
                                                      const arrow::Schema& schema) {
  VIAND_ASSIGN_OR_RETURN(auto buffer, arrow::ipc::SerializeSchema(schema));
  return builder->CreateVector(buffer->data(), buffer->size());
}

arrow::Result<std::shared_ptr<arrow::Schema>> ReadAnySchema(const Bytes* bytes) {
  if (bytes == nullptr) return DamagedFragment("no schema");
  arrow::io::BufferReader stream(
      std::make_shared<arrow::Buffer>(bytes->data(), static_cast<int64_t>(bytes->size())));
  arrow::ipc::DictionaryMemo memo;
  auto schema = arrow::ipc::ReadSchema(&stream, &memo);
  if (!schema.ok()) return DamagedFragment(schema.status().message());
  return schema;
}

arrow::Result<std::shared_ptr<arrow::Schema>> ReadSchema(const Bytes* bytes) {
  VIAND_ASSIGN_OR_RETURN(auto schema, ReadAnySchema(bytes));
  for (const auto& field : schema->fields()) {
    const arrow::DataType& type = *field->type();
    if (!PlainType(field->type())->Equals(type) && !CodedType(arrow::utf8())->Equals(type)) {
      return DamagedFragment(
          fmt::format("column \"{}\" is neither plain nor coded", field->name()));
    }
  }
  return schema;
}

}  // namespace viand::engine
