// The events of a YAML text by libyaml, ten times as fast as yaml-cpp, which takes a second for the
// definitions of 5,000 views.
//
// yaml-cpp stays the judge of what is unusual or wrong, and has the words for it.
#pragma once

#include <yaml-cpp/eventhandler.h>

#include <string>

namespace viand::definition {

/// Gives the events of one document to `handler`, as yaml-cpp would. False: it may not be so (bytes
/// beyond ASCII, scalars over several lines, question marks out of quotes, anchors, tags,
/// directives, empty values, deep nesting, a second document, anything that libyaml refuses), and
/// what `handler` has got is worth nothing.
bool SendEvents(const std::string& text, YAML::EventHandler* handler);

}  // namespace viand::definition
