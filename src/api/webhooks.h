// Tells others what happens in the registry: a POST of JSON to each webhook that asked for the event, signed when it
// has a secret, by threads of its own from a bounded queue, several times with growing pauses while it is not taken.
// What waits is lost when the server ends. Nothing is sent to addresses that are not public unless that is allowed. Any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "base/log.h"
#include "record/stores.h"

namespace slipway::api {

using base::Json;

struct WebhookOptions {
  bool allow_private = false;  // also http://, and addresses of this machine and its networks
  int max_queue = 1000;        // deliveries that wait; more are dropped, and the log tells
  int threads = 4;
  int attempts = 4;
  std::chrono::milliseconds backoff{1000};  // before the second attempt; doubled each time, a minute at most
  std::chrono::milliseconds timeout{30'000};
  void describe(base::FieldTable& table);
};

// Events that there are: "model_version.created".
bool is_webhook_event(std::string_view event) noexcept;
// What MLflow's documentation shows for an event; for tests of a webhook.
Json example_payload(std::string_view event);
// "v1," and base64 of HMAC-SHA256(secret, "ID.TIME.BODY").
std::string webhook_signature(const std::string& secret, std::string_view delivery_id, std::string_view unix_seconds,
                              std::string_view body);

class WebhookSender {
 public:
  // Store and log are borrowed.
  WebhookSender(WebhookOptions options, record::Store& store, base::Log& log);
  ~WebhookSender();
  WebhookSender(const WebhookSender&) = delete;
  WebhookSender& operator=(const WebhookSender&) = delete;

  // Whether there is any webhook; refresh() after one was made or removed.
  bool wanted() const noexcept;
  void refresh();
  // Returns at once.
  void tell(std::string_view event, Json payload);

  struct Result {
    int status = 0;  // 0: no answer
    std::string body;
    std::string error;
  };
  // One attempt, now.
  Result test(const record::Webhook& webhook, std::string_view event);
  // Throws ApiError in MLflow's words for an address that may not be used. Looks the host up.
  void check_url(const std::string& url) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
