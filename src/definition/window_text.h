// The small texts of time in definitions: windows and the bounds of a grid.
#pragma once

#include <string>
#include <string_view>

#include "src/definition/model.h"

namespace viand::definition {

/// Parses "90d", "unbounded", "30d following". An empty window (0d or negative) and "unbounded
/// following" are errors.
arrow::Result<Window> ParseWindow(std::string_view text, const SourceLocation& where);

/// Prints a window so that it parses back.
std::string FormatWindow(const Window& window);

/// Parses "start", "start + 90d", "end - 30d", "2011-03-01 08:26".
arrow::Result<GridBound> ParseGridBound(std::string_view text, const SourceLocation& where);

/// Prints a bound so that it parses back; equal bounds print equal.
std::string FormatGridBound(const GridBound& bound);

}  // namespace viand::definition
