// Searching over HTTP: which runs, in which order, page by page.
#include <random>
#include <set>

#include "api/fixture.h"

namespace slipway::api {
namespace {

class Search : public ServerTest {
 protected:
  // The names of the runs found, in order.
  std::string names(const std::string& filter, const Json& order = Json::array(), const Json& more = Json::object()) {
    Json request = {{"experiment_ids", {"0"}}, {"filter", filter}, {"order_by", order}};
    request.update(more);
    const Answer answer = post("runs/search", request);
    if (answer.status != 200) {
      return fault(answer);
    }
    std::string text;
    if (answer.body.contains("runs")) {
      for (const Json& run : answer.body["runs"]) {
        text += run["info"]["run_name"].get<std::string>() + " ";
      }
    }
    return text;
  }
  std::string make(const std::string& name, int64_t start, const Json& metrics, const Json& params,
                   const Json& tags = Json::object()) {
    const std::string id = new_run({{"run_name", name}, {"start_time", start}});
    Json batch = {{"run_id", id}};
    for (const auto& [key, value] : metrics.items()) {
      batch["metrics"].push_back({{"key", key}, {"value", value}, {"timestamp", 1}});
    }
    for (const auto& [key, value] : params.items()) {
      batch["params"].push_back({{"key", key}, {"value", value}});
    }
    for (const auto& [key, value] : tags.items()) {
      batch["tags"].push_back({{"key", key}, {"value", value}});
    }
    good(post("runs/log-batch", batch));
    return id;
  }
};

TEST_F(Search, FiltersLikeMlflow) {
  make("a", 1, {{"acc", 0.5}}, {{"lr", "0.1"}}, {{"k", "v"}});
  make("b", 2, {{"acc", 0.9}}, {{"lr", "0.2"}}, {{"k", "Value*"}});
  make("c", 3, {{"acc", "NaN"}}, {{"lr", "0.1"}});
  make("d", 4, Json::object(), Json::object(), {{"other", "x"}});
  EXPECT_EQ(names(""), "d c b a ");
  EXPECT_EQ(names("metrics.acc > 0.6"), "b ");
  EXPECT_EQ(names("metrics.acc <= 0.9"), "b a ");
  EXPECT_EQ(names("metrics.acc = 0"), "");         // NaN is not the 0 it is kept as
  EXPECT_EQ(names("metrics.acc != 0.5"), "c b ");  // NaN differs; a run without it does not
  EXPECT_EQ(names("params.lr = '0.1'"), "c a ");
  EXPECT_EQ(names("params.lr = \"0.1\" and metrics.acc > 0"), "a ");
  EXPECT_EQ(names("params.lr != '0.1'"), "b ");
  EXPECT_EQ(names("tags.k LIKE 'V'"), "");
  EXPECT_EQ(names("tags.k ILIKE 'V'"), "a ");
  EXPECT_EQ(names("tags.k LIKE 'Val%'"), "b ");
  EXPECT_EQ(names("tags.k LIKE '%*'"), "b ");
  EXPECT_EQ(names("tags.k LIKE '_'"), "a ");
  EXPECT_EQ(names("tags.k LIKE '%[%'"), "");
  EXPECT_EQ(names("tags.zzz != 'x'"), "");
  EXPECT_EQ(names("tags.zzz IS NULL"), "d c b a ");
  EXPECT_EQ(names("tags.k IS NOT NULL"), "b a ");
  EXPECT_EQ(names("params.lr IS NULL"), "d ");
  EXPECT_EQ(names("run_name = 'a'"), "a ");
  EXPECT_EQ(names("tags.`mlflow.runName` IN ('a')"),
            "400 INVALID_PARAMETER_VALUE: Expected a quoted string value for tag (e.g. 'my-value'). Got value ('a')");
  EXPECT_EQ(names("tags.`mlflow.runName` ILIKE 'A'"), "a ");
  EXPECT_EQ(names("start_time >= 2 AND start_time < 4"), "c b ");
  EXPECT_EQ(names("status = 'RUNNING' AND user_id = ''"), "d c b a ");
  EXPECT_EQ(names("end_time > 0"), "");
  EXPECT_EQ(names("artifact_uri LIKE 'mlflow-artifacts:/0/%'"), "d c b a ");
  EXPECT_EQ(names("params.lr = '0.1'' OR 1=1 --'"), "");  // a value is a value
  EXPECT_EQ(names("metrics.acc > 1 OR metrics.acc < 1"),
            "400 INVALID_PARAMETER_VALUE: Invalid clause(s) in filter string: 'OR'");
}

TEST_F(Search, ByRunIdAndDataset) {
  const std::string a = make("a", 1, Json::object(), Json::object());
  const std::string b = make("b", 2, Json::object(), Json::object());
  EXPECT_EQ(names("run_id = '" + a + "'"), "a ");
  EXPECT_EQ(names("attributes.run_id IN ('" + a + "', '" + b + "')"), "b a ");
  EXPECT_EQ(names("run_id NOT IN ('" + a + "')"), "b ");
  good(post("runs/log-inputs",
            {{"run_id", b},
             {"datasets",
              {{{"dataset", {{"name", "reviews"}, {"digest", "d1"}, {"source_type", "s"}, {"source", "s"}}},
                {"tags", {{{"key", "mlflow.data.context"}, {"value", "train"}}}}}}}}));
  EXPECT_EQ(names("dataset.name = 'reviews' AND dataset.context = 'train'"), "b ");
  EXPECT_EQ(names("datasets.digest IN ('d1', 'd2')"), "b ");
  EXPECT_EQ(names("dataset.name LIKE 'x%'"), "");
}

TEST_F(Search, OrdersWithMissingValuesLast) {
  make("a", 1, {{"acc", 0.5}}, {{"p", "z"}});
  make("b", 2, {{"acc", "NaN"}}, {{"p", "y"}});
  make("c", 3, {{"acc", 0.9}}, Json::object());
  make("d", 4, Json::object(), {{"p", "x"}});
  EXPECT_EQ(names("", {"metrics.acc"}), "a c b d ");
  EXPECT_EQ(names("", {"metrics.acc DESC"}), "c a b d ");
  EXPECT_EQ(names("", {"params.p"}), "d b a c ");
  EXPECT_EQ(names("", {"params.p DESC"}), "a b d c ");
  EXPECT_EQ(names("", {"start_time ASC"}), "a b c d ");
  EXPECT_EQ(names("", {"attributes.run_name DESC"}), "d c b a ");
  EXPECT_EQ(names("", {"tags.`mlflow.runName`"}), "a b c d ");
  EXPECT_EQ(names("", {"attributes.end_time", "metrics.acc"}), "a c b d ");
  EXPECT_EQ(names("metrics.acc > 0", {"metrics.acc DESC"}), "c a ");
}

TEST_F(Search, PagesWithoutLossOrRepeat) {
  std::string expected;
  for (int i = 0; i < 7; ++i) {
    make("r" + std::to_string(i), i + 1, {{"m", i % 2}}, Json::object());
    expected = "r" + std::to_string(i) + " " + expected;
  }
  std::string all;
  Json token = "";
  int pages = 0;
  do {
    const Json page = good(post("runs/search", {{"experiment_ids", {"0"}}, {"max_results", 3}, {"page_token", token}}));
    for (const Json& run : page["runs"]) {
      all += run["info"]["run_name"].get<std::string>() + " ";
    }
    token = page.contains("next_page_token") ? page["next_page_token"] : Json("");
    ++pages;
  } while (token != "");
  EXPECT_EQ(all, expected);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(good(post("runs/search", {{"experiment_ids", Json::array()}})), Json::object());
}

// A run that arrives between two pages moves none of those that follow, also where runs began together.
TEST_F(Search, PagesGoOnAfterTheLastRun) {
  for (int i = 0; i < 6; ++i) {
    make("r" + std::to_string(i), 5, Json::object(), Json::object());
  }
  for (const Json& order : {Json::array(), Json{"start_time DESC"}, Json{"attributes.start_time DESC", "metrics.m"}}) {
    const Json all = good(post("runs/search", {{"experiment_ids", {"0"}}, {"max_results", 4}, {"order_by", order}}));
    make("new", 9, Json::object(), Json::object());
    const Json rest = good(post("runs/search", {{"experiment_ids", {"0"}},
                                                {"max_results", 4},
                                                {"order_by", order},
                                                {"page_token", all["next_page_token"]}}));
    std::set<std::string> ids;
    for (const Json* page : {&all, &rest}) {
      for (const Json& run : (*page)["runs"]) {
        ids.insert(run["info"]["run_id"]);
      }
    }
    const bool resumed = order.size() < 2;  // other orders go on at a number
    EXPECT_EQ(ids.size(), all["runs"].size() + rest["runs"].size() - (resumed ? 0 : 1)) << order;
    EXPECT_EQ(rest.contains("next_page_token"), false) << order;
    good(post("runs/delete", {{"run_id", good(post("runs/search", {{"experiment_ids", {"0"}}}))["runs"][0]["info"]["run_id"]}}));
  }
}

TEST_F(Search, MindsTheLifeOfRunsAndSeveralExperiments) {
  const std::string other = good(post("experiments/create", {{"name", "other"}}))["experiment_id"];
  const std::string a = make("a", 1, Json::object(), Json::object());
  make("b", 2, Json::object(), Json::object());
  new_run({{"run_name", "c"}, {"start_time", 3}}, other);
  good(post("runs/delete", {{"run_id", a}}));
  EXPECT_EQ(names(""), "b ");
  EXPECT_EQ(names("", Json::array(), {{"run_view_type", "DELETED_ONLY"}}), "a ");
  EXPECT_EQ(names("", Json::array(), {{"run_view_type", "ALL"}}), "b a ");
  EXPECT_EQ(names("", Json::array(), {{"experiment_ids", {"0", other}}}), "c b ");
  EXPECT_EQ(names("", Json::array(), {{"experiment_ids", {"x"}}}),
            "400 INVALID_PARAMETER_VALUE: Invalid experiment ID 'x'. Experiment ID must be a valid integer.");
}

TEST_F(Search, Experiments) {
  for (const char* name : {"alpha", "beta", "gamma"}) {
    good(post("experiments/create", {{"name", name}, {"tags", {{{"key", "t"}, {"value", name}}}}}));
  }
  const auto found = [&](const Json& request) {
    const Json page = good(post("experiments/search", request));
    std::string text;
    if (page.contains("experiments")) {
      for (const Json& experiment : page["experiments"]) {
        text += experiment["name"].get<std::string>() + " ";
      }
    }
    return text;
  };
  EXPECT_EQ(found({{"filter", "name LIKE '%a'"}, {"order_by", {"name"}}}), "alpha beta gamma ");
  EXPECT_EQ(found({{"filter", "tags.t = 'beta'"}}), "beta ");
  EXPECT_EQ(found({{"filter", "tags.t IS NULL"}}), "Default ");
  EXPECT_EQ(found({{"filter", "experiment_id IN ('1', '3')"}, {"order_by", {"experiment_id DESC"}}}), "gamma alpha ");
  good(post("experiments/delete", {{"experiment_id", "2"}}));
  EXPECT_EQ(found({{"view_type", "DELETED_ONLY"}}), "beta ");
  EXPECT_EQ(found({{"max_results", 2}, {"order_by", {"name"}}}), "Default alpha ");
  EXPECT_EQ(fault(post("experiments/search", {{"max_results", 0}})),
            "400 INVALID_PARAMETER_VALUE: Invalid value 0 for parameter 'max_results' supplied. It must be a positive "
            "integer");
  EXPECT_EQ(good(get("experiments/search?max_results=1&view_type=ALL"))["experiments"].size(), 1U);
}

// Conditions that few runs satisfy are where a search begins, others are tried on each run: both ways the same answer
// as trying them here.
TEST_F(Search, RareAndCommonConditionsGiveWhatTheyShould) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  struct Made {
    std::string id;
    int64_t start;
    double metric;
    std::string param;
  };
  std::vector<Made> made;
  for (int i = 0; i < 3000; ++i) {
    record::TrackedRun run;
    run.id = record::new_id();
    run.started_ms = static_cast<int64_t>(random() % 1000);
    run.name = "r";
    store_->tracking().runs().create(run);
    Made one{run.id, run.started_ms, static_cast<double>(random() % 3000), random() % 50 == 0 ? "rare" : "common"};
    store_->tracking().runs().log(run.id, {{{"m", one.metric, 0, 1}}, {{"p", one.param}}, {}});
    made.push_back(one);
  }
  std::sort(made.begin(), made.end(),
            [](const Made& a, const Made& b) { return a.start != b.start ? a.start > b.start : a.id < b.id; });
  for (const int bound : {-1, 10, 1500, 2995}) {
    for (const char* value : {"rare", "common", "none"}) {
      std::string expected;
      for (const Made& one : made) {
        if (one.metric > bound && one.param == value) {
          expected += one.id;
        }
      }
      std::string found;
      const Json page =
          good(post("runs/search", {{"experiment_ids", {"0"}},
                                    {"max_results", 5000},
                                    {"filter", fmt::format("metrics.m > {} AND params.p = '{}'", bound, value)}}));
      if (page.contains("runs")) {
        for (const Json& run : page["runs"]) {
          found += run["info"]["run_id"].get<std::string>();
        }
      }
      EXPECT_EQ(found, expected) << bound << value;
    }
  }
}

}  // namespace
}  // namespace slipway::api
