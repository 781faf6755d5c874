#include "python/extension/fragment.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/extension/borrowed_memory.h"
#include "python/extension/call.h"
#include "python/extension/python_error.h"
#include "viand/fragment_task.h"

namespace viand::python {
namespace {

using OwnedResult = std::unique_ptr<FragmentResult>;

/// A table's bytes, as the buffer protocol gives them away.
struct TableBytes {
  SharedBytes bytes;

  static int GetBuffer(PyObject* self, Py_buffer* view, int flags) {
    const auto* table = nb::inst_ptr<TableBytes>(self);
    return PyBuffer_FillInfo(view, self, const_cast<uint8_t*>(table->bytes.data), table->bytes.size,
                             /*readonly=*/1, flags);
  }
};

template <typename Work>
void RunStoppable(const Work& work) {
  RunReleased({.cancel = CancelFragments, .resume = ResumeFragments, .show = nb::none()}, work);
}

/// What came of a fragment, and its inputs.
class Outcome {
 public:
  explicit Outcome(OwnedResult result) : result_(std::move(result)) {}

  nb::bytes message() const {
    const std::string message = result_->message();
    return nb::bytes(message.data(), message.size());
  }
  int table_count() const { return result_->table_count(); }

  TableBytes Take(int index) {
    std::optional<Result<SharedBytes>> taken;
    RunStoppable([&] { taken = result_->TakeTable(index); });
    return {Require(*std::move(taken))};
  }

 private:
  OwnedResult result_;
};

Outcome RunFragment(nb::bytes task, const nb::list& inputs) {
  const std::string message(task.c_str(), task.size());
  std::vector<SharedBytes> bytes;
  for (const nb::handle input : inputs) {
    const auto memory = std::make_shared<const BorrowedMemory>(input);
    bytes.push_back({memory, static_cast<const uint8_t*>(memory->data()), memory->bytes()});
  }
  std::optional<Result<OwnedResult>> result;
  RunStoppable([&] { result = viand::RunFragment(message, bytes); });
  return Outcome(Require(*std::move(result)));
}

}  // namespace

void AddFragment(nb::module_& module) {
  static PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(&TableBytes::GetBuffer)},
                                {0, nullptr}};
  nb::class_<TableBytes>(module, "TableBytes", nb::type_slots(slots),
                         "A table's message, by the buffer protocol.")
      .def("__len__", [](const TableBytes& table) { return table.bytes.size; });
  nb::class_<Outcome>(module, "FragmentOutcome", "What came of a fragment.")
      .def_prop_ro("message", &Outcome::message,
                   "A TaskResult message (docs/formats/plan.md), of what was taken until now.")
      .def_prop_ro("table_count", &Outcome::table_count, "0 where it failed.")
      .def("take", &Outcome::Take, "Returns a table, once.");
  module.def("run_fragment", &RunFragment,
             "Runs a Task message on messages of tables in somebody's memory.");
}

}  // namespace viand::python
