#include "deploy/rollout.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "net/client.h"
#include "stats/bootstrap.h"
#include "stats/tests.h"

namespace slipway::deploy {

using base::Code;
using base::Error;
using base::Json;
using std::chrono::milliseconds;

namespace {

constexpr double kWorseLatencyP = 0.01;
constexpr size_t kMinLatencies = 20;          // of each side, before latencies are compared
constexpr milliseconds kPoll{100};            // between looks at the counts
constexpr milliseconds kPause{10};            // between looks at the clock without traffic of our own
constexpr milliseconds kFollowLimit{30'000};  // for the server to load and take what the alias points to

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The admin side of one deployment.
class Admin {
 public:
  // A server may hold several models: the deployment says which is meant.
  explicit Admin(const record::Deployment& deployment)
      : client_(deployment.address), headers_{{"X-Model", deployment.endpoint}} {}

  Json get(const std::string& path) { return checked(client_.request("GET", path, {}, headers_), path); }
  Json post(const std::string& path, const Json& body) {
    return checked(client_.post_json(path, body, headers_), path);
  }

  // One role's traffic since `since_ms`; nothing when the role is not there.
  Traffic traffic(const std::string& role, int64_t since_ms, bool with_latencies) {
    const std::string path = fmt::format("/v1/deployment?since_ms={}&latencies={}", since_ms, with_latencies);
    return read<Traffic>(path, [&](const Json& deployment) {
      Traffic result;
      for (const Json& one : deployment.at("traffic")) {
        if (one.at("role") == role) {
          result.requests = one.at("requests").get<int64_t>();
          result.errors = one.at("errors").get<int64_t>();
          if (with_latencies) {
            result.latencies_ms = one.at("latencies_ms").get<std::vector<double>>();
          }
        }
      }
      return result;
    });
  }
  int primary_version() {
    return read<int>("/v1/deployment",
                     [](const Json& deployment) { return deployment.at("traffic").at(0).at("version").get<int>(); });
  }
  int64_t now_ms() {
    return read<int64_t>("/v1/deployment",
                         [](const Json& deployment) { return deployment.at("now_ms").get<int64_t>(); });
  }

 private:
  // What `of` takes out of an answer. Throws Error(kUnavailable) where it is not there: another program listens.
  template <class T, class Of>
  T read(const std::string& path, Of of) {
    const Json answer = get(path);
    try {
      return of(answer);
    } catch (const Json::exception& error) {
      throw Error(Code::kUnavailable,
                  fmt::format("{}: the answer is not a deployment of slipway serve ({}); is another "
                              "program on that port?",
                              path, error.what()));
    }
  }
  static Json checked(const net::Response& response, const std::string& path) {
    if (response.status != 200) {
      throw Error(response.status == 404 ? Code::kNotFound : Code::kUnavailable,
                  fmt::format("{} answered {}: {}", path, response.status, response.body));
    }
    return base::parse_json(response.body, path);
  }
  net::HttpClient client_;
  const net::Headers headers_;
};

struct Job {
  record::Store& store;
  Admin admin;
  const std::string& model;
  const std::string& alias;
  int version;
  const RolloutOptions& options;
  base::Context& context;
  const std::function<void()>& idle;
};

// Lets traffic come until the canary has enough of it or the step's time is over.
void wait_for_traffic(Job& job, int64_t since_ms) {
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(job.options.step_timeout_ms);
  auto next_look = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < deadline) {
    base::check_stop(job.context, "the rollout");
    if (std::chrono::steady_clock::now() >= next_look) {
      if (job.admin.traffic("canary", since_ms, false).requests >= job.options.min_requests) {
        return;
      }
      next_look = std::chrono::steady_clock::now() + kPoll;
    }
    if (job.idle) {
      job.idle();
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

RolloutStep run_step(Job& job, double percent) {
  job.admin.post("/v1/deployment/canary",
                 {{"reference", fmt::format("models:/{}/{}", job.model, job.version)}, {"percent", percent}});
  const int64_t since_ms = job.admin.now_ms();
  wait_for_traffic(job, since_ms);
  RolloutStep step;
  step.percent = percent;
  step.verdict =
      judge(job.admin.traffic("primary", since_ms, true), job.admin.traffic("canary", since_ms, true), job.options);
  job.context.log.info("judged a rollout step", {{"percent", percent}, {"reason", step.verdict.reason}});
  return step;
}

// Moves the alias and waits until the server has followed.
void promote(Job& job) {
  auto& registry = job.store.registry();
  const auto before = registry.find_alias(job.model, job.alias);
  if (!before || before->version != job.version) {
    registry.set_alias(job.model, job.alias, job.version, before ? before->version : -1);
  }
  const auto deadline = std::chrono::steady_clock::now() + kFollowLimit;
  while (job.admin.primary_version() != job.version) {
    base::check_stop(job.context, "the rollout");
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(Code::kUnavailable,
                  fmt::format("the alias points to version {}, and the server did not follow in {} s; its log says why",
                              job.version, kFollowLimit.count() / 1000));
    }
    std::this_thread::sleep_for(kPause);
  }
}

// The canary's steps; false in `promoted` when one was worse.
RolloutResult run_steps(Job& job) {
  RolloutResult result;
  result.promoted = true;
  result.reason = "every step was as good as the version before";
  for (const double percent : job.options.steps) {
    if (percent >= 100) {
      continue;  // the alias does that
    }
    result.steps.push_back(run_step(job, percent));
    const Verdict& verdict = result.steps.back().verdict;
    const bool too_little = verdict.kind == Verdict::Kind::kTooLittle;
    if (verdict.kind == Verdict::Kind::kWorse || (too_little && !job.options.proceed_without_traffic)) {
      result.promoted = false;
      result.reason = fmt::format("at {} %: {}", percent, verdict.reason);
      return result;
    }
    if (too_little) {
      result.reason = fmt::format("promoted without a judgement at {} %: {}", percent, verdict.reason);
    }
  }
  return result;
}

// Fills in the verdict's latency_*; true when the canary is slower than tolerated. The test is against the tolerance,
// not against equality: what a busy machine does to both sides must not pass for a difference.
bool compare_latencies(const std::vector<double>& primary_ms, const std::vector<double>& canary_ms,
                       const RolloutOptions& options, Verdict& verdict) {
  if (primary_ms.size() < kMinLatencies || canary_ms.size() < kMinLatencies) {
    return false;
  }
  const double primary_median = median(primary_ms);
  const double canary_median = median(canary_ms);
  std::vector<double> tolerated = primary_ms;
  for (double& latency_ms : tolerated) {
    latency_ms *= options.max_latency_ratio;
  }
  const double two_sided = stats::mann_whitney(canary_ms, tolerated).p;
  verdict.latency_ratio = canary_median / std::max(primary_median, 1e-6);
  verdict.latency_p = verdict.latency_ratio > options.max_latency_ratio ? two_sided / 2 : 1 - two_sided / 2;
  return verdict.latency_ratio > options.max_latency_ratio &&
         canary_median - primary_median > options.max_latency_increase_ms && verdict.latency_p < kWorseLatencyP;
}

}  // namespace

void RolloutOptions::describe(base::FieldTable& table) {
  table.add("strategy", strategy, "How a new version gets the traffic", {"canary", "replace"});
  table.add("min_requests", min_requests, "Requests of the new version before a step is judged", {1, 4'096});
  table.add("step_timeout_ms", step_timeout_ms, "Longest time of a step", {0, 86'400'000});
  table.add("proceed_without_traffic", proceed_without_traffic, "Go on when a step got too little traffic to judge");
  table.add("max_error_increase", max_error_increase, "Tolerated rise of the error rate", {0, 1});
  table.add("max_latency_ratio", max_latency_ratio, "Tolerated ratio of median latencies", {1, 1'000});
  table.add("max_latency_increase_ms", max_latency_increase_ms, "Tolerated rise of the median latency", {0, 60'000});
}

Verdict judge(const Traffic& primary, const Traffic& canary, const RolloutOptions& options) {
  Verdict verdict;
  if (canary.requests < options.min_requests || primary.requests == 0) {
    verdict.reason =
        fmt::format("too little traffic to judge: {} requests of the new version ({} wanted), {} of the old",
                    canary.requests, options.min_requests, primary.requests);
    return verdict;
  }
  const auto errors =
      stats::two_proportions(primary.errors, primary.requests, canary.errors, canary.requests).difference;
  verdict.error_difference = errors.value;
  verdict.error_low = errors.low;
  verdict.error_high = errors.high;
  const bool slower = compare_latencies(primary.latencies_ms, canary.latencies_ms, options, verdict);
  const bool more_errors = verdict.error_low > options.max_error_increase;
  verdict.kind = more_errors || slower ? Verdict::Kind::kWorse : Verdict::Kind::kGood;
  verdict.reason = fmt::format(
      "{}: error rate {:+.4f} (95 % interval {:+.4f} to {:+.4f}), median latency x{:.2f} (p of slower than tolerated {:.3g}); n = {} "
      "and {}",
      more_errors ? "more errors"
      : slower    ? "slower"
                  : "as good",
      verdict.error_difference, verdict.error_low, verdict.error_high, verdict.latency_ratio, verdict.latency_p,
      primary.requests, canary.requests);
  return verdict;
}

Json RolloutResult::to_json() const {
  static constexpr const char* kKinds[] = {"good", "worse", "too_little"};
  Json list = Json::array();
  for (const RolloutStep& step : steps) {
    list.push_back({{"percent", step.percent},
                    {"verdict", kKinds[static_cast<int>(step.verdict.kind)]},
                    {"reason", step.verdict.reason},
                    {"error_difference",
                     {{"value", step.verdict.error_difference},
                      {"low", step.verdict.error_low},
                      {"high", step.verdict.error_high}}},
                    {"latency_ratio", step.verdict.latency_ratio},
                    {"latency_p", step.verdict.latency_p}});
  }
  return {{"promoted", promoted}, {"reason", reason}, {"steps", std::move(list)}};
}

RolloutResult roll_out(record::Store& store, const record::Deployment& deployment, const std::string& model,
                       const std::string& alias, int version, const RolloutOptions& options, base::Context& context,
                       const std::function<void()>& idle) {
  Job job{store, Admin(deployment), model, alias, version, options, context, idle};
  RolloutResult result;
  if (job.admin.primary_version() == version) {
    promote(job);
    result.promoted = true;
    result.reason = "it has all of the traffic already";
    return result;
  }
  store.approvals().check_move(model, alias, version);  // before it gets a part of the traffic
  if (options.strategy == "replace") {
    promote(job);
    result.promoted = true;
    result.reason = "given all of the traffic at once";
    return result;
  }
  try {
    result = run_steps(job);
    if (result.promoted) {
      promote(job);
    } else {
      job.admin.post("/v1/deployment/rollback", Json::object());
    }
  } catch (...) {
    try {
      job.admin.post("/v1/deployment/canary", {{"percent", 0}});
    } catch (const Error& error) {
      context.log.warning("the canary could not be taken away", {{"error", std::string(error.what())}});
    }
    throw;
  }
  return result;
}

}  // namespace slipway::deploy
