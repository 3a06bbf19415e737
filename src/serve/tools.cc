#include "serve/tools.h"

#include <algorithm>
#include <fmt/format.h>

#include "record/record.h"
#include "text/json_schema.h"

namespace slipway::serve {

namespace {

constexpr size_t kMaxTools = 128;  // OpenAI's
constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kClose = "</tool_call>";
constexpr std::string_view kMistral = "[TOOL_CALLS]";
constexpr std::string_view kLlama = "<|python_tag|>";

ToolStyle style_of(std::string_view chat_template) {
  const auto has = [&](std::string_view text) { return chat_template.find(text) != std::string_view::npos; };
  if (has(kMistral)) {
    return ToolStyle::kMistral;
  }
  return !has(kOpen) && (has(kLlama) || has("\"parameters\": ") || has("ipython")) ? ToolStyle::kLlama3
                                                                                   : ToolStyle::kHermes;
}

const Json& function_of(const Json& tool) { return tool.at("function"); }

// The longest end of `text` that `mark` begins with.
size_t begun(std::string_view text, std::string_view mark) {
  for (size_t n = std::min(text.size(), mark.size() - 1); n > 0; --n) {
    if (text.substr(text.size() - n) == mark.substr(0, n)) {
      return n;
    }
  }
  return 0;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

}  // namespace

ToolSet::ToolSet(const Body& body, std::string_view chat_template) : style_(style_of(chat_template)) {
  if (const Json* tools = body.find("tools")) {
    if (!tools->is_array() || tools->size() > kMaxTools) {
      reject("tools", fmt::format("'tools' must be a list of at most {} functions", kMaxTools));
    }
    for (const Json& tool : *tools) {
      const bool good = tool.is_object() && tool.value("type", Json()) == "function" && tool.contains("function") &&
                        tool["function"].is_object() && tool["function"].value("name", Json()).is_string() &&
                        !tool["function"]["name"].get_ref<const std::string&>().empty();
      if (!good) {
        reject("tools", "each tool must be {\"type\": \"function\", \"function\": {\"name\", \"parameters\", ...}}");
      }
    }
    tools_ = *tools;
  }
  parallel_ = body.flag("parallel_tool_calls", true);
  const Json* choice = body.find("tool_choice");
  if (choice == nullptr || *choice == "auto") {
    return;
  }
  if (*choice == "none") {
    choice_ = Choice::kNone;
    return;
  }
  choice_ = Choice::kRequired;
  if (*choice != "required") {
    const bool good = choice->is_object() && choice->contains("function") && (*choice)["function"].is_object() &&
                      (*choice)["function"].value("name", Json()).is_string();
    if (!good) {
      reject("tool_choice",
             "'tool_choice' is \"none\", \"auto\", \"required\" or {\"type\": \"function\", \"function\": {\"name\"}}");
    }
    named_ = (*choice)["function"]["name"].get<std::string>();
  }
  if (tools_.empty() || (!named_.empty() && !knows(named_))) {
    reject("tool_choice", "'tool_choice' asks for a function that is not among 'tools'");
  }
}

bool ToolSet::knows(std::string_view name) const {
  return std::any_of(tools_.begin(), tools_.end(), [&](const Json& tool) {
    return function_of(tool).at("name").get_ref<const std::string&>() == name;
  });
}

void ToolSet::describe_to(text::ChatRequest& chat, const text::ChatTemplate* chat_template) const {
  if (!looked_for()) {
    return;
  }
  if (chat_template != nullptr && chat_template->mentions("tools")) {
    chat.tools = tools_;
    return;
  }
  std::string lines;
  for (const Json& tool : tools_) {
    lines += base::dump_json(tool) + "\n";
  }
  const std::string text = fmt::format(
      "You may call these functions:\n<tools>\n{}</tools>\nTo call one, answer with "
      "<tool_call>\n{{\"name\": <its name>, \"arguments\": <an object>}}\n</tool_call>",
      lines);
  Json& messages = chat.messages;
  if (!messages.empty() && messages[0].value("role", Json()) == "system" && messages[0]["content"].is_string()) {
    messages[0]["content"] = messages[0]["content"].get<std::string>() + "\n\n" + text;
  } else {
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", text}});
  }
}

text::Grammar ToolSet::grammar() const {
  text::Grammar grammar;
  text::JsonGrammar json(grammar);
  std::vector<text::Grammar::Expr> calls;
  for (const Json& tool : tools_) {
    const Json& function = function_of(tool);
    const auto name = function.at("name").get<std::string>();
    if (!named_.empty() && name != named_) {
      continue;
    }
    const auto parameters = function.find("parameters");
    const bool has_parameters = parameters != function.end() && !parameters->is_null();
    const text::Grammar::Expr arguments =
        has_parameters ? text::add_json_schema(json, *parameters, fmt::format("the parameters of '{}'", name))
                       : json.any_object();
    const char* const key = style_ == ToolStyle::kLlama3 ? "parameters" : "arguments";
    const std::string begin = fmt::format("{{\"name\": {}, \"{}\": ", base::dump_json(Json(name)), key);
    calls.push_back(grammar.sequence({grammar.literal(begin), arguments, grammar.literal("}")}));
  }
  const text::Grammar::Expr any = grammar.any_of(std::move(calls));
  // [TOOL_CALLS] is a special token, which no constrained text has; the list alone is read too.
  const std::pair<std::string, std::string> around =
      style_ == ToolStyle::kHermes    ? std::pair(std::string(kOpen) + "\n", "\n" + std::string(kClose))
      : style_ == ToolStyle::kMistral ? std::pair(std::string("["), std::string("]"))
                                      : std::pair(std::string(), std::string());
  const text::Grammar::Rule root = grammar.add_rule("root");
  grammar.define(root, grammar.sequence({grammar.literal(around.first), any, grammar.literal(around.second)}));
  grammar.set_root(root);
  return grammar;
}

ConstraintPtr ToolSet::constraint(text::ConstraintCompiler& compiler) const {
  if (choice_ != Choice::kRequired) {
    return nullptr;
  }
  const std::string key = fmt::format("tools {} {} {}", static_cast<int>(style_), named_, base::dump_json(tools_));
  try {
    return compiler.compile(key, [&] { return grammar(); });
  } catch (const base::Error& error) {
    reject("tools", error.what());
  }
}

Json tool_call_json(const ToolCall& call) {
  return {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

// One call, or a list of them; false, with nothing taken, when it is not that.
bool ToolCallReader::take_calls(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with(kMistral)) {
    text.remove_prefix(kMistral.size());
  }
  const Json parsed = Json::parse(text, nullptr, false);
  if (!parsed.is_object() && !parsed.is_array()) {
    return false;
  }
  const Json list = parsed.is_array() ? parsed : Json::array({parsed});
  std::vector<ToolCall> found;
  for (const Json& one : list) {
    if (!one.is_object() || !one.value("name", Json()).is_string() || !tools_.knows(one["name"].get<std::string>())) {
      return false;
    }
    const char* const key = one.contains("arguments") ? "arguments" : "parameters";
    const Json arguments = one.value(key, Json::object());
    found.push_back({"call_" + record::new_id(), one["name"].get<std::string>(),
                     arguments.is_string() ? arguments.get<std::string>() : base::dump_json(arguments)});
  }
  calls_.insert(calls_.end(), found.begin(), found.end());
  if (!tools_.parallel() && calls_.size() > 1) {
    calls_.erase(calls_.begin() + 1, calls_.end());
  }
  return !found.empty();
}

std::string ToolCallReader::push(std::string_view piece) {
  held_ += piece;
  std::string shown;
  for (;;) {
    if (state_ == State::kStart) {
      const size_t first = held_.find_first_not_of(" \t\r\n");
      if (first == std::string::npos) {
        return shown;  // white space alone: not known yet
      }
      state_ = held_[first] == '{' || held_[first] == '[' ? State::kBare : State::kText;
    }
    if (state_ == State::kBare) {
      return shown;  // known at the end
    }
    if (state_ == State::kTagged) {
      const size_t end = held_.find(kClose);
      if (end == std::string::npos) {
        return shown;
      }
      const std::string whole = held_.substr(0, end + kClose.size());
      if (!take_calls(std::string_view(whole).substr(kOpen.size(), end - kOpen.size()))) {
        shown += whole;
      }
      held_.erase(0, whole.size());
      state_ = State::kText;
      continue;
    }
    for (const std::string_view mark : {kMistral, kLlama}) {
      if (const size_t at = held_.find(mark); at != std::string::npos) {
        shown += held_.substr(0, at);
        held_.erase(0, at + mark.size());
        state_ = State::kBare;
        return shown;
      }
    }
    const size_t open = held_.find(kOpen);
    if (open != std::string::npos) {
      // White space between two calls is nobody's text.
      const std::string before = held_.substr(0, open);
      shown += calls_.empty() || !trimmed(before).empty() ? before : std::string();
      held_.erase(0, open);
      state_ = State::kTagged;
      continue;
    }
    const size_t keep = std::max({begun(held_, kOpen), begun(held_, kMistral), begun(held_, kLlama)});
    const std::string known = held_.substr(0, held_.size() - keep);
    if (calls_.empty() || !trimmed(known).empty()) {
      shown += known;
      held_.erase(0, known.size());
    }
    return shown;
  }
}

std::string ToolCallReader::finish() {
  std::string rest = std::exchange(held_, {});
  if (state_ == State::kTagged && take_calls(std::string_view(rest).substr(kOpen.size()))) {
    return {};  // the end tag may have been a stop
  }
  if (state_ == State::kBare && take_calls(rest)) {
    return {};
  }
  return !calls_.empty() && trimmed(rest).empty() ? std::string() : rest;
}

}  // namespace slipway::serve
