// Windows as sets: a set is the rows of a segment (a key's rows, or a group's of `per`) in one
// window at one time. As t grows rows only come and go once, so a row is a member of the sets enter
// ... leave - 1, and an aggregate over all sets of a segment is one pass over its members. Groups
// of `per` and gaps become members in the same way. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/common/pool_vector.h"

namespace viand::engine {

/// The sets of all segments, numbered through; those of a segment are in order of time.
struct Sets {
  PoolVector<int64_t> begin =
      PoolVector<int64_t>(1, 0);  ///< begin[s]: the first set of segment s; one more at the end
  PoolVector<int32_t> key;        ///< of each segment: for errors

  int64_t segments() const { return static_cast<int64_t>(begin.size()) - 1; }
  int64_t size() const { return begin.back(); }
};

/// More rows would let groups and gaps, of which there may be three a row, outgrow 32 bits.
constexpr int64_t kMostWindowRows = int64_t{1} << 29;
constexpr int64_t kMostSets = (int64_t{1} << 31) - 2;

/// What is in the sets enter ... leave - 1.
struct Member {
  int32_t value;  ///< index in the arrays of values: a base row, a group, a gap
  int32_t enter;  ///< first set
  int32_t leave;  ///< set after the last; > enter
};

/// Members of sets, by segment and in it by `enter`.
struct Members {
  PoolVector<Member> members;
  PoolVector<int64_t>
      order;  ///< what first and last go by, unique in each set; empty: the member's index
  PoolVector<int64_t> begin =
      PoolVector<int64_t>(1, 0);  ///< begin[s]: the first member of segment s; one more at the end

  int64_t size() const { return static_cast<int64_t>(members.size()); }
  const Member& operator[](int64_t i) const { return members[i]; }
  Member& operator[](int64_t i) { return members[i]; }
  int64_t OrderOf(int64_t member) const { return order.empty() ? member : order[member]; }

  void Append(int64_t value, int64_t enter, int64_t leave) {
    members.push_back(
        {static_cast<int32_t>(value), static_cast<int32_t>(enter), static_cast<int32_t>(leave)});
  }
  void EndSegment() { begin.push_back(size()); }
};

/// Returns the members for whose value keep(value).
template <typename Keep>
Members Filter(const Members& members, Keep&& keep) {
  Members out;
  out.members.reserve(members.size());
  out.begin.reserve(members.begin.size());
  for (std::size_t segment = 0; segment + 1 < members.begin.size(); ++segment) {
    for (int64_t i = members.begin[segment]; i < members.begin[segment + 1]; ++i) {
      if (!keep(members[i].value)) continue;
      out.members.push_back(members[i]);
      if (!members.order.empty()) out.order.push_back(members.order[i]);
    }
    out.EndSegment();
  }
  return out;
}

/// Adds and removes a segment's members set by set: add(member), remove(member), then emit(set);
/// after the last set it removes the rest, so that the state is empty again. add and remove are
/// told the set.
template <typename Add, typename Remove, typename Emit>
void Sweep(const Members& members, const Sets& sets, int64_t segment, PoolVector<int64_t>* scratch,
           Add&& add, Remove&& remove, Emit&& emit);

/// Groups of `per`. A group's value changes when one of its rows enters or leaves; between two
/// changes it is one version.
struct Groups {
  Sets versions;    ///< a segment for each group (of each segment), a set for each version
  Members rows;     ///< base rows as members of versions
  Members members;  ///< versions as members of the outer sets, by order of the group's first row
};

/// Groups members by group_of_row[value]. Members must be in order of time, as MembersOf
/// (window_spans.h) and Filter leave them.
Groups GroupMembers(const Members& members, const Sets& sets,
                    const PoolVector<int32_t>& group_of_row);

/// The differences of neighbours when each set's values are sorted.
struct Gaps {
  Members members;            ///< members.value is an index into lower and upper
  PoolVector<int64_t> lower;  ///< value index of the lesser neighbour
  PoolVector<int64_t> upper;  ///< and of the greater
};

/// `key_of_value` orders the values.
Gaps GapMembers(const Members& members, const Sets& sets, const int64_t* key_of_value);

}  // namespace viand::engine

#include "src/engine/window_sweep.h"
