// Structural diff of two jobs.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct FieldDiff {
  std::string Type;
  std::string Name;
  std::string Old;
  std::string New;
  List<std::string> Annotations;

  friend bool operator==(const FieldDiff&, const FieldDiff&) = default;
};

struct ObjectDiff {
  std::string Type;
  std::string Name;
  List<FieldDiff> Fields;
  List<ObjectDiff> Objects;

  friend bool operator==(const ObjectDiff&, const ObjectDiff&) = default;
};

struct TaskDiff {
  std::string Type;
  std::string Name;
  List<FieldDiff> Fields;
  List<ObjectDiff> Objects;
  List<std::string> Annotations;

  friend bool operator==(const TaskDiff&, const TaskDiff&) = default;
};

struct TaskGroupDiff {
  std::string Type;
  std::string Name;
  List<FieldDiff> Fields;
  List<ObjectDiff> Objects;
  List<TaskDiff> Tasks;
  Map<uint64_t> Updates;

  friend bool operator==(const TaskGroupDiff&, const TaskGroupDiff&) = default;
};

struct JobDiff {
  std::string Type;
  std::string ID;
  List<FieldDiff> Fields;
  List<ObjectDiff> Objects;
  List<TaskGroupDiff> TaskGroups;

  friend bool operator==(const JobDiff&, const JobDiff&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(FieldDiff)
DROVER_TYPE(ObjectDiff)
DROVER_TYPE(TaskDiff)
DROVER_TYPE(TaskGroupDiff)
DROVER_TYPE(JobDiff)
}  // namespace drover
