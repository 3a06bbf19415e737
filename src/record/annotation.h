// What people are asked about texts, and what they answered. Plain values with their JSON (annotation.cc). Positions are in code points of
// the text, ends exclusive, as the formats of annotation tools have them. docs/guide/annotate.md, docs/formats/annotation.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::record {

// What a project asks for. A project may ask for several at once: spans and a class of the same text.
enum class Question { kClass, kClasses, kSpans, kRelations, kText, kRating, kPreference, kChatReview };
std::string_view name_of(Question question) noexcept;  // "classification", "multi-label", "spans", "relations", "text", "rating", "preference", "chat-review"
Question question_named(std::string_view name);         // throws Error(kInvalid) naming them

struct Label {
  std::string name;
  std::string color;   // "#rrggbb", or empty: chosen by the page
  std::string hotkey;  // one key, or empty: 1-9, then letters
  bool operator==(const Label&) const = default;
};

struct AnnotationScheme {
  std::vector<Question> questions;
  std::vector<Label> classes;    // of kClass, kClasses
  std::vector<Label> spans;      // of kSpans
  std::vector<Label> relations;  // of kRelations, between spans
  int rating_max = 5;            // of kRating and of each reply in kChatReview: 1..rating_max
  bool overlapping = true;       // spans may overlap and nest
  bool operator==(const AnnotationScheme&) const = default;
};

struct Span {
  std::string id;  // unique in its answer
  int64_t start = 0, end = 0;
  std::string label;
  bool operator==(const Span&) const = default;
};

struct Relation {
  std::string from, to;  // ids of spans
  std::string label;
  bool operator==(const Relation&) const = default;
};

struct Answer {
  std::vector<std::string> classes;  // one for kClass
  std::vector<Span> spans;
  std::vector<Relation> relations;
  std::vector<std::string> texts;       // of kText: what was written
  std::optional<int> rating;            // 1..rating_max
  std::optional<int> preferred;         // index of the better candidate; -1: a tie
  std::vector<int> message_ratings;     // of kChatReview, one a message: 0 not rated
  bool operator==(const Answer&) const = default;
};

struct Message {
  std::string role, content;
  bool operator==(const Message&) const = default;
};

struct Task {
  int64_t id = 0;
  std::string key;                      // unique in the project: the id of the source, or the digest of the text
  std::string text;
  std::vector<std::string> candidates;  // of kPreference: two or more replies
  std::vector<Message> messages;        // of kChatReview
  base::Json meta = base::Json::object();  // what the source had besides; goes out again as it came in
};

struct Suggestion {  // of a model, a dictionary, an expression
  std::string source;  // "NAME@VERSION", "dictionary", "regex", a labelling function's name
  double score = 0;    // 0..1
  Answer answer;
};

struct Annotation {
  int64_t id = 0, task = 0;
  std::string annotator;
  Answer answer;
  bool skipped = false;       // "cannot be told", Label Studio's was_cancelled
  bool ground_truth = false;  // decided in review
  std::string note;
  double seconds = 0;         // that it took, Label Studio's lead_time
  int64_t created_ms = 0, updated_ms = 0;
};

// A task with all that was said about it: what goes in and out of files.
struct AnnotatedTask {
  Task task;
  std::vector<Annotation> annotations;
  std::vector<Suggestion> suggestions;
};

base::Json to_json(const AnnotationScheme& scheme);
base::Json to_json(const Answer& answer);  // only what is there: {"classes": [...], "spans": [{"id","start","end","label"}], ...}
base::Json to_json(const Task& task);
base::Json to_json(const Suggestion& suggestion);
base::Json to_json(const Annotation& annotation);
// Throw Error(kInvalid) that names `source` and the key for what is no such value: unknown keys, other types, more than the limits in annotation.cc.
AnnotationScheme scheme_from_json(const base::Json& json, std::string_view source);
Answer answer_from_json(const base::Json& json, std::string_view source);
Task task_from_json(const base::Json& json, std::string_view source);
Suggestion suggestion_from_json(const base::Json& json, std::string_view source);
Annotation annotation_from_json(const base::Json& json, std::string_view source);

// How many code points `text` has: what the ends of its spans may be. Valid UTF-8. O(bytes).
int64_t length_of(std::string_view text) noexcept;

// Throws Error(kInvalid) telling what is wrong with an answer to this task: a label that the scheme lacks, a span outside the text, two classes
// where one is asked for, overlapping spans where none may, a relation of no span.
void check(const Answer& answer, const AnnotationScheme& scheme, const Task& task);

}  // namespace slipway::record
