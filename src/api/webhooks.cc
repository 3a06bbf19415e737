#include "api/webhooks.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <openssl/hmac.h>
#include <thread>

#include "api/errors.h"
#include "api/outgoing.h"
#include "api/span_content.h"
#include "api/trace_messages.h"
#include "base/base64.h"
#include "net/address.h"
#include "net/client.h"

namespace slipway::api {
namespace {

using Clock = std::chrono::steady_clock;
using record::Webhook;

constexpr int64_t kMaxWebhooks = 1000;           // asked for each event
constexpr size_t kMaxAnswer = size_t{64} << 10;  // bytes of an answer
constexpr std::chrono::milliseconds kMaxBackoff{60'000};

constexpr std::array<std::string_view, 15> kEvents = {"registered_model.created",
                                                      "model_version.created",
                                                      "model_version_tag.set",
                                                      "model_version_tag.deleted",
                                                      "model_version_alias.created",
                                                      "model_version_alias.deleted",
                                                      "prompt.created",
                                                      "prompt_version.created",
                                                      "prompt_tag.set",
                                                      "prompt_tag.deleted",
                                                      "prompt_version_tag.set",
                                                      "prompt_version_tag.deleted",
                                                      "prompt_alias.created",
                                                      "prompt_alias.deleted",
                                                      "budget_policy.exceeded"};

std::string uuid4() {
  std::string hex = record::new_id();
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<size_t>(hex[16]) % 4];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string body_of(std::string_view event, const Json& payload) {
  const size_t point = event.find('.');
  std::string time = timestamp_text(unix_ms());
  time.replace(time.size() - 1, 1, "+00:00");
  return python_json_text({{"entity", event.substr(0, point)},
                           {"action", event.substr(point + 1)},
                           {"timestamp", time},
                           {"data", payload}});
}

bool is_passing(int status) { return status == 429 || status == 500 || (status >= 502 && status <= 504); }

struct Delivery {
  Webhook webhook;
  std::string event;
  Json payload;
  int attempt = 0;
  Clock::time_point due;
};

}  // namespace

bool is_webhook_event(std::string_view event) noexcept {
  return std::find(kEvents.begin(), kEvents.end(), event) != kEvents.end();
}

Json example_payload(std::string_view event) {
  const std::string_view entity = event.substr(0, event.find('.'));
  const std::string_view action = event.substr(event.find('.') + 1);
  if (entity == "budget_policy") {
    return {{"budget_policy_id", "bp-0"}, {"budget_unit", "USD"}, {"budget_amount", 100.0}, {"current_spend", 105.5}};
  }
  const bool prompt = entity.starts_with("prompt");
  Json payload = {{"name", prompt ? "example_prompt" : "example_model"}};
  if (entity.find("version") != std::string_view::npos && entity.find("alias") == std::string_view::npos) {
    payload["version"] = "1";
  }
  if (entity.ends_with("tag")) {
    payload["key"] = "example_key";
    if (action == "set") {
      payload["value"] = "example_value";
    }
  } else if (entity.ends_with("alias")) {
    payload["alias"] = "example_alias";
    if (action == "created") {
      payload["version"] = "1";
    }
  } else {
    if (entity == "model_version") {
      payload["source"] = "models:/123";
      payload["run_id"] = "abcd1234abcd5678";
    } else if (entity == "prompt_version") {
      payload["template"] = "Hello {{name}}!";
    }
    payload["tags"] = {{"example_key", "example_value"}};
    payload["description"] = fmt::format("An example {}", prompt ? "prompt" : "model");
  }
  return payload;
}

std::string webhook_signature(const std::string& secret, std::string_view delivery_id, std::string_view unix_seconds,
                              std::string_view body) {
  const std::string text = fmt::format("{}.{}.{}", delivery_id, unix_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return "v1," + base::base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

void WebhookOptions::describe(base::FieldTable& table) {
  table.add("webhook_private", allow_private,
            "let webhooks go to addresses of this machine and its networks, and over http");
}

struct WebhookSender::Impl {
  Impl(WebhookOptions options_in, record::Store& store_in, base::Log& log_in)
      : options(std::move(options_in)), store(store_in), log(log_in) {}

  Result send(const Webhook& webhook, std::string_view event, const Json& payload) const;
  void run();
  void spread();
  void attempt(Delivery delivery);

  const WebhookOptions options;
  record::Store& store;
  base::Log& log;
  std::atomic<bool> wanted{false};

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::deque<std::pair<std::string, Json>> events;  // told, not yet looked at
  std::vector<Delivery> deliveries;
  bool stopping = false;
  std::vector<std::thread> threads;
};

WebhookSender::Result WebhookSender::Impl::send(const Webhook& webhook, std::string_view event,
                                                const Json& payload) const {
  Result result;
  try {
    const OutgoingAddress address = outgoing_address(webhook.url);
    net::ClientOptions client_options;
    client_options.timeout = options.timeout;
    client_options.max_body_bytes = kMaxAnswer;
    keep_public(client_options, options.allow_private);
    const std::string body = body_of(event, payload);
    const std::string id = uuid4();
    const std::string seconds = std::to_string(unix_ms() / 1000);
    net::Headers headers = {{"Content-Type", "application/json"},
                            {"User-Agent", "slipway"},
                            {"X-MLflow-Delivery-Id", id},
                            {"X-MLflow-Timestamp", seconds}};
    if (!webhook.secret.empty()) {
      headers.add("X-MLflow-Signature", webhook_signature(webhook.secret, id, seconds, body));
    }
    net::Response response =
        net::HttpClient(address.server, client_options).request("POST", address.target, body, headers);
    result.status = response.status;
    result.body = std::move(response.body);
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return result;
}

// Makes the deliveries of the first event. Called with the lock held, which it gives up meanwhile.
void WebhookSender::Impl::spread() {
  auto [event, payload] = std::move(events.front());
  events.pop_front();
  mutex.unlock();
  std::vector<Webhook> webhooks;
  try {
    webhooks = store.tracking().server().webhooks().list(0, kMaxWebhooks).items;
  } catch (const std::exception& error) {
    log.error("webhooks cannot be read", {{"error", std::string(error.what())}});
  }
  mutex.lock();
  for (Webhook& webhook : webhooks) {
    if (webhook.active && !webhook.fault.empty()) {
      log.error("a webhook is disabled: its secret cannot be opened", {{"webhook", webhook.id}, {"error", webhook.fault}});
    }
    if (!webhook.usable() || std::find(webhook.events.begin(), webhook.events.end(), event) == webhook.events.end()) {
      continue;
    }
    if (deliveries.size() >= static_cast<size_t>(options.max_queue)) {
      log.warning("a webhook's delivery was dropped: too many wait", {{"webhook", webhook.id}, {"event", event}});
      continue;
    }
    deliveries.push_back({std::move(webhook), event, payload, 0, Clock::now()});
  }
  wake.notify_all();
}

void WebhookSender::Impl::attempt(Delivery delivery) {
  const Result result = send(delivery.webhook, delivery.event, delivery.payload);
  const std::lock_guard lock(mutex);
  if (result.error.empty() && !is_passing(result.status)) {
    if (result.status >= 400) {
      log.warning("a webhook refused its delivery",
                  {{"webhook", delivery.webhook.id}, {"status", int64_t{result.status}}});
    }
    return;
  }
  ++delivery.attempt;
  if (delivery.attempt >= options.attempts || stopping) {
    log.warning("a webhook's delivery was given up",
                {{"webhook", delivery.webhook.id},
                 {"event", delivery.event},
                 {"error", result.error.empty() ? fmt::format("status {}", result.status) : result.error}});
    return;
  }
  delivery.due = Clock::now() + std::min<std::chrono::milliseconds>(
                                    options.backoff * (1 << std::min(delivery.attempt - 1, 16)), kMaxBackoff);
  deliveries.push_back(std::move(delivery));
  wake.notify_all();
}

void WebhookSender::Impl::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (!events.empty()) {
      lock.release();
      spread();
      lock = std::unique_lock(mutex, std::adopt_lock);
      continue;
    }
    const auto next = std::min_element(deliveries.begin(), deliveries.end(),
                                       [](const Delivery& a, const Delivery& b) { return a.due < b.due; });
    if (next == deliveries.end()) {
      wake.wait(lock);
    } else if (next->due > Clock::now()) {
      wake.wait_until(lock, next->due);
    } else {
      Delivery delivery = std::move(*next);
      deliveries.erase(next);
      lock.unlock();
      attempt(std::move(delivery));
      lock.lock();
    }
  }
}

WebhookSender::WebhookSender(WebhookOptions options, record::Store& store, base::Log& log)
    : impl_(std::make_unique<Impl>(std::move(options), store, log)) {
  if (const int64_t count = store.tracking().server().webhooks().seal_old(); count > 0) {
    log.info("sealed the secrets of webhooks", {{"webhooks", count}});
  }
  refresh();
  for (int i = 0; i < impl_->options.threads; ++i) {
    impl_->threads.emplace_back([this] { impl_->run(); });
  }
}

WebhookSender::~WebhookSender() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  for (std::thread& thread : impl_->threads) {
    thread.join();
  }
}

bool WebhookSender::wanted() const noexcept { return impl_->wanted; }

void WebhookSender::refresh() { impl_->wanted = !impl_->store.tracking().server().webhooks().list(0, 1).items.empty(); }

void WebhookSender::tell(std::string_view event, Json payload) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->events.size() >= static_cast<size_t>(impl_->options.max_queue)) {
    impl_->log.warning("an event was dropped: too many wait for webhooks", {{"event", std::string(event)}});
    return;
  }
  impl_->events.emplace_back(event, std::move(payload));
  impl_->wake.notify_one();
}

WebhookSender::Result WebhookSender::test(const Webhook& webhook, std::string_view event) {
  if (!webhook.fault.empty()) {
    Result refused;
    refused.error = webhook.fault;
    return refused;
  }
  return impl_->send(webhook, event, example_payload(event));
}

void WebhookSender::check_url(const std::string& url) const {
  if (url.find_first_not_of(" \t\r\n") == std::string::npos) {
    invalid(fmt::format("Webhook URL cannot be empty or just whitespace: {}", python_repr(url)));
  }
  const bool tls = url.starts_with("https://");
  if (!tls && !(impl_->options.allow_private && url.starts_with("http://"))) {
    const size_t colon = url.find(':');
    invalid(fmt::format("Invalid webhook URL scheme: {}. Allowed schemes are: https{}.",
                        python_repr(colon == std::string::npos ? "" : url.substr(0, colon)),
                        impl_->options.allow_private ? ", http" : ""));
  }
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; })) {
    invalid(fmt::format("Invalid webhook URL {}: it has blanks or control characters", python_repr(url)));
  }
  const OutgoingAddress address = outgoing_address(url);
  if (address.server.find('[') != std::string::npos && address.server.find(']') == std::string::npos) {
    invalid(fmt::format("Invalid webhook URL {}: '[' has no ']'", python_repr(url)));
  }
  if (address.host.empty() || address.server.find('@') != std::string::npos) {
    invalid(fmt::format("Webhook URL must include a hostname: {}", python_repr(url)));
  }
  try {
    const net::HttpClient client(address.server);  // refuses a malformed port
  } catch (const base::Error& error) {
    invalid(fmt::format("Invalid webhook URL {}: {}", python_repr(url), error.what()));
  }
  if (!impl_->options.allow_private) {
    const std::vector<std::string> addresses = net::resolve(address.host);
    if (addresses.empty()) {
      invalid(fmt::format("Cannot resolve webhook URL hostname: {}", python_repr(address.host)));
    }
    if (!std::all_of(addresses.begin(), addresses.end(), net::is_public_address)) {
      invalid("Webhook URL must not resolve to a non-public IP address.");
    }
  }
}

}  // namespace slipway::api
