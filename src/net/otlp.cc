#include "net/otlp.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "net/client.h"

namespace slipway::net {

namespace {

constexpr const char* kTracesPath = "/v1/traces";
constexpr int kServer = 2;      // Span.SpanKind
constexpr int kError = 2;       // Status.StatusCode
constexpr int kHasParent = 0x100;  // SpanFlags: whether the parent is remote is known
constexpr int kIsRemote = 0x200;

template <size_t N>
std::string hex(const std::array<uint8_t, N>& bytes) {
  std::string out;
  for (const uint8_t byte : bytes) {
    out += fmt::format("{:02x}", byte);
  }
  return out;
}

Json value_of(const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return {{"stringValue", *text}};
  }
  if (const auto* whole = std::get_if<int64_t>(&value)) {
    return {{"intValue", std::to_string(*whole)}};
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return {{"doubleValue", *number}};
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return {{"boolValue", *flag}};
  }
  Json values = Json::array();
  for (const std::string& text : std::get<std::vector<std::string>>(value)) {
    values.push_back({{"stringValue", text}});
  }
  return {{"arrayValue", {{"values", std::move(values)}}}};
}

Json attribute(const std::string& key, const AttributeValue& value) { return {{"key", key}, {"value", value_of(value)}}; }

Json span_json(const Span& span) {
  Json attributes = Json::array();
  for (const auto& [name, value] : span.attributes) {
    attributes.push_back(attribute(name, value));
  }
  Json json = {{"traceId", hex(span.context.trace_id)},
               {"spanId", hex(span.context.span_id)},
               {"name", span.name},
               {"kind", kServer},
               {"startTimeUnixNano", std::to_string(span.start_unix_ns)},
               {"endTimeUnixNano", std::to_string(span.end_unix_ns)},
               {"attributes", std::move(attributes)},
               {"flags", (span.context.sampled ? 1 : 0) | kHasParent | (span.parent ? kIsRemote : 0)},
               {"status", span.failed ? Json{{"code", kError}} : Json::object()}};
  if (span.parent) {
    json["parentSpanId"] = hex(*span.parent);
  }
  return json;
}

struct Endpoint {
  std::string server;  // "http://127.0.0.1:4318"
  std::string path;
};

Endpoint split(const std::string& url) {
  const size_t scheme = url.find("://");
  const std::string_view name = std::string_view(url).substr(0, scheme == std::string::npos ? 0 : scheme);
  if (name != "http" && name != "https") {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("the endpoint of traces is '{}'; it must be http://HOST:PORT or https://HOST:PORT",
                                  url.substr(0, 200)));
  }
  const size_t slash = url.find('/', scheme + 3);
  return {url.substr(0, slash), slash == std::string::npos ? "/" : url.substr(slash)};
}

// "a=1,b=x%20y", as OpenTelemetry's variables have lists.
std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto trimmed = [](std::string_view part) {
      const size_t begin = part.find_first_not_of(" \t");
      return begin == std::string_view::npos ? std::string_view()
                                             : part.substr(begin, part.find_last_not_of(" \t") - begin + 1);
    };
    const size_t equals = item.find('=');
    std::string value;
    if (equals != std::string_view::npos && percent_decode(trimmed(item.substr(equals + 1)), false, value) &&
        !trimmed(item.substr(0, equals)).empty()) {
      pairs.emplace_back(trimmed(item.substr(0, equals)), std::move(value));
    }
  }
  return pairs;
}

// Of a partial success: how many spans the collector did not take.
int64_t rejected_in(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  const auto partial = json.find("partialSuccess");
  if (!json.is_object() || partial == json.end() || !partial->is_object()) {
    return 0;
  }
  const auto count = partial->find("rejectedSpans");
  if (count == partial->end()) {
    return 0;
  }
  return count->is_string() ? std::atoll(count->get<std::string>().c_str())
         : count->is_number_integer() ? count->get<int64_t>()
                                      : 0;
}

}  // namespace

void OtlpOptions::add_environment(const std::function<const char*(const char*)>& get) {
  const auto read = [&](const char* name) {
    const char* value = get(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (read("OTEL_SDK_DISABLED") == "true") {
    endpoint.clear();
    return;
  }
  const std::string whole = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  std::string base = endpoint.empty() && whole.empty() ? read("OTEL_EXPORTER_OTLP_ENDPOINT") : endpoint;
  if (!base.empty()) {
    while (base.ends_with('/')) {
      base.pop_back();
    }
    endpoint = base + kTracesPath;
  } else {
    endpoint = whole;
  }
  for (const auto& [name, value] : pairs_of(read("OTEL_EXPORTER_OTLP_HEADERS"))) {
    headers.add(name, value);
  }
  for (const auto& [name, value] : pairs_of(read("OTEL_RESOURCE_ATTRIBUTES"))) {
    if (name == "service.name") {
      service = value;
    } else {
      resource.emplace_back(name, value);
    }
  }
  if (const std::string named = read("OTEL_SERVICE_NAME"); !named.empty()) {
    service = named;
  }
}

std::string otlp_json(const OtlpOptions& options, const std::string& version, std::span<const Span> spans) {
  Json resource = Json::array({attribute("service.name", options.service), attribute("service.version", version),
                               attribute("process.pid", int64_t{getpid()})});
  for (const auto& [name, value] : options.resource) {
    resource.push_back(attribute(name, value));
  }
  Json all = Json::array();
  for (const Span& span : spans) {
    all.push_back(span_json(span));
  }
  const Json scope = {{"name", "slipway"}, {"version", version}};
  const Json body = {
      {"resourceSpans",
       Json::array({{{"resource", {{"attributes", std::move(resource)}}},
                     {"scopeSpans", Json::array({{{"scope", scope}, {"spans", std::move(all)}}})}}})}};
  return base::dump_json(body);
}

struct OtlpExporter::Impl {
  Impl(OtlpOptions options_in, std::string version_in, MetricRegistry& metrics, base::Log& log_in)
      : options(std::move(options_in)),
        version(std::move(version_in)),
        log(log_in),
        endpoint(split(options.endpoint)),
        client(endpoint.server, {.connect_timeout = options.timeout, .timeout = options.timeout}),
        exported(metrics.counter("slipway_spans_exported_total", "Spans that the collector took.")),
        full(dropped(metrics, "queue_full")),
        failed(dropped(metrics, "failed")),
        rejected(dropped(metrics, "rejected")) {}

  static Counter& dropped(MetricRegistry& metrics, const char* reason) {
    return metrics.counter("slipway_spans_dropped_total", "Spans that were not sent.", {"reason"}, {reason});
  }

  void run();
  enum class Sent { kYes, kRetry, kNo };
  Sent send(std::span<const Span> batch);
  void tell_away(const std::string& why);

  const OtlpOptions options;
  const std::string version;
  base::Log& log;
  const Endpoint endpoint;
  HttpClient client;  // the thread's
  bool away = false;  // the thread's: the log knows that the collector does not answer
  Counter& exported;
  Counter& full;
  Counter& failed;
  Counter& rejected;
  std::mutex mutex;  // guards the rest
  std::condition_variable wake;
  std::deque<Span> queue;
  bool stopping = false;
  std::chrono::steady_clock::time_point deadline;  // while stopping
  std::thread thread;
};

void OtlpExporter::Impl::tell_away(const std::string& why) {
  if (!away) {
    away = true;
    log.warning("traces cannot be sent; they are kept until the queue is full",
                {{"endpoint", endpoint.server}, {"error", why}});
  }
}

OtlpExporter::Impl::Sent OtlpExporter::Impl::send(std::span<const Span> batch) {
  Headers headers = options.headers;
  headers.set("Content-Type", "application/json");
  try {
    const Response response = client.request("POST", endpoint.path, otlp_json(options, version, batch), headers);
    if (response.status >= 200 && response.status < 300) {
      const int64_t refused = std::clamp<int64_t>(rejected_in(response.body), 0, static_cast<int64_t>(batch.size()));
      rejected.add(static_cast<double>(refused));
      exported.add(static_cast<double>(static_cast<int64_t>(batch.size()) - refused));
      away = false;
      return Sent::kYes;
    }
    // What the standard says may be sent again.
    const bool again = response.status == 429 || (response.status >= 502 && response.status <= 504);
    tell_away(fmt::format("status {}", response.status));
    return again ? Sent::kRetry : Sent::kNo;
  } catch (const base::Error& error) {
    tell_away(error.what());
    return Sent::kRetry;
  }
}

void OtlpExporter::Impl::run() {
  std::unique_lock lock(mutex);
  auto backoff = options.delay;
  while (true) {
    wake.wait_for(lock, options.delay, [this] { return stopping || queue.size() >= options.max_batch; });
    if (queue.empty()) {
      if (stopping) {
        return;
      }
      continue;
    }
    const size_t count = std::min(queue.size(), options.max_batch);
    std::vector<Span> batch(std::make_move_iterator(queue.begin()),
                            std::make_move_iterator(queue.begin() + static_cast<ptrdiff_t>(count)));
    queue.erase(queue.begin(), queue.begin() + static_cast<ptrdiff_t>(count));
    Sent sent = Sent::kRetry;
    while (sent == Sent::kRetry && !(stopping && std::chrono::steady_clock::now() >= deadline)) {
      lock.unlock();
      sent = send(batch);
      lock.lock();
      if (sent == Sent::kRetry) {
        // While it stops it asks again at once only as long as somebody listens; a refused connection ends it.
        if (stopping) {
          break;
        }
        wake.wait_for(lock, backoff, [this] { return stopping; });
        backoff = std::min(2 * backoff, options.max_backoff);
      }
    }
    if (sent == Sent::kYes) {
      backoff = options.delay;
      continue;
    }
    failed.add(static_cast<double>(batch.size()));
    if (stopping && sent == Sent::kRetry) {
      failed.add(static_cast<double>(queue.size()));
      queue.clear();
    }
  }
}

OtlpExporter::OtlpExporter(OtlpOptions options, const std::string& version, MetricRegistry& metrics, base::Log& log)
    : impl_(std::make_unique<Impl>(std::move(options), version, metrics, log)) {
  impl_->thread = std::thread([this] { impl_->run(); });
}

OtlpExporter::~OtlpExporter() { stop(std::chrono::milliseconds(0)); }

bool OtlpExporter::push(Span span) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->stopping || impl_->queue.size() >= impl_->options.max_queue) {
    impl_->full.add();
    return false;
  }
  impl_->queue.push_back(std::move(span));
  if (impl_->queue.size() == impl_->options.max_batch) {
    impl_->wake.notify_one();
  }
  return true;
}

SpanSink OtlpExporter::sink() {
  return [this](Span span) { push(std::move(span)); };
}

void OtlpExporter::stop(std::chrono::milliseconds deadline) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->stopping) {
      impl_->stopping = true;
      impl_->deadline = std::chrono::steady_clock::now() + deadline;
    }
  }
  impl_->wake.notify_all();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

}  // namespace slipway::net
