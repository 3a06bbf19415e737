// Tools of a chat: what a request offers, how a model is told of them and held to them, and the calls in what it
// writes. Three ways of writing a call are known, those of Hermes and Qwen (<tool_call>{...}</tool_call>), Llama 3 (the
// JSON alone) and Mistral ([TOOL_CALLS][{...}]); the model's chat template says which one it learnt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/body.h"
#include "serve/constraints.h"
#include "text/chat_template.h"

namespace slipway::serve {

enum class ToolStyle { kHermes, kLlama3, kMistral };

// The request's tools, tool_choice and parallel_tool_calls. Constant.
class ToolSet {
 public:
  // Throws StatusError(400).
  explicit ToolSet(const Body& body, std::string_view chat_template);

  bool empty() const noexcept { return tools_.empty(); }
  // Whether an answer is looked through for calls.
  bool looked_for() const noexcept { return !tools_.empty() && choice_ != Choice::kNone; }
  bool parallel() const noexcept { return parallel_; }  // whether an answer may have more than one call
  bool knows(std::string_view name) const;
  // Tells the model of the tools: through its template, or in a system message where the template has no place for
  // them.
  void describe_to(text::ChatRequest& chat, const text::ChatTemplate* chat_template) const;
  // With tool_choice "required" or a named function: the answer is one call with arguments that fit its parameters.
  // Null otherwise. Throws StatusError(400) for parameters that are no schema.
  ConstraintPtr constraint(text::ConstraintCompiler& compiler) const;

 private:
  enum class Choice { kNone, kAuto, kRequired };
  text::Grammar grammar() const;

  base::Json tools_ = base::Json::array();
  Choice choice_ = Choice::kAuto;
  bool parallel_ = true;
  std::string named_;
  ToolStyle style_ = ToolStyle::kHermes;
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON
};
base::Json tool_call_json(const ToolCall& call);

// Takes calls out of a text that comes in pieces. One answer, one thread; borrows the tools.
class ToolCallReader {
 public:
  explicit ToolCallReader(const ToolSet& tools) : tools_(tools) {}

  // The text to show now; calls that are complete are in calls(). What may be a call is held back, and shown as text
  // when it turns out to be none.
  std::string push(std::string_view piece);
  std::string finish();
  const std::vector<ToolCall>& calls() const noexcept { return calls_; }

 private:
  bool take_calls(std::string_view json);

  const ToolSet& tools_;
  enum class State { kStart, kText, kTagged, kBare };
  State state_ = State::kStart;
  std::string held_;
  std::vector<ToolCall> calls_;
};

}  // namespace slipway::serve
