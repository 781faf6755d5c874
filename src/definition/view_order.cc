#include "src/definition/view_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "src/definition/name_resolution.h"

namespace viand::definition {
namespace {

enum class Visit { kNew, kOpen, kDone, kCyclic };

/// A view reads at most one other, so a walk upstream is a chain, no tree.
class ViewOrder {
 public:
  ViewOrder(const Definitions& definitions, ErrorList* errors)
      : definitions_(definitions),
        errors_(errors),
        visits_(definitions.feature_views.size(), Visit::kNew) {}

  std::vector<size_t> Run() {
    for (size_t i = 0; i < visits_.size(); ++i) Walk(i);
    return std::move(order_);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  /// The view that a view reads; a source of the same name comes first.
  size_t Upstream(size_t view) const {
    const std::string& name = definitions_.feature_views[view].source.name;
    if (FindByName(definitions_.sources, name) != nullptr) return kNone;
    const FeatureView* found = FindByName(definitions_.feature_views, name);
    return found == nullptr ? kNone
                            : static_cast<size_t>(found - definitions_.feature_views.data());
  }

  void Walk(size_t start) {
    std::vector<size_t> chain;
    size_t view = start;
    for (; view != kNone && visits_[view] == Visit::kNew; view = Upstream(view)) {
      visits_[view] = Visit::kOpen;
      chain.push_back(view);
    }
    const bool cycle = view != kNone && visits_[view] == Visit::kOpen;
    const bool broken = cycle || (view != kNone && visits_[view] == Visit::kCyclic);
    if (cycle) Report(chain, view);
    for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
      visits_[*it] = broken ? Visit::kCyclic : Visit::kDone;
      if (!broken) order_.push_back(*it);
    }
  }

  void Report(const std::vector<size_t>& chain, size_t closing) {
    std::vector<std::string> path;
    for (auto it = std::find(chain.begin(), chain.end(), closing); it != chain.end(); ++it) {
      path.push_back(definitions_.feature_views[*it].name);
    }
    path.push_back(path.front());
    errors_->Add(ErrorAt(
        definitions_.feature_views[closing].source.where, ErrorKind::kDefinition,
        fmt::format("feature views read one another in a cycle: {}", fmt::join(path, " -> "))));
  }

  const Definitions& definitions_;
  ErrorList* const errors_;
  std::vector<Visit> visits_;
  std::vector<size_t> order_;
};

}  // namespace

std::vector<size_t> OrderViews(const Definitions& definitions, ErrorList* errors) {
  return ViewOrder(definitions, errors).Run();
}

}  // namespace viand::definition
