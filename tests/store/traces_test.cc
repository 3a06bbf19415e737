// Logged models, traces, uploads and datasets of evaluations in the store: what the HTTP tests of tests/api do not see.
#include <fmt/format.h>

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Json;
using record::Comparator;
using record::Entity;
using record::KeyValue;

class Traces : public StoreTest {
 protected:
  record::TraceStore& traces() { return store_->tracking().traces().traces(); }
  record::Trace trace(const std::string& id, int64_t started_ms = 1) {
    record::Trace trace;
    trace.id = id;
    trace.experiment_id = "0";
    trace.started_ms = started_ms;
    return trace;
  }
  record::SpanBatch batch(const std::string& trace_id, const std::string& span, int64_t start_ns, int64_t end_ns) {
    record::SpanBatch batch;
    batch.trace_id = trace_id;
    batch.spans = {{span, "", "s", "LLM", "OK", start_ns, end_ns, R"({"attributes": {"a": "\"x\"", "n": "5"}})"}};
    return batch;
  }
  std::vector<std::string> found(const std::vector<record::Condition>& conditions, int64_t limit = 100) {
    record::Query query;
    query.experiment_ids = {"0"};
    query.conditions = conditions;
    query.limit = limit;
    std::vector<std::string> ids;
    for (const record::Trace& trace : traces().search(query).items) {
      ids.push_back(trace.id);
    }
    return ids;
  }
};
using LoggedModels = StoreTest;
using Uploads = StoreTest;
using EvalDatasets = StoreTest;

TEST_F(Traces, SpansThatComeFirstAreCompletedByTheirTrace) {
  const record::SpanBatch first = batch("t", "aa", 5'000'000, 9'000'000);
  traces().add_spans("0", {&first, 1});
  auto there = traces().find("t", true);
  ASSERT_TRUE(there);
  EXPECT_EQ(there->started_ms, 5);
  EXPECT_EQ(there->duration_ms, 4);
  EXPECT_EQ(there->state, "IN_PROGRESS");
  ASSERT_EQ(there->spans.size(), 1U);
  const record::SpanBatch earlier = batch("t", "bb", 3'000'000, 12'000'000);
  traces().add_spans("0", {&earlier, 1});
  there = traces().find("t", false);
  EXPECT_EQ(there->started_ms, 3);
  EXPECT_EQ(there->duration_ms, 9);

  record::Trace told = trace("t", 2);
  told.state = "OK";
  told.duration_ms = 20;
  told.tags = {{"k", "v"}};
  traces().start(told, true);
  const record::SpanBatch late = batch("t", "cc", 1'000'000, 99'000'000);  // no longer moves what the client told
  traces().add_spans("0", {&late, 1});
  there = traces().find("t", true);
  EXPECT_EQ(there->started_ms, 2);
  EXPECT_EQ(there->duration_ms, 20);
  EXPECT_EQ(there->state, "OK");
  EXPECT_EQ(there->spans.size(), 3U);
  EXPECT_EQ(there->spans.front().id, "cc");  // in order of start
}

TEST_F(Traces, ASpanThatComesAgainIsTheSame) {
  const record::SpanBatch once = batch("t", "aa", 1, 2);
  traces().add_spans("0", {&once, 1});
  traces().add_spans("0", {&once, 1});
  EXPECT_EQ(traces().find("t", true)->spans.size(), 1U);
}

TEST_F(Traces, SearchesAreThoseOfTagsSpansAndAssessments) {
  for (int i = 0; i < 5; ++i) {
    record::Trace one = trace(fmt::format("t{}", i), i);
    one.tags = {{"even", i % 2 == 0 ? "yes" : "no"}};
    one.metadata = {{record::kSourceRunKey, "run"}};
    traces().start(one, true);
  }
  const record::SpanBatch spans = batch("t1", "aa", 1, 2);
  traces().add_spans("0", {&spans, 1});
  record::Assessment assessment;
  assessment.id = "a-1";
  assessment.trace_id = "t3";
  assessment.kind = "feedback";
  assessment.name = "score";
  assessment.value = 0.75;
  store_->tracking().traces().assessments().create(assessment);
  const std::vector<std::string> linked = {"t0"};
  traces().link("run", linked, "other");

  EXPECT_EQ(found({}), (std::vector<std::string>{"t4", "t3", "t2", "t1", "t0"}));
  EXPECT_EQ(found({{Entity::kTag, "even", Comparator::kEqual, "yes"}}), (std::vector<std::string>{"t4", "t2", "t0"}));
  EXPECT_EQ(found({{Entity::kTag, "odd", Comparator::kIsNull, {}}}).size(), 5U);
  EXPECT_EQ(found({{Entity::kTag, "even", Comparator::kRLike, "^y.s$"}}).size(), 3U);
  EXPECT_EQ(found({{Entity::kMetadata, record::kSourceRunKey, Comparator::kEqual, "run"}}, 2).size(), 2U);
  EXPECT_EQ(found({{Entity::kMetadata, record::kSourceRunKey, Comparator::kEqual, "other"}}),
            (std::vector<std::string>{"t0"}));
  EXPECT_EQ(found({{Entity::kSpan, "attributes.a", Comparator::kEqual, "x"},
                   {Entity::kSpan, "type", Comparator::kEqual, "LLM"}}),
            (std::vector<std::string>{"t1"}));
  EXPECT_TRUE(found({{Entity::kSpan, "attributes.a", Comparator::kEqual, "y"}}).empty());
  EXPECT_EQ(found({{Entity::kFeedback, "score", Comparator::kGreater, 0.5}}), (std::vector<std::string>{"t3"}));
  EXPECT_EQ(found({{Entity::kFeedback, "score", Comparator::kIsNull, {}}}).size(), 4U);
  EXPECT_EQ(error_of([&] { found({{Entity::kTag, "even", Comparator::kRLike, "("}}); }).code(), Code::kInvalid);

  EXPECT_EQ(traces().remove({"0", 2, 2, {}}), 2);  // the two oldest of three
  EXPECT_EQ(found({}), (std::vector<std::string>{"t4", "t3", "t2"}));
  EXPECT_EQ(traces().remove({"0", std::nullopt, std::nullopt, {"t3", "nothing"}}), 1);
  EXPECT_EQ(error_of([&] { store_->tracking().traces().assessments().find("t3", "a-1"); }).code(), Code::kNotFound);
}

// Clients that send in the background link a trace to a run first.
TEST_F(Traces, ATraceMayBeLinkedBeforeItComes) {
  record::TrackedRun made;
  made.id = record::new_id();
  const std::string run = store_->tracking().runs().create(made).id;
  const std::string id = "tr-0af7651916cd43dd8448eb211c80319c";
  const std::vector<std::string> linked = {id, "nothing", "tr-short"};
  traces().link("run", linked, run);
  traces().link("run", linked, "no run");
  EXPECT_EQ(found({{Entity::kMetadata, record::kSourceRunKey, Comparator::kEqual, run}}), (std::vector<std::string>{id}));
  EXPECT_EQ(found({}), (std::vector<std::string>{id})) << "other names are no traces";
  record::Trace trace;
  trace.id = id;
  trace.experiment_id = "0";
  trace.started_ms = 5;
  trace.duration_ms = 2;
  trace.state = record::kTraceOk;
  traces().start(trace, true);
  const auto there = traces().find(id, false).value();
  EXPECT_EQ(there.started_ms, 5);
  EXPECT_EQ(there.state, "OK");
  EXPECT_EQ(found({{Entity::kMetadata, record::kSourceRunKey, Comparator::kEqual, run}}), (std::vector<std::string>{id}));
}

TEST_F(Traces, AnAssessmentThatReplacesAnotherGivesWayAgain) {
  auto& assessments = store_->tracking().traces().assessments();
  traces().start(trace("t"), true);
  record::Assessment first;
  first.id = "a-1";
  first.trace_id = "t";
  first.kind = "feedback";
  first.name = "good";
  first.value = true;
  first.metadata = {{"k", "v"}};
  assessments.create(first);
  record::Assessment second = first;
  second.id = "a-2";
  second.value = false;
  second.overrides = "a-1";
  assessments.create(second);
  EXPECT_FALSE(assessments.find("t", "a-1").valid);
  record::AssessmentChange change;
  change.feedback = Json("maybe");
  change.metadata = {{"more", "1"}};
  EXPECT_EQ(assessments.change("t", "a-2", change).metadata.size(), 2U);
  EXPECT_EQ(assessments.find("t", "a-2").value, "maybe");
  change = {};
  change.expectation = Json(1);
  EXPECT_EQ(error_of([&] { assessments.change("t", "a-2", change); }).code(), Code::kInvalid);
  assessments.remove("t", "a-2");
  EXPECT_TRUE(assessments.find("t", "a-1").valid);
  second.id = "a-3";
  second.overrides = "a-9";
  EXPECT_EQ(error_of([&] { assessments.create(second); }).code(), Code::kNotFound);
  EXPECT_EQ(traces().find("t", false)->assessments.size(), 1U);  // nothing of it was kept
}

TEST_F(LoggedModels, MetricsOfModelsAreKeptAndSearched) {
  auto& models = store_->tracking().logged_models();
  store_->runs().create_run(run("r"));
  for (const char* id : {"m-1", "m-2"}) {
    record::LoggedModel model;
    model.id = id;
    model.experiment_id = "0";
    model.name = id;
    model.source_run_id = "r";
    models.create(model);
  }
  record::RunBatch batch;
  batch.model_metrics = {{{"acc", 0.5, 0, 1}, "m-1", {}, "d", "1"}, {{"acc", 0.9, 0, 2}, "m-2", {}, "d", "2"}};
  store_->tracking().runs().log("r", batch);
  store_->tracking().runs().log("r", batch);  // repeating changes nothing
  EXPECT_EQ(models.find("m-1")->metrics.size(), 1U);
  EXPECT_EQ(models.find("m-1")->metrics.front().run_id, "r");
  record::LoggedModelQuery query;
  query.experiment_ids = {"0"};
  query.conditions = {{Entity::kMetric, "acc", Comparator::kGreater, 0.4}};
  query.order = {{{Entity::kMetric, "acc", false}, {}}};
  const auto best = models.search(query);
  ASSERT_EQ(best.items.size(), 2U);
  EXPECT_EQ(best.items.front().id, "m-2");
  query.datasets = {{"d", "1"}};
  EXPECT_EQ(models.search(query).items.size(), 1U);
  batch.model_metrics.front().model_id = "m-9";
  EXPECT_EQ(error_of([&] { store_->tracking().runs().log("r", batch); }).code(), Code::kNotFound);
  models.remove("m-2");
  query.datasets.clear();
  EXPECT_EQ(models.search(query).items.size(), 1U);
  EXPECT_TRUE(models.find("m-2")->deleted);
}

TEST_F(LoggedModels, AParameterIsWrittenOnce) {
  auto& models = store_->tracking().logged_models();
  record::LoggedModel model;
  model.id = "m-1";
  model.experiment_id = "0";
  models.create(model);
  const std::vector<KeyValue> params = {{"a", "1"}, {"b", "2"}};
  models.add_params("m-1", params);
  models.add_params("m-1", params);
  const std::vector<KeyValue> other = {{"c", "3"}, {"b", "4"}};
  EXPECT_EQ(error_of([&] { models.add_params("m-1", other); }).code(), Code::kInvalid);
  EXPECT_EQ(models.find("m-1")->params, params);
}

TEST_F(Uploads, PartsBecomeOneFileInTheirOrder) {
  auto& uploads = store_->tracking().server().uploads();
  uploads.begin({"u", "a/b.bin", 0});
  const auto put = [&](int number, const std::string& bytes) {
    const auto writer = uploads.begin_part("u", number);
    writer->write(bytes);
    writer->commit();
  };
  put(2, "world");
  put(1, "other");
  put(1, "hello ");                                     // a part that is sent again counts
  EXPECT_EQ(collect(true).blobs, 1);  // "other"
  uploads.complete("u", uploads.parts("u"));
  const auto file = store_->tracking().files().find("a/b.bin");
  ASSERT_TRUE(file);
  EXPECT_EQ(base::read_file(store_->tracking().files().blob_of(*file)), "hello world");
  EXPECT_FALSE(uploads.find("u"));
  EXPECT_EQ(error_of([&] { uploads.complete("u", {}); }).code(), Code::kNotFound);
  const auto late = uploads.begin_part("u", 3);
  late->write("x");
  EXPECT_EQ(error_of([&] { late->commit(); }).code(), Code::kNotFound);
}

TEST_F(Uploads, OldOnesAreForgotten) {
  auto& uploads = store_->tracking().server().uploads();
  uploads.begin({"u", "a", 0});
  const auto writer = uploads.begin_part("u", 1);
  writer->write("x");
  writer->commit();
  EXPECT_EQ(uploads.forget_before(clock_.unix_ms()), 0);
  EXPECT_EQ(uploads.forget_before(clock_.unix_ms() + 1), 1);
  EXPECT_TRUE(uploads.parts("u").empty());
  EXPECT_EQ(collect(false).blobs, 1);
}

TEST_F(EvalDatasets, RecordsOfTheSameInputsAreUnited) {
  auto& datasets = store_->tracking().server().eval_datasets();
  record::EvalDataset dataset;
  dataset.id = "d-1";
  dataset.name = "questions";
  dataset.experiment_ids = {"0"};
  dataset.tags = {{"k", "v"}};
  datasets.create(dataset);
  const std::vector<record::EvalRecord> records = {
      {"r1", {{"inputs", {{"q", "1"}, {"n", 2}}}, {"expectations", {{"a", "x"}}}}, 0, 0},
      {"r2",
       {{"inputs", {{"n", 2}, {"q", "1"}}}, {"expectations", {{"b", "y"}}}},
       0,
       0}};  // the same, in another order
  const auto write = datasets.put_records("d-1", records, "me");
  EXPECT_EQ(write.inserted, 1);
  EXPECT_EQ(write.updated, 1);
  const auto page = datasets.records("d-1", 0, 10);
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items.front().content["expectations"], (Json{{"a", "x"}, {"b", "y"}}));
  EXPECT_EQ(datasets.find("d-1")->updated_by, "me");
  record::Query query;
  query.experiment_ids = {"0"};
  query.conditions = {{Entity::kAttribute, "name", Comparator::kLike, "quest%"},
                      {Entity::kTag, "k", Comparator::kEqual, "v"}};
  EXPECT_EQ(datasets.search(query).items.size(), 1U);
  const std::vector<std::string> gone = {"r1"};
  EXPECT_EQ(datasets.remove_records("d-1", gone), 1);
  datasets.remove("d-1");
  EXPECT_FALSE(datasets.find("d-1"));
}

}  // namespace
}  // namespace slipway::store
