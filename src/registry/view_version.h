// When a feature view gets a new version number, as Feast counts them.
#pragma once

#include <cstdint>
#include <string>

#include "src/common/error.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace viand::registry {

/// Whether `after` is another version of the view than `before`: its features, entities or join key
/// columns differ (as in Feast), or its definition computes something else. Descriptions, owners,
/// tags, ttl, online and where the rows are make none.
arrow::Result<bool> IsNewVersion(const std::string& name, const std::string& before,
                                 const std::string& after);

/// The version number that a view's content carries.
arrow::Result<int64_t> VersionOf(const std::string& name, const std::string& content);

/// Returns a computed view's content as that of an old version: its rows are those of
/// data/offline/NAME@vN, and no more of data/offline/NAME. Other contents stay as they are.
arrow::Result<std::string> WithRowsOfVersion(const std::string& name, const std::string& content,
                                             int64_t version);

/// Sets meta.current_version_number of a FeatureView.
void SetVersion(int64_t version, google::protobuf::Message* message);

}  // namespace viand::registry
