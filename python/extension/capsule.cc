#include "python/extension/capsule.h"

#include <nanobind/stl/string.h>

#include <string_view>

#include "python/extension/python_error.h"
#include "python/extension/shared_array.h"
#include "python/extension/type_name.h"

namespace viand::python {
namespace {

/// The names are those of the PyCapsule interface.
template <typename Structure>
constexpr const char* kName = nullptr;
template <>
constexpr const char* kName<ArrowArrayStream> = "arrow_array_stream";
template <>
constexpr const char* kName<ArrowSchema> = "arrow_schema";
template <>
constexpr const char* kName<ArrowArray> = "arrow_array";

template <typename Structure>
nb::object MakeCapsule(Structure* given) {
  auto* held = new Structure(*given);
  given->release = nullptr;
  PyObject* capsule = PyCapsule_New(held, kName<Structure>, [](PyObject* self) {
    auto* left = static_cast<Structure*>(PyCapsule_GetPointer(self, kName<Structure>));
    if (left->release != nullptr) left->release(left);
    delete left;
  });
  if (capsule == nullptr) throw nb::python_error();
  return nb::steal(capsule);
}

/// What a capsule holds and nobody has taken yet.
template <typename Structure>
Structure* Held(nb::handle capsule, const char* what) {
  if (PyCapsule_IsValid(capsule.ptr(), kName<Structure>) == 0)
    RaiseInput(std::string("expected a capsule \"") + kName<Structure> + "\", got " +
               nb::cast<std::string>(nb::repr(capsule)));
  auto* held = static_cast<Structure*>(PyCapsule_GetPointer(capsule.ptr(), kName<Structure>));
  if (held->release == nullptr)
    RaiseInput(std::string("the ") + what + " was taken before: it can be read once",
               "make it anew, or keep its rows in a table");
  return held;
}

template <typename Structure>
Structure Take(nb::handle capsule, const char* what) {
  auto* held = Held<Structure>(capsule, what);
  const Structure taken = *held;
  held->release = nullptr;
  return taken;
}

nb::list FieldsOfStream(nb::handle capsule) {
  auto* stream = Held<ArrowArrayStream>(capsule, "Arrow stream");
  ArrowSchema schema = {};
  if (stream->get_schema(stream, &schema) != 0) {
    const char* reason = stream->get_last_error(stream);
    RaiseInput(std::string("the columns of the Arrow stream cannot be had: ") +
               (reason != nullptr ? reason : "it does not say why"));
  }
  const SharedSchema held = Share(&schema);
  if (std::string_view(held->format) != "+s")
    RaiseInput("entity_df is one column, of the type " + TypeName(*held),
               "give a table, or a batch of records");
  nb::list fields;
  for (int64_t i = 0; i < held->n_children; ++i)
    fields.append(nb::make_tuple(held->children[i]->name, TypeName(*held->children[i])));
  return fields;
}

uintptr_t AddressOf(nb::handle capsule) {
  return reinterpret_cast<uintptr_t>(Held<ArrowArrayStream>(capsule, "Arrow stream"));
}

nb::tuple EmptyStream() {
  ArrowArrayStream stream = {};
  nb::object capsule = StreamCapsule(&stream);
  void* held = PyCapsule_GetPointer(capsule.ptr(), kName<ArrowArrayStream>);
  return nb::make_tuple(capsule, reinterpret_cast<uintptr_t>(held));
}

}  // namespace

nb::object StreamCapsule(ArrowArrayStream* given) { return MakeCapsule(given); }
nb::object SchemaCapsule(ArrowSchema* given) { return MakeCapsule(given); }

Table TakeStream(nb::handle capsule) {
  auto stream = Take<ArrowArrayStream>(capsule, "Arrow stream");
  return Table(&stream);
}

void AddStreams(nb::module_& module) {
  module.def("fields_of_stream", &FieldsOfStream, nb::arg("capsule"));
  module.def("empty_stream", &EmptyStream);
  module.def("stream_address", &AddressOf, nb::arg("capsule"));
}

ArrowSchema TakeSchema(nb::handle capsule) { return Take<ArrowSchema>(capsule, "Arrow schema"); }
ArrowArray TakeArray(nb::handle capsule) { return Take<ArrowArray>(capsule, "Arrow array"); }

}  // namespace viand::python
