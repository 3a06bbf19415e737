// Models that suggest answers: asked in the background, their faults told and never in the way of who answers.
#include <atomic>

#include "api/fixture.h"
#include "net/responder.h"
#include "net/router.h"
#include "net/server.h"
#include "record/annotation_stores.h"

namespace slipway::api {
namespace {

// A served model of this machine.
class Model {
 public:
  Model() {
    net::Router router;
    router.add("POST", "/ner", [this](net::Request request, net::Responder responder) {
      asked += 1;
      authorization = std::string(request.headers.get("Authorization"));
      const Json body = Json::parse(request.body);
      const std::string text = body["inputs"].get<std::string>();
      const size_t at = text.find("Ada");
      Json found = Json::array();
      if (at != std::string::npos) {
        found.push_back({{"entity_group", "PER"}, {"score", 0.75}, {"word", "Ada"}, {"start", at}, {"end", at + 3}});
      }
      responder.send(net::json_response(found));
    });
    router.add("POST", "/down", [this](net::Request, net::Responder responder) {
      asked += 1;
      responder.send(net::Response{503, {{"Content-Type", "text/plain"}}, "loading the weights"});
    });
    router.add("POST", "/refuses", [this](net::Request, net::Responder responder) {
      asked += 1;
      responder.send(net::Response{422, {{"Content-Type", "text/plain"}}, "the text is too long"});
    });
    router.add("POST", "/slow", [this](net::Request, net::Responder responder) {
      asked += 1;
      waiting.push_back(std::move(responder));  // never answered
    });
    server_ = std::make_unique<net::HttpServer>(net::ServerOptions(), std::move(router), log_);
    server_->start();
  }
  ~Model() { server_->stop(); }
  std::string url(const std::string& path) const { return server_->url() + path; }

  std::atomic<int> asked{0};
  std::string authorization;
  std::vector<net::Responder> waiting;

 private:
  base::Log log_;
  std::unique_ptr<net::HttpServer> server_;
};

class AnnotateModels : public ServerTest {
 protected:
  AnnotateModels() {
    options_.annotation.allow_private = true;
    restart();
  }
  Answer make(const Json& services, Json more = Json::object()) {
    Json settings = {{"scheme", {{"questions", {"spans"}}, {"spans", {{{"name", "WHO"}}}}}}, {"services", services}};
    settings.update(more);
    return ask("POST", "/api/ui/annotation", Json{{"name", "p"}, {"settings", settings}}.dump());
  }
  Json work() {
    if (!brought_) {
      net::Headers headers;
      headers.add("Content-Type", "application/octet-stream");
      good(ask("POST", "/api/ui/annotation/p/import?format=jsonl", "{\"key\":\"1\",\"text\":\"dear Ada\"}\n{\"key\":\"2\",\"text\":\"nobody\"}\n", headers));
      brought_ = true;
    }
    return good(ask("POST", "/api/ui/annotation/p/next", R"({"annotator":"ann"})"))["work"];
  }
  // As the page does: again until nobody is asked any more.
  Json suggestions(int64_t task) {
    Json said;
    do {
      said = good(ask("GET", fmt::format("/api/ui/annotation/p/tasks/{}/suggestions", task)));
    } while (said["pending"].get<bool>());
    return said["suggestions"];
  }
  Json state(size_t place = 0) { return ask("GET", "/api/ui/annotation/p").body["suggesters"][place]; }

 private:
  bool brought_ = false;
};

TEST_F(AnnotateModels, AServiceSuggestsWithItsScoreAndIsAskedOnceATask) {
  Model model;
  setenv("SLIPWAY_ANNOTATION_TOKEN_TEST", "secret", 1);  // NOLINT(concurrency-mt-unsafe)
  good(make({{{"url", model.url("/ner")}, {"name", "ner"}, {"labels", {{"PER", "WHO"}}}, {"token", "TEST"}}}));
  EXPECT_EQ(state()["state"], "waiting");
  const int64_t task = work()["task"]["id"].get<int64_t>();
  const Json said = suggestions(task);
  ASSERT_EQ(said.size(), 1) << said.dump();
  EXPECT_EQ(said[0]["source"], "ner");
  EXPECT_EQ(said[0]["score"], 0.75);
  EXPECT_EQ(said[0]["answer"]["spans"][0]["start"], 5);
  EXPECT_EQ(said[0]["answer"]["spans"][0]["label"], "WHO");
  EXPECT_EQ(suggestions(task), said);
  EXPECT_EQ(work()["suggestions"], said);  // it is known by now
  EXPECT_EQ(model.asked, 1);
  EXPECT_EQ(model.authorization, "Bearer secret");
  EXPECT_EQ(state()["state"], "ready");
  EXPECT_EQ(state()["answered"], 1);
  EXPECT_EQ(ask("GET", "/api/ui/annotation/p").body["models"], Json::array({"ner"}));
}

TEST_F(AnnotateModels, OneThatFailsIsToldOfAndStopsNobody) {
  Model model;
  good(make({{{"url", model.url("/down")}}}));
  const Json given = work();
  EXPECT_EQ(given["suggestions"], Json::array());
  const int64_t task = given["task"]["id"].get<int64_t>();
  EXPECT_EQ(suggestions(task), Json::array());
  EXPECT_EQ(state()["state"], "failing");
  EXPECT_NE(state()["message"].get<std::string>().find("503: loading the weights"), std::string::npos) << state();
  // The annotator goes on.
  const Answer saved = ask("PUT", fmt::format("/api/ui/annotation/p/tasks/{}/answer", task), R"({"annotator":"ann","revision":0,"answer":{"spans":[]}})");
  EXPECT_EQ(saved.status, 200) << saved.text;
}

TEST_F(AnnotateModels, OneThatRefusesATextIsNotAskedForItAgain) {
  Model model;
  good(make({{{"url", model.url("/refuses")}}}));
  const int64_t task = work()["task"]["id"].get<int64_t>();
  suggestions(task);
  suggestions(task);
  EXPECT_EQ(model.asked, 1);
  EXPECT_EQ(state()["failed"], 1);
  EXPECT_EQ(state()["state"], "waiting");  // other texts may be taken
  suggestions(task + 1);
  EXPECT_EQ(model.asked, 2);
}

TEST_F(AnnotateModels, OneThatNeverAnswersKeepsNobodyWaiting) {
  Model model;
  good(make({{{"url", model.url("/slow")}, {"timeout_ms", 300}}, {{"url", model.url("/ner")}, {"name", "ner"}, {"labels", {{"PER", "WHO"}}}}}));
  const Json given = work();
  EXPECT_EQ(given["pending"], true);
  const Json said = suggestions(given["task"]["id"].get<int64_t>());
  ASSERT_EQ(said.size(), 1);
  EXPECT_EQ(said[0]["source"], "ner");
  EXPECT_EQ(state(0)["state"], "failing");
  EXPECT_EQ(state(1)["state"], "ready");
}

TEST_F(AnnotateModels, OtherSettingsAskAnew) {
  Model model;
  good(make({{{"url", model.url("/ner")}, {"labels", {{"PER", "WHO"}}}}}));
  const int64_t task = work()["task"]["id"].get<int64_t>();
  EXPECT_EQ(suggestions(task).size(), 1);
  Json project = ask("GET", "/api/ui/annotation/p").body;
  project["settings"]["services"][0]["labels"]["PER"] = "";
  good(ask("PUT", "/api/ui/annotation/p", Json{{"revision", 1}, {"settings", project["settings"]}}.dump()));
  EXPECT_EQ(suggestions(task).size(), 0);
  EXPECT_EQ(model.asked, 2);
}

TEST_F(AnnotateModels, WrongSettingsAreRefused) {
  for (const char* service : {R"({})", R"({"url":7})", R"({"url":"ftp://x/y"})", R"({"url":"https://a b/"})", R"({"url":"https://me:pw@host/"})",
                              R"({"url":"https://host:99999999/"})", R"({"url":"https://x","protocol":"smoke"})", R"({"url":"https://x","token":"../x"})",
                              R"({"url":"https://x","timeout_ms":0})", R"({"url":"https://x","colour":1})", R"({"url":"https://x","labels":{"a":1}})"}) {
    const Answer answer = make(Json::array({Json::parse(service)}));
    EXPECT_EQ(answer.status, 400) << service << answer.text;
  }
  EXPECT_EQ(make(Json::array(), {{"label_model", "oracle"}}).status, 400);
}

class AnnotateAbroad : public AnnotateModels {
 protected:
  AnnotateAbroad() {
    options_.annotation.allow_private = false;
    restart();
  }
};

TEST_F(AnnotateAbroad, AddressesOfThisMachineAreNotAskedUnlessThatIsAllowed) {
  Model model;
  const Answer plain = make({{{"url", model.url("/ner")}}});
  EXPECT_EQ(plain.status, 400);
  EXPECT_NE(plain.text.find("--annotation-private"), std::string::npos) << plain.text;
  std::string secure = model.url("/ner");
  secure.replace(0, 4, "https");
  good(make({{{"url", secure}}}));  // an address may mean another machine by the time it is asked
  EXPECT_EQ(suggestions(work()["task"]["id"].get<int64_t>()), Json::array());
  EXPECT_EQ(state()["state"], "failing");
  EXPECT_EQ(model.asked, 0);
}

}  // namespace
}  // namespace slipway::api
