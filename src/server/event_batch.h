// Events of the event stream, made of the rows that a transaction wrote (reference server-workflows section 12).
//
// Committing only notes rows; which of them are events, and their JSON, is found out when somebody reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/value.h"
#include "state/store.h"

namespace drover::server {

// What a subscriber wants. Topics: topic -> keys; "*" is every topic, every key.
struct EventFilter {
  Map<List<std::string>> topics;
  std::string ns;  // "*": all
};

struct EventTopic;

// One row that was written or deleted.
struct EventRow {
  const EventTopic* topic = nullptr;
  std::shared_ptr<const void> row;
};

// The events of one transaction of the reference; a log entry has one or more. Immutable once shared.
class EventBatch {
 public:
  EventBatch(uint64_t index, std::string_view type) : index_(index), type_(type) {}
  void add(EventRow row) { rows_.push_back(std::move(row)); }

  uint64_t index() const { return index_; }
  bool empty() const { return rows_.empty(); }
  // A row written several times is one event, at the place of its last write. Before sharing with subscribers.
  void settle();
  // The rows that a subscriber gets; one that several keys name comes once for each. Empty: nothing for it.
  std::vector<const EventRow*> select(const EventFilter& filter) const;
  // `{"Events":[...],"Index":N}`. Any thread.
  std::string encode(const std::vector<const EventRow*>& rows) const;

 private:
  uint64_t index_;
  std::string_view type_;
  std::vector<EventRow> rows_;
  bool settled_ = false;
};

// The event type of a log entry; empty: it makes none.
std::string_view event_type(uint8_t entry_type);
// The topic of a change; null: it is no event.
const EventTopic* event_topic(const state::Change& change);

}  // namespace drover::server
