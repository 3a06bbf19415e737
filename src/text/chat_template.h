// Chat messages to the text that a model was trained on, by the template that comes with the model: the part of Jinja
// that real templates use, rendered as transformers' apply_chat_template does (trim_blocks, lstrip_blocks, its tojson,
// raise_exception and strftime_now, no autoescape). A template is untrusted: it reads only what render() is given, and
// is held to limits on steps, memory, depth and output. A ChatTemplate is constant: any thread may render it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::text {

struct ChatTemplateLimits {
  size_t max_source = size_t{1} << 20;     // bytes of the template
  int max_nesting = 200;                   // of its syntax
  int64_t max_steps = 2'000'000;           // about half a second
  int64_t max_bytes = int64_t{256} << 20;  // of values that one rendering makes
  size_t max_output = size_t{16} << 20;
};

struct ChatRequest {
  base::Json messages = base::Json::array();  // [{"role", "content", ...}]; keys that are null count as absent
  base::Json tools = nullptr;                 // [{"type": "function", "function": {...}}], or null
  base::Json documents = nullptr;             // for templates of retrieval, or null
  bool add_generation_prompt = true;          // end where the assistant begins to speak
  base::Json extra = base::Json::object();    // further variables: bos_token, eos_token, enable_thinking, ...
  int64_t unix_ms = 0;                        // the time that strftime_now tells; 0: now
};

class ChatTemplate {
 public:
  // Throws Error(kInvalid) naming the line.
  static ChatTemplate parse(std::string_view source, const ChatTemplateLimits& limits = {});
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // Throws Error(kInvalid): the message of raise_exception as the template wrote it; else the line and what is wrong.
  std::string render(const ChatRequest& request) const;
  // Whether the template asks for `name` anywhere: "tools", "enable_thinking".
  bool mentions(std::string_view name) const;

 private:
  struct Parsed;
  explicit ChatTemplate(std::unique_ptr<const Parsed> parsed);
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace slipway::text
