// The events of a YAML text as lines, to compare two parsers.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <string>

#include "src/definition/yaml_events.h"

namespace viand::definition {

class RecordedEvents : public YAML::EventHandler {
 public:
  const std::string& text() const { return text_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Add("null", mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add("alias", mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    Add("scalar", mark, anchor);
    text_ += value + "\n";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Add("sequence", mark, anchor);
  }
  void OnSequenceEnd() override { text_ += "end\n"; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Add("mapping", mark, anchor);
  }
  void OnMapEnd() override { text_ += "end\n"; }

 private:
  void Add(const char* what, const YAML::Mark& mark, YAML::anchor_t anchor) {
    text_ += std::string(what) + " " + std::to_string(mark.line) + ":" +
             std::to_string(mark.column) + " &" + std::to_string(anchor) + "\n";
  }
  std::string text_;
};

/// Those of yaml-cpp, or "refused".
inline std::string YamlCppEvents(const std::string& text) {
  RecordedEvents events;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(events)) {
    }
  } catch (const std::exception&) {
    return "refused";
  }
  return events.text();
}

/// Those of SendEvents, or "unsure".
inline std::string FastEvents(const std::string& text) {
  RecordedEvents events;
  return SendEvents(text, &events) ? events.text() : "unsure";
}

}  // namespace viand::definition
