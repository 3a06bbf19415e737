#include "govern/model_card.h"

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/yaml.h"
#include "support/support.h"

namespace slipway::govern {
namespace {

using base::Json;

Json facts() {
  const auto path = tests::source_dir() / "tests/govern/facts.json";
  return base::parse_json(base::read_file(path), path.string());
}

// The front matter between the two "---" lines, read by libyaml.
Json front_matter(const std::string& card) {
  EXPECT_TRUE(card.starts_with("---\n"));
  const size_t end = card.find("\n---\n", 4);
  EXPECT_NE(end, std::string::npos);
  return base::parse_yaml(card.substr(4, end - 3), "card").value;
}

TEST(ModelCard, FrontMatterIsWhatTheHubReads) {
  const Json front = front_matter(render_model_card(facts()));
  EXPECT_EQ(front["language"], Json::array({"en"}));
  EXPECT_EQ(front["license"], "apache-2.0");
  EXPECT_EQ(front["library_name"], "transformers");
  EXPECT_EQ(front["pipeline_tag"], "text-classification");
  EXPECT_EQ(front["base_model"], "all-MiniLM-L6-v2");
  EXPECT_EQ(front["datasets"], Json::array({"movie"}));
  const Json& result = front["model-index"][0]["results"][0];
  EXPECT_EQ(result["task"]["type"], "text-classification");
  EXPECT_EQ(result["metrics"][0]["type"], "accuracy");
  EXPECT_DOUBLE_EQ(result["metrics"][0]["value"].get<double>(), 0.8742);
  EXPECT_EQ(result["dataset"]["split"], "test");
}

TEST(ModelCard, FoldersAreNoBaseModels) {
  Json json = facts();
  for (const char* folder : {"/models/minilm", "a/b/c", "", "models:/x@champion", "-x/y", "x/"}) {
    json["model"]["base"] = folder;
    EXPECT_FALSE(front_matter(render_model_card(json)).contains("base_model")) << folder;
  }
  json["model"]["base_id"] = "sentence-transformers/all-MiniLM-L6-v2";
  EXPECT_EQ(front_matter(render_model_card(json))["base_model"], "sentence-transformers/all-MiniLM-L6-v2");
  json["model"]["base"] = "minilm";
  json["model"]["base_id"] = "";
  EXPECT_FALSE(front_matter(render_model_card(json)).contains("base_model"));
}

TEST(ModelCard, TagsAreSaidOnce) {
  Json json = facts();
  json["card"]["tags"] = Json::array({"slipway", "nlp", "nlp"});
  EXPECT_EQ(front_matter(render_model_card(json))["tags"], Json::array({"slipway", "nlp"}));
}

TEST(ModelCard, BodySaysHowGoodWithIntervals) {
  const std::string card = render_model_card(facts());
  for (const char* text :
       {"## Model details", "## Intended use", "## Limits", "English only",
        "| accuracy | 0.8742 | 0.8603 – 0.8871 | 2,034 |", "1-8 words", "## Bias", "ethnicity:black", "## Quantisation",
        "Accuracy lost in int8: 0.0010", "slipway run examples/sentiment/slipway.yaml"}) {
    EXPECT_NE(card.find(text), std::string::npos) << text;
  }
}

TEST(ModelCard, EmptyFactsClaimNothing) {
  const std::string card = render_model_card(Json::object());
  const Json front = front_matter(card);
  EXPECT_EQ(front["license"], "other");
  EXPECT_FALSE(front.contains("model-index"));
  EXPECT_NE(card.find("Not evaluated."), std::string::npos);
  EXPECT_THROW(render_model_card(Json("x")), base::Error);
}

TEST(ModelCard, HostileTextsStayText) {
  Json json = facts();
  for (const std::string evil :
       {"---\nlicense: evil", "yes", "a: b # c", "<script>alert(1)</script>", "```\n# x", "| a | b |\n"}) {
    json["model"]["name"] = evil;
    json["model"]["base"] = evil;
    json["card"]["license"] = evil;
    json["card"]["intended_use"] = evil;
    json["data"]["sources"][0]["id"] = evil;
    json["repeat"]["commands"] = Json::array({evil});
    const std::string card = render_model_card(json);
    const Json front = front_matter(card);
    EXPECT_EQ(front.contains("base_model"), evil == "yes");  // only what can be a name on the Hub
    EXPECT_EQ(front["license"], evil);
    EXPECT_EQ(front["datasets"][0], evil);
    const std::string body =
        card.substr(card.find("\n---\n", 4), card.find("## How to repeat") - card.find("\n---\n", 4));
    EXPECT_EQ(body.find("<script"), std::string::npos);
    EXPECT_EQ(body.find("\n# x"), std::string::npos);
  }
}

TEST(Yaml, ScalarsAreQuotedWhenPlainWouldMeanSomethingElse) {
  EXPECT_EQ(yaml_scalar("apache-2.0"), "apache-2.0");
  EXPECT_EQ(yaml_scalar("text-classification"), "text-classification");
  for (const char* text : {"",     "yes", "No",   "NULL",       "~",    "12",   "1e3",  "0x1f", "- a", "a: b",
                           "a #b", "&a",  "*a",   "!a",         "%a",   "@a",   "{a}",  "[a]",  "'a'", "\"a\"",
                           " a",   "a ",  "a\nb", "2026-11-24", ".inf", "true", "中文", "---"}) {
    const std::string scalar = yaml_scalar(text);
    EXPECT_EQ(scalar.front(), '"') << text;
    EXPECT_EQ(base::parse_yaml("k: " + scalar, "t").value["k"], text);
  }
}

Json random_value(base::Rng& rng, int depth) {
  const uint64_t kind = rng.below(depth > 3 ? 4 : 6);
  if (kind == 0) {
    return static_cast<int64_t>(rng.next() >> 20);
  }
  if (kind == 1) {
    return rng.below(2) == 0;
  }
  if (kind <= 3) {
    static const std::vector<std::string> kPieces = {"a",
                                                     "B",
                                                     "0",
                                                     " ",
                                                     ":",
                                                     "#",
                                                     "-",
                                                     "\n",
                                                     "\t",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "é",
                                                     "中",
                                                     "😀",
                                                     "\xE2\x80\xA8",
                                                     "\xC2\x85",
                                                     "\xC2\x80",
                                                     "\x7f",
                                                     "\x01",
                                                     "\xEF\xBB\xBF",
                                                     "\xEF\xBF\xBF",
                                                     "[",
                                                     "{",
                                                     ",",
                                                     "&",
                                                     "*",
                                                     "?",
                                                     "|",
                                                     ">",
                                                     "%",
                                                     "@",
                                                     "`",
                                                     "yes"};
    std::string text;
    for (uint64_t i = rng.below(8); i > 0; --i) {
      text += kPieces[rng.below(kPieces.size())];
    }
    return text;
  }
  Json out = kind == 4 ? Json::array() : Json::object();
  for (uint64_t i = rng.below(4); i > 0; --i) {
    if (kind == 4) {
      out.push_back(random_value(rng, depth + 1));
    } else {
      out["k" + random_value(rng, 9).dump()] = random_value(rng, depth + 1);
    }
  }
  return out;
}

TEST(Yaml, WhatIsWrittenReadsBackTheSame) {
  base::Rng rng(17);
  for (int i = 0; i < 500; ++i) {
    const Json value = {{"root", random_value(rng, 0)}};
    const std::string text = to_yaml(value);
    ASSERT_EQ(base::parse_yaml(text, "t").value, value) << "round " << i << "\n" << text;
  }
}

TEST(Yaml, FloatsHaveAPoint) {
  EXPECT_EQ(to_yaml(Json{{"lr", 3e-5}}), "lr: 3.0e-05\n");
  EXPECT_EQ(to_yaml(Json{{"x", 0.25}}), "x: 0.25\n");
}

}  // namespace
}  // namespace slipway::govern
