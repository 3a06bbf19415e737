// What a trace takes from its spans when nobody told it otherwise.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/otlp_reader.h"

namespace slipway::api {
namespace {

using record::KeyValue;
using record::SpanBatch;

constexpr size_t kPreview = 1000;  // characters, as MLflow's server
constexpr size_t kMaxTag = 8000;
constexpr std::string_view kTagPrefix = "mlflow.traceTag.";
constexpr const char* kUsage = "mlflow.chat.tokenUsage";
constexpr const char* kCost = "mlflow.llm.cost";

const Json& attribute(const IncomingSpan& span, const char* key) {
  static const Json kNull;
  const auto found = span.attributes.find(key);
  return found == span.attributes.end() ? kNull : *found;
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

// The first `count` characters, with "..." for what is left out.
std::string shortened(const std::string& text, size_t count) {
  if (text.size() <= count || static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character)) <= count) {
    return text;
  }
  size_t characters = 0;
  size_t end = 0;
  while (end < text.size() && !(begins_character(text[end]) && characters++ == count - 3)) {
    ++end;
  }
  return text.substr(0, end) + "...";
}

bool is_message(const Json& value) { return value.is_object() && value.contains("role") && value.contains("content"); }

// The text of the last message of that role in {"messages": […]} or {"choices": [{"message": …}]}, else of the last.
std::string message_text(const Json& value, std::string_view role) {
  std::vector<const Json*> messages;
  if (!value.is_object()) {
    return {};
  }
  if (const auto list = value.find("messages"); list != value.end() && list->is_array()) {
    for (const Json& item : *list) {
      if (is_message(item)) {
        messages.push_back(&item);
      }
    }
  } else if (const auto choices = value.find("choices");
             choices != value.end() && choices->is_array() && !choices->empty() && choices->front().is_object()) {
    if (const auto message = choices->front().find("message");
        message != choices->front().end() && is_message(*message)) {
      messages.push_back(&*message);
    }
  }
  if (messages.empty()) {
    return {};
  }
  const Json* chosen = messages.back();
  for (const Json* message : messages) {
    const auto said = message->find("role");
    chosen = said->is_string() && said->get_ref<const std::string&>() == role ? message : chosen;
  }
  const auto content = chosen->find("content");
  return content->is_string() ? content->get<std::string>() : std::string();
}

std::optional<std::string> preview(const Json& value, std::string_view role) {
  if (value.is_null()) {
    return std::nullopt;
  }
  const std::string message = message_text(value, role);
  return shortened(message.empty() ? python_json_text(value) : message, kPreview);
}

std::string tag_text(const Json& value) {
  return shortened(value.is_string() ? value.get<std::string>() : python_json_text(value), kMaxTag);
}

// Spans that say how much was used, but for those below another that does: a parent's numbers include its children's.
Json summed(const std::vector<const IncomingSpan*>& spans, const char* key) {
  std::map<std::string_view, const IncomingSpan*> by_id;
  for (const IncomingSpan* span : spans) {
    by_id.emplace(span->id, span);
  }
  Json sum = Json::object();
  for (const IncomingSpan* span : spans) {
    const Json& used = attribute(*span, key);
    if (!used.is_object()) {
      continue;
    }
    bool counted = false;
    std::set<std::string_view> seen;
    for (auto above = by_id.find(span->parent_id); above != by_id.end() && seen.insert(above->first).second && !counted;
         above = by_id.find(above->second->parent_id)) {
      counted = attribute(*above->second, key).is_object();
    }
    for (const auto& [name, amount] : used.items()) {
      if (counted || !amount.is_number()) {
        continue;
      }
      const auto there = sum.find(name);
      if (there == sum.end()) {
        sum[name] = amount;
      } else if (amount.is_number_integer() && there->is_number_integer()) {
        *there = there->get<int64_t>() + amount.get<int64_t>();
      } else {
        *there = there->get<double>() + amount.get<double>();
      }
    }
  }
  return sum;
}

void take_root(const IncomingSpan& root, SpanBatch& batch) {
  batch.state = root.status == 2 ? record::kTraceFailed : record::kTraceOk;
  batch.request_preview = preview(attribute(root, "mlflow.spanInputs"), "user");
  batch.response_preview = preview(attribute(root, "mlflow.spanOutputs"), "assistant");
  for (const auto& [key, value] : root.attributes.items()) {
    if (key.starts_with(kTagPrefix) && key.size() > kTagPrefix.size()) {
      batch.tags.push_back({key.substr(kTagPrefix.size()), tag_text(value)});
    }
  }
}

void take_first(const std::vector<const IncomingSpan*>& spans, std::initializer_list<const char*> attributes,
                const char* metadata, SpanBatch& batch) {
  for (const IncomingSpan* span : spans) {
    for (const char* name : attributes) {
      if (const Json& value = attribute(*span, name);
          value.is_string() && !value.get_ref<const std::string&>().empty()) {
        batch.metadata.push_back({metadata, value.get<std::string>()});
        return;
      }
    }
  }
}

void take_sum(const std::vector<const IncomingSpan*>& spans, const char* attribute_name, const char* metadata,
              SpanBatch& batch) {
  if (const Json sum = summed(spans, attribute_name); !sum.empty()) {
    batch.metadata.push_back({metadata, python_json_text(sum)});
  }
}

}  // namespace

std::vector<SpanBatch> batches_of(const std::vector<IncomingSpans>& groups) {
  std::vector<SpanBatch> batches;
  std::map<std::string, size_t> by_trace;
  std::vector<std::vector<const IncomingSpan*>> members;
  for (const IncomingSpans& group : groups) {
    for (const IncomingSpan& span : group.spans) {
      const auto [at, added] = by_trace.try_emplace(span.trace_id, batches.size());
      if (added) {
        SpanBatch& batch = batches.emplace_back();
        members.emplace_back();
        batch.trace_id = trace_id_of(span);
        for (const auto& [key, value] : group.resource.items()) {
          if (!key.starts_with("telemetry.sdk.") && !key.starts_with("mlflow.")) {
            batch.tags.push_back({key, tag_text(value)});
          }
        }
      }
      members[at->second].push_back(&span);
      batches[at->second].spans.push_back(kept_span(span));
    }
  }
  for (size_t i = 0; i < batches.size(); ++i) {
    for (const IncomingSpan* span : members[i]) {
      if (span->parent_id.empty()) {
        take_root(*span, batches[i]);
      }
    }
    take_first(members[i], {"session.id", "gen_ai.conversation.id"}, record::kSessionKey, batches[i]);
    take_first(members[i], {"user.id"}, record::kUserKey, batches[i]);
    take_sum(members[i], kUsage, "mlflow.trace.tokenUsage", batches[i]);
    take_sum(members[i], kCost, "mlflow.trace.cost", batches[i]);
  }
  return batches;
}

}  // namespace slipway::api
