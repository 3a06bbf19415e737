#include "api/annotate_learner.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "data/active_learning.h"
#include "data/annotation_learning.h"
#include "data/suggestion_fit.h"
#include "data/weak_suggestions.h"
#include "stats/interval.h"

namespace slipway::api {
namespace {

using base::Json;
using record::AnnotationProject;
using record::Question;
using record::TaskOrder;
using record::TaskState;

constexpr int kPage = 500;
constexpr size_t kMaxTrained = 50000;   // answers; the first ones beyond are left out
constexpr size_t kMaxPool = 20000;      // open tasks that are scored: a second or two
constexpr size_t kMaxSpanPool = 5000;   // where spans are: every one is decoded
constexpr size_t kMaxDiverse = 2000;    // of them, that are compared with each other
constexpr size_t kMaxKnown = 500;       // answered ones that they are compared with
constexpr size_t kMinLead = 200;        // tasks that are put in front
constexpr int kBits = 18;               // of features that texts are compared by
constexpr size_t kMaxWeakTexts = 50000; // that a label model is fitted on

struct Status {
  const char* state = "waiting";
  std::string message = "it learns when there are answers";
  int64_t trained_on = 0;
  int64_t trainings = 0;
  int64_t trained_ms = 0;
  int64_t answered_since = 0;
  bool queued = false;
  bool wants_training = false;
  bool looked = false;  // whether answers of an earlier time were asked for
  std::shared_ptr<const data::LearnedAnswers> learned;
  std::vector<int64_t> led;  // tasks that were put in front the last time
  // The label model, with the settings and the number of tasks that it was fitted for.
  std::shared_ptr<const data::WeakLabeller> weak;
  int64_t weak_revision = 0;
  int64_t weak_tasks = 0;
  std::string weak_message;
};

bool asks_one_of(const record::AnnotationScheme& scheme, std::initializer_list<Question> questions) {
  return std::any_of(questions.begin(), questions.end(), [&](Question one) { return data::asks(scheme, one); });
}

bool learns(const record::AnnotationSettings& settings) {
  return settings.retrain_every > 0 && (asks_one_of(settings.scheme, {Question::kSpans}) ||
                                        (settings.scheme.classes.size() > 1 && asks_one_of(settings.scheme, {Question::kClass, Question::kClasses})));
}

bool joins_rules(const record::AnnotationSettings& settings) { return !settings.label_model.empty() && !settings.rules.empty(); }

bool is_active(TaskOrder order) { return order != TaskOrder::kGiven && order != TaskOrder::kRandom; }

}  // namespace

struct AnnotationLearner::Impl {
  Impl(record::Store& store_in, base::Log& log_in) : store(store_in), log(log_in) {}

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return stop || !queue.empty(); });
      if (stop) {
        return;
      }
      const std::string name = queue.front();
      queue.pop_front();
      Status& status = known[name];
      status.queued = false;
      const bool training = std::exchange(status.wants_training, false);
      if (training) {
        status.answered_since = 0;
        status.state = "training";
      }
      lock.unlock();
      std::string fault;
      try {
        if (const auto project = store.annotations().projects().find(name)) {
          join_rules(*project);
          if (training) {
            learn(*project);
          }
        }
      } catch (const std::exception& error) {
        fault = error.what();
        log.warning("an annotation project's models could not be trained", {{"project", name}, {"error", fault}});
      }
      lock.lock();
      Status& after = known[name];
      after.state = after.learned != nullptr ? "ready" : "waiting";
      if (!fault.empty()) {
        after.message = fault;
      }
    }
  }

  bool stopping() {
    const std::scoped_lock lock(mutex);
    return stop;
  }

  // Tasks in these states by pages, of each state until it is told that there are enough.
  template <class Use, class Enough>
  void read_tasks(int64_t project, std::initializer_list<TaskState> states, const Use& use, const Enough& enough) {
    for (const TaskState state : states) {
      record::TaskReading reading;
      reading.state = state;
      reading.limit = kPage;
      for (bool more = true; more;) {
        const auto page = store.annotations().tasks().read(project, reading);
        std::for_each(page.begin(), page.end(), use);
        more = page.size() >= static_cast<size_t>(kPage) && !enough() && !stopping();
        reading.after = page.empty() ? reading.after : page.back().task.id;
      }
    }
  }

  // The decision counts, else the first answer.
  data::AnnotationLessons lessons_of(const AnnotationProject& project) {
    data::AnnotationLessons lessons(project.settings.scheme);
    const auto learn_from = [&](const record::KeptTask& task) {
      const auto found = std::find_if(task.annotations.begin(), task.annotations.end(), [](const auto& one) { return !one.annotation.skipped; });
      if (found != task.annotations.end()) {
        lessons.add(task.task.text, found->annotation.answer);
      }
    };
    read_tasks(project.id, {TaskState::kReviewed, TaskState::kAnswered, TaskState::kBegun}, learn_from, [&] { return lessons.size() >= kMaxTrained; });
    return lessons;
  }

  void learn(const AnnotationProject& project) {
    const data::AnnotationLessons lessons = lessons_of(project);
    if (std::string lacking = lessons.lacking(); !lacking.empty()) {
      const std::scoped_lock lock(mutex);
      known[project.name].message = std::move(lacking);
      return;
    }
    const auto learned = std::make_shared<const data::LearnedAnswers>(data::LearnedAnswers::learn(lessons, [this] { return stopping(); }));
    if (is_active(project.settings.order)) {
      lead(project, lessons, *learned);
    }
    const std::scoped_lock lock(mutex);
    Status& status = known[project.name];
    status.learned = learned;
    status.trained_on = static_cast<int64_t>(lessons.size());
    status.trainings += 1;
    status.trained_ms = clock.unix_ms();
    status.message.clear();
  }

  // Fits the label model anew when the settings changed, or a tenth of the tasks is new.
  void join_rules(const AnnotationProject& project) {
    if (!joins_rules(project.settings)) {
      return;
    }
    {
      const std::scoped_lock lock(mutex);
      if (!weak_is_old(known[project.name], project)) {
        return;
      }
    }
    std::shared_ptr<const data::WeakLabeller> weak;
    std::string fault;
    try {
      std::vector<data::WeakLabeller::Text> texts;
      read_tasks(
          project.id, {TaskState::kReviewed, TaskState::kAnswered, TaskState::kBegun, TaskState::kNew},
          [&](const record::KeptTask& task) { texts.push_back({task.task.text, data::class_said(task.annotations)}); },
          [&] { return texts.size() >= kMaxWeakTexts; });
      size_t at = 0;
      const auto next = [&]() -> std::optional<data::WeakLabeller::Text> {
        if (at >= texts.size() || (at % 1000 == 0 && stopping())) {
          return std::nullopt;
        }
        return std::move(texts[at++]);
      };
      weak = std::make_shared<const data::WeakLabeller>(project.settings, data::label_model_named(project.settings.label_model), next);
    } catch (const base::Error& error) {
      fault = error.what();
    }
    const std::scoped_lock lock(mutex);
    Status& status = known[project.name];
    status.weak = std::move(weak);
    status.weak_revision = project.revision;
    status.weak_tasks = project.counts.tasks();
    status.weak_message = std::move(fault);
  }

  static bool weak_is_old(const Status& status, const AnnotationProject& project) {
    return status.weak_revision != project.revision || project.counts.tasks() > status.weak_tasks + status.weak_tasks / 10;
  }

  // Puts those in front that are worth asking about; those that were in front before go back.
  void lead(const AnnotationProject& project, const data::AnnotationLessons& lessons, const data::LearnedAnswers& learned) {
    std::vector<int64_t> ids;
    std::vector<std::string> texts;
    const size_t most = learned.has_spans() ? kMaxSpanPool : kMaxPool;
    const auto take = [&](const record::KeptTask& task) {
      ids.push_back(task.task.id);
      texts.push_back(task.task.text);
    };
    read_tasks(project.id, {TaskState::kNew, TaskState::kBegun}, take, [&] { return ids.size() >= most; });
    const auto count = static_cast<int64_t>(std::min(ids.size(), std::max(kMinLead, static_cast<size_t>(project.settings.retrain_every) * 4)));
    const std::vector<int64_t> order =
        project.settings.order == TaskOrder::kDiversity ? diverse(texts, lessons, count) : unsure(texts, project.settings.order, learned, count);
    std::vector<std::pair<int64_t, double>> priorities;
    std::vector<int64_t> led;
    {
      const std::scoped_lock lock(mutex);
      for (const int64_t task : known[project.name].led) {
        priorities.emplace_back(task, 0);
      }
    }
    for (size_t i = 0; i < order.size(); ++i) {
      led.push_back(ids[static_cast<size_t>(order[i])]);
      priorities.emplace_back(led.back(), 1 + static_cast<double>(order.size() - i));
    }
    store.annotations().tasks().set_priorities(project.id, priorities);
    const std::scoped_lock lock(mutex);
    known[project.name].led = std::move(led);
  }

  std::vector<int64_t> unsure(const std::vector<std::string>& texts, TaskOrder order, const data::LearnedAnswers& learned, int64_t count) {
    const data::Uncertainty kind = data::uncertainty_named(record::name_of(order));
    std::vector<double> scores;
    scores.reserve(texts.size());
    for (const std::string& text : texts) {
      if (scores.size() % 100 == 0 && stopping()) {
        throw base::Error(base::Code::kInterrupted, "the training was stopped");
      }
      scores.push_back(learned.uncertainty(text, kind));
    }
    return data::most_uncertain(scores, count);
  }

  static std::vector<int64_t> diverse(const std::vector<std::string>& texts, const data::AnnotationLessons& lessons, int64_t count) {
    std::vector<int64_t> begins = {0};
    std::vector<int32_t> columns;
    std::vector<float> values;
    const auto add = [&](const std::string& text) {
      const data::TextFeatures row = data::text_features(text, kBits);
      columns.insert(columns.end(), row.columns.begin(), row.columns.end());
      values.insert(values.end(), row.values.begin(), row.values.end());
      begins.push_back(static_cast<int64_t>(columns.size()));
    };
    const size_t pool = std::min(texts.size(), kMaxDiverse);
    std::for_each_n(texts.begin(), pool, add);
    size_t known_count = std::min(lessons.class_texts().size(), kMaxKnown);
    std::for_each_n(lessons.class_texts().begin(), known_count, add);
    if (known_count == 0) {
      known_count = std::min(lessons.span_lessons().size(), kMaxKnown);
      std::for_each_n(lessons.span_lessons().begin(), known_count, [&](const auto& lesson) { add(lesson.text); });
    }
    std::vector<int64_t> candidates(pool);
    std::iota(candidates.begin(), candidates.end(), int64_t{0});
    std::vector<int64_t> known_rows(known_count);
    std::iota(known_rows.begin(), known_rows.end(), static_cast<int64_t>(pool));
    return data::k_center(data::FeatureRows(begins, columns, values), candidates, known_rows, std::min(count, static_cast<int64_t>(pool)), 1);
  }

  // With mutex_ held.
  void enqueue(const std::string& name) {
    Status& status = known[name];
    if (!status.queued) {
      status.queued = true;
      queue.push_back(name);
      if (!thread.joinable()) {
        thread = std::thread([this] { work(); });
      }
      changed.notify_one();
    }
  }
  void train(const std::string& name) {
    known[name].wants_training = true;
    enqueue(name);
  }
  // A server that was started again learns from what is there, once.
  void look(const AnnotationProject& project) {
    Status& status = known[project.name];
    if (!status.looked && learns(project.settings) && project.counts.annotations >= project.settings.retrain_every) {
      train(project.name);
    }
    status.looked = true;
    if (joins_rules(project.settings) && weak_is_old(status, project)) {
      enqueue(project.name);
    }
  }

  record::Store& store;
  base::Log& log;
  base::SystemClock clock;
  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::map<std::string, Status> known;  // by project
  std::deque<std::string> queue;
  bool stop = false;
  std::thread thread;  // from the first training on
};

AnnotationLearner::AnnotationLearner(record::Store& store, base::Log& log) : impl_(std::make_unique<Impl>(store, log)) {}

AnnotationLearner::~AnnotationLearner() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stop = true;
    impl_->changed.notify_all();
  }
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

void AnnotationLearner::answered(const AnnotationProject& project) {
  if (!learns(project.settings)) {
    return;
  }
  const std::scoped_lock lock(impl_->mutex);
  impl_->look(project);
  if (++impl_->known[project.name].answered_since >= project.settings.retrain_every) {
    impl_->train(project.name);
  }
}

std::vector<record::Suggestion> AnnotationLearner::suggest(const AnnotationProject& project, const record::Task& task) {
  const bool joins = joins_rules(project.settings);
  const bool learning = learns(project.settings);
  std::vector<record::Suggestion> fitting;
  if (!joins && !learning) {
    return fitting;
  }
  std::shared_ptr<const data::LearnedAnswers> learned;
  std::shared_ptr<const data::WeakLabeller> weak;
  int64_t trainings = 0;
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->look(project);
    const Status& status = impl_->known[project.name];
    learned = learning ? status.learned : nullptr;
    weak = joins && status.weak_revision == project.revision ? status.weak : nullptr;
    trainings = status.trainings;
  }
  std::vector<record::Suggestion> made = learned != nullptr ? learned->suggest(task.text, trainings) : std::vector<record::Suggestion>();
  if (weak != nullptr) {
    if (auto one = weak->suggest(task.text)) {
      made.push_back(std::move(*one));
    }
  }
  for (record::Suggestion& one : made) {  // labels may have gone since
    if (auto fitted = data::fit_suggestion(std::move(one), project.settings.scheme, task)) {
      fitting.push_back(std::move(*fitted));
    }
  }
  return fitting;
}

Json AnnotationLearner::state(const AnnotationProject& project) {
  const bool joins = joins_rules(project.settings);
  const std::scoped_lock lock(impl_->mutex);
  if (joins || learns(project.settings)) {
    impl_->look(project);
  }
  const Status& status = impl_->known[project.name];
  Json json = {{"state", "off"}, {"trained_on", 0}, {"trainings", 0}, {"trained_ms", nullptr}, {"accuracy", nullptr}, {"span_f1", nullptr}};
  if (learns(project.settings)) {
    json["state"] = status.state;
    json["trained_on"] = status.trained_on;
    json["trainings"] = status.trainings;
    json["trained_ms"] = status.trained_ms == 0 ? Json() : Json(status.trained_ms);
    if (status.learned != nullptr) {
      json["accuracy"] = status.learned->accuracy() ? stats::to_json(*status.learned->accuracy()) : Json();
      json["span_f1"] = status.learned->span_f1() ? stats::to_json(*status.learned->span_f1()) : Json();
    }
    if (!status.message.empty()) {
      json["message"] = status.message;
    }
  }
  if (joins && status.weak_revision == project.revision) {
    json["rules"] = status.weak != nullptr ? to_json(status.weak->summary(), status.weak->voters().names(), status.weak->voters().classes())
                                           : Json{{"message", status.weak_message}};
    if (status.weak != nullptr) {
      json["rules"]["texts"] = status.weak->texts();
    }
  }
  return json;
}

}  // namespace slipway::api
