#include "python/extension/shared_array.h"

#include <cstring>
#include <string>
#include <utility>

namespace viand::python {
namespace {

struct ArrayOwner {
  SharedArray of;
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<ArrowArray>> children;
  std::vector<ArrowArray*> child_pointers;
  std::unique_ptr<ArrowArray> dictionary;
};

struct SchemaOwner {
  std::string format, name, metadata;
  std::vector<std::unique_ptr<ArrowSchema>> children;
  std::vector<ArrowSchema*> child_pointers;
  std::unique_ptr<ArrowSchema> dictionary;
};

/// The bytes of a schema's metadata: a number of pairs, each two texts behind their lengths.
std::string MetadataOf(const ArrowSchema& schema) {
  if (schema.metadata == nullptr) return "";
  const char* at = schema.metadata;
  const auto number = [&] {
    int32_t value = 0;
    std::memcpy(&value, at, sizeof(value));
    at += sizeof(value);
    return value;
  };
  for (int32_t texts = 2 * number(); texts > 0; --texts) at += number();
  return {schema.metadata, at};
}

/// Of a structure, or of a child that was not moved out of one.
template <typename Structure, typename Owner>
void ReleaseStructure(Structure* structure) {
  const std::unique_ptr<Owner> owner(static_cast<Owner*>(structure->private_data));
  for (const auto& child : owner->children)
    if (child->release != nullptr) child->release(child.get());
  if (owner->dictionary != nullptr && owner->dictionary->release != nullptr)
    owner->dictionary->release(owner->dictionary.get());
  structure->release = nullptr;
}

/// Fills in what points into the owner.
template <typename Structure, typename Owner>
void GiveTo(std::unique_ptr<Owner> owner, Structure* out) {
  for (const auto& child : owner->children) owner->child_pointers.push_back(child.get());
  out->n_children = static_cast<int64_t>(owner->children.size());
  out->children = owner->child_pointers.data();
  out->dictionary = owner->dictionary.get();
  out->release = &ReleaseStructure<Structure, Owner>;
  out->private_data = owner.release();
}

template <typename Structure>
std::shared_ptr<const Structure> ShareStructure(Structure* structure) {
  auto* taken = new Structure(*structure);
  structure->release = nullptr;
  return std::shared_ptr<const Structure>(taken, [](const Structure* shared) {
    auto* owned = const_cast<Structure*>(shared);
    if (owned->release != nullptr) owned->release(owned);
    delete owned;
  });
}

struct StreamOwner {
  SharedSchema schema;
  std::vector<SharedArray> batches;
  size_t next = 0;
};

StreamOwner* OwnerOf(ArrowArrayStream* stream) {
  return static_cast<StreamOwner*>(stream->private_data);
}

}  // namespace

SharedArray Share(ArrowArray* array) { return ShareStructure(array); }
SharedSchema Share(ArrowSchema* schema) { return ShareStructure(schema); }

SharedArray ChildOf(const SharedArray& parent, int64_t index) {
  return SharedArray(parent, parent->children[index]);
}

void Export(const SharedArray& array, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->of = array;
  owner->buffers.assign(array->buffers, array->buffers + array->n_buffers);
  for (int64_t i = 0; i < array->n_children; ++i)
    Export(ChildOf(array, i), owner->children.emplace_back(std::make_unique<ArrowArray>()).get());
  if (array->dictionary != nullptr) {
    owner->dictionary = std::make_unique<ArrowArray>();
    Export(SharedArray(array, array->dictionary), owner->dictionary.get());
  }
  *out = {.length = array->length,
          .null_count = array->null_count,
          .offset = array->offset,
          .n_buffers = array->n_buffers,
          .buffers = owner->buffers.data()};
  GiveTo(std::move(owner), out);
}

void Export(const ArrowSchema& schema, ArrowSchema* out, const char* name) {
  auto owner = std::make_unique<SchemaOwner>();
  owner->format = schema.format;
  owner->metadata = MetadataOf(schema);
  if (name != nullptr) {
    owner->name = name;
  } else if (schema.name != nullptr) {
    owner->name = schema.name;
  }
  for (int64_t i = 0; i < schema.n_children; ++i)
    Export(*schema.children[i],
           owner->children.emplace_back(std::make_unique<ArrowSchema>()).get());
  if (schema.dictionary != nullptr) {
    owner->dictionary = std::make_unique<ArrowSchema>();
    Export(*schema.dictionary, owner->dictionary.get());
  }
  *out = {.format = owner->format.c_str(),
          .name = owner->name.c_str(),
          .metadata = owner->metadata.empty() ? nullptr : owner->metadata.data(),
          .flags = schema.flags};
  GiveTo(std::move(owner), out);
}

void ExportStruct(const std::vector<SharedArray>& columns, int64_t length, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->buffers = {nullptr};
  for (const SharedArray& column : columns)
    Export(column, owner->children.emplace_back(std::make_unique<ArrowArray>()).get());
  *out = {.length = length, .n_buffers = 1, .buffers = owner->buffers.data()};
  GiveTo(std::move(owner), out);
}

void ExportStruct(const std::vector<SharedSchema>& columns, ArrowSchema* out) {
  auto owner = std::make_unique<SchemaOwner>();
  owner->format = "+s";
  for (const SharedSchema& column : columns)
    Export(*column, owner->children.emplace_back(std::make_unique<ArrowSchema>()).get());
  *out = {.format = owner->format.c_str(), .name = owner->name.c_str()};
  GiveTo(std::move(owner), out);
}

void ExportStream(SharedSchema schema, std::vector<SharedArray> batches, ArrowArrayStream* out) {
  out->get_schema = [](ArrowArrayStream* stream, ArrowSchema* to) {
    Export(*OwnerOf(stream)->schema, to);
    return 0;
  };
  out->get_next = [](ArrowArrayStream* stream, ArrowArray* to) {
    StreamOwner* owner = OwnerOf(stream);
    if (owner->next == owner->batches.size()) {
      *to = {};
    } else {
      Export(owner->batches[owner->next++], to);
    }
    return 0;
  };
  out->get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
  out->release = [](ArrowArrayStream* stream) {
    delete OwnerOf(stream);
    stream->release = nullptr;
  };
  out->private_data = new StreamOwner{std::move(schema), std::move(batches)};
}

}  // namespace viand::python
