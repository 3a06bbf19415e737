// What the tables of annotation share: rows as values, and the sums that are kept beside them. A change of a task's annotations is made
// between two looks at the task; what differs goes into the counts of the project and of its people. On the caller's Database.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/annotation_stores.h"
#include "store/database.h"

namespace slipway::store {

// Settings read once for each revision: dictionaries are long. Any thread.
class KnownSettings {
 public:
  // Throws Error(kNotFound) when there is no such project.
  std::shared_ptr<const record::AnnotationSettings> of(Database& database, int64_t project);

 private:
  std::mutex mutex_;  // guards known_
  std::map<int64_t, std::pair<int64_t, std::shared_ptr<const record::AnnotationSettings>>> known_;  // by project; with the revision
};

using record::kNoAgreement;
// 0 to 1, of its digest: an order that stays.
double random_priority(std::string_view key);

constexpr double kFirst = 1e300;    // before every priority

// What a task adds to the sums.
struct TaskSums {
  record::TaskState state = record::TaskState::kNew;
  int64_t annotations = 0, skipped = 0;
  double agreement = kNoAgreement;
  std::map<std::string, record::AnnotatorProgress> people;
  std::set<std::string> labels;
};
TaskSums sums_of(const std::vector<record::KeptAnnotation>& annotations, const record::AnnotationSettings& settings);
// In place of `before`, which is what there was when the transaction looked.
void put_sums(Database& database, int64_t project, int64_t task, const TaskSums& before, const TaskSums& after, int64_t now_ms);
void add_counts(Database& database, int64_t project, const record::AnnotationCounts& more);

// Throws Error(kNotFound).
record::Task read_task(Database& database, int64_t project, int64_t task);
record::Task task_of(int64_t id, std::string key, const std::string& body);
std::string body_of(const record::Task& task);
std::vector<record::KeptAnnotation> read_annotations(Database& database, int64_t task);
std::vector<record::Suggestion> read_suggestions(Database& database, int64_t task);

// Inserted; its id is in the value then.
void insert_annotation(Database& database, int64_t project, record::KeptAnnotation& kept);
void update_annotation(Database& database, const record::KeptAnnotation& kept);
struct HistoryLine {
  std::string who;
  const char* action = "";
  int64_t undoes = 0;
  bool removed = false;
};
void write_history(Database& database, int64_t project, const record::KeptAnnotation& kept, const HistoryLine& line, int64_t now_ms);

}  // namespace slipway::store
