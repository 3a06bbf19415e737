#include "api/annotate_learner.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "data/active_learning.h"
#include "data/light_classifier.h"
#include "stats/bootstrap.h"
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
constexpr size_t kMaxDiverse = 2000;    // of them, that are compared with each other
constexpr size_t kMaxKnown = 500;       // answered ones that they are compared with
constexpr size_t kHoldOutFrom = 50;     // answers; below, none is held out
constexpr size_t kMinLead = 200;        // tasks that are put in front

struct Learned {
  data::LightClassifier classifier;
  std::vector<std::string> classes;
};

struct Status {
  const char* state = "waiting";
  std::string message = "it learns when there are answers of two classes";
  int64_t trained_on = 0;
  int64_t trainings = 0;
  int64_t trained_ms = 0;
  std::optional<stats::Interval> accuracy;
  int64_t answered_since = 0;
  bool queued = false;
  bool looked = false;  // whether answers of an earlier time were asked for
  std::shared_ptr<const Learned> learned;
  std::vector<int64_t> led;  // tasks that were put in front the last time
};

bool learns(const record::AnnotationSettings& settings) {
  const auto& questions = settings.scheme.questions;
  return settings.retrain_every > 0 && settings.scheme.classes.size() > 1 &&
         std::any_of(questions.begin(), questions.end(), [](Question one) { return one == Question::kClass || one == Question::kClasses; });
}

bool asks_several(const record::AnnotationScheme& scheme) {
  return std::find(scheme.questions.begin(), scheme.questions.end(), Question::kClasses) != scheme.questions.end();
}

bool is_active(TaskOrder order) { return order != TaskOrder::kGiven && order != TaskOrder::kRandom; }

// Texts with the class that counts: the decision, else the first answer.
struct Lessons {
  std::vector<std::string> texts;
  std::vector<std::vector<int>> labels;
  size_t used_classes = 0;
};

// What the classifier is unsure of, in [0, 1]-like scores; of several classes the mean over them.
double uncertainty_of(const std::vector<double>& p, bool several, data::Uncertainty kind) {
  if (!several) {
    return data::uncertainty(p, static_cast<int>(p.size()), kind).front();
  }
  double sum = 0;
  for (const double one : p) {
    const std::array<double, 2> two = {one, 1 - one};
    sum += data::uncertainty(two, 2, kind).front();
  }
  return sum / static_cast<double>(p.size());
}

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
      status.answered_since = 0;
      status.state = "training";
      lock.unlock();
      std::string fault;
      try {
        if (const auto project = store.annotations().projects().find(name)) {
          learn(*project);
        }
      } catch (const std::exception& error) {
        fault = error.what();
        log.warning("an annotation project's classifier could not be trained", {{"project", name}, {"error", fault}});
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

  Lessons lessons_of(const AnnotationProject& project) {
    Lessons lessons;
    std::map<std::string, int> numbers;
    for (const record::Label& label : project.settings.scheme.classes) {
      numbers.emplace(label.name, static_cast<int>(numbers.size()));
    }
    std::vector<char> used(numbers.size(), 0);
    const bool several = asks_several(project.settings.scheme);
    const auto learn_from = [&](const record::KeptTask& task) {
      const auto found = std::find_if(task.annotations.begin(), task.annotations.end(), [](const auto& one) { return !one.annotation.skipped; });
      if (found == task.annotations.end() || (found->annotation.answer.classes.empty() && !several)) {
        return;
      }
      std::vector<int>& row = lessons.labels.emplace_back();
      for (const std::string& name : found->annotation.answer.classes) {
        if (const auto number = numbers.find(name); number != numbers.end()) {
          row.push_back(number->second);
          used[static_cast<size_t>(number->second)] = 1;
        }
      }
      lessons.texts.push_back(task.task.text);
    };
    read_tasks(project.id, {TaskState::kReviewed, TaskState::kAnswered, TaskState::kBegun}, learn_from,
               [&] { return lessons.texts.size() >= kMaxTrained; });
    lessons.used_classes = static_cast<size_t>(std::count(used.begin(), used.end(), 1));
    return lessons;
  }

  // On a fifth, chosen by the digest of the text so that it stays, trained without it.
  std::optional<stats::Interval> accuracy_of(const Lessons& lessons, int classes, const data::LightClassifier::Options& options) {
    if (lessons.texts.size() < kHoldOutFrom) {
      return std::nullopt;
    }
    std::vector<std::string> texts;
    std::vector<std::vector<int>> labels;
    std::vector<size_t> held;
    for (size_t i = 0; i < lessons.texts.size(); ++i) {
      if (base::xxh64(lessons.texts[i]) % 5 == 0) {
        held.push_back(i);
      } else {
        texts.push_back(lessons.texts[i]);
        labels.push_back(lessons.labels[i]);
      }
    }
    if (held.empty() || texts.empty()) {
      return std::nullopt;
    }
    const auto classifier = data::LightClassifier::train(texts, labels, classes, options);
    int64_t right = 0;
    for (const size_t i : held) {
      right += classes_of(classifier, lessons.texts[i]).first == sorted(lessons.labels[i]) ? 1 : 0;
    }
    return stats::wilson(right, static_cast<int64_t>(held.size()));
  }

  static std::vector<int> sorted(std::vector<int> values) {
    std::sort(values.begin(), values.end());
    return values;
  }

  // With the score: the likeliest's, or the mean chance of what is said of each of several.
  static std::pair<std::vector<int>, double> classes_of(const data::LightClassifier& classifier, const std::string& text) {
    const std::vector<double> p = classifier.probabilities(data::text_features(text, classifier.bits()));
    if (!classifier.several()) {
      const auto most = std::max_element(p.begin(), p.end());
      return {{static_cast<int>(most - p.begin())}, *most};
    }
    std::vector<int> classes;
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      if (p[i] >= 0.5) {
        classes.push_back(static_cast<int>(i));
      }
      sum += std::max(p[i], 1 - p[i]);
    }
    return {classes, sum / static_cast<double>(p.size())};
  }

  void learn(const AnnotationProject& project) {
    const Lessons lessons = lessons_of(project);
    if (lessons.used_classes < 2) {
      return;
    }
    auto learned = std::make_shared<Learned>();
    for (const record::Label& label : project.settings.scheme.classes) {
      learned->classes.push_back(label.name);
    }
    const int classes = static_cast<int>(learned->classes.size());
    data::LightClassifier::Options options;
    options.several = asks_several(project.settings.scheme);
    options.stop = [this] { return stopping(); };
    const auto accuracy = accuracy_of(lessons, classes, options);
    learned->classifier = data::LightClassifier::train(lessons.texts, lessons.labels, classes, options);
    if (stopping()) {
      return;
    }
    if (is_active(project.settings.order)) {
      lead(project, lessons, learned->classifier);
    }
    const std::scoped_lock lock(mutex);
    Status& status = known[project.name];
    status.learned = std::move(learned);
    status.trained_on = static_cast<int64_t>(lessons.texts.size());
    status.trainings += 1;
    status.trained_ms = clock.unix_ms();
    status.accuracy = accuracy;
    status.message.clear();
  }

  // Puts those in front that are worth asking about; those that were in front before go back.
  void lead(const AnnotationProject& project, const Lessons& lessons, const data::LightClassifier& classifier) {
    std::vector<int64_t> ids;
    std::vector<data::TextFeatures> rows;
    const auto take = [&](const record::KeptTask& task) {
      ids.push_back(task.task.id);
      rows.push_back(data::text_features(task.task.text, classifier.bits()));
    };
    read_tasks(project.id, {TaskState::kNew, TaskState::kBegun}, take, [&] { return ids.size() >= kMaxPool; });
    const size_t count = std::min(ids.size(), std::max(kMinLead, static_cast<size_t>(project.settings.retrain_every) * 4));
    const std::vector<int64_t> order = project.settings.order == TaskOrder::kDiversity ? diverse(rows, lessons, classifier, static_cast<int64_t>(count))
                                                                                       : unsure(rows, project, classifier, static_cast<int64_t>(count));
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

  static std::vector<int64_t> unsure(const std::vector<data::TextFeatures>& rows, const AnnotationProject& project, const data::LightClassifier& classifier,
                                     int64_t count) {
    const data::Uncertainty kind = data::uncertainty_named(record::name_of(project.settings.order));
    std::vector<double> scores;
    scores.reserve(rows.size());
    for (const data::TextFeatures& row : rows) {
      scores.push_back(uncertainty_of(classifier.probabilities(row), classifier.several(), kind));
    }
    return data::most_uncertain(scores, count);
  }

  static std::vector<int64_t> diverse(const std::vector<data::TextFeatures>& rows, const Lessons& lessons, const data::LightClassifier& classifier, int64_t count) {
    std::vector<int64_t> begins = {0};
    std::vector<int32_t> columns;
    std::vector<float> values;
    const auto add = [&](const data::TextFeatures& row) {
      columns.insert(columns.end(), row.columns.begin(), row.columns.end());
      values.insert(values.end(), row.values.begin(), row.values.end());
      begins.push_back(static_cast<int64_t>(columns.size()));
    };
    const size_t pool = std::min(rows.size(), kMaxDiverse);
    for (size_t i = 0; i < pool; ++i) {
      add(rows[i]);
    }
    const size_t known_count = std::min(lessons.texts.size(), kMaxKnown);
    for (size_t i = 0; i < known_count; ++i) {
      add(data::text_features(lessons.texts[i], classifier.bits()));
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
  // A server that was started again learns from what is there, once.
  void look(const AnnotationProject& project) {
    Status& status = known[project.name];
    if (!status.looked && project.counts.annotations >= project.settings.retrain_every) {
      enqueue(project.name);
    }
    status.looked = true;
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
    impl_->enqueue(project.name);
  }
}

std::optional<record::Suggestion> AnnotationLearner::suggest(const AnnotationProject& project, const record::Task& task) {
  if (!learns(project.settings)) {
    return std::nullopt;
  }
  std::shared_ptr<const Learned> learned;
  int64_t trainings = 0;
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->look(project);
    learned = impl_->known[project.name].learned;
    trainings = impl_->known[project.name].trainings;
  }
  if (learned == nullptr) {
    return std::nullopt;
  }
  const auto [classes, score] = Impl::classes_of(learned->classifier, task.text);
  record::Suggestion suggestion{"learned@" + std::to_string(trainings), score, {}};
  for (const int one : classes) {
    suggestion.answer.classes.push_back(learned->classes[static_cast<size_t>(one)]);
  }
  return suggestion;
}

Json AnnotationLearner::state(const AnnotationProject& project) {
  if (!learns(project.settings)) {
    return {{"state", "off"}, {"trained_on", 0}, {"trainings", 0}, {"trained_ms", nullptr}, {"accuracy", nullptr}};
  }
  const std::scoped_lock lock(impl_->mutex);
  impl_->look(project);
  const Status& status = impl_->known[project.name];
  Json json = {{"state", status.state},
               {"trained_on", status.trained_on},
               {"trainings", status.trainings},
               {"trained_ms", status.trained_ms == 0 ? Json() : Json(status.trained_ms)},
               {"accuracy", status.accuracy ? stats::to_json(*status.accuracy) : Json()}};
  if (!status.message.empty()) {
    json["message"] = status.message;
  }
  return json;
}

}  // namespace slipway::api
