// What a model found, made to fit what a project asks: labels renamed, what the scheme lacks or the text does not hold left out. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/annotation.h"

namespace slipway::data {

using LabelNames = std::map<std::string, std::string>;  // of a model to the project's; "": left out. What is not there stays as it is

// Nothing when nothing is left. Of several classes the first where one is asked for; of overlapping spans the one that begins first, the
// longer one first, where none may overlap; ids of spans become its own. The score is held to 0..1.
std::optional<record::Suggestion> fit_suggestion(record::Suggestion suggestion, const record::AnnotationScheme& scheme, const record::Task& task,
                                                 const LabelNames& labels = {});

// The class of the scheme that a text names, whatever the case and the blanks around it; nothing when it names none.
std::optional<std::string> class_named(std::string_view text, const record::AnnotationScheme& scheme, const LabelNames& labels = {});

bool asks(const record::AnnotationScheme& scheme, record::Question question) noexcept;

// One entity as a model tells it; ends in code points. `label` "B-PER" begins one, "I-PER" goes on; any other is one by itself.
struct FoundEntity {
  int64_t start = 0, end = 0;
  std::string label;
  double score = 0;
};
// Pieces of tokens joined, as spans; the score is the mean of the entities'. Nothing for no entity.
std::optional<record::Suggestion> suggestion_of_entities(std::vector<FoundEntity> found, std::string source);

}  // namespace slipway::data
