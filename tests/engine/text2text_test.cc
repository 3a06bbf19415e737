#include "engine/text2text.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "support/tiny_seq2seq.h"

namespace slipway::engine {
namespace {

using base::Json;

class Text2Text : public ::testing::Test {
 protected:
  std::unique_ptr<Seq2Seq> load(const std::string& family, const Json& config = Json::object(),
                                const std::map<int, std::string>& more = {}, const std::string& before = {}) {
    Json gold = tests::tiny_seq2seq_gold(family);
    if (config.is_object()) {
      gold["config"].update(config);
    }
    end = gold.at("config").at("eos_token_id").get<int>();
    tests::write_tiny_decoder(folder.path(), gold);
    std::map<int, std::string> special = {{0, "<unk>"}, {end, "</s>"}};
    special.insert(more.begin(), more.end());
    tests::write_tiny_tokenizer(folder.path(), 100, special, before);
    return load_seq2seq(folder.path(), {}, pool);
  }
  static Text2TextOptions options_of(const Seq2Seq& model, const std::string& task, const Json& parameters) {
    return Text2TextOptions::of(model.info(), task, parameters, "the test");
  }
  static std::string refused(const Seq2Seq& model, const std::string& task, const Json& parameters) {
    try {
      text2text_request(model, "w5 w6", options_of(model, task, parameters));
      return "taken";
    } catch (const base::Error& error) {
      return error.what();
    }
  }

  base::TempDir folder;
  base::Pool pool{2};
  int end = 0;
};

const Json kT5Tasks = {
    {"task_specific_params",
     {{"summarization", {{"prefix", "w7 w8 "}, {"num_beams", 4}, {"max_length", 30}, {"early_stopping", true}}},
      {"translation_en_to_de", {{"prefix", "w9 "}, {"num_beams", 2}}},
      {"translation_en_to_fr", {{"prefix", "w10 "}}}}}};

TEST_F(Text2Text, ATaskHasItsPrefixAndItsParameters) {
  const auto model = load("t5", kT5Tasks);
  const Text2TextOptions summary = options_of(*model, "summarization", {{"max_length", 12}});
  EXPECT_EQ(summary.params.num_beams, 4);
  EXPECT_EQ(summary.params.early_stopping, "true");
  EXPECT_EQ(summary.params.max_length, 12);  // what is asked for goes before the task's
  EXPECT_EQ(text2text_request(*model, "w5", summary).ids, (std::vector<int32_t>{7, 8, 5, end}));
  const Text2TextOptions plain = options_of(*model, "", {{"generate_parameters", {{"num_beams", 3}}}});
  EXPECT_EQ(plain.task, "text2text-generation");
  EXPECT_EQ(plain.params.num_beams, 3);
  EXPECT_EQ(text2text_request(*model, "w5", plain).ids, (std::vector<int32_t>{5, end}));
}

TEST_F(Text2Text, TranslationsOfT5AreChosenByLanguages) {
  const auto model = load("t5", kT5Tasks);
  for (const auto& options : {options_of(*model, "translation_en_to_de", {}),
                              options_of(*model, "translation", {{"src_lang", "en"}, {"tgt_lang", "de"}})}) {
    EXPECT_EQ(options.params.num_beams, 2);
    EXPECT_EQ(text2text_request(*model, "w5", options).ids, (std::vector<int32_t>{9, 5, end}));
  }
  EXPECT_NE(refused(*model, "translation", {}).find("translation_en_to_fr"), std::string::npos);
  EXPECT_NE(refused(*model, "translation_en_to_it", {}).find("translation_en_to_fr"), std::string::npos);
}

TEST_F(Text2Text, LanguageTokensFrameTheSourceAndForceTheTarget) {
  // NLLB's way: the source language before the text. Then the model's default, before and after the end.
  const std::map<int, std::string> languages = {{90, "eng_Latn"}, {91, "deu_Latn"}, {92, "zho_Hans"}};
  const auto model = load("m2m_100", {}, languages, "eng_Latn");
  const auto request = [&](const Json& parameters) {
    return text2text_request(*model, "w5 w6", options_of(*model, "translation", parameters));
  };
  const Seq2SeqRequest usual = request({{"tgt_lang", "deu_Latn"}});
  EXPECT_EQ(usual.ids, (std::vector<int32_t>{90, 5, 6, end}));
  EXPECT_EQ(usual.params.forced_bos_token_id, 91);
  const Seq2SeqRequest other = request({{"src_lang", "zho_Hans"}, {"tgt_lang", "eng_Latn"}});
  EXPECT_EQ(other.ids, (std::vector<int32_t>{92, 5, 6, end}));
  EXPECT_EQ(other.params.forced_bos_token_id, 90);
  EXPECT_NE(refused(*model, "translation", {}).find("target language"), std::string::npos);
  EXPECT_EQ(request({{"src_lang", "deu"}, {"tgt_lang", "zho"}}).ids, (std::vector<int32_t>{91, 5, 6, end}));
  EXPECT_EQ(
      text2text_request(*model, "w5", options_of(*model, "translation_deu_to_zho", {})).params.forced_bos_token_id, 92);
  EXPECT_NE(refused(*model, "translation", {{"tgt_lang", "de"}}).find("deu_Latn"), std::string::npos);
  EXPECT_NE(refused(*model, "translation", {{"tgt_lang", "w5"}}).find("no language"), std::string::npos);
  // The forced language is a special token: no part of the text.
  Seq2SeqRequest short_one = request({{"tgt_lang", "deu_Latn"}, {"max_new_tokens", 4}, {"min_new_tokens", 4}});
  const auto results = generate(*model, {short_one});
  EXPECT_EQ(results[0].sequences[0].ids[0], 91);
  const Json answer = text2text_answer("translation", results[0]);
  EXPECT_EQ(answer[0].at("translation_text").get<std::string>().find("deu"), std::string::npos);
  EXPECT_NE(answer[0].at("translation_text").get<std::string>(), "");
}

TEST_F(Text2Text, M2M100sLanguagesAreFoundByTheirCodes) {
  const auto model = load("m2m_100", {}, {{90, "__en__"}, {91, "__de__"}}, "__en__");
  const Seq2SeqRequest request =
      text2text_request(*model, "w5", options_of(*model, "translation", {{"src_lang", "de"}, {"tgt_lang", "__en__"}}));
  EXPECT_EQ(request.ids, (std::vector<int32_t>{91, 5, end}));
  EXPECT_EQ(request.params.forced_bos_token_id, 90);
}

TEST_F(Text2Text, ABeginningThatSeveralLanguagesShareNamesNone) {
  // mBART's names, and a list of one translation in config.json, which only T5 reads as all there is.
  const auto model = load("mbart", {{"task_specific_params", {{"translation_en_to_ro", {{"num_beams", 3}}}}}},
                          {{90, "en_XX"}, {91, "ro_RO"}, {92, "zh_CN"}, {93, "zh_TW"}});
  const Text2TextOptions options = options_of(*model, "translation_en_to_ro", {});
  EXPECT_EQ(options.params.num_beams, 3);
  EXPECT_EQ(text2text_request(*model, "w5", options).params.forced_bos_token_id, 91);
  EXPECT_EQ(text2text_request(*model, "w5", options_of(*model, "", {{"tgt_lang", "zh_TW"}})).params.forced_bos_token_id,
            93);
  EXPECT_NE(refused(*model, "", {{"tgt_lang", "zh"}}).find("no language 'zh'"), std::string::npos);
}

TEST_F(Text2Text, MarianTakesItsTargetBeforeTheText) {
  const auto model = load("marian", {}, {{90, ">>fra<<"}});
  EXPECT_EQ(text2text_request(*model, "w5", options_of(*model, "", {{"tgt_lang", "fra"}})).ids,
            (std::vector<int32_t>{90, 5, end}));
  EXPECT_EQ(text2text_request(*model, "w5", options_of(*model, "", {})).ids, (std::vector<int32_t>{5, end}));
}

TEST_F(Text2Text, RefusesWhatItDoesNotKnow) {
  const auto model = load("bart");
  EXPECT_EQ(options_of(*model, "", {}).task, "summarization");
  EXPECT_NE(refused(*model, "fill-mask", {}).find("summarization"), std::string::npos);
  EXPECT_NE(refused(*model, "", {{"num_beam", 3}}).find("num_beams"), std::string::npos);
  EXPECT_NE(refused(*model, "", {{"return_tensors", true}}).find("return_tensors"), std::string::npos);
  EXPECT_NE(refused(*model, "", {{"tgt_lang", 5}}).find("tgt_lang"), std::string::npos);
  EXPECT_NE(refused(*model, "", {{"generate_parameters", 5}}).find("generate_parameters"), std::string::npos);
  EXPECT_NE(refused(*model, "", Json::array()).find("object"), std::string::npos);
  EXPECT_EQ(refused(*model, "", {{"clean_up_tokenization_spaces", false}, {"truncation", "longest_first"}}), "taken");
}

TEST_F(Text2Text, LongSourcesAreRefusedOrCut) {
  const auto model = load("bart");
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "w5 ";
  }
  EXPECT_EQ(text2text_request(*model, text, options_of(*model, "", {{"truncation", true}})).ids.size(), 64U);
  const Seq2SeqRequest whole = text2text_request(*model, text, options_of(*model, "", {}));
  EXPECT_EQ(whole.ids.size(), 101U);
  EXPECT_THROW(model->submit(whole), base::Error);
}

}  // namespace
}  // namespace slipway::engine
