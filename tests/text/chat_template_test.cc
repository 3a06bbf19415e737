// Chat templates against transformers (tests/gold/make_chat_template_gold.py), and their limits.
#include "text/chat_template.h"

#include <gtest/gtest.h>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::text {
namespace {

using base::Json;

const Json& gold() {
  static const Json all = base::parse_json(base::read_file(tests::source_dir() / "tests/gold/chat_template.json"),
                                           "tests/gold/chat_template.json");
  return all;
}

// The text, or nullopt where rendering (or parsing) is refused; `why` gets the message.
std::optional<std::string> rendered(const std::string& source, const ChatRequest& request, std::string* why = nullptr) {
  try {
    return ChatTemplate::parse(source).render(request);
  } catch (const base::Error& error) {
    if (why != nullptr) {
      *why = error.what();
    }
    return std::nullopt;
  }
}

std::optional<std::string> expected(const Json& text) {
  return text.is_null() ? std::nullopt : std::optional(text.get<std::string>());
}

std::string shown(const std::optional<std::string>& text) { return text ? *text : "(refused)"; }

TEST(ChatTemplateGold, RendersTheFormatsOfModelFamiliesAsTransformers) {
  ASSERT_GT(gold()["cases"].size(), 300U);
  for (const Json& one : gold()["cases"]) {
    ChatRequest request;
    request.messages = gold()["chats"][one["messages"].get<std::string>()];
    request.tools = one["tools"].get<bool>() ? gold()["tools"] : Json(nullptr);
    request.add_generation_prompt = one["prompt"].get<bool>();
    request.extra = one["extra"];
    request.unix_ms = gold()["unix_ms"].get<int64_t>();
    std::string why;
    const auto text =
        rendered(gold()["templates"][one["template"].get<std::string>()].get<std::string>(), request, &why);
    EXPECT_EQ(shown(text), shown(expected(one["text"]))) << one["name"] << " " << why;
  }
}

TEST(ChatTemplateGold, UnderstandsEachPartOfJinjaAsTransformers) {
  ASSERT_GT(gold()["snippets"].size(), 70U);
  ChatRequest request;
  request.messages = gold()["chats"]["plain"];
  request.extra = gold()["data"];
  request.add_generation_prompt = false;
  request.unix_ms = gold()["unix_ms"].get<int64_t>();
  for (const Json& one : gold()["snippets"]) {
    std::string why;
    const auto text = rendered(one["template"].get<std::string>(), request, &why);
    EXPECT_EQ(shown(text), shown(expected(one["text"]))) << one["template"] << "\n" << why;
  }
}

TEST(ChatTemplate, TellsTheTemplatesOwnWordsOrTheLine) {
  std::string why;
  EXPECT_FALSE(rendered("{{ raise_exception('roles must alternate') }}", {}, &why));
  EXPECT_EQ(why, "roles must alternate");
  EXPECT_FALSE(rendered("a\n\n{{ messages[0].role.x }}", {}, &why));
  EXPECT_EQ(why, "chat template, line 3: 'list object' has no element 0");
  EXPECT_FALSE(rendered("a\n{% if x %}\nb", {}, &why));
  EXPECT_EQ(why, "chat template, line 3: the template ends, but {% endif %} is missing");
}

TEST(ChatTemplate, KnowsWhatATemplateAsksFor) {
  const ChatTemplate one = ChatTemplate::parse("{% if tools %}{{ tools|tojson }}{% endif %}");
  EXPECT_TRUE(one.mentions("tools"));
  EXPECT_FALSE(one.mentions("documents"));
}

TEST(ChatTemplate, ReasoningIsFoundUnderEachOfItsNames) {
  ChatRequest request;
  request.messages = Json::parse(R"([{"role": "assistant", "reasoning": "r", "content": null}])");
  EXPECT_EQ(
      rendered("{{ messages[0].reasoning_content }}{{ messages[0].thinking }}{{ 'content' in messages[0] }}", request),
      "rrFalse");
}

// What would run for ever, fill the memory or the stack, in each case within the limits.
TEST(ChatTemplate, HostileTemplatesEndWithAnError) {
  const std::string deep_parens = std::string(100'000, '(') + std::string(100'000, ')');
  std::string deep_blocks;
  std::string long_chain = "{{ 1";
  for (int i = 0; i < 20'000; ++i) {
    deep_blocks += "{% if 1 %}";
    long_chain += "+1";
  }
  const std::vector<std::string> hostile = {
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
      "{{ 'a' * 9999999999 }}",
      "{{ ('a' * 60000000) ~ 1 }}",
      "{% set ns = namespace(s='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == ns.s "
      "}}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(s=1) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|tojson }}",
      "{% set ns = namespace(s=1) %}{% for i in range(9999) %}{% set ns.s = (ns.s,) %}{% endfor %}{{ ns.s < ns.s }}",
      "{% set s = 'abababab' * 100000 %}{% for i in range(99999) %}{% if s.replace('a', 'bb') %}{% endif %}{% endfor "
      "%}",
      "{% set s = 'a' * 1000000 %}{{ [s] * 1000 }}",
      "{{ ('x' * 4000)|replace('', 'y' * 40000) }}",
      "{{ range(99999)|list|tojson(indent=100, separators=('x' * 10000, 'y')) }}",
      "{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
      "{{ 9223372036854775807 + 1 }}",
      "{{ 2 ** 999999999 }}",
      "{{ 'x'.zfill(1099511627776)|length + (1 // 0) }}",
      "{{ " + deep_parens + " }}",
      deep_blocks,
      long_chain + " }}",
      "{{ " + std::string(100'000, '-') + "1 }}",
      "{{ not " + std::string(100'000, '[') + " }}",
      "{% set " + std::string(100'000, '(') + "a = 1 %}",
  };
  for (const std::string& source : hostile) {
    EXPECT_EQ(rendered(source, {}), std::nullopt) << source.substr(0, 100);
  }
}

TEST(ChatTemplate, ARingOfValuesIsNeitherFollowedNorLeaked) {
  EXPECT_EQ(rendered("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me == ns }}{{ [ns]|string }}", {}),
            "True[<Namespace>]");
}

}  // namespace
}  // namespace slipway::text
