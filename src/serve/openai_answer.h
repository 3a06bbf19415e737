// Answers in the forms of OpenAI's chat and completions: whole, or as server-sent events; texts, log-probabilities,
// calls of tools, usage.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/generator_core.h"
#include "serve/tools.h"

namespace slipway::serve {

// What a request asks for beside its prompt.
struct OpenAiPlan {
  bool chat = false;
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  std::string id;
  int64_t created = 0;
  std::string model;
  std::string adapter;                   // empty: the model itself
  size_t per_prompt = 1;                 // choices of each prompt
  size_t best_of = 1;                    // candidates that these are the best of: above per_prompt, not streamed
  std::vector<std::string> echo;         // of each choice: text before the answer
  std::shared_ptr<const ToolSet> tools;  // whose calls are looked for, or null
};

// Computes the choices, best_of for each prompt where that is more, and answers. Throws as GeneratorCore::run.
void answer_openai(GeneratorCore& core, const OpenAiPlan& plan, std::vector<engine::GenerateRequest> choices,
                   const net::Responder& responder);

}  // namespace slipway::serve
