#include "src/definition/yaml_events.h"

#include <yaml-cpp/mark.h>
#include <yaml.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace viand::definition {
namespace {

// yaml-cpp refuses 500 levels.
constexpr int kMaxDepth = 400;

/// Whether both parsers count the text's lines and columns alike.
bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
}

bool IsNullText(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kNull = {"~", "null", "Null", "NULL"};
  return std::find(kNull.begin(), kNull.end(), text) != kNull.end();
}

class EventSender {
 public:
  EventSender(const std::string& text, YAML::EventHandler* handler) : handler_(handler) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  EventSender(const EventSender&) = delete;
  ~EventSender() {
    if (ready_) yaml_parser_delete(&parser_);
  }

  bool SendAll() {
    while (ready_) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser_, &event) != 1) return false;
      const bool last = event.type == YAML_STREAM_END_EVENT;
      // The handler may throw.
      const struct Owner {
        yaml_event_t* event;
        ~Owner() { yaml_event_delete(event); }
      } owner{&event};
      if (last) return true;
      if (!Send(event)) return false;
    }
    return false;
  }

 private:
  static YAML::Mark MarkOf(const yaml_event_t& event) {
    YAML::Mark mark;
    mark.pos = static_cast<int>(event.start_mark.index);
    mark.line = static_cast<int>(event.start_mark.line);
    mark.column = static_cast<int>(event.start_mark.column);
    return mark;
  }

  bool Send(const yaml_event_t& event) {
    const YAML::Mark mark = MarkOf(event);
    switch (event.type) {
      case YAML_STREAM_START_EVENT:
        return true;
      case YAML_DOCUMENT_START_EVENT: {
        const auto& start = event.data.document_start;
        if (++documents_ > 1 || start.version_directive != nullptr ||
            start.tag_directives.start != start.tag_directives.end)
          return false;
        handler_->OnDocumentStart(mark);
        return true;
      }
      case YAML_DOCUMENT_END_EVENT:
        handler_->OnDocumentEnd();
        return event.data.document_end.implicit == 1;
      case YAML_SCALAR_EVENT:
        return event.start_mark.line == event.end_mark.line && SendScalar(event.data.scalar, mark);
      case YAML_SEQUENCE_START_EVENT:
        if (HasProperties(event.data.sequence_start) || ++depth_ > kMaxDepth) return false;
        handler_->OnSequenceStart(mark, "?", YAML::NullAnchor, YAML::EmitterStyle::Default);
        return true;
      case YAML_SEQUENCE_END_EVENT:
        --depth_;
        handler_->OnSequenceEnd();
        return true;
      case YAML_MAPPING_START_EVENT:
        if (HasProperties(event.data.mapping_start) || ++depth_ > kMaxDepth) return false;
        handler_->OnMapStart(mark, "?", YAML::NullAnchor, YAML::EmitterStyle::Default);
        return true;
      case YAML_MAPPING_END_EVENT:
        --depth_;
        handler_->OnMapEnd();
        return true;
      default:
        return false;
    }
  }

  /// A tag or an anchor, whose names end elsewhere for yaml-cpp.
  template <class Node>
  static bool HasProperties(const Node& node) {
    return node.tag != nullptr || node.anchor != nullptr;
  }

  template <class Scalar>
  bool SendScalar(const Scalar& scalar, const YAML::Mark& mark) {
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const bool block =
        scalar.style == YAML_LITERAL_SCALAR_STYLE || scalar.style == YAML_FOLDED_SCALAR_STYLE;
    // Where an absent value stands the two say differently.
    if (HasProperties(scalar) || block || (plain && scalar.length == 0)) return false;
    const std::string value(reinterpret_cast<const char*>(scalar.value), scalar.length);
    // In [] and {} it ends a text for yaml-cpp.
    if (plain && value.find('?') != std::string::npos) return false;
    if (plain && IsNullText(value)) {
      handler_->OnNull(mark, YAML::NullAnchor);
    } else {
      handler_->OnScalar(mark, plain ? "?" : "!", YAML::NullAnchor, value);
    }
    return true;
  }

  YAML::EventHandler* const handler_;
  yaml_parser_t parser_{};
  bool ready_ = false;
  int documents_ = 0;
  int depth_ = 0;
};

}  // namespace

bool SendEvents(const std::string& text, YAML::EventHandler* handler) {
  return IsPlainText(text) && EventSender(text, handler).SendAll();
}

}  // namespace viand::definition
