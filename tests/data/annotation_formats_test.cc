#include "data/annotation_formats.h"

#include <functional>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::data {
namespace {

using base::Json;
using record::AnnotatedTask;

AnnotationBytes bytes_of(std::string text, size_t piece = 7) {
  return [text = std::move(text), at = size_t{0}, piece](char* buffer, size_t capacity) mutable {
    const size_t n = std::min({capacity, piece, text.size() - at});
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), n, buffer);
    at += n;
    return n;
  };
}

struct Read {
  std::vector<AnnotatedTask> tasks;
  AnnotationFormat format;
  std::map<std::string, int64_t> notes;
};

Read read(const std::string& text, const AnnotationReadOptions& options = {}) {
  const auto reader = read_annotations(bytes_of(text), "file", options);
  Read result;
  result.format = reader->format();
  for (AnnotatedTask task; reader->next(task);) {
    result.tasks.push_back(task);
  }
  result.notes = reader->notes();
  return result;
}

std::string written(const std::vector<AnnotatedTask>& tasks, AnnotationFormat format) {
  const auto writer = make_annotation_writer(format);
  std::string out;
  for (const AnnotatedTask& task : tasks) {
    writer->write(task, out);
  }
  writer->finish(out);
  return out;
}

std::string fault(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

record::Annotation by(const std::string& annotator, record::Answer answer) {
  record::Annotation annotation;
  annotation.annotator = annotator;
  annotation.answer = std::move(answer);
  return annotation;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Reads, is told the format by the content, and writes the same bytes.
Read round_trip(const std::string& text, AnnotationFormat format) {
  Read result = read(text);
  EXPECT_EQ(name_of(result.format), name_of(format));
  EXPECT_EQ(written(result.tasks, format), text);
  return result;
}

// "Zoë 😀 works at Acme in 東京": Acme is 15 to 19 in code points, 16 to 20 in UTF-16 units, 20 to 24 in bytes.
const std::string kLabelStudio =
    R"([{"id": 12, "data": {"text": "Zoë 😀 works at Acme in 東京", "url": "https://example.org/1"}, "annotations": [{"id": 1001, "completed_by": 10, "result": [{"id": "a1", "from_name": "ner", "to_name": "t", "type": "labels", "value": {"start": 0, "end": 3, "text": "Zoë", "labels": ["PER"]}, "origin": "manual"}, {"id": "b2", "from_name": "ner", "to_name": "t", "type": "labels", "value": {"start": 15, "end": 19, "text": "Acme", "labels": ["ORG"]}, "origin": "manual"}, {"type": "relation", "from_id": "a1", "to_id": "b2", "direction": "right", "labels": ["works for"]}, {"id": "c3", "from_name": "topic", "to_name": "t", "type": "choices", "value": {"choices": ["news"]}}, {"id": "r", "from_name": "stars", "to_name": "t", "type": "rating", "value": {"rating": 4}}, {"id": "w", "from_name": "sum", "to_name": "t", "type": "textarea", "value": {"text": ["A summary."]}}], "was_cancelled": false, "ground_truth": false, "lead_time": 4.288, "created_at": "2021-03-09T22:16:08.728353Z", "updated_at": "2021-03-09T22:16:08.728378Z", "result_count": 6, "task": 12}], "predictions": [{"model_version": "m1", "score": 0.9, "result": [{"id": "p", "from_name": "topic", "to_name": "t", "type": "choices", "value": {"choices": ["sport"]}}]}], "meta": {}, "project": 83}, {"id": 13, "data": {"text": "no answer"}, "annotations": [], "predictions": []}])";

TEST(AnnotationFormats, LabelStudioComesBackByteForByte) {
  const Read got = round_trip(kLabelStudio, AnnotationFormat::kLabelStudio);
  ASSERT_EQ(got.tasks.size(), 2U);
  const AnnotatedTask& task = got.tasks[0];
  EXPECT_EQ(task.task.key, "12");
  EXPECT_EQ(task.task.meta["url"], "https://example.org/1");
  ASSERT_EQ(task.annotations.size(), 1U);
  const record::Annotation& annotation = task.annotations[0];
  EXPECT_EQ(annotation.id, 1001);
  EXPECT_EQ(annotation.annotator, "10");
  EXPECT_EQ(annotation.created_ms, 1615328168728);
  EXPECT_EQ(annotation.seconds, 4.288);
  record::Answer answer;
  answer.classes = {"news"};
  answer.spans = {{"a1", 0, 3, "PER"}, {"b2", 15, 19, "ORG"}};
  answer.relations = {{"a1", "b2", "works for"}};
  answer.texts = {"A summary."};
  answer.rating = 4;
  EXPECT_EQ(annotation.answer, answer);
  ASSERT_EQ(task.suggestions.size(), 1U);
  EXPECT_EQ(task.suggestions[0].source, "m1");
  EXPECT_TRUE(got.notes.empty());
}

TEST(AnnotationFormats, JsonKeepsTheLayoutOfWhoWroteIt) {
  for (const std::string& text : {
           std::string("[\n    {\n        \"id\": 1,\n        \"data\": {\n            \"text\": \"\\u00e9\\ud83d\\ude00 a\\/b\"\n        },\n        \"annotations\": []\n    },\n"
                       "    {\n        \"id\": 2,\n        \"data\": {\n            \"text\": \"b\"\n        },\n        \"annotations\": []\n    }\n]"),
           std::string("[{\"id\":1,\"data\":{\"text\":\"é\"},\"annotations\":[]},{\"id\":2,\"data\":{\"text\":\"b\"},\"annotations\":[]}]"),
           std::string("{\"id\": 1, \"data\": {\"text\": \"a\"}, \"annotations\": []}\n{\"id\": 2, \"data\": {\"text\": \"\\u6771\"}, \"annotations\": []}\n"),
       }) {
    const Read got = read(text);
    const std::string back = written(got.tasks, AnnotationFormat::kLabelStudio);
    EXPECT_EQ(got.tasks.size(), 2U);
    EXPECT_EQ(back, text);
  }
}

TEST(AnnotationFormats, WhatChangedIsWrittenAndTheRestStays) {
  Read got = read(kLabelStudio);
  record::Annotation& annotation = got.tasks[0].annotations[0];
  annotation.answer.spans.pop_back();
  annotation.answer.relations.clear();
  got.tasks[1].annotations.push_back({0, 0, "ann@example.org", annotation.answer, false, true, "", 2.5, 1000, 2000});
  const std::string text = written(got.tasks, AnnotationFormat::kLabelStudio);
  const Read again = read(text);
  EXPECT_EQ(again.tasks[0].annotations[0].answer, annotation.answer);
  EXPECT_EQ(again.tasks[1].annotations[0].answer, annotation.answer);
  EXPECT_EQ(again.tasks[1].annotations[0].annotator, "ann@example.org");
  EXPECT_TRUE(again.tasks[1].annotations[0].ground_truth);
  EXPECT_EQ(again.tasks[1].annotations[0].updated_ms, 2000);
  const Json json = Json::parse(text);
  EXPECT_EQ(json[0]["annotations"][0]["result"][0]["from_name"], "topic");
  EXPECT_EQ(json[0]["annotations"][0]["result"][1]["from_name"], "ner");  // the project's own names
  EXPECT_EQ(json[0]["predictions"][0]["result"][0]["id"], "p");
  EXPECT_EQ(json[0]["project"], 83);
}

TEST(AnnotationFormats, OldLabelStudioCountsUtf16) {
  std::string text = kLabelStudio;
  text.replace(text.find("\"start\": 15, \"end\": 19"), 22, "\"start\": 16, \"end\": 20");
  const Read got = round_trip(text, AnnotationFormat::kLabelStudio);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.spans[1], (record::Span{"b2", 15, 19, "ORG"}));
}

TEST(AnnotationFormats, LabelStudioPairsChatsAndWhatHasNoPlace) {
  const Read got = round_trip(
      R"([{"data":{"prompt":"Which?","text1":"a","text2":"b"},"annotations":[{"result":[{"type":"pairwise","from_name":"pw","to_name":"text1,text2","value":{"selected":"right"}}]}]},{"data":{"dialogue":[{"author":"u","text":"hi"},{"author":"b","text":"ho"}]},"annotations":[{"was_cancelled":true,"result":[{"type":"rating","from_name":"q","to_name":"d","item_index":1,"value":{"rating":3}},{"type":"rectanglelabels","value":{"x":1}},{"type":"labels","value":{"start":5,"end":2,"labels":["A"]}}]}]}])",
      AnnotationFormat::kLabelStudio);
  EXPECT_EQ(got.tasks[0].task.text, "Which?");
  EXPECT_EQ(got.tasks[0].task.candidates, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(got.tasks[0].annotations[0].answer.preferred, 1);
  EXPECT_EQ(got.tasks[1].task.messages[1], (record::Message{"b", "ho"}));
  EXPECT_EQ(got.tasks[1].annotations[0].answer.message_ratings, (std::vector<int>{0, 3}));
  EXPECT_TRUE(got.tasks[1].annotations[0].skipped);
  EXPECT_EQ(got.notes.at("results of type 'rectanglelabels'"), 1);
  EXPECT_EQ(got.notes.at("spans outside the text"), 1);
}

TEST(AnnotationFormats, DoccanoComesBackByteForByte) {
  const std::string classes = R"({"id":1,"text":"Great price.","label":["positive"],"Comments":[]})" "\n" R"({"id":2,"text":"a\/b 東京","label":[],"source":"x","Comments":["unsure"]})" "\n";
  Read got = round_trip(classes, AnnotationFormat::kDoccano);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.classes, (std::vector<std::string>{"positive"}));
  EXPECT_EQ(got.tasks[1].annotations[0].note, "unsure");
  EXPECT_EQ(got.tasks[1].task.meta["source"], "x");
  got.tasks[0].annotations[0].answer.classes = {"a", "b"};
  EXPECT_TRUE(has(written(got.tasks, AnnotationFormat::kDoccano), R"({"id":1,"text":"Great price.","label":["a","b"],"Comments":[]})"));

  got = round_trip(R"({"text":"EU rejects German call","label":[[0,2,"ORG"],[11,17,"MISC"]]})" "\n", AnnotationFormat::kDoccano);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.spans[1], (record::Span{"s2", 11, 17, "MISC"}));
  got = round_trip(R"({"text":"Google was founded by Page","entities":[{"id":7,"start_offset":0,"end_offset":6,"label":"ORG"},{"id":8,"start_offset":22,"end_offset":26,"label":"PER"}],"relations":[{"id":0,"from_id":7,"to_id":8,"type":"foundedBy"}]})" "\n",
                   AnnotationFormat::kDoccano);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.relations[0], (record::Relation{"7", "8", "foundedBy"}));
  got.tasks[0].annotations[0].answer.relations[0].label = "by";
  EXPECT_TRUE(has(written(got.tasks, AnnotationFormat::kDoccano), R"("relations":[{"id":1,"from_id":7,"to_id":8,"type":"by"}])"));
  got = round_trip(R"({"text":"a flight to Paris","entities":[[12,17,"City"]],"cats":["flight"]})" "\n", AnnotationFormat::kDoccano);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.classes[0], "flight");
  AnnotationReadOptions options;
  options.written_answers = true;
  EXPECT_EQ(read(R"({"text":"Hello!","label":["こんにちは！"]})", options).tasks[0].annotations[0].answer.texts[0], "こんにちは！");
  const std::string csv = "id,text,label,source\n1,\"Great, cheap\",a#b,x\n2,plain,,\n";
  got = round_trip(csv, AnnotationFormat::kCsv);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(got.tasks[1].annotations.empty());
  got.tasks[1].annotations.push_back(by("ann", got.tasks[0].annotations[0].answer));
  EXPECT_TRUE(has(written(got.tasks, AnnotationFormat::kCsv), "2,plain,a#b,\n"));
}

TEST(AnnotationFormats, BratKeepsWhatItCannotSay) {
  const std::string text = "Zoë 😀 works\nat Acme Inc. and left.";
  const std::string ann =
      "T1\tPER 0 3\tZoë\nT2\tORG 15 19;20 23\tAcme Inc\nE1\tWork:T3 Who:T1\nT3\tWork 6 11\tworks\nR1\tworksFor Arg1:T1 Arg2:T2\nA1\tNegation E1\n"
      "N1\tReference T1 Wikipedia:1\tZoë\n*\tEquiv T1 T2\n#1\tAnnotatorNotes T1\tis this a name?\n";
  std::map<std::string, int64_t> notes;
  AnnotatedTask task = brat_task(text, ann, "a/doc", notes);
  EXPECT_EQ(task.annotations[0].answer.spans.size(), 4U);
  EXPECT_EQ(task.annotations[0].answer.spans[2], (record::Span{"T2.2", 20, 23, "ORG"}));
  EXPECT_EQ(task.annotations[0].note, "T1: is this a name?");
  EXPECT_EQ(notes.at("events (E)"), 1);
  EXPECT_EQ(notes.at("attributes (A)"), 1);
  BratDocument document = brat_document(task, notes);
  EXPECT_EQ(document.name, "a/doc");
  EXPECT_EQ(document.text, text);
  EXPECT_EQ(document.ann, ann);
  task.annotations[0].answer.spans.erase(task.annotations[0].answer.spans.begin());  // T1, and what names it
  task.annotations[0].answer.relations.clear();
  task.annotations[0].answer.spans.push_back({"new", 4, 5, "EMOJI"});
  document = brat_document(task, notes);
  EXPECT_TRUE(has(document.ann, "T4\tORG 20 23\tInc\n"));
  EXPECT_TRUE(has(document.ann, "T5\tEMOJI 4 5\t😀\n"));
  EXPECT_FALSE(has(document.ann, "Wikipedia"));
  EXPECT_TRUE(has(document.ann, "A1\tNegation E1\n"));
  const base::TempDir folder;
  base::make_dirs(folder.path() / "sub");
  base::write_file_atomic(folder.path() / "sub/doc.txt", text);
  base::write_file_atomic(folder.path() / "sub/doc.ann", ann);
  const auto reader = open_annotations(folder.path());
  AnnotatedTask first;
  EXPECT_EQ(reader->format(), AnnotationFormat::kBrat);
  ASSERT_TRUE(reader->next(first));
  EXPECT_EQ(first.task.key, "sub/doc");
  EXPECT_FALSE(reader->next(first));
  EXPECT_EQ(detect_annotation_format(ann), AnnotationFormat::kBrat);
  EXPECT_TRUE(has(fault([&] { brat_task("ab", "T1\tX 0 3\tabc\n", "d", notes); }), "d.ann:1: ends behind the text"));
  EXPECT_TRUE(has(fault([&] { brat_task("ab", "T1\tX 1\ta\n", "d", notes); }), "START END"));
  EXPECT_TRUE(has(fault([&] { brat_task("ab", "T1\tX 0 1\ta\nT1\tX 0 1\ta", "d", notes); }), "there twice"));
  EXPECT_TRUE(has(fault([&] { brat_task("ab", "Q1\tX", "d", notes); }), "is none of brat's lines"));
}

TEST(AnnotationFormats, ConllComesBackWithIob2Tags) {
  const std::string text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\ncall NN I-NP I-MISC\n\nPeter NNP B-NP B-PER\n\n";
  Read got = round_trip(text, AnnotationFormat::kConll);
  ASSERT_EQ(got.tasks.size(), 2U);
  EXPECT_EQ(got.tasks[0].task.text, "EU rejects German call");
  EXPECT_EQ(got.tasks[0].annotations[0].answer.spans[1], (record::Span{"s2", 11, 22, "MISC"}));
  got.tasks[1].annotations[0].answer.spans.clear();
  EXPECT_TRUE(has(written(got.tasks, AnnotationFormat::kConll), "\nPeter NNP B-NP O\n"));
  const Read bioes = read("EU S-ORG\nNew B-LOC\nYork E-LOC\n");
  EXPECT_EQ(bioes.tasks[0].annotations[0].answer.spans.size(), 2U);
  EXPECT_EQ(written(bioes.tasks, AnnotationFormat::kConll), "EU B-ORG\nNew B-LOC\nYork I-LOC\n");
  const Read iob1 = read("EU I-ORG\nNew I-LOC\nYork I-LOC\nRome B-LOC");
  EXPECT_EQ(written(iob1.tasks, AnnotationFormat::kConll), "EU B-ORG\nNew B-LOC\nYork I-LOC\nRome B-LOC");
  AnnotatedTask nested;
  nested.task.text = "Zoë's Acme, Inc.";
  nested.annotations.push_back({});
  nested.annotations[0].answer.spans = {{"1", 0, 3, "PER"}, {"2", 6, 16, "ORG"}, {"3", 6, 10, "WORD"}};
  const auto writer = make_annotation_writer(AnnotationFormat::kConll);
  std::string out;
  writer->write(nested, out);
  EXPECT_EQ(out, "Zoë -X- _ B-PER\n's -X- _ O\nAcme -X- _ B-ORG\n, -X- _ I-ORG\nInc -X- _ I-ORG\n. -X- _ I-ORG\n\n");
  EXPECT_EQ(writer->notes().at("overlapping spans"), 1);
}

TEST(AnnotationFormats, ConlluKeepsItsColumns) {
  const std::string text =
      "# sent_id = w-1\n# text = Zoë's in Rome.\n1-2\tZoë's\t_\t_\t_\t_\t_\t_\t_\t_\n1\tZoë\tZoë\tPROPN\t_\t_\t4\tnsubj\t_\tNER=B-PER\n2\t's\tbe\tAUX\t_\t_\t4\tcop\t_\t_\n"
      "3\tin\tin\tADP\t_\t_\t4\tcase\t_\t_\n4\tRome\tRome\tPROPN\t_\t_\t0\troot\t_\tNER=B-LOC|SpaceAfter=No\n5\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\tNER=O\n\n";
  Read got = round_trip(text, AnnotationFormat::kConllU);
  ASSERT_EQ(got.tasks.size(), 1U);
  EXPECT_EQ(got.tasks[0].task.key, "w-1");
  EXPECT_EQ(got.tasks[0].task.text, "Zoë's in Rome.");
  EXPECT_EQ(got.tasks[0].annotations[0].answer.spans[1], (record::Span{"s2", 9, 13, "LOC"}));
  got.tasks[0].annotations[0].answer.spans[1].label = "CITY";
  EXPECT_TRUE(has(written(got.tasks, AnnotationFormat::kConllU), "\tNER=B-CITY|SpaceAfter=No\n"));
  got.tasks[0].task.meta = Json::object();
  const std::string fresh = written(got.tasks, AnnotationFormat::kConllU);
  EXPECT_TRUE(has(fresh, "4\tRome\t_\t_\t_\t_\t_\t_\t_\tNER=B-CITY|SpaceAfter=No\n"));
  EXPECT_EQ(read(fresh).tasks[0].annotations[0].answer, got.tasks[0].annotations[0].answer);
}

TEST(AnnotationFormats, ProdigyComesBackByteForByte) {
  const std::string text =
      R"({"text":"EU rejects call","tokens":[{"text":"EU","start":0,"end":2,"id":0,"ws":true},{"text":"rejects","start":3,"end":10,"id":1,"ws":true},{"text":"call","start":11,"end":15,"id":2,"ws":false}],"spans":[{"start":0,"end":2,"token_start":0,"token_end":0,"label":"ORG"},{"start":11,"end":15,"token_start":2,"token_end":2,"label":"ACT"}],"relations":[{"head":0,"child":2,"label":"does"}],"_input_hash":-123,"_task_hash":5,"_session_id":"ner-ann","_view_id":"relations","answer":"accept","_timestamp":1600000000})"
      "\n" R"({"text":"good","options":[{"id":"A","text":"a"},{"id":"B","text":"b"}],"accept":["A"],"answer":"accept","meta":{"n":1},"_input_hash":6})"
      "\n" R"({"text":"bad","label":"SPAM","answer":"reject","_input_hash":7})"
      "\n" R"({"text":"odd","label":"SPAM","answer":"ignore","_input_hash":8})" "\n";
  Read got = round_trip(text, AnnotationFormat::kProdigy);
  ASSERT_EQ(got.tasks.size(), 4U);
  EXPECT_EQ(got.tasks[0].task.key, "-123");
  EXPECT_EQ(got.tasks[0].annotations[0].annotator, "ner-ann");
  EXPECT_EQ(got.tasks[0].annotations[0].answer.relations[0], (record::Relation{"s1", "s2", "does"}));
  EXPECT_EQ(got.tasks[0].annotations[0].created_ms, 1600000000000);
  EXPECT_EQ(got.tasks[1].annotations[0].answer.classes[0], "A");
  EXPECT_EQ(got.tasks[1].task.meta["n"], 1);
  EXPECT_TRUE(got.tasks[2].annotations[0].answer.classes.empty());
  EXPECT_TRUE(got.tasks[3].annotations[0].skipped);
  got.tasks[0].annotations[0].answer.spans.push_back({"n", 3, 10, "VERB"});
  const Json changed = Json::parse(written({got.tasks[0]}, AnnotationFormat::kProdigy));
  EXPECT_EQ(changed["spans"][2], Json::parse(R"({"start":3,"end":10,"token_start":1,"token_end":1,"label":"VERB"})"));
  EXPECT_EQ(changed["relations"][0]["head"], 0);
  EXPECT_EQ(changed["_task_hash"], 5);
}

TEST(AnnotationFormats, ArgillaOfAllReleases) {
  const std::string two =
      R"([{"id": "r1", "fields": {"text": "Caf\u00e9 Acme", "reply_a": "x", "reply_b": "y"}, "metadata": {"n": 1}, "suggestions": {"label": {"value": "food", "score": 0.7, "agent": "m"}}, "responses": {"label": [{"value": "food", "user_id": "u1"}, {"value": "firm", "user_id": "u2"}], "spans": [{"value": [{"label": "ORG", "start": 5, "end": 9}], "user_id": "u1"}], "stars": [{"value": 3, "user_id": "u1"}], "best": [{"value": [{"value": "reply_b", "rank": 1}, {"value": "reply_a", "rank": 2}], "user_id": "u1"}]}, "vectors": {}, "_server_id": null}])";
  Read got = round_trip(two, AnnotationFormat::kArgilla);
  ASSERT_EQ(got.tasks[0].annotations.size(), 2U);
  const record::Answer& answer = got.tasks[0].annotations[0].answer;
  EXPECT_EQ(answer.classes[0], "food");
  EXPECT_EQ(answer.spans[0], (record::Span{"s1", 5, 9, "ORG"}));
  EXPECT_EQ(answer.rating, 3);
  EXPECT_EQ(answer.preferred, 1);
  EXPECT_EQ(got.tasks[0].annotations[1].answer.classes[0], "firm");
  EXPECT_EQ(got.tasks[0].suggestions[0].score, 0.7);
  got.tasks[0].annotations[1].answer.classes[0] = "cafe";
  const Json changed = Json::parse(written(got.tasks, AnnotationFormat::kArgilla));
  EXPECT_EQ(changed[0]["responses"]["label"][1]["value"], "cafe");
  EXPECT_EQ(changed[0]["responses"]["best"][0]["value"][1], Json::parse(R"({"value": "reply_b", "rank": 1})"));
  EXPECT_EQ(changed[0]["metadata"]["n"], 1);
  const std::string one =
      R"([{"text": "good food", "inputs": {"text": "good food"}, "prediction": [["food", 0.9], ["firm", 0.1]], "prediction_agent": "m", "annotation": "food", "annotation_agent": "u", "multi_label": false, "id": "x", "metadata": {}, "status": "Validated"}, {"text": "Acme pays", "tokens": ["Acme", "pays"], "prediction": null, "annotation": [["ORG", 0, 4]], "annotation_agent": "u", "status": "Validated"}, {"fields": {"text": "t"}, "responses": [{"user_id": "u", "status": "discarded", "values": {}}, {"user_id": "v", "status": "submitted", "values": {"q": {"value": ["a", "b"]}}}]}])";
  got = round_trip(one, AnnotationFormat::kArgilla);
  EXPECT_EQ(got.tasks[0].annotations[0].answer.classes[0], "food");
  EXPECT_EQ(got.tasks[0].suggestions[0].answer.classes, (std::vector<std::string>{"food"}));
  EXPECT_EQ(got.tasks[1].annotations[0].answer.spans[0], (record::Span{"s1", 0, 4, "ORG"}));
  EXPECT_TRUE(got.tasks[2].annotations[0].skipped);
  EXPECT_EQ(got.tasks[2].annotations[1].answer.classes.size(), 2U);
}

TEST(AnnotationFormats, OursSayEverything) {
  AnnotatedTask task;
  task.task = {0, "k", "a \"b\",\nc 東", {"x", "y"}, {{"user", "hi"}}, {{"n", 1}}};
  task.annotations.push_back({1, 2, "ann", {}, true, true, "note, \"x\"", 1.5, 10, 20});
  task.annotations.push_back(by("bob", {{"p", "q"}, {{"s", 0, 1, "A"}}, {}, {"t"}, 2, -1, {1}}));
  task.suggestions.push_back({"m@1", 0.5, task.annotations[1].answer});
  const std::string lines = written({task, task}, AnnotationFormat::kJsonl);
  const Read got = round_trip(lines, AnnotationFormat::kJsonl);
  EXPECT_EQ(got.tasks[1].annotations[1].answer, task.annotations[1].answer);
  task.suggestions.clear();
  task.task.candidates.clear();
  task.task.messages.clear();
  AnnotatedTask empty;
  empty.task = {0, "none", "unanswered", {}, {}, Json::object()};
  const Read csv = round_trip(written({task, empty}, AnnotationFormat::kCsv), AnnotationFormat::kCsv);
  ASSERT_EQ(csv.tasks.size(), 2U);
  EXPECT_EQ(csv.tasks[0].annotations[1].answer, task.annotations[1].answer);
  EXPECT_EQ(csv.tasks[0].annotations[0].note, "note, \"x\"");
  EXPECT_EQ(csv.tasks[0].task.meta, task.task.meta);
  EXPECT_TRUE(csv.tasks[1].annotations.empty());
  const Read fast = round_trip("__label__a __label__b some text\nno label\n__label__c x\n", AnnotationFormat::kFastText);
  EXPECT_EQ(fast.tasks[0].annotations[0].answer.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(fast.tasks[1].annotations.empty());
}

TEST(AnnotationFormats, FromOneToEachOther) {
  Read source = read(kLabelStudio);
  for (const AnnotationFormat format : {AnnotationFormat::kJsonl, AnnotationFormat::kCsv, AnnotationFormat::kDoccano, AnnotationFormat::kProdigy, AnnotationFormat::kArgilla,
                                        AnnotationFormat::kConll, AnnotationFormat::kConllU, AnnotationFormat::kFastText}) {
    SCOPED_TRACE(name_of(format));
    AnnotationReadOptions options;
    options.format = format;
    const Read got = read(written(source.tasks, format), options);
    ASSERT_GE(got.tasks.size(), 2U);
    const record::Answer& answer = got.tasks[0].annotations.at(0).answer;
    if (format == AnnotationFormat::kFastText) {
      EXPECT_EQ(answer.classes[0], "news");
    } else if (format == AnnotationFormat::kConll) {
      EXPECT_EQ(answer.spans.size(), 2U);  // its text has blanks between all tokens
    } else {
      ASSERT_EQ(answer.spans.size(), 2U);
      EXPECT_EQ(answer.spans[1].start, 15);
      EXPECT_EQ(answer.spans[1].label, "ORG");
    }
  }
  std::map<std::string, int64_t> notes;
  EXPECT_TRUE(has(fault([&] { brat_document(source.tasks[0], notes); }), "'works for' has blanks"));
  source.tasks[0].annotations[0].answer.relations[0].label = "worksFor";
  const BratDocument document = brat_document(source.tasks[0], notes);
  EXPECT_TRUE(has(document.ann, "T2\tORG 15 19\tAcme\n"));
  EXPECT_TRUE(has(fault([&] { read(document.ann); }), "read with its text"));
  SchemeCollector scheme;
  scheme.see(source.tasks[0]);
  EXPECT_EQ(scheme.scheme().classes.size(), 2U);  // of the prediction, too
  EXPECT_EQ(scheme.scheme().questions.size(), 5U);
  record::check(source.tasks[0].annotations[0].answer, scheme.scheme(), source.tasks[0].task);
}

TEST(AnnotationFormats, BrokenFilesAreTold) {
  const auto of = [](const std::string& text, std::optional<AnnotationFormat> format = std::nullopt) {
    AnnotationReadOptions options;
    options.format = format;
    return fault([&] { read(text, options); });
  };
  EXPECT_TRUE(has(of(""), "this is no file of annotations"));
  EXPECT_TRUE(has(of("just words"), "--format says which"));
  EXPECT_TRUE(has(of("[{\"x\":1}]"), "this is no file of annotations"));
  EXPECT_TRUE(has(of(R"([{"data": {"text": "a"}, "annotations": []})"), "the file ends in the middle, after 1 elements"));
  EXPECT_TRUE(has(of(R"([{"data": {"text": "a"}, "annotations": []} {}])"), "a comma is missing"));
  EXPECT_TRUE(has(of(R"([{"data": {"text": "a"}, "annotations": []}] x)"), "behind the array's end"));
  EXPECT_TRUE(has(of(R"([{"data": {"text": "a"}, "annotations": []}, 3])"), "an element is no object"));
  EXPECT_TRUE(has(of(R"([{"data": {"n": 3}, "annotations": []}])"), "file: element 1: 'data' has no text"));
  EXPECT_TRUE(has(of("{\"text\":\"a\",\"label\":[]}\n{\"text\":3}\n"), "file:2: has no text 'text'"));
  EXPECT_TRUE(has(of("{\"text\":\"a\",\"label\":[]}\n{\"text\":\n"), "file:2"));
  EXPECT_TRUE(has(of("{\"text\":\"a\",\"label\":[[0,\"x\"]]}\n"), "a span is to be [start, end, label]"));
  EXPECT_TRUE(has(of("{\"text\":\"\xff\",\"label\":[]}\n", AnnotationFormat::kDoccano), "is no UTF-8"));
  EXPECT_TRUE(has(of(std::string(200, '['), AnnotationFormat::kDoccano), "file"));
  EXPECT_TRUE(has(of("{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}\n", AnnotationFormat::kDoccano), "file:1"));
  EXPECT_TRUE(has(of("text,label\na,b,c\n"), "the row has 3 fields"));
  EXPECT_TRUE(has(of("a,b\n1,2\n", AnnotationFormat::kCsv), "no column 'text'"));
  EXPECT_TRUE(has(of("key,text,annotator,answer\nk,t,ann,{\n", AnnotationFormat::kCsv), "column answer"));
  EXPECT_TRUE(has(of("__label__a \n", AnnotationFormat::kFastText), "no text behind the labels"));
  EXPECT_TRUE(has(of("1\tx\t_\n", AnnotationFormat::kConllU), "file:1"));
  EXPECT_TRUE(has(of(R"({"key": "k", "text": "a", "annotations": [{"who": 1}]})"), "has no 'who'"));
  AnnotationReadOptions options;
  std::vector<std::string> faults;
  options.on_fault = [&](const std::string& what) { faults.push_back(what); };
  EXPECT_EQ(read("{\"text\":\"a\",\"label\":[]}\n{\"text\":3}\n{bad\n{\"text\":\"b\",\"label\":[]}\n", options).tasks.size(), 2U);
  EXPECT_EQ(faults.size(), 2U);
  AnnotatedTask blanks;
  blanks.task.text = "t";
  blanks.annotations.push_back(by("", {{"a b"}, {{"1", 0, 1, "x y"}}, {}, {}, {}, {}, {}}));
  EXPECT_TRUE(has(fault([&] { written({blanks}, AnnotationFormat::kFastText); }), "has blanks"));
  std::map<std::string, int64_t> notes;
  EXPECT_TRUE(has(fault([&] { brat_document(blanks, notes); }), "'x y' has blanks"));
  EXPECT_THROW(annotation_format_named("xml"), base::Error);
  EXPECT_THROW(open_annotations("/nowhere/at/all.jsonl"), base::Error);
}

TEST(LabelConfig, GoesInAndOut) {
  const char* xml = R"(<?xml version="1.0"?><!-- a project -->
<View><Labels name="label" toName="text"><Label value="Organisation" alias="ORG" hotkey="1" background="#f00"/><Label value="A&amp;B &#x4e1c;"/></Labels>
<Text name='text' value='$text'/><Choices name="c" toName="text" choice="single"><Choice value="good"/><Choice value="bad" hotkey="ctrl+b"></Choice></Choices>
<Relations><Relation value="similar"/></Relations><Rating name="r" toName="text" maxRating="10"/></View>)";
  const record::AnnotationScheme scheme = scheme_from_label_config(xml, "config.xml");
  EXPECT_EQ(scheme.spans, (std::vector<record::Label>{{"ORG", "#ff0000", "1"}, {"A&B 东", "", ""}}));
  EXPECT_EQ(scheme.classes[1], (record::Label{"bad", "", ""}));
  EXPECT_EQ(scheme.relations[0].name, "similar");
  EXPECT_EQ(scheme.rating_max, 10);
  EXPECT_EQ(scheme.questions, (std::vector<record::Question>{record::Question::kRating, record::Question::kClass, record::Question::kSpans, record::Question::kRelations}));
  record::AnnotationScheme back = scheme_from_label_config(label_config_of(scheme), "x");
  std::sort(back.questions.begin(), back.questions.end());
  record::AnnotationScheme sorted = scheme;
  std::sort(sorted.questions.begin(), sorted.questions.end());
  EXPECT_EQ(back, sorted);
  const auto of = [](const std::string& text) { return fault([&] { scheme_from_label_config(text, "config.xml"); }); };
  EXPECT_TRUE(has(of("<View>"), "config.xml: the configuration does not close a tag"));
  EXPECT_TRUE(has(of("<View></Text>"), "closes a tag that is not open"));
  EXPECT_TRUE(has(of("<!DOCTYPE x><View/>"), "DOCTYPE"));
  EXPECT_TRUE(has(of("<View/>"), "asks for nothing"));
  EXPECT_TRUE(has(of("no xml"), "is no XML"));
  EXPECT_TRUE(has(of("<View a=b/>"), "without quotation marks"));
  EXPECT_TRUE(has(of("<View a=\"&x;\"/>"), "unknown entity"));
  EXPECT_TRUE(has(of("<View><a><b"), "does not end"));
  std::string deep;
  for (int i = 0; i < 70; ++i) {
    deep += "<View>";
  }
  EXPECT_TRUE(has(of(deep), "nested too deep"));
}

}  // namespace
}  // namespace slipway::data
