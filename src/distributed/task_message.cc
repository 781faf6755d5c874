#include "src/distributed/task_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plan_generated.h"
#include "src/engine/fragment_message.h"
#include "src/engine/message_numbers.h"

namespace viand::distributed {
namespace {

namespace message = engine::message;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

/// Kinds by their number in messages: never change.
constexpr std::array kKinds = {
    ErrorKind::kUsage,     ErrorKind::kDefinition,  ErrorKind::kInput,    ErrorKind::kConflict,
    ErrorKind::kCancelled, ErrorKind::kEnvironment, ErrorKind::kNotFound, ErrorKind::kRegistry};

int8_t NumberOf(ErrorKind kind) {
  return static_cast<int8_t>(std::find(kKinds.begin(), kKinds.end(), kind) - kKinds.begin());
}

arrow::Status Damaged(std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("damaged {}", what),
                   "it must come from the same version of viand");
}

std::string Bytes(const FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::string ReadText(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

/// A message in memory as aligned as it was written, verified before it is read.
template <typename Message>
class Verified {
 public:
  explicit Verified(std::string_view bytes) : words_(bytes.size() / sizeof(uint64_t) + 1) {
    auto* data = reinterpret_cast<uint8_t*>(words_.data());
    std::copy(bytes.begin(), bytes.end(), data);
    flatbuffers::Verifier verifier(data, bytes.size());
    if (verifier.VerifyBuffer<Message>(nullptr)) message_ = flatbuffers::GetRoot<Message>(data);
  }
  /// Null where the bytes are damaged.
  const Message* get() const { return message_; }

 private:
  std::vector<uint64_t> words_;
  const Message* message_ = nullptr;
};

std::vector<std::string> ReadPaths(const flatbuffers::Vector<Offset<flatbuffers::String>>* paths) {
  std::vector<std::string> result;
  if (paths == nullptr) return result;
  for (const auto* path : *paths) result.push_back(path->str());
  return result;
}

Offset<message::Error> Write(FlatBufferBuilder* builder, const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  const auto text = builder->CreateString(status.message());
  const auto hint = builder->CreateString(detail == nullptr ? "" : detail->hint);
  const auto file = builder->CreateString(detail == nullptr ? "" : detail->where.file);
  return message::CreateError(*builder, static_cast<int8_t>(status.code()), detail != nullptr,
                              detail == nullptr ? 0 : NumberOf(detail->kind), text, hint, file,
                              detail == nullptr ? 0 : detail->where.line,
                              detail == nullptr ? 0 : detail->where.column);
}

Offset<message::Counters> Write(FlatBufferBuilder* builder,
                                const engine::FragmentCounters& counters) {
  std::vector<Offset<message::HeavyKey>> keys;
  for (const engine::HeavyKey& heavy : counters.heaviest) {
    const auto key = builder->CreateString(heavy.key);
    keys.push_back(message::CreateHeavyKey(*builder, key, heavy.rows));
  }
  const auto heaviest = builder->CreateVector(keys);
  return message::CreateCounters(*builder, counters.rows_in, counters.rows_out, counters.bytes_out,
                                 counters.spilled_bytes, counters.run_us, heaviest,
                                 counters.sent_bytes);
}

engine::FragmentCounters Read(const message::Counters& counters) {
  engine::FragmentCounters result{.rows_in = counters.rows_in(),
                                  .rows_out = counters.rows_out(),
                                  .bytes_out = counters.bytes_out(),
                                  .spilled_bytes = counters.spilled_bytes(),
                                  .run_us = counters.run_us(),
                                  .sent_bytes = counters.sent_bytes()};
  if (counters.heaviest() != nullptr) {
    for (const auto* heavy : *counters.heaviest())
      result.heaviest.push_back({ReadText(heavy->key()), heavy->rows()});
  }
  return result;
}

arrow::Status Read(const message::Error& error) {
  std::string text = ReadText(error.message());
  if (error.has_detail() && error.kind() >= 0 &&
      static_cast<size_t>(error.kind()) < kKinds.size()) {
    const SourceLocation where{ReadText(error.file()), error.line(), error.column()};
    return ErrorAt(where, kKinds[error.kind()], std::move(text), ReadText(error.hint()));
  }
  // A status of Arrow's own; OK would be no error, so a zero is taken for an unknown one.
  const auto code = error.code() == 0 ? arrow::StatusCode::UnknownError
                                      : static_cast<arrow::StatusCode>(error.code());
  return arrow::Status(code, text);
}

}  // namespace

arrow::Result<std::string> SerializeTask(const Task& task) {
  VIAND_ASSIGN_OR_RETURN(const std::string fragment, engine::SerializeFragment(task.fragment));
  FlatBufferBuilder builder;
  const auto nested =
      builder.CreateVector(reinterpret_cast<const uint8_t*>(fragment.data()), fragment.size());
  const auto inputs = builder.CreateVectorOfStrings(task.inputs);
  builder.Finish(message::CreateTask(builder, nested, inputs, task.count, task.memory_bytes));
  return Bytes(builder);
}

arrow::Result<Task> ParseTask(std::string_view bytes) {
  const Verified<message::Task> task(bytes);
  if (task.get() == nullptr || task.get()->fragment() == nullptr) return Damaged("task message");
  const auto* nested = task.get()->fragment();
  Task result;
  VIAND_ASSIGN_OR_RETURN(result.fragment,
                         engine::ParseFragment(std::string_view(
                             reinterpret_cast<const char*>(nested->data()), nested->size())));
  result.inputs = ReadPaths(task.get()->inputs());
  result.count = task.get()->count();
  result.memory_bytes = task.get()->memory_bytes();
  return result;
}

std::string SerializeResult(const TaskResult& result) {
  FlatBufferBuilder builder;
  std::vector<std::string> paths;
  std::vector<int64_t> rows, bytes;
  for (const TaskOutput& output : result.outputs) {
    paths.push_back(output.path);
    rows.push_back(output.rows);
    bytes.push_back(output.bytes);
  }
  const auto outputs = builder.CreateVectorOfStrings(paths);
  const auto output_rows = builder.CreateVector(rows);
  const auto output_bytes = builder.CreateVector(bytes);
  Offset<message::Error> error = 0;
  if (!result.status.ok()) error = Write(&builder, result.status);
  const auto counters = Write(&builder, result.counters);
  builder.Finish(
      message::CreateTaskResult(builder, outputs, error, counters, output_rows, output_bytes));
  return Bytes(builder);
}

arrow::Result<TaskResult> ParseResult(std::string_view bytes) {
  const Verified<message::TaskResult> result(bytes);
  if (result.get() == nullptr) return Damaged("result message");
  TaskResult read;
  if (result.get()->error() != nullptr) read.status = Read(*result.get()->error());
  const std::vector<std::string> paths = ReadPaths(result.get()->outputs());
  const auto rows = engine::ReadNumbers(result.get()->output_rows());
  const auto sizes = engine::ReadNumbers(result.get()->output_bytes());
  if (rows.size() != paths.size() || sizes.size() != paths.size()) return Damaged("result message");
  for (size_t i = 0; i < paths.size(); ++i) read.outputs.push_back({paths[i], rows[i], sizes[i]});
  if (result.get()->counters() != nullptr) read.counters = Read(*result.get()->counters());
  return read;
}

}  // namespace viand::distributed
