// What served models are asked and what their answers suggest (record::AnnotationService, docs/guide/annotate-models.md): JSON out, JSON in.
// Answers are not trusted. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "record/annotation_stores.h"

namespace slipway::data {

// The source of its suggestions: its name, else the host.
std::string service_name(const record::AnnotationService& service);

// The body of a POST.
std::string service_request(const record::AnnotationService& service, const record::AnnotationScheme& scheme, const record::Task& task);

constexpr size_t kMaxServiceAnswer = size_t{4} << 20;  // bytes

// Nothing where the answer says nothing of what is asked. Throws Error(kInvalid) for an answer that is not of the protocol, telling what
// was looked for. Of entities and classes the score is the model's (the mean, of several); of generated texts that of their tokens' mean
// log-probability where the answer has one, else 0.
std::optional<record::Suggestion> service_answer(const record::AnnotationService& service, const record::AnnotationScheme& scheme,
                                                 const record::Task& task, std::string_view body);

// What a written answer says: a JSON object {"classes": […], "spans": [{"text", "label"}], "relations": [{"from", "to", "label"}], "text": …}
// (also inside other text), else a class by its name, else a text. Spans are where their texts are, one after the other. For generators.
std::optional<record::Suggestion> written_answer(std::string_view said, double score, const std::string& source, const record::AnnotationScheme& scheme,
                                                 const record::Task& task, const std::map<std::string, std::string>& labels);
// What a generator is asked where nobody wrote a prompt; else `prompt` with {text} put in.
std::string written_question(const std::string& prompt, const record::AnnotationScheme& scheme, const record::Task& task);

}  // namespace slipway::data
