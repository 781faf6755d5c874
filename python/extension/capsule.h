// The Arrow PyCapsule interface: C structures in and out of Python's hands. Needs the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include "viand/table.h"

namespace viand::python {

namespace nb = nanobind;

/// Capsules that own what they hold until somebody takes it; `*given` is marked released.
nb::object StreamCapsule(ArrowArrayStream* given);
nb::object SchemaCapsule(ArrowSchema* given);

/// Takes the stream out of a capsule; viand.InputError where it was taken before.
Table TakeStream(nb::handle capsule);

/// Adds to viand._viand what old pyarrow and checks need of streams:
///   fields_of_stream(capsule)   [(name, type)], the stream left as it is
///   empty_stream()              (capsule, address of the structure to fill in)
///   stream_address(capsule)     the address of its structure
void AddStreams(nb::module_& module);

/// Takes the structures out of what __arrow_c_array__ gave.
ArrowSchema TakeSchema(nb::handle capsule);
ArrowArray TakeArray(nb::handle capsule);

}  // namespace viand::python
