// The server of an encoder-decoder over a tiny BART, as Hugging Face's clients see it.
#include <future>
#include <gtest/gtest.h>

#include "net/client.h"
#include "serve/fixture.h"
#include "serve/seq2seq_model.h"
#include "support/tiny_seq2seq.h"

namespace slipway::serve {
namespace {

class Seq2SeqServerTest : public ::testing::Test {
 protected:
  Seq2SeqServerTest() : gold_(tests::tiny_seq2seq_gold("bart")) {
    tests::write_tiny_decoder(dir_.path(), gold_);
    tests::write_tiny_tokenizer(dir_.path(), 100, {{1, "<pad>"}, {2, "<s>"}, {81, "</s>"}});
    start({});
    const auto ids = gold_.at("ids").get<std::vector<int32_t>>();
    for (size_t i = 0; i + 1 < ids.size(); ++i) {  // the tokenizer adds the last one
      source_ += ids[i] == 81 ? "</s> " : "w" + std::to_string(ids[i]) + " ";
    }
    source_.pop_back();
  }
  static std::string words(const std::vector<int32_t>& ids) {
    std::string text;
    for (const int32_t id : ids) {
      if (id != 81 && id > 2) {
        text += (text.empty() ? "w" : " w") + std::to_string(id);
      }
    }
    return text;
  }
  void start(const ServeOptions& options) {
    server_ = std::make_unique<ModelServer>(options, std::vector<ModelSource>{{"tiny", dir_.path().string()}},
                                            model_maker(options, nullptr), context_.context);
    server_->start();
  }
  base::Json post(const base::Json& body, int status = 200) {
    net::HttpClient http(server_->url());
    const net::Response response = http.post_json("/", body);
    EXPECT_EQ(response.status, status) << response.body;
    return base::parse_json(response.body, "/");
  }
  // The gold's texts of a case.
  std::vector<std::string> texts_of(size_t index) const {
    std::vector<std::string> texts;
    for (const auto& ids : gold_.at("cases")[index].at("ids").get<std::vector<std::vector<int32_t>>>()) {
      texts.push_back(words(ids));
    }
    return texts;
  }

  base::Json gold_;
  base::TempDir dir_;
  TestContext context_;
  std::unique_ptr<ModelServer> server_;
  std::string source_;
};

TEST_F(Seq2SeqServerTest, OneTextIsAnsweredByAListOfItsSequences) {
  const base::Json cases = gold_.at("cases");
  for (const size_t index : {size_t{0}, size_t{3}}) {
    const base::Json answer = post({{"inputs", source_}, {"parameters", cases[index].at("settings")}});
    const std::vector<std::string> expected = texts_of(index);
    ASSERT_EQ(answer.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(answer[i], (base::Json{{"summary_text", expected[i]}}));
    }
  }
}

TEST_F(Seq2SeqServerTest, AListOfTextsIsAnsweredInItsOrder) {
  const base::Json settings = gold_.at("cases")[2].at("settings");
  const base::Json answer = post({{"inputs", {"w5 w6", source_, "w7"}}, {"parameters", settings}});
  ASSERT_EQ(answer.size(), 3U);
  EXPECT_EQ(answer[1].at("summary_text"), texts_of(2).front());
  const base::Json alone = post({{"inputs", "w7"}, {"parameters", settings}});
  EXPECT_EQ(alone[0], answer[2]);
}

TEST_F(Seq2SeqServerTest, RequestsAtOnceGiveTheSameTexts) {
  std::vector<std::future<base::Json>> answers;
  for (size_t i = 0; i < 12; ++i) {
    answers.push_back(std::async(std::launch::async, [this, i] {
      return post({{"inputs", source_}, {"parameters", gold_.at("cases")[i % 4].at("settings")}});
    }));
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get()[0].at("summary_text"), texts_of(i % 4).front());
  }
}

TEST_F(Seq2SeqServerTest, ATaskOfTheRequestGoesBeforeTheServers) {
  EXPECT_TRUE(
      post({{"inputs", "w5"}, {"task", "text2text-generation"}, {"parameters", {{"max_length", 4}}}})[0].contains(
          "generated_text"));
  EXPECT_NE(post({{"inputs", "w5"}, {"task", "fill-mask"}}, 400).at("error").get<std::string>().find("summarization"),
            std::string::npos);
}

TEST_F(Seq2SeqServerTest, WhatIsWrongIsTold) {
  for (const auto& [body, part] : std::vector<std::pair<base::Json, std::string>>{
           {base::Json::object(), "inputs"},
           {{{"inputs", 5}}, "inputs"},
           {{{"inputs", base::Json::array()}}, "inputs"},
           {{{"inputs", "w5"}, {"parameters", {{"num_beam", 2}}}}, "num_beams"},
           {{{"inputs", "w5"}, {"parameters", 7}}, "object"},
           {{{"inputs", source_ + " " + source_}, {"parameters", base::Json::object()}}, "between 1 and 64"},
           {{{"inputs", "w5"}, {"parameters", {{"max_length", 1000}}}}, "at most"}}) {
    const base::Json answer = post(body, 400);
    EXPECT_NE(answer.at("error").get<std::string>().find(part), std::string::npos) << answer;
  }
  net::HttpClient http(server_->url());
  EXPECT_EQ(http.request("POST", "/", "{", {}).status, 400);
  EXPECT_EQ(
      post({{"inputs", source_ + " " + source_}, {"parameters", {{"truncation", true}, {"max_length", 3}}}}).size(),
      1U);
}

TEST_F(Seq2SeqServerTest, TellsWhatItServesAndCounts) {
  post({{"inputs", {"w5", "w6"}}, {"parameters", {{"max_length", 5}}}});
  net::HttpClient http(server_->url());
  const base::Json info = base::parse_json(http.request("GET", "/info", {}, {}).body, "/info");
  EXPECT_EQ(info.at("model_id"), "tiny");
  EXPECT_EQ(info.at("task"), "summarization");
  EXPECT_EQ(info.at("architecture"), "bart");
  EXPECT_EQ(http.request("GET", "/health", {}, {}).status, 200);
  const std::string metrics = http.request("GET", "/metrics", {}, {}).body;
  EXPECT_NE(metrics.find("slipway_texts_total 2"), std::string::npos) << metrics;
  EXPECT_EQ(server_->drain(std::chrono::seconds(5)), 0);
}

TEST_F(Seq2SeqServerTest, AnUnknownTaskIsRefusedAtTheStart) {
  ServeOptions options;
  options.task = "fill-mask";
  server_.reset();
  EXPECT_THROW(start(options), base::Error);
}

}  // namespace
}  // namespace slipway::serve
