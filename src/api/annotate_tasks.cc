// Tasks of an annotation project: the next one, answers, undo, review, lists, history.
#include <chrono>
#include <fmt/format.h>

#include "api/annotate.h"
#include "api/approvals.h"
#include "api/page_token.h"

namespace slipway::api {
namespace {

using record::AnnotationProject;
using record::KeptAnnotation;
using record::KeptTask;

constexpr int64_t kMaxPage = 200;
constexpr std::chrono::milliseconds kWait{400};  // for models, of a request that asks for what they say; it is told whether to ask again

struct Ask {
  std::string annotator;
  int64_t except = 0;
};

struct Save {
  int64_t revision = 0;
  Json answer;
  bool skipped = false;
  std::string note;
  double seconds = 0;
  std::string annotator;
};

struct Review {
  int64_t revision = 0;
  int64_t accept = 0;
  Json answer;
  std::string note;
  std::string annotator;
};

struct List {
  std::string state;
  std::string label;
  std::string annotator;
  std::string text;
  int64_t max_results = 50;
  std::string page_token;
};

}  // namespace

template <>
struct Table<Ask> {
  using M = Ask;
  static constexpr std::array kFields = {field<&M::annotator>("annotator"), field<&M::except>("except")};
};

template <>
struct Table<Save> {
  using M = Save;
  static constexpr std::array kFields = {field<&M::revision>("revision", kRequired), field<&M::answer>("answer"), field<&M::skipped>("skipped"),
                                         field<&M::note>("note"), field<&M::seconds>("seconds"), field<&M::annotator>("annotator")};
};

template <>
struct Table<Review> {
  using M = Review;
  static constexpr std::array kFields = {field<&M::revision>("revision", kRequired), field<&M::accept>("accept"), field<&M::answer>("answer"),
                                         field<&M::note>("note"), field<&M::annotator>("annotator")};
};

template <>
struct Table<List> {
  using M = List;
  static constexpr std::array kFields = {field<&M::state>("state"), field<&M::label>("label"), field<&M::annotator>("annotator"),
                                         field<&M::text>("text"), field<&M::max_results>("max_results", kPlain, {}, kMaxPage),
                                         field<&M::page_token>("page_token")};
};

namespace {

Json nullable(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json rows_json(const std::vector<record::TaskRow>& rows) {
  Json list = Json::array();
  for (const record::TaskRow& row : rows) {
    list.push_back({{"id", row.id},
                    {"key", row.key},
                    {"text", row.text},
                    {"state", record::name_of(row.state)},
                    {"agreement", nullable(row.agreement)},
                    {"labels", row.labels},
                    {"annotators", row.annotators}});
  }
  return list;
}

record::Answer told_answer(const Json& answer) {
  if (answer.is_null()) {
    missing_parameter("answer");
  }
  return record::answer_from_json(answer, "the answer");
}

class Tasks {
 public:
  Tasks(Backend& backend, AnnotationDesk& desk) : backend_(backend), desk_(desk) {}

  Json next(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    const Ask message = parse_request<Ask>(request);
    const std::string who = decider_of(request, message.annotator);
    const auto task = tasks().next(project.id, who, message.except);
    return task ? Json{{"work", work(project, *task, who, false)}} : Json::object();
  }
  Json undo(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    const std::string who = decider_of(request, parse_request<Ask>(request).annotator);
    const auto task = answers().undo(project.id, who);
    return task ? Json{{"work", work(project, *task, who, false)}} : Json::object();
  }
  Json get(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    return work(project, annotation_task(request), decider_of(request, parse_request<Ask>(request).annotator), true);
  }
  Json save(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    Save message = parse_request<Save>(request);
    record::SaveAnswer save;
    save.annotator = decider_of(request, message.annotator);
    save.skipped = message.skipped;
    save.note = std::move(message.note);
    save.seconds = message.seconds;
    save.revision = message.revision;
    if (!message.skipped) {
      save.answer = told_answer(message.answer);
    }
    Json saved = saved_json(project, answers().save(project.id, annotation_task(request), save));
    desk_.answered(project);
    return saved;
  }
  Json decide(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    Review message = parse_request<Review>(request);
    record::Decide decision;
    decision.who = decider_of(request, message.annotator);
    decision.accept = message.accept;
    decision.note = std::move(message.note);
    decision.revision = message.revision;
    if (message.accept == 0) {
      decision.answer = told_answer(message.answer);
    }
    return saved_json(project, answers().decide(project.id, annotation_task(request), decision));
  }
  Json list(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    const List message = parse_request<List>(request);
    record::TaskQuery query;
    if (!message.state.empty()) {
      query.state = record::task_state_named(message.state);
    }
    query.label = message.label;
    query.annotator = message.annotator;
    query.text = message.text;
    query.limit = limit_of(message);
    query.after = page_offset(message.page_token);
    const record::TaskPage page = tasks().list(project.id, query);
    Json answer = {{"tasks", rows_json(page.rows)}};
    if (page.next) {
      answer["next_page_token"] = page_token(*page.next);
    }
    return answer;
  }
  Json review(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    const List message = parse_request<List>(request);
    record::ReviewPlace place;
    if (!message.page_token.empty()) {
      const Json token = decode_token(message.page_token);
      const auto agreement = token.find("agreement");
      const auto id = token.find("offset");
      if (agreement == token.end() || !agreement->is_number() || id == token.end() || !id->is_number_integer()) {
        invalid("Invalid page token, it is not of this list");
      }
      place = {agreement->get<double>(), id->get<int64_t>()};
    }
    const auto rows = tasks().to_review(project.id, place, limit_of(message));
    Json answer = {{"tasks", rows_json(rows)}};
    if (rows.size() == static_cast<size_t>(limit_of(message))) {
      answer["next_page_token"] =
          encode_token({{"agreement", rows.back().agreement.value_or(record::kNoAgreement)}, {"offset", rows.back().id}});
    }
    return answer;
  }
  Json suggestions(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    Json answer = Json::object();
    put_suggestions(answer, desk_.suggestions(project, tasks().get(project.id, annotation_task(request)), kWait));
    return answer;
  }
  Json history(const net::Request& request) const {
    const AnnotationProject project = annotation_project(backend_, request);
    const int64_t task = annotation_task(request);
    tasks().get(project.id, task);  // throws where there is none
    Json changes = Json::array();
    for (const record::AnnotationChange& change : answers().history(project.id, task)) {
      changes.push_back(record::to_json(change));
    }
    return {{"changes", std::move(changes)}};
  }

 private:
  record::AnnotationTasks& tasks() const { return backend_.store.annotations().tasks(); }
  record::AnnotationAnswers& answers() const { return backend_.store.annotations().answers(); }
  static int limit_of(const List& message) {
    if (message.max_results < 1) {
      invalid(fmt::format("'max_results' is to be from 1 to {}", kMaxPage));
    }
    return static_cast<int>(message.max_results);
  }
  static void put_suggestions(Json& answer, const AnnotationAsker::Said& said) {
    answer["suggestions"] = Json::array();
    for (const record::Suggestion& one : said.suggestions) {
      answer["suggestions"].push_back(record::to_json(one));
    }
    answer["pending"] = said.pending;
  }
  // `all`: what others said too.
  Json work(const AnnotationProject& project, int64_t id, const std::string& who, bool all) const {
    const KeptTask task = tasks().get(project.id, id);
    Json mine;
    Json annotations = Json::array();
    for (const KeptAnnotation& kept : task.annotations) {
      if (!kept.annotation.ground_truth && kept.annotation.annotator == who) {
        mine = record::to_json(kept);
      }
      if (all) {
        annotations.push_back(record::to_json(kept));
      }
    }
    Json work = {{"task", record::to_json(task.task)},
                 {"state", record::name_of(task.state)},
                 {"agreement", nullable(task.agreement)},
                 {"mine", std::move(mine)},
                 {"annotations", std::move(annotations)}};
    put_suggestions(work, desk_.suggestions(project, task, {}));
    return work;
  }
  Json saved_json(const AnnotationProject& project, const record::SavedAnswer& saved) const {
    const auto now = backend_.store.annotations().projects().find(project.name);
    return {{"annotation", record::to_json(saved.kept)},
            {"state", record::name_of(saved.state)},
            {"counts", record::to_json(now ? now->counts : project.counts)}};
  }
  Backend& backend_;
  AnnotationDesk& desk_;
};

}  // namespace

void add_annotation_task_routes(Routes& routes, Backend& backend, AnnotationDesk& desk) {
  const Tasks tasks(backend, desk);
  const auto add = [&](const char* method, const char* path, Role role, Json (Tasks::*handle)(const net::Request&) const) {
    routes.add_raw(
        method, std::string("/ui/annotation/{name}") + path,
        [tasks, handle](const net::Request& request) { return net::json_response((tasks.*handle)(request)); }, over_annotation(role));
  };
  add("POST", "/next", Role::kEditor, &Tasks::next);
  add("POST", "/undo", Role::kEditor, &Tasks::undo);
  add("GET", "/tasks", Role::kViewer, &Tasks::list);
  add("GET", "/tasks/{task}", Role::kViewer, &Tasks::get);
  add("PUT", "/tasks/{task}/answer", Role::kEditor, &Tasks::save);
  add("PUT", "/tasks/{task}/review", Role::kApprover, &Tasks::decide);
  add("GET", "/tasks/{task}/suggestions", Role::kViewer, &Tasks::suggestions);
  add("GET", "/tasks/{task}/history", Role::kViewer, &Tasks::history);
  add("GET", "/review", Role::kViewer, &Tasks::review);
}

}  // namespace slipway::api
