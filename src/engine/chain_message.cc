#include "src/engine/chain_message.h"

#include <utility>
#include <vector>

#include "src/engine/fragment_message.h"
#include "src/engine/nested_message.h"

namespace viand::engine {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Outputs = flatbuffers::Vector<Offset<message::StepOutput>>;

Offset<Outputs> WriteOutputs(FlatBufferBuilder* builder, const std::vector<StepOutput>& outputs) {
  std::vector<Offset<message::StepOutput>> list;
  for (const StepOutput& each : outputs)
    list.push_back(message::CreateStepOutput(*builder, each.step, each.output));
  return builder->CreateVector(list);
}

/// Fails unless each is of one of `steps`.
arrow::Result<std::vector<StepOutput>> ReadOutputs(const Outputs* outputs,
                                                   const std::vector<ChainStep>& steps) {
  std::vector<StepOutput> result;
  if (outputs == nullptr) return result;
  for (const auto* each : *outputs) {
    const bool known = each->step() >= 0 && static_cast<size_t>(each->step()) < steps.size();
    if (!known || each->output() < 0 || each->output() >= OutputCount(steps[each->step()].fragment))
      return DamagedFragment("no step before puts out what it takes");
    result.push_back({each->step(), each->output()});
  }
  return result;
}

}  // namespace

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const ChainFragment& chain) {
  std::vector<Offset<message::ChainStep>> steps;
  for (const ChainStep& step : chain.steps) {
    VIAND_ASSIGN_OR_RETURN(const auto fragment, WriteNested(builder, step.fragment));
    const auto inputs = WriteOutputs(builder, step.inputs);
    steps.push_back(message::CreateChainStep(*builder, fragment, inputs));
  }
  const auto list = builder->CreateVector(steps);
  const auto outputs = WriteOutputs(builder, chain.outputs);
  return message::CreateChainFragment(*builder, list, outputs).Union();
}

arrow::Result<Fragment> Read(const message::ChainFragment& chain) {
  ChainFragment result;
  if (chain.steps() != nullptr) {
    for (const auto* step : *chain.steps()) {
      ChainStep read;
      VIAND_ASSIGN_OR_RETURN(read.fragment, ReadNested(step->fragment()));
      VIAND_ASSIGN_OR_RETURN(read.inputs, ReadOutputs(step->inputs(), result.steps));
      result.steps.push_back(std::move(read));
    }
  }
  VIAND_ASSIGN_OR_RETURN(result.outputs, ReadOutputs(chain.outputs(), result.steps));
  if (result.outputs.size() > kMaxPartitions) return DamagedFragment("number of tables");
  return result;
}

}  // namespace viand::engine
