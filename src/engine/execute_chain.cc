#include "src/engine/execute_chain.h"

#include <map>
#include <tuple>
#include <utility>

#include "src/common/cancellation.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

class ChainRun {
 public:
  ChainRun(const ChainFragment& chain, FragmentContext context)
      : chain_(chain), context_(context), made_(chain.steps.size()) {
    // What is counted of the chain is the whole.
    context_.counters = nullptr;
    for (const ChainStep& step : chain.steps) Count(step.inputs);
    Count(chain.outputs);
  }

  arrow::Result<Tables> Run() {
    for (size_t step = 0; step < chain_.steps.size(); ++step) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      VIAND_ASSIGN_OR_RETURN(const Tables inputs, Take(chain_.steps[step].inputs));
      VIAND_ASSIGN_OR_RETURN(made_[step],
                             ExecuteFragment(chain_.steps[step].fragment, inputs, context_));
    }
    return Take(chain_.outputs);
  }

 private:
  void Count(const std::vector<StepOutput>& tables) {
    for (const StepOutput& each : tables) ++takers_[{each.step, each.output}];
  }

  arrow::Result<Tables> Take(const std::vector<StepOutput>& tables) {
    Tables taken;
    for (const StepOutput& each : tables) {
      const auto step = static_cast<size_t>(each.step), output = static_cast<size_t>(each.output);
      if (step >= made_.size() || output >= made_[step].size()) return InputsDoNotFit();
      auto& table = made_[step][output];
      const bool last = --takers_[{each.step, each.output}] == 0;
      taken.push_back(last ? std::move(table) : table);
    }
    return taken;
  }

  const ChainFragment& chain_;
  FragmentContext context_;
  std::vector<Tables> made_;                   // by step
  std::map<std::pair<int, int>, int> takers_;  // steps that are still to take an output
};

}  // namespace

arrow::Result<Tables> ExecuteChain(const ChainFragment& chain, const Tables& inputs,
                                   const FragmentContext& context) {
  if (!inputs.empty()) return InputsDoNotFit();
  return ChainRun(chain, context).Run();
}

}  // namespace viand::engine
