// A project's tasks from files of annotation tools and to them, some at a time: bounded memory whatever the size. Any thread; a reader
// and a writer belong to one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/annotation_consensus.h"
#include "data/annotation_formats.h"
#include "record/annotation_stores.h"

namespace slipway::data {

// All there are, in their order.
std::vector<AnnotationFormat> annotation_formats();
std::string_view file_ending(AnnotationFormat format) noexcept;  // ".jsonl"

struct AnnotationImportOptions {
  AnnotationReadOptions reading;
  std::string who;                                             // imports
  std::function<void(const record::AddedTasks& so_far)> told;  // after each thousand; may throw to stop
};
// Adds all that the reader has. What was added before a failure stays; reading the same again adds the rest. Throws what both throw.
record::AddedTasks import_annotations(AnnotationReader& reader, record::AnnotationTasks& tasks, int64_t project, const AnnotationImportOptions& options);

struct AnnotationExportOptions {
  std::optional<record::TaskState> state;
  ConsensusKind consensus = ConsensusKind::kNone;  // what goes out as the ground truth of tasks that several answered and nobody decided
  std::function<void(int64_t tasks)> told;  // so far
};
struct AnnotationExport {
  int64_t tasks = 0;
  std::map<std::string, int64_t> notes;  // what the format has no place for
};
// Calls `take` with pieces of the file. Not kBrat. Each thousand is of one state of the store.
AnnotationExport export_annotations(record::AnnotationTasks& tasks, const record::AnnotationProject& project, AnnotationFormat format, const AnnotationExportOptions& options,
                                    const std::function<void(std::string_view)>& take);
// Each task with what was said about it, in order of ids.
void each_annotated_task(record::AnnotationTasks& tasks, int64_t project, std::optional<record::TaskState> state,
                         const std::function<void(record::AnnotatedTask&)>& take);
// Those of an export, in order of ids, with their consensus: fitted on all tasks, whatever their state, in a first pass.
void each_exported_task(record::AnnotationTasks& tasks, const record::AnnotationProject& project, const AnnotationExportOptions& options,
                        const std::function<void(const record::AnnotatedTask&)>& take);

}  // namespace slipway::data
