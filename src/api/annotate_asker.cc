#include "api/annotate_asker.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "api/outgoing.h"
#include "base/error.h"
#include "data/suggestion_services.h"

namespace slipway::api {
namespace {

using base::Json;
using record::AnnotationProject;
using record::AnnotationService;
using record::Suggestion;
using Clock = std::chrono::steady_clock;

constexpr int kThreads = 4;
constexpr int kAtOnce = 2;                    // questions to one service
constexpr size_t kMaxKept = 5000;             // tasks with what one model said
constexpr size_t kMaxQueue = 256;             // the oldest are dropped: nobody looks at them any more
constexpr std::chrono::seconds kMaxPause{60};
constexpr size_t kMaxMessage = 300;           // bytes of what a server says of its fault

// That one task cannot be answered, which says nothing of others.
class TaskRefused : public base::Error {
 public:
  using Error::Error;
};

std::string bearer(const AnnotationService& service) {
  const std::string name = "SLIPWAY_ANNOTATION_TOKEN_" + service.token;
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    throw base::Error(base::Code::kNotAllowed, fmt::format("the server's environment has no {}, which the settings name", name));
  }
  return fmt::format("Bearer {}", value);
}

std::optional<Suggestion> ask_service(const AnnotationService& service, const AnnotationAskOptions& options, const record::AnnotationScheme& scheme,
                                      const record::Task& task) {
  const OutgoingAddress address = outgoing_address(service.url);
  if (!options.allow_private && !service.url.starts_with("https://")) {
    throw base::Error(base::Code::kNotAllowed, "only https:// is asked; the server's --annotation-private allows http:// and private addresses");
  }
  net::ClientOptions client;
  client.timeout = std::chrono::milliseconds(service.timeout_ms);
  client.connect_timeout = std::min(client.connect_timeout, client.timeout);
  client.max_body_bytes = data::kMaxServiceAnswer;
  keep_public(client, options.allow_private);
  net::Headers headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}, {"User-Agent", "slipway"}};
  if (!service.token.empty()) {
    headers.add("Authorization", bearer(service));
  }
  const net::Response response = net::HttpClient(address.server, client).request("POST", address.target, data::service_request(service, scheme, task), headers);
  if (response.status < 200 || response.status > 299) {
    const std::string said = fmt::format("answers {}: {}", response.status, response.body.substr(0, kMaxMessage));
    if (response.status == 400 || response.status == 413 || response.status == 422) {
      throw TaskRefused(base::Code::kInvalid, said);
    }
    throw base::Error(base::Code::kUnavailable, said);
  }
  return data::service_answer(service, scheme, task, response.body);
}

struct Source {
  std::string name;
  const char* kind = "model";
  int at_once = 1;
  std::function<std::vector<Suggestion>(const record::Task&)> ask;
  // Guarded by the asker's mutex.
  int running = 0;
  int64_t answered = 0, failed = 0;
  int failures = 0;  // since the last answer
  Clock::time_point again = {};
  std::string message;
};
using Sources = std::vector<std::shared_ptr<Source>>;

using Key = std::tuple<int64_t, int64_t, int64_t, size_t>;  // project, revision of its settings, task, place among the sources

struct Job {
  Key key;
  std::shared_ptr<Source> source;
  record::Task task;
};

}  // namespace

void AnnotationAskOptions::describe(base::FieldTable& table) {
  table.add("annotation_private", allow_private,
            "let annotation projects ask models at addresses of this machine and its networks, and over http");
}

struct AnnotationAsker::Impl {
  Impl(std::vector<AnnotationModel> models_in, AnnotationAskOptions options_in, base::Log& log_in)
      : models(std::move(models_in)), options(options_in), log(log_in) {}

  // With the mutex held.
  const Sources& sources_of(const AnnotationProject& project) {
    auto& [revision, sources] = by_project[project.id];
    if (revision == project.revision) {
      return sources;
    }
    revision = project.revision;
    sources.clear();
    const auto scheme = std::make_shared<const record::AnnotationScheme>(project.settings.scheme);
    for (const AnnotationModel& model : models) {
      if (model.project.empty() || model.project == project.name) {
        auto source = std::make_shared<Source>();
        source->name = model.name;
        source->ask = [suggest = model.suggest, scheme](const record::Task& task) { return suggest(*scheme, task); };
        sources.push_back(std::move(source));
      }
    }
    for (const AnnotationService& service : project.settings.services) {
      auto source = std::make_shared<Source>();
      source->name = data::service_name(service);
      source->kind = "service";
      source->at_once = kAtOnce;
      source->ask = [service, scheme, allowed = options](const record::Task& task) {
        std::vector<Suggestion> said;
        if (auto one = ask_service(service, allowed, *scheme, task)) {
          said.push_back(std::move(*one));
        }
        return said;
      };
      sources.push_back(std::move(source));
    }
    return sources;
  }

  void keep(const Key& key, std::vector<Suggestion> said) {
    if (kept.emplace(key, std::move(said)).second) {
      kept_order.push_back(key);
      if (kept_order.size() > kMaxKept) {
        kept.erase(kept_order.front());
        kept_order.pop_front();
      }
    }
  }

  // With the mutex held. The newest job whose source has a place free.
  std::optional<Job> take() {
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
      if (job->source->running < job->source->at_once) {
        Job taken = std::move(*job);
        jobs.erase(std::next(job).base());
        return taken;
      }
    }
    return std::nullopt;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      std::optional<Job> job;
      changed.wait(lock, [&] { return stop || (job = take()); });
      if (stop) {
        return;
      }
      Source& source = *job->source;
      source.running += 1;
      lock.unlock();
      std::vector<Suggestion> said;
      std::string fault;
      bool of_task = false;
      try {
        said = source.ask(job->task);
      } catch (const TaskRefused& error) {
        fault = error.what();
        of_task = true;
      } catch (const std::exception& error) {
        fault = error.what();
      }
      lock.lock();
      source.running -= 1;
      finish(*job, std::move(said), fault, of_task);
      under_way.erase(job->key);
      changed.notify_all();
    }
  }

  void finish(const Job& job, std::vector<Suggestion> said, const std::string& fault, bool of_task) {
    Source& source = *job.source;
    if (fault.empty() || of_task) {
      keep(job.key, std::move(said));
    }
    if (fault.empty()) {
      source.answered += 1;
      source.failures = 0;
      source.message.clear();
      return;
    }
    source.failed += 1;
    source.message = fault;
    if (!of_task) {
      source.failures += 1;
      source.again = Clock::now() + std::min<std::chrono::seconds>(std::chrono::seconds(1 << std::min(source.failures - 1, 6)), kMaxPause);
    }
    log.warning("a model could not suggest", {{"model", source.name}, {"error", fault}});
  }

  const std::vector<AnnotationModel> models;
  const AnnotationAskOptions options;
  base::Log& log;
  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::map<int64_t, std::pair<int64_t, Sources>> by_project;  // with the revision of the settings
  std::map<Key, std::vector<Suggestion>> kept;
  std::deque<Key> kept_order;
  std::set<Key> under_way;  // waiting in jobs, or asked
  std::deque<Job> jobs;     // the newest last
  bool stop = false;
  std::vector<std::thread> threads;  // from the first question on
};

AnnotationAsker::AnnotationAsker(std::vector<AnnotationModel> models, AnnotationAskOptions options, base::Log& log)
    : impl_(std::make_unique<Impl>(std::move(models), options, log)) {}

AnnotationAsker::~AnnotationAsker() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stop = true;
    impl_->changed.notify_all();
  }
  for (std::thread& thread : impl_->threads) {
    thread.join();
  }
}

AnnotationAsker::Said AnnotationAsker::suggestions(const AnnotationProject& project, const record::Task& task, std::chrono::milliseconds wait) {
  Said said;
  std::unique_lock lock(impl_->mutex);
  const Sources sources = impl_->sources_of(project);
  std::vector<Key> keys;
  bool asked = false;
  for (size_t i = 0; i < sources.size(); ++i) {
    const Key& key = keys.emplace_back(project.id, project.revision, task.id, i);
    if (impl_->kept.contains(key) || impl_->under_way.contains(key) || sources[i]->again > Clock::now()) {
      continue;
    }
    impl_->under_way.insert(key);
    impl_->jobs.push_back({key, sources[i], task});
    asked = true;
    if (impl_->jobs.size() > kMaxQueue) {
      impl_->under_way.erase(impl_->jobs.front().key);
      impl_->jobs.pop_front();
    }
  }
  if (asked) {
    while (impl_->threads.size() < static_cast<size_t>(kThreads)) {
      impl_->threads.emplace_back([this] { impl_->work(); });
    }
    impl_->changed.notify_all();
  }
  const auto pending = [&] { return std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return impl_->under_way.contains(key); }); };
  impl_->changed.wait_for(lock, wait, [&] { return impl_->stop || !pending(); });
  said.pending = pending();
  for (const Key& key : keys) {
    if (const auto found = impl_->kept.find(key); found != impl_->kept.end()) {
      said.suggestions.insert(said.suggestions.end(), found->second.begin(), found->second.end());
    }
  }
  return said;
}

std::vector<std::string> AnnotationAsker::names(const AnnotationProject& project) {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<std::string> all;
  for (const auto& source : impl_->sources_of(project)) {
    all.push_back(source->name);
  }
  return all;
}

Json AnnotationAsker::state(const AnnotationProject& project) {
  const std::scoped_lock lock(impl_->mutex);
  Json list = Json::array();
  for (const auto& source : impl_->sources_of(project)) {
    const char* state = source->failures > 0 ? "failing" : source->answered > 0 ? "ready" : "waiting";
    Json one = {{"name", source->name}, {"kind", source->kind}, {"state", state}, {"answered", source->answered}, {"failed", source->failed}};
    if (!source->message.empty()) {
      one["message"] = source->message;
    }
    list.push_back(std::move(one));
  }
  return list;
}

void AnnotationAsker::check(const record::AnnotationSettings& settings) const {
  for (const AnnotationService& service : settings.services) {
    if (!impl_->options.allow_private && !service.url.starts_with("https://")) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("the service '{}' is not https://; the server's --annotation-private allows http:// and addresses of its own network",
                                    data::service_name(service)));
    }
    try {
      const net::HttpClient client(outgoing_address(service.url).server);  // refuses a malformed port
    } catch (const base::Error& error) {
      throw base::Error(base::Code::kInvalid, fmt::format("the address of the service '{}' is none: {}", data::service_name(service), error.what()));
    }
  }
}

}  // namespace slipway::api
