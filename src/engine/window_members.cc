#include "src/engine/window_members.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace viand::engine {

namespace {

// Cuts one group of one segment into versions. `run` holds its members, in order of time.
class VersionCutter {
 public:
  VersionCutter(const Members& members, Groups* out) : members_(members), out_(*out) {}

  void Cut(const std::pair<int32_t, int32_t>* run, size_t size) {
    const int64_t base = out_.rows.size();
    for (size_t i = 0; i < size; ++i) out_.rows.Append(members_[run[i].second].value, 0, 0);
    size_t in = 0;
    size_t gone = 0;
    while (gone < size) {
      const int32_t change = NextChange(run, size, in, gone);
      // Rows that come and go at this change do so at the next version.
      const int32_t version = next_version_;
      for (; in < size && members_[run[in].second].enter == change; ++in)
        out_.rows[base + static_cast<int64_t>(in)].enter = version;
      for (; gone < size && members_[run[gone].second].leave == change; ++gone)
        out_.rows[base + static_cast<int64_t>(gone)].leave = version;
      if (in == gone) continue;
      out_.members.Append(version, change, NextChange(run, size, in, gone));
      out_.members.order.push_back(run[gone].second);
      ++next_version_;
    }
    out_.rows.EndSegment();
    out_.versions.begin.push_back(next_version_);
  }

 private:
  int32_t NextChange(const std::pair<int32_t, int32_t>* run, size_t size, size_t in,
                     size_t gone) const {
    const int32_t leave = members_[run[gone].second].leave;
    return in < size ? std::min(leave, members_[run[in].second].enter) : leave;
  }

  const Members& members_;
  Groups& out_;
  int32_t next_version_ = 0;
};

// Sorts the members from `first` on by (enter, order).
void SortByEnter(Members* members, int64_t first) {
  const auto place = [&](int64_t i) { return std::pair((*members)[i].enter, members->order[i]); };
  int64_t next = first + 1;
  while (next < members->size() && place(next - 1) < place(next)) ++next;
  if (next >= members->size()) return;
  PoolVector<std::pair<int64_t, Member>> sorted;
  for (int64_t i = first; i < members->size(); ++i)
    sorted.emplace_back(members->order[i], (*members)[i]);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.enter, a.first) < std::pair(b.second.enter, b.first);
  });
  for (const auto& [order, member] : sorted) {
    (*members)[first] = member;
    members->order[first++] = order;
  }
}

}  // namespace

Groups GroupMembers(const Members& members, const Sets& sets,
                    const PoolVector<int32_t>& group_of_row) {
  Groups out;
  out.rows.members.reserve(members.size());
  VersionCutter cutter(members, &out);
  PoolVector<std::pair<int32_t, int32_t>> run;  // (group, member)
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    run.clear();
    for (int64_t i = members.begin[segment]; i < members.begin[segment + 1]; ++i) {
      run.emplace_back(group_of_row[members[i].value], static_cast<int32_t>(i));
    }
    if (!std::is_sorted(run.begin(), run.end())) std::sort(run.begin(), run.end());
    for (size_t first = 0, after = 0; first < run.size(); first = after) {
      while (after < run.size() && run[after].first == run[first].first) ++after;
      cutter.Cut(run.data() + first, after - first);
      out.versions.key.push_back(sets.key[segment]);
    }
    SortByEnter(&out.members, out.members.begin.back());
    out.members.EndSegment();
  }
  return out;
}

namespace {

// Keeps the active values of a segment sorted and writes each pair of neighbours as a gap when it
// ends.
class GapTracker {
 public:
  GapTracker(const Members& members, Gaps* out) : members_(members), out_(*out) {}

  void StartSegment(PoolVector<int64_t> sorted_members) {
    sorted_ = std::move(sorted_members);
    since_.assign(sorted_.size(), 0);
  }

  void Add(int64_t slot, int64_t set) {
    const auto at = active_.insert(slot).first;
    const auto after = std::next(at);
    if (at != active_.begin()) {
      const int64_t before = *std::prev(at);
      if (after != active_.end()) Close(before, *after, set);
      since_[before] = set;
    }
    since_[slot] = set;
  }

  void Remove(int64_t slot, int64_t set) {
    const auto at = active_.find(slot);
    const auto after = std::next(at);
    if (after != active_.end()) Close(slot, *after, set);
    if (at != active_.begin()) {
      const int64_t before = *std::prev(at);
      Close(before, slot, set);
      since_[before] = set;
    }
    active_.erase(at);
  }

 private:
  // since_[lower] says from which set on lower and its neighbour above have been neighbours.
  void Close(int64_t lower, int64_t upper, int64_t set) {
    if (since_[lower] == set) return;
    out_.members.Append(static_cast<int64_t>(out_.lower.size()), since_[lower], set);
    out_.members.order.push_back(lower);
    out_.lower.push_back(members_[sorted_[lower]].value);
    out_.upper.push_back(members_[sorted_[upper]].value);
  }

  const Members& members_;
  Gaps& out_;
  PoolVector<int64_t> sorted_;  // slot -> member
  PoolVector<int64_t> since_;   // by slot
  std::set<int64_t> active_;    // slots
};

}  // namespace

Gaps GapMembers(const Members& members, const Sets& sets, const int64_t* key_of_value) {
  Gaps out;
  GapTracker tracker(members, &out);
  PoolVector<int64_t> slot_of(members.size());
  PoolVector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    PoolVector<int64_t> sorted(members.begin[segment + 1] - members.begin[segment]);
    std::iota(sorted.begin(), sorted.end(), members.begin[segment]);
    std::sort(sorted.begin(), sorted.end(), [&](int64_t a, int64_t b) {
      return std::pair(key_of_value[members[a].value], members.OrderOf(a)) <
             std::pair(key_of_value[members[b].value], members.OrderOf(b));
    });
    for (size_t slot = 0; slot < sorted.size(); ++slot)
      slot_of[sorted[slot]] = static_cast<int64_t>(slot);
    tracker.StartSegment(std::move(sorted));
    Sweep(
        members, sets, segment, &scratch,
        [&](int64_t i, int64_t set) { tracker.Add(slot_of[i], set); },
        [&](int64_t i, int64_t set) { tracker.Remove(slot_of[i], set); }, [](int64_t) {});
    SortByEnter(&out.members, out.members.begin.back());
    out.members.EndSegment();
  }
  return out;
}

}  // namespace viand::engine
