// Annotation over REST, as the page asks it: api/openapi.yaml.
#include "api/fixture.h"
#include "record/annotation_stores.h"

namespace slipway::api {
namespace {

class Annotate : public ServerTest {
 protected:
  Annotate() { restart(); }
  static Json settings(Json more = Json::object()) {
    Json made = {{"scheme", {{"questions", {"classification", "spans"}}, {"classes", {{{"name", "good"}}, {{"name", "bad"}}}}, {"spans", {{{"name", "WHO"}}}}}}};
    made.update(more);
    return made;
  }
  Json project(Json more = Json::object()) {
    return good(ask("POST", "/api/ui/annotation", Json{{"name", "team/p"}, {"settings", settings(std::move(more))}}.dump()));
  }
  Answer at(const std::string& method, const std::string& path, const Json& body = nullptr) {
    return ask(method, "/api/ui/annotation/team%2Fp" + path, body.is_null() ? "" : body.dump());
  }
  Json bring(const std::string& bytes, const std::string& format = "") {
    net::Headers headers;
    headers.add("Content-Type", "application/octet-stream");
    return good(ask("POST", "/api/ui/annotation/team%2Fp/import" + (format.empty() ? "" : "?format=" + format), bytes, headers));
  }
  static std::string lines(int count, const std::string& text = "text ") {
    std::string all;
    for (int i = 0; i < count; ++i) {
      all += Json{{"id", i}, {"text", text + std::to_string(i)}}.dump() + "\n";
    }
    return all;
  }
  Json next(const std::string& who) { return good(at("POST", "/next", {{"annotator", who}})); }
  Answer say(int64_t task, const std::string& who, const std::string& label, int revision = 0) {
    return at("PUT", fmt::format("/tasks/{}/answer", task), {{"annotator", who}, {"revision", revision}, {"answer", {{"classes", {label}}}}, {"seconds", 1.5}});
  }
};

TEST_F(Annotate, AProjectHasItsSettingsAndCounts) {
  EXPECT_EQ(project({{"overlap", 2}})["settings"]["overlap"], 2);
  EXPECT_EQ(at("GET", "").body["counts"]["tasks"], 0);
  EXPECT_EQ(ask("GET", "/api/ui/annotation").body["projects"][0]["name"], "team/p");
  EXPECT_EQ(ask("POST", "/api/ui/annotation", Json{{"name", "team/p"}, {"settings", settings()}}.dump()).status, 400);  // RESOURCE_ALREADY_EXISTS
  EXPECT_EQ(at("PUT", "", {{"revision", 1}, {"settings", settings({{"overlap", 3}})}}).body["settings"]["overlap"], 3);
  EXPECT_GE(at("PUT", "", {{"revision", 1}, {"settings", settings()}}).status, 400);
  EXPECT_EQ(at("PUT", "", {{"revision", 2}, {"settings", settings({{"colour", 1}})}}).status, 400);
  EXPECT_EQ(at("DELETE", "").status, 200);
  EXPECT_EQ(at("GET", "").status, 404);
}

TEST_F(Annotate, TasksAreGivenOutAnsweredAndTakenBack) {
  project();
  EXPECT_EQ(bring(lines(2), "jsonl")["tasks"], 2);
  EXPECT_EQ(bring(lines(3), "jsonl")["known"], 2);
  const Json work = next("ann")["work"];
  const int64_t task = work["task"]["id"].get<int64_t>();
  EXPECT_EQ(work["task"]["text"], "text 0");
  EXPECT_TRUE(work["mine"].is_null());
  const Json saved = good(say(task, "ann", "good"));
  EXPECT_EQ(saved["state"], "answered");
  EXPECT_EQ(saved["counts"]["answered"], 1);
  EXPECT_EQ(say(task, "ann", "bad").status, 400);  // somebody saw an older revision
  EXPECT_EQ(say(task, "ann", "ugly", 1).status, 400);
  EXPECT_EQ(say(task + 999, "ann", "good").status, 404);
  EXPECT_EQ(good(say(task, "ann", "bad", 1))["annotation"]["revision"], 2);
  EXPECT_EQ(good(at("POST", "/undo", {{"annotator", "ann"}}))["work"]["mine"]["answer"]["classes"][0], "good");
  good(at("POST", "/undo", {{"annotator", "ann"}}));
  EXPECT_EQ(good(at("POST", "/undo", {{"annotator", "ann"}})), Json::object());
  const Json changes = at("GET", fmt::format("/tasks/{}/history", task)).body["changes"];
  EXPECT_EQ(changes.size(), 4);
  EXPECT_TRUE(changes[3]["answer"].is_null());
}

TEST_F(Annotate, ReviewDecidesAndAgreementIsTold) {
  project({{"overlap", 2}});
  bring(lines(20), "jsonl");
  for (const std::string who : {"ann", "bob"}) {
    for (Json given = next(who); given.contains("work"); given = next(who)) {
      const int64_t id = given["work"]["task"]["id"].get<int64_t>();
      EXPECT_TRUE(given["work"]["annotations"].empty());  // nobody is led
      good(say(id, who, id % 5 == 0 && who == "bob" ? "bad" : id % 2 == 0 ? "good" : "bad"));
    }
  }
  const Json first = at("GET", "/review?max_results=3").body;
  ASSERT_EQ(first["tasks"].size(), 3);
  EXPECT_LT(first["tasks"][0]["agreement"].get<double>(), 1);
  const Json second = at("GET", "/review?max_results=100&page_token=" + net::percent_encode(first["next_page_token"].get<std::string>())).body;
  EXPECT_EQ(second["tasks"].size(), 17);
  const int64_t task = first["tasks"][0]["id"].get<int64_t>();
  const Json work = at("GET", fmt::format("/tasks/{}", task)).body;
  const Json decided = good(at("PUT", fmt::format("/tasks/{}/review", task), {{"revision", 0}, {"accept", work["annotations"][1]["id"]}}));
  EXPECT_EQ(decided["annotation"]["ground_truth"], true);
  EXPECT_EQ(decided["annotation"]["answer"], work["annotations"][1]["answer"]);
  EXPECT_EQ(at("GET", "/progress").body["counts"]["reviewed"], 1);
  const Json agreement = at("GET", "/agreement").body;
  EXPECT_EQ(agreement["tasks"], 20);
  EXPECT_EQ(agreement["questions"][0]["question"], "classification");
  // Two of the four ids that end with 0 or 5 among 20 in a row are even: there they differ.
  EXPECT_NEAR(agreement["questions"][0]["raw"]["value"].get<double>(), 0.9, 1e-9);
  EXPECT_NEAR(agreement["questions"][0]["cohen"]["value"].get<double>(), 0.8, 1e-9);  // p_e = 0.5 * 0.4 + 0.5 * 0.6
  EXPECT_EQ(at("GET", "/tasks?label=good&annotator=bob").body["tasks"].size(), 10);  // two are what ann said
}

TEST_F(Annotate, DictionariesAndExpressionsSuggest) {
  project({{"rules", {{{"label", "WHO"}, {"terms", {"Ada Lovelace", "王小明"}}}, {{"label", "good"}, {"pattern", "lov(e|ed)\\b"}}}}});
  bring(Json{{"text", "é Ada  Lovelace loved 王小明."}}.dump() + "\n", "jsonl");
  const Json work = next("ann")["work"];
  const Json& all = work["suggestions"];
  ASSERT_EQ(all.size(), 2) << all.dump();
  for (const Json& one : all) {
    if (one["source"] == "dictionary") {
      EXPECT_EQ(one["answer"]["spans"][0]["start"], 2);
      EXPECT_EQ(one["answer"]["spans"][0]["end"], 15);
      EXPECT_EQ(one["answer"]["spans"][1]["start"], 22);
      EXPECT_EQ(one["answer"]["spans"][1]["end"], 25);
    } else {
      EXPECT_EQ(one["source"], "regex");
      EXPECT_EQ(one["answer"]["classes"][0], "good");
    }
  }
}

TEST_F(Annotate, AnExportComesInAgain) {
  project();
  bring(lines(3), "jsonl");
  good(say(next("ann")["work"]["task"]["id"].get<int64_t>(), "ann", "good"));
  for (const Json& format : at("GET", "").body["export_formats"]) {
    const std::string name = format.get<std::string>();
    const Answer file = at("GET", "/export?format=" + name + "&state=answered");
    EXPECT_EQ(file.status, 200) << name << file.text;
    EXPECT_NE(file.text.find("text 0"), std::string::npos) << name << ": " << file.text;
  }
  EXPECT_EQ(at("GET", "/export?format=word").status, 400);
  const std::string own = at("GET", "/export?format=jsonl").text;
  at("DELETE", "");
  project();
  EXPECT_EQ(bring(own, "jsonl")["annotations"], 1);
  EXPECT_EQ(at("GET", "/export?format=jsonl").text.size(), own.size());
}

// With order "margin" and a training after every 10 answers, the texts nobody can tell come first then.
TEST_F(Annotate, ItLearnsInTheBackgroundAndAsksForWhatItIsUnsureOf) {
  project({{"order", "margin"}, {"retrain_every", 10}});
  std::string all;
  for (int i = 0; i < 40; ++i) {
    all += Json{{"id", i}, {"text", fmt::format("{} film number {}", i % 2 == 0 ? "wonderful lovely" : "dreadful boring", i)}}.dump() + "\n";
  }
  all += Json{{"key", "unsure"}, {"text", "wonderful dreadful film"}}.dump() + "\n";
  bring(all, "jsonl");
  for (int i = 0; i < 10; ++i) {
    const Json work = next("ann")["work"];
    good(say(work["task"]["id"].get<int64_t>(), "ann", work["task"]["text"].get<std::string>()[0] == 'w' ? "good" : "bad"));
  }
  Json learning;
  for (int i = 0; i < 100'000 && learning["trainings"] != 1; ++i) {
    learning = at("GET", "").body["learning"];
  }
  EXPECT_EQ(learning["trained_on"], 10);
  EXPECT_EQ(learning["state"], "ready");
  const Json work = next("ann")["work"];
  EXPECT_EQ(work["task"]["key"], "unsure");
  EXPECT_EQ(work["suggestions"][0]["source"], "learned@1");
}

// Spans are learnt too: after 12 answers it suggests them, and asks first for a text that has what it knows in other places.
TEST_F(Annotate, ItLearnsSpansAndAsksForWhatItIsUnsureOf) {
  project({{"order", "least-confidence"}, {"retrain_every", 12}, {"scheme", {{"questions", {"spans"}}, {"spans", {{{"name", "WHO"}}}}}}});
  const std::vector<std::string> names = {"Ada", "Bob", "Cleo"};
  std::string all;
  for (size_t i = 0; i < 30; ++i) {
    all += Json{{"id", i}, {"text", fmt::format("then {} said number {}", names[i % 3], i)}}.dump() + "\n";
  }
  all += Json{{"key", "unsure"}, {"text", "Zork said Quux then Frob number"}}.dump() + "\n";
  bring(all, "jsonl");
  for (int i = 0; i < 12; ++i) {
    const Json work = next("ann")["work"];
    const size_t length = names[static_cast<size_t>(i) % 3].size();
    good(at("PUT", fmt::format("/tasks/{}/answer", work["task"]["id"].get<int64_t>()),
            {{"annotator", "ann"}, {"revision", 0}, {"answer", {{"spans", {{{"id", "s1"}, {"start", 5}, {"end", 5 + length}, {"label", "WHO"}}}}}}}));
  }
  Json learning;
  for (int i = 0; i < 100'000 && learning["trainings"] != 1; ++i) {
    learning = at("GET", "").body["learning"];
  }
  EXPECT_EQ(learning["state"], "ready");
  EXPECT_EQ(learning["trained_on"], 12);
  const Json unsure = next("ann")["work"];
  EXPECT_EQ(unsure["task"]["key"], "unsure");
  const Json known = at("GET", "/tasks?text=number%2020").body["tasks"][0];
  const Json work = at("GET", fmt::format("/tasks/{}", known["id"].get<int64_t>())).body;
  ASSERT_EQ(work["suggestions"].size(), 1) << work.dump();
  EXPECT_EQ(work["suggestions"][0]["source"], "learned-spans@1");
  EXPECT_EQ(work["suggestions"][0]["answer"]["spans"][0]["start"], 5);
  EXPECT_EQ(work["suggestions"][0]["answer"]["spans"][0]["end"], 9);
}

// What rules say is joined: where the careful rule and the careless one differ, the careful one is believed.
TEST_F(Annotate, RulesAreJoinedByALabelModel) {
  Json rules = Json::array();
  for (const char* word : {"joy", "fun", "love"}) {
    rules.push_back({{"label", "good"}, {"terms", {word}}});
  }
  rules.push_back({{"label", "bad"}, {"terms", {"bore", "the"}}});
  project({{"rules", rules}, {"label_model", "generative"}, {"retrain_every", 0}});
  std::string all;
  for (int i = 0; i < 60; ++i) {
    all += Json{{"key", std::to_string(i)}, {"text", i % 3 == 0 ? "joy fun love" : i % 3 == 1 ? "a bore" : "joy love the"}}.dump() + "\n";
  }
  bring(all, "jsonl");
  Json learning = Json::object();
  for (int i = 0; i < 100'000 && !learning.value("rules", Json::object()).contains("texts"); ++i) {
    learning = at("GET", "").body["learning"];  // before the tasks came there was nothing to learn from
  }
  EXPECT_EQ(learning["rules"]["texts"], 60);
  EXPECT_EQ(learning["rules"]["functions"].size(), 4);
  const Json tasks = at("GET", "/tasks?text=joy%20love%20the").body["tasks"];
  const Json work = at("GET", fmt::format("/tasks/{}", tasks[0]["id"].get<int64_t>())).body;
  bool found = false;
  for (const Json& one : work["suggestions"]) {
    if (one["source"] == "weak:generative") {
      found = true;
      EXPECT_EQ(one["answer"]["classes"][0], "good");
      EXPECT_GT(one["score"].get<double>(), 0.5);
    }
  }
  EXPECT_TRUE(found) << work.dump();
}

TEST_F(Annotate, AnExportHasTheConsensusWhereNobodyDecided) {
  project({{"overlap", 3}});
  bring(lines(2), "jsonl");
  for (const std::string who : {"ann", "bob", "eve"}) {
    for (Json given = next(who); given.contains("work"); given = next(who)) {
      good(say(given["work"]["task"]["id"].get<int64_t>(), who, who == "eve" ? "bad" : "good"));
    }
  }
  for (const char* kind : {"majority", "dawid-skene"}) {
    const std::string text = at("GET", std::string("/export?format=jsonl&consensus=") + kind).text;
    EXPECT_NE(text.find(std::string("consensus:") + kind), std::string::npos) << text;
  }
  EXPECT_EQ(at("GET", "/export?format=jsonl").text.find("consensus"), std::string::npos);
  EXPECT_EQ(at("GET", "/export?format=jsonl&consensus=vote").status, 400);
}

}  // namespace
}  // namespace slipway::api
