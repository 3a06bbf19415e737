#include <algorithm>
#include <fmt/format.h>

#include "api/messages.h"
#include "api/page_token.h"
#include "api/routes.h"
#include "api/webhooks.h"

namespace slipway::api {
namespace {

constexpr int64_t kPage = 100;
constexpr int64_t kMaxPageHooks = 1000;
constexpr size_t kMaxText = 2048;  // characters of an address or description

struct WebhookRequest {
  std::string webhook_id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> url;
  Json events;
  std::optional<std::string> secret;
  Json status;
  Json event;
};
struct ListWebhooks {
  std::optional<int64_t> max_results;
  std::string page_token;
};

}  // namespace

template <>
struct Table<WebhookRequest> {
  using M = WebhookRequest;
  static constexpr std::array kFields = {field<&M::webhook_id>("webhook_id"),   field<&M::name>("name"),
                                         field<&M::description>("description"), field<&M::url>("url"),
                                         field<&M::events>("events"),           field<&M::secret>("secret"),
                                         field<&M::status>("status"),           field<&M::event>("event")};
};
template <>
struct Table<ListWebhooks> {
  using M = ListWebhooks;
  static constexpr std::array kFields = {field<&M::max_results>("max_results"), field<&M::page_token>("page_token")};
};

namespace {

using record::Webhook;
using record::WebhookStore;

// In the order of MLflow's enumerations, from 1.
constexpr std::array<std::string_view, 10> kEntities = {
    "REGISTERED_MODEL", "MODEL_VERSION", "MODEL_VERSION_TAG",  "MODEL_VERSION_ALIAS", "PROMPT",
    "PROMPT_VERSION",   "PROMPT_TAG",    "PROMPT_VERSION_TAG", "PROMPT_ALIAS",        "BUDGET_POLICY"};
constexpr std::array<std::string_view, 5> kActions = {"CREATED", "UPDATED", "DELETED", "SET", "EXCEEDED"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

// An enumerator by name or number.
template <size_t N>
std::string word_of(const Json& object, const char* key, const std::array<std::string_view, N>& known) {
  const auto value = object.find(key);
  int64_t number = 0;
  if (value == object.end() || value->is_null()) {
    missing_parameter(fmt::format("events.{}", key));
  }
  if (value->is_string() &&
      std::find(known.begin(), known.end(), value->get_ref<const std::string&>()) != known.end()) {
    return lower(value->get_ref<const std::string&>());
  }
  if (value->is_string() || !read_value(*value, number, {}) || number < 1 || number > static_cast<int64_t>(N)) {
    wrong_type(fmt::format("events.{}", key), *value);
  }
  return lower(known.at(static_cast<size_t>(number - 1)));
}

std::string event_of(const Json& message) {
  if (!message.is_object()) {
    wrong_type("events", message);
  }
  const std::string entity = word_of(message, "entity", kEntities);
  const std::string action = word_of(message, "action", kActions);
  std::string event = fmt::format("{}.{}", entity, action);
  if (!is_webhook_event(event)) {
    invalid(fmt::format("Invalid action '{}' for entity '{}'.", action, entity));
  }
  return event;
}

std::vector<std::string> events_of(const Json& list) {
  if (!list.is_array()) {
    wrong_type("events", list);
  }
  if (list.empty()) {
    invalid("Webhook events must be a non-empty list of WebhookEvent objects: [].");
  }
  std::vector<std::string> events;
  for (const Json& message : list) {
    std::string event = event_of(message);
    if (std::find(events.begin(), events.end(), event) == events.end()) {
      events.push_back(std::move(event));
    }
  }
  return events;
}

void check_name(const std::string& name) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const bool good =
      !name.empty() && name.size() <= 63 && alnum(name.front()) && alnum(name.back()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; });
  if (!good) {
    invalid(fmt::format(
        "Webhook name {} is invalid. It must start and end with a letter or digit, be less than 63 characters "
        "long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).",
        python_repr(name)));
  }
}

bool is_active(const Json& status) {
  if (status == "ACTIVE" || status == 1) {
    return true;
  }
  if (status == "DISABLED" || status == 2) {
    return false;
  }
  wrong_type("status", status);
}

Json webhook_json(const Webhook& webhook) {
  Json events = Json::array();
  for (const std::string& event : webhook.events) {
    const size_t point = event.find('.');
    events.push_back({{"entity", upper(event.substr(0, point))}, {"action", upper(event.substr(point + 1))}});
  }
  Json out = {{"webhook_id", webhook.id}, {"name", webhook.name}};
  if (!webhook.description.empty()) {
    out["description"] = webhook.description;
  }
  out.update({{"url", webhook.url},
              {"events", std::move(events)},
              {"status", webhook.usable() ? "ACTIVE" : "DISABLED"},
              {"creation_timestamp", webhook.created_ms},
              {"last_updated_timestamp", webhook.updated_ms}});
  if (!webhook.fault.empty()) {
    out["fault"] = webhook.fault;
  }
  return out;
}

std::string shown(const Webhook& webhook) { return base::dump_json({{"webhook", webhook_json(webhook)}}); }

Webhook found(WebhookStore& webhooks, const std::string& id) {
  auto webhook = webhooks.find(id);
  if (!webhook) {
    throw base::Error(base::Code::kNotFound, fmt::format("Webhook with ID {} not found.", id));
  }
  return *std::move(webhook);
}

// What the request says replaces what there is.
void apply(const WebhookRequest& request, const WebhookSender& sender, Webhook& webhook) {
  if (request.name && !request.name->empty()) {
    check_name(*request.name);
    webhook.name = *request.name;
  }
  if (request.url && !request.url->empty()) {
    if (request.url->size() > kMaxText) {
      invalid(fmt::format("a webhook's address may have {} characters", kMaxText));
    }
    sender.check_url(*request.url);
    webhook.url = *request.url;
  }
  if (request.description) {
    webhook.description = request.description->substr(0, kMaxText);
  }
  if (!request.events.is_null() && !(request.events.is_array() && request.events.empty() && !webhook.events.empty())) {
    webhook.events = events_of(request.events);
  }
  if (request.secret) {
    webhook.secret = *request.secret;
    webhook.fault.clear();
  }
  webhook.active = request.status.is_null() ? webhook.active : is_active(request.status);
}

std::string create(Backend& backend, const WebhookRequest& request) {
  if (!request.name || request.name->empty()) {
    missing_parameter("name");
  }
  if (!request.url || request.url->empty()) {
    missing_parameter("url");
  }
  if (request.events.is_null()) {
    missing_parameter("events");
  }
  Webhook webhook;
  webhook.id = record::new_id();
  apply(request, *backend.webhooks, webhook);
  webhook = backend.store.tracking().server().webhooks().create(std::move(webhook));
  backend.webhooks->refresh();
  return shown(webhook);
}

std::string list(WebhookStore& webhooks, const ListWebhooks& request) {
  const int64_t limit = request.max_results.value_or(kPage);
  if (limit < 1 || limit > kMaxPageHooks) {
    invalid(
        fmt::format("Invalid value for max_results. It must be between 1 and {}, but got {}", kMaxPageHooks, limit));
  }
  const int64_t offset = page_offset(request.page_token);
  const auto page = webhooks.list(offset, limit);
  Json answer = Json::object();
  for (const Webhook& webhook : page.items) {
    answer["webhooks"].push_back(webhook_json(webhook));
  }
  if (page.more) {
    answer["next_page_token"] = page_token(offset + limit);
  }
  return base::dump_json(answer);
}

std::string test(Backend& backend, const WebhookRequest& request) {
  const Webhook webhook = found(backend.store.tracking().server().webhooks(), request.webhook_id);
  const auto sent =
      backend.webhooks->test(webhook, request.event.is_null() ? webhook.events.front() : event_of(request.event));
  Json result = {{"success", sent.error.empty() && sent.status < 400}};
  if (sent.error.empty()) {
    result["response_status"] = sent.status;
    result["response_body"] = sent.body;
  } else {
    result["error_message"] = "Failed to test webhook: " + sent.error;
  }
  return base::dump_json({{"result", std::move(result)}});
}

}  // namespace

void add_webhook_routes(Routes& routes, Backend& backend) {
  WebhookStore& webhooks = backend.store.tracking().server().webhooks();
  const std::string base = "/2.0/mlflow/webhooks";
  const std::string one = base + "/{webhook_id}";
  const Permission by_admins = needs(Role::kAdmin);  // they send what happens here elsewhere
  routes.add<WebhookRequest>(
      "POST", base, [&](const WebhookRequest& request) { return create(backend, request); }, by_admins);
  routes.add<ListWebhooks>(
      "GET", base, [&](const ListWebhooks& request) { return list(webhooks, request); }, by_admins);
  routes.add<WebhookRequest>(
      "GET", one, [&](const WebhookRequest& request) { return shown(found(webhooks, request.webhook_id)); }, by_admins);
  routes.add<WebhookRequest>(
      "PATCH", one,
      [&](const WebhookRequest& request) {
        Webhook webhook = found(webhooks, request.webhook_id);
        apply(request, *backend.webhooks, webhook);
        return shown(webhooks.replace(webhook));
      },
      by_admins);
  routes.add<WebhookRequest>(
      "DELETE", one,
      [&](const WebhookRequest& request) {
        webhooks.remove(request.webhook_id);
        backend.webhooks->refresh();
        return kEmptyAnswer;
      },
      by_admins);
  routes.add<WebhookRequest>(
      "POST", one + "/test", [&](const WebhookRequest& request) { return test(backend, request); }, by_admins);
}

}  // namespace slipway::api
