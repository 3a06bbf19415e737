// What a request says about the form of its answer, in each protocol's words, as a constraint for the engine. Any
// thread. All throw StatusError(400) with the field as its param; null when the request asks for nothing.
#pragma once

#include <memory>

#include "serve/body.h"
#include "text/constraint.h"

namespace slipway::serve {

using ConstraintPtr = std::shared_ptr<const text::Constraint>;

// OpenAI's response_format (text, json_object, json_schema), and vLLM's guided_json, guided_regex, guided_choice,
// guided_grammar and structured_outputs {json, json_object, regex, choice, grammar}; at most one of them.
ConstraintPtr openai_constraint(text::ConstraintCompiler& compiler, const Body& body);
// Ollama's format: "json" or a schema.
ConstraintPtr ollama_constraint(text::ConstraintCompiler& compiler, const Body& body);
// Text Generation Inference's parameters.grammar {type: json | regex | json_schema, value}.
ConstraintPtr tgi_constraint(text::ConstraintCompiler& compiler, const Body& parameters);

}  // namespace slipway::serve
