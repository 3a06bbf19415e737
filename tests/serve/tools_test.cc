#include "serve/tools.h"

#include "base/random.h"
#include "serve/generator_fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

const Json kTools = Json::parse(R"([
  {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters":
    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}}, "required": ["city"]}}},
  {"type": "function", "function": {"name": "now"}}])");

ToolSet tools_of(const Json& more = Json::object(), std::string_view chat_template = {}) {
  Json body = {{"tools", kTools}};
  body.update(more);
  return ToolSet(Body(body), chat_template);
}

struct Read {
  std::string text;
  std::vector<ToolCall> calls;
};

Read read(const ToolSet& tools, const std::string& text, base::Rng* splits = nullptr) {
  ToolCallReader reader(tools);
  Read out;
  for (size_t at = 0; at < text.size();) {
    const size_t n = splits != nullptr ? 1 + splits->below(5) : text.size();
    out.text += reader.push(std::string_view(text).substr(at, n));
    at += n;
  }
  out.text += reader.finish();
  out.calls = reader.calls();
  return out;
}

TEST(ToolCalls, AreReadInThreeStylesHoweverTheTextIsCut) {
  const ToolSet tools = tools_of();
  struct Case {
    const char* written;
    const char* text;
    std::vector<std::pair<const char*, const char*>> calls;
  };
  const std::vector<Case> cases = {
      {"Hello, <b>world</b>!", "Hello, <b>world</b>!", {}},
      {"<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
       "",
       {{"weather", R"({"city":"Oslo"})"}}},
      {"I look. "
       "<tool_call>{\"name\":\"now\",\"arguments\":{}}</"
       "tool_call>\n<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"B\"}}</tool_call>\n",
       "I look. ",
       {{"now", "{}"}, {"weather", R"({"city":"B"})"}}},
      {"<tool_call>{\"name\":\"now\",\"arguments\":{}}", "", {{"now", "{}"}}},
      {"<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>",
       "<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>",
       {}},
      {"<tool_call>no json</tool_call> and on", "<tool_call>no json</tool_call> and on", {}},
      {"{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}", "", {{"weather", R"({"city":"Rome"})"}}},
      {"<|python_tag|>{\"name\": \"now\", \"parameters\": {}}", "", {{"now", "{}"}}},
      {"{\"an\": \"object\"}", "{\"an\": \"object\"}", {}},
      {"[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}}, {\"name\": \"weather\", \"arguments\": {\"city\": "
       "\"C\"}}]",
       "",
       {{"now", "{}"}, {"weather", R"({"city":"C"})"}}},
      {"[{\"name\": \"now\", \"arguments\": \"{}\"}]", "", {{"now", "{}"}}},
      {"[1] is a footnote", "[1] is a footnote", {}},
      {"  \n", "  \n", {}},
  };
  base::Rng rng(7);
  for (const Case& c : cases) {
    for (int round = 0; round < 30; ++round) {
      const Read got = read(tools, c.written, round == 0 ? nullptr : &rng);
      EXPECT_EQ(got.text, c.text) << c.written;
      ASSERT_EQ(got.calls.size(), c.calls.size()) << c.written;
      for (size_t i = 0; i < c.calls.size(); ++i) {
        EXPECT_EQ(got.calls[i].name, c.calls[i].first);
        EXPECT_EQ(got.calls[i].arguments, c.calls[i].second);
        EXPECT_TRUE(got.calls[i].id.starts_with("call_"));
      }
    }
  }
  const ToolSet one = tools_of({{"parallel_tool_calls", false}});
  EXPECT_EQ(read(one, cases[2].written).calls.size(), 1U);
}

TEST(ToolCalls, ThatAreRequiredFitTheirParametersInTheModelsStyle) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path());
  const auto tokenizer = text::load_tokenizer(folder.path() / "tokenizer.json");
  text::ConstraintCompiler compiler(*tokenizer);
  const auto accepts = [&](const ToolSet& tools, std::string_view text) {
    text::ConstrainedText constrained(tools.constraint(compiler));
    return constrained.accept_bytes(text) && constrained.can_end();
  };
  EXPECT_EQ(tools_of().constraint(compiler), nullptr);
  EXPECT_EQ(tools_of({{"tool_choice", "none"}}).constraint(compiler), nullptr);
  const ToolSet any = tools_of({{"tool_choice", "required"}});
  EXPECT_TRUE(accepts(
      any, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\", \"days\": 2}}\n</tool_call>"));
  EXPECT_TRUE(accepts(any, "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"));
  EXPECT_FALSE(accepts(any, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"days\": 2}}\n</tool_call>"));
  EXPECT_FALSE(accepts(any, "Hello"));
  const Json named = {{"tool_choice", {{"type", "function"}, {"function", {{"name", "now"}}}}}};
  EXPECT_TRUE(accepts(tools_of(named, "<|python_tag|>"), "{\"name\": \"now\", \"parameters\": {}}"));
  EXPECT_FALSE(
      accepts(tools_of(named, "<|python_tag|>"), "{\"name\": \"weather\", \"parameters\": {\"city\": \"x\"}}"));
  EXPECT_TRUE(accepts(tools_of(named, "[TOOL_CALLS]"), "[{\"name\": \"now\", \"arguments\": {}}]"));
}

TEST(ToolCalls, TheModelIsToldOfTheTools) {
  const ToolSet tools = tools_of();
  const text::ChatTemplate knows = text::ChatTemplate::parse("{{ tools | length }}");
  text::ChatRequest chat;
  chat.messages.push_back({{"role", "user"}, {"content", "hi"}});
  tools.describe_to(chat, &knows);
  EXPECT_EQ(knows.render(chat), "2");
  EXPECT_EQ(chat.messages.size(), 1U);
  const text::ChatTemplate ignorant = text::ChatTemplate::parse("{% for m in messages %}{{ m.content }}{% endfor %}");
  text::ChatRequest other;
  other.messages.push_back({{"role", "user"}, {"content", "hi"}});
  tools.describe_to(other, &ignorant);
  ASSERT_EQ(other.messages.size(), 2U);
  EXPECT_EQ(other.messages[0]["role"], "system");
  EXPECT_NE(ignorant.render(other).find("\"weather\""), std::string::npos);
  tools_of({{"tool_choice", "none"}}).describe_to(chat, &ignorant);
  EXPECT_EQ(chat.messages.size(), 1U);
}

Json asked() { return {{"messages", {{{"role", "user"}, {"content", "good"}}}}, {"tools", kTools}}; }

TEST_F(GeneratorServerTest, CallsOfToolsAreAnsweredInOpenAisForm) {
  fake_->set_context_length(4000);
  fake_->says = {{"I see", "I see "},
                 {"<tool_call>", "<tool_call>"},
                 {"{", "{\"name\": \"weather\", \"arguments\": "},
                 {"}", "{\"city\": \"Oslo\"}}"},
                 {"</tool_call>", "\n</tool_call>"}};
  const Json choice = post("/v1/chat/completions", asked())["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"]["content"], "I see ");
  const Json call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["type"], "function");
  EXPECT_EQ(call["function"], (Json{{"name", "weather"}, {"arguments", R"({"city":"Oslo"})"}}));

  Json body = asked();
  body["stream"] = true;
  std::string text;
  std::string arguments;
  std::string name;
  std::string reason;
  for (const Json& event : events("/v1/chat/completions", body)) {
    if (!event.is_object()) {
      continue;
    }
    const Json delta = event["choices"][0]["delta"];
    text += delta.value("content", "");
    for (const Json& piece : delta.value("tool_calls", Json::array())) {
      EXPECT_EQ(piece["index"], 0);
      name += piece["function"].value("name", "");
      arguments += piece["function"]["arguments"].get<std::string>();
    }
    if (event["choices"][0]["finish_reason"].is_string()) {
      reason = event["choices"][0]["finish_reason"];
    }
  }
  EXPECT_EQ(text, "I see ");
  EXPECT_EQ(name, "weather");
  EXPECT_EQ(arguments, R"({"city":"Oslo"})");
  EXPECT_EQ(reason, "tool_calls");

  Json none = asked();
  none["tool_choice"] = "none";
  EXPECT_EQ(post("/v1/chat/completions", none)["choices"][0]["finish_reason"], "stop");
  Json required = asked();
  required["tool_choice"] = "required";
  post("/v1/chat/completions", required);
  EXPECT_NE(fake_->requests.back().constraint, nullptr);
  required["response_format"] = {{"type", "json_object"}};
  EXPECT_EQ(post("/v1/chat/completions", required, 400)["error"]["param"], "tool_choice");
}

TEST_F(GeneratorServerTest, CallsOfToolsAreAnsweredInOllamasForm) {
  fake_->set_context_length(4000);
  fake_->says = {{"I see", "I see "},
                 {"<", "<tool_call>{\"name\": \"weather\", "},
                 {">", "\"arguments\": {\"city\": \"B\"}}</tool_call>"}};
  Json body = asked();
  body["stream"] = false;
  const Json whole = post("/api/chat", body)["message"];
  EXPECT_EQ(whole["content"], "I see ");
  EXPECT_EQ(whole["tool_calls"][0]["function"], (Json{{"name", "weather"}, {"arguments", {{"city", "B"}}}}));
  body["stream"] = true;
  std::string text;
  int calls = 0;
  for (const Json& line : lines("/api/chat", body)) {
    text += line["message"]["content"].get<std::string>();
    calls += line["message"].contains("tool_calls") ? 1 : 0;
  }
  EXPECT_EQ(text, "I see ");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(send("/api/chat", {{"messages", body["messages"]}, {"tools", 3}}).status, 400);
}

TEST_F(GeneratorServerTest, AnAnswerAfterACallTakesTheToolsResult) {
  fake_->set_context_length(4000);
  Json body = asked();
  body["messages"].push_back(Json::parse(R"({"role": "assistant", "content": null, "tool_calls":
      [{"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}]})"));
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", "noon"}});
  EXPECT_EQ(post("/v1/chat/completions", body)["choices"][0]["message"]["content"], "Hello, wörld!");
}

}  // namespace
}  // namespace slipway::serve
