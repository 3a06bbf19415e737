#include "text/chat_template.h"

#include <array>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "text/jinja_eval.h"
#include "text/unicode.h"

namespace slipway::text {

struct ChatTemplate::Parsed {
  jinja::Program program;
  jinja::Limits limits;
};

namespace {

// Messages as transformers hands them on: without keys that are null, and with what an assistant thought under each of
// the names that templates look for.
base::Json normalised(const base::Json& messages) {
  if (!messages.is_array()) {
    throw base::Error(base::Code::kInvalid, "messages must be a list");
  }
  constexpr std::array<const char*, 3> kReasoning = {"reasoning_content", "thinking", "reasoning"};
  base::Json out = base::Json::array();
  for (const base::Json& message : messages) {
    if (!message.is_object()) {
      throw base::Error(base::Code::kInvalid, "each message must be an object with role and content");
    }
    base::Json kept = base::Json::object();
    for (const auto& [key, value] : message.items()) {
      if (!value.is_null()) {
        kept[key] = value;
      }
    }
    for (const char* name : kReasoning) {
      if (const auto it = kept.find(name); it != kept.end()) {
        const base::Json reasoning = *it;
        if (!kept.contains("thinking")) {
          kept["thinking"] = reasoning;
        }
        kept["reasoning_content"] = reasoning;
        break;
      }
    }
    out.push_back(std::move(kept));
  }
  return out;
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

ChatTemplate ChatTemplate::parse(std::string_view source, const ChatTemplateLimits& limits) {
  if (source.size() > limits.max_source) {
    throw base::Error(base::Code::kInvalid, fmt::format("chat template: {} bytes, more than the limit of {}",
                                                        source.size(), limits.max_source));
  }
  auto parsed = std::make_unique<Parsed>();
  parsed->program = jinja::parse(sanitize_utf8(source), limits.max_nesting);
  parsed->limits = {limits.max_steps, limits.max_bytes, limits.max_output};
  return ChatTemplate(std::move(parsed));
}

std::string ChatTemplate::render(const ChatRequest& request) const {
  jinja::Heap heap(parsed_->limits.max_steps, parsed_->limits.max_bytes);
  std::vector<std::pair<jinja::Name, jinja::Value>> variables;
  const auto add = [&](std::string_view name, const base::Json& value) {
    if (const jinja::Name known = parsed_->program.find(name)) {
      variables.emplace_back(known, heap.from_json(value));
    }
  };
  add("messages", normalised(request.messages));
  add("tools", request.tools);
  add("documents", request.documents);
  add("add_generation_prompt", request.add_generation_prompt);
  for (const auto& [name, value] : request.extra.items()) {
    add(name, value);
  }
  const int64_t now = request.unix_ms != 0 ? request.unix_ms : base::SystemClock().unix_ms();
  return jinja::Interpreter(parsed_->program, parsed_->limits, heap, now).run(variables);
}

bool ChatTemplate::mentions(std::string_view name) const { return parsed_->program.find(name) != nullptr; }

}  // namespace slipway::text
