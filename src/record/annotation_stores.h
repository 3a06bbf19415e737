// Where annotation projects, their tasks and what people answered are kept: plain values, and the interfaces that `store` implements
// (any thread; a write that returned is durable). Nothing that somebody said is ever overwritten: each change is a line of a history.
// docs/guide/annotate.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/annotation.h"

namespace slipway::record {

// The order in which tasks are given out.
enum class TaskOrder { kGiven, kRandom, kLeastConfidence, kMargin, kEntropy, kDiversity };
std::string_view name_of(TaskOrder order) noexcept;  // "given", "random", "least-confidence", "margin", "entropy", "diversity"
TaskOrder task_order_named(std::string_view name);    // throws Error(kInvalid) naming them

// Words or an expression that suggest a label: of spans where the scheme has one of that name, else of classes.
struct LabelRule {
  std::string label;
  std::vector<std::string> terms;
  std::string pattern;  // of RE2; empty: none
  bool case_sensitive = false;
  std::string name = {};  // rules of one name are one labelling function, which votes for the first that matches; empty: one by itself
  bool operator==(const LabelRule&) const = default;
};

// A model that is served elsewhere and suggests answers (docs/guide/annotate-models.md).
enum class ServiceProtocol {
  kPredict,      // {"inputs": text}: Hugging Face's pipelines, text-embeddings-inference, `slipway serve`
  kKserve,       // Open Inference Protocol: …/v2/models/NAME/infer
  kOpenAi,       // …/v1/chat/completions
  kLabelStudio,  // an ML backend's …/predict
};
std::string_view name_of(ServiceProtocol protocol) noexcept;  // "predict", "kserve", "openai", "label-studio"
ServiceProtocol service_protocol_named(std::string_view name);  // throws Error(kInvalid) naming them
struct AnnotationService {
  std::string url;     // http:// or https://, whole
  std::string name;    // the source of its suggestions; empty: the host
  ServiceProtocol protocol = ServiceProtocol::kPredict;
  std::string model;   // that OpenAI's protocol asks for
  std::string prompt;  // of OpenAI's; {text} is the task's. Empty: made of the scheme
  std::map<std::string, std::string> labels;  // of the model to the project's; "": left out. What is not there stays as it is
  std::string token;   // NAME: the value of SLIPWAY_ANNOTATION_TOKEN_NAME goes along as a bearer token; empty: none
  int timeout_ms = 10'000;
  bool operator==(const AnnotationService&) const = default;
};

struct AnnotationSettings {
  AnnotationScheme scheme;
  std::string guidelines;  // Markdown
  int overlap = 1;         // annotators that each task is given to
  TaskOrder order = TaskOrder::kGiven;
  int keep_minutes = 30;   // a task that was given out is kept so long for its annotator
  int retrain_every = 50;  // answers; 0: never
  std::vector<LabelRule> rules;
  // That joins what rules say of the one class: "majority", "dawid-skene", "one-coin", "generative" (data/weak_labels.h); empty: none.
  std::string label_model;
  std::vector<AnnotationService> services;
  bool operator==(const AnnotationSettings&) const = default;
};
base::Json to_json(const AnnotationSettings& settings);
// All but the scheme may be left out. Throws Error(kInvalid) naming `source` and the key; rules must be of labels of the scheme.
AnnotationSettings annotation_settings_from_json(const base::Json& json, std::string_view source);

// How alike two answers are, 0 to 1: the mean over the questions of the scheme of: equal or not (class, rating, preference, text, ratings
// of messages), Jaccard's index of sets (classes), F1 of exact matches (spans, relations).
double likeness(const Answer& a, const Answer& b, const AnnotationScheme& scheme);

enum class TaskState { kNew, kBegun, kAnswered, kReviewed };  // stored
std::string_view name_of(TaskState state) noexcept;             // "new", "begun", "answered", "reviewed"
TaskState task_state_named(std::string_view name);              // throws Error(kInvalid) naming them

struct AnnotationCounts {
  int64_t fresh = 0, begun = 0, answered = 0, reviewed = 0;  // tasks, by state
  int64_t annotations = 0, skipped = 0;                      // in force, decisions left out
  int64_t tasks() const noexcept { return fresh + begun + answered + reviewed; }
};
base::Json to_json(const AnnotationCounts& counts);

struct AnnotationProject {
  int64_t id = 0;
  std::string name;
  AnnotationSettings settings;
  int64_t revision = 1;  // of the settings
  int64_t created_ms = 0, updated_ms = 0;
  AnnotationCounts counts;
};

// An annotation with its revision, which a change must name.
struct KeptAnnotation {
  Annotation annotation;
  int64_t revision = 0;
};
base::Json to_json(const KeptAnnotation& kept);

// A task with all there is of it.
struct KeptTask {
  Task task;
  TaskState state = TaskState::kNew;
  std::optional<double> agreement;  // mean likeness of pairs of answers; of two or more
  std::vector<KeptAnnotation> annotations;  // the decision first, if there is one, then by id
  std::vector<Suggestion> suggestions;      // that were kept with it, by source
};

struct TaskRow {
  int64_t id = 0;
  std::string key, text;  // its beginning
  TaskState state = TaskState::kNew;
  std::optional<double> agreement;
  std::vector<std::string> labels, annotators;
};

struct TaskQuery {
  std::optional<TaskState> state;
  std::string label, annotator, text;  // empty: any
  int64_t after = 0;                   // tasks with higher ids
  int limit = 50;
};
struct TaskReading {
  std::optional<TaskState> state;
  bool shared = false;  // only those with two answers or more, the newest first, before `after`; else in order of ids, behind it
  int64_t after = 0;    // 0 with `shared`: from the newest on
  int limit = 500;      // at most 1000
};
struct TaskPage {
  std::vector<TaskRow> rows;
  std::optional<int64_t> next;  // `after` of the next page, which there may be
};
// Stored, of tasks with less than two answers: after all others in the queue of review.
constexpr double kNoAgreement = 2;
// The queue of review goes by (agreement, id).
struct ReviewPlace {
  double agreement = -1;
  int64_t id = 0;
};

struct AddedTasks {
  int64_t tasks = 0, known = 0, annotations = 0, suggestions = 0;
};

struct AnnotationChange {
  int64_t id = 0, task = 0, time_ms = 0;
  std::string who, action;  // answered, changed, skipped, undone, reviewed, imported
  Annotation annotation;    // as it was from then on
  int64_t revision = 0;
  bool removed = false;  // from then on there was none
};
base::Json to_json(const AnnotationChange& change);

struct AnnotatorProgress {
  std::string annotator;
  int64_t annotations = 0, skipped = 0;
  double seconds = 0;
  int64_t last_ms = 0;
  int64_t decided = 0;              // decisions made
  int64_t reviewed = 0, accepted = 0;  // own answers on which there is a decision; that equal it
};
base::Json to_json(const AnnotatorProgress& progress);

struct SaveAnswer {
  std::string annotator;
  Answer answer;
  bool skipped = false;
  std::string note;
  double seconds = 0;
  int64_t revision = 0;  // of what it replaces; 0: there is nothing. Else kConflict
};
struct SavedAnswer {
  KeptAnnotation kept;
  TaskState state = TaskState::kNew;
};
struct Decide {
  std::string who;
  int64_t accept = 0;  // an annotation's id; 0: `answer` is the right one
  Answer answer;
  std::string note;
  int64_t revision = 0;
};

class AnnotationProjects {
 public:
  virtual ~AnnotationProjects() = default;
  virtual AnnotationProject create(const std::string& name, const AnnotationSettings& settings) = 0;  // throws kConflict
  virtual std::optional<AnnotationProject> find(const std::string& name) = 0;
  virtual std::vector<AnnotationProject> list() = 0;  // by name
  // Throws kNotFound, kConflict if the settings are not of that revision any more. Another overlap changes states: O(tasks).
  virtual AnnotationProject change(const std::string& name, const AnnotationSettings& settings, int64_t revision) = 0;
  virtual void remove(const std::string& name) = 0;  // with all that is in it; throws kNotFound
};

// Of the project with that id. A task that is not there throws kNotFound.
class AnnotationTasks {
 public:
  virtual ~AnnotationTasks() = default;
  // Tasks whose key is there are left alone, with what was said of them. Answers are `who`'s import. One transaction. Throws kInvalid for
  // answers that are none of the scheme's.
  virtual AddedTasks add(int64_t project, std::span<const AnnotatedTask> tasks, const std::string& who) = 0;
  virtual KeptTask get(int64_t project, int64_t task) = 0;
  virtual TaskPage list(int64_t project, const TaskQuery& query) = 0;
  // Answered ones, those agreed on least first.
  virtual std::vector<TaskRow> to_review(int64_t project, const ReviewPlace& after, int limit) = 0;
  // Whole tasks.
  virtual std::vector<KeptTask> read(int64_t project, const TaskReading& reading) = 0;
  // The next for an annotator, kept for that one; the one that is kept already unless it is `except`. Nothing when none is left.
  virtual std::optional<int64_t> next(int64_t project, const std::string& annotator, int64_t except) = 0;
  // The higher, the sooner; tasks that are not named keep theirs. Not durable at once.
  virtual void set_priorities(int64_t project, std::span<const std::pair<int64_t, double>> priorities) = 0;
  // Replaces those of the same source.
  virtual void suggest(int64_t project, int64_t task, std::span<const Suggestion> suggestions) = 0;
};

class AnnotationAnswers {
 public:
  virtual ~AnnotationAnswers() = default;
  virtual SavedAnswer save(int64_t project, int64_t task, const SaveAnswer& answer) = 0;
  virtual SavedAnswer decide(int64_t project, int64_t task, const Decide& decision) = 0;
  // The newest change by `who` that was not taken back; the task it was of, or nothing. Throws kConflict if somebody else changed it since.
  virtual std::optional<int64_t> undo(int64_t project, const std::string& who) = 0;
  virtual std::vector<AnnotationChange> history(int64_t project, int64_t task) = 0;  // the oldest first
  virtual std::vector<AnnotatorProgress> progress(int64_t project) = 0;               // by name
};

class Annotations {
 public:
  virtual ~Annotations() = default;
  virtual AnnotationProjects& projects() = 0;
  virtual AnnotationTasks& tasks() = 0;
  virtual AnnotationAnswers& answers() = 0;
};

}  // namespace slipway::record
