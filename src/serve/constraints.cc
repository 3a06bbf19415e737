#include "serve/constraints.h"

#include <algorithm>
#include <fmt/format.h>

namespace slipway::serve {

namespace {

using text::ConstraintKind;

constexpr size_t kMaxChoices = 1000;

// Compiles, with what is wrong told as the field's.
template <class Make>
ConstraintPtr compiled(const std::string& param, const Make& make) {
  try {
    return make();
  } catch (const StatusError&) {
    throw;
  } catch (const base::Error& error) {
    reject(param, error.what());
  }
}

ConstraintPtr of_text(text::ConstraintCompiler& compiler, ConstraintKind kind, const std::string& text,
                      const std::string& param) {
  return compiled(param, [&] { return compiler.compile(kind, text, param); });
}

// A schema as an object, or as the text of one.
ConstraintPtr of_schema(text::ConstraintCompiler& compiler, const Json& schema, const std::string& param) {
  if (!schema.is_object() && !schema.is_boolean() && !schema.is_string()) {
    reject(param, fmt::format("'{}' must be a JSON Schema", param));
  }
  const std::string text = schema.is_string() ? schema.get<std::string>() : base::dump_json(schema);
  return of_text(compiler, ConstraintKind::kJsonSchema, text, param);
}

ConstraintPtr response_format(text::ConstraintCompiler& compiler, const Json& format) {
  const std::string param = "response_format";
  const Json none = Json::object();
  const Body body(format.is_object() ? format : none);
  const std::string type = body.text("type").value_or("");
  if (type == "text") {
    return nullptr;
  }
  if (type == "json_object") {
    return of_text(compiler, ConstraintKind::kJsonObject, "", param);
  }
  if (type != "json_schema") {
    reject(
        param,
        "'response_format' is {\"type\": \"text\"}, {\"type\": \"json_object\"} or {\"type\": \"json_schema\", ...}");
  }
  const Json* inner = body.find("json_schema");
  if (inner == nullptr || !inner->is_object()) {
    reject(param, "'response_format' of type json_schema needs an object 'json_schema'");
  }
  const Body described(*inner);
  const std::string name = described.text("name").value_or("");
  constexpr size_t kMaxName = 64;
  const bool good_name = !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!good_name) {
    reject(param, "'json_schema' needs a 'name' of at most 64 letters, digits, '_' and '-'");
  }
  described.flag("strict", false);  // held to the schema either way
  const Json* schema = described.find("schema");
  return schema == nullptr ? of_text(compiler, ConstraintKind::kJsonObject, "", param)
                           : of_schema(compiler, *schema, param);
}

ConstraintPtr of_choices(text::ConstraintCompiler& compiler, const Body& body, const char* key,
                         const std::string& param) {
  const std::vector<std::string> choices = body.texts(key, kMaxChoices);
  return compiled(param, [&] { return compiler.compile_choices(choices, param); });
}

std::string need_text(const Body& body, const char* key) { return body.text(key).value_or(""); }

// The five ways of vLLM, under their names in one object.
struct Guided {
  const char* json;
  const char* regex;
  const char* choice;
  const char* grammar;
};

void add_guided(text::ConstraintCompiler& compiler, const Body& body, const Guided& names, const char* param,
                std::vector<ConstraintPtr>& out) {
  const auto field = [&](const char* name) { return std::string(param != nullptr ? param : name); };
  if (const Json* schema = body.find(names.json)) {
    out.push_back(of_schema(compiler, *schema, field(names.json)));
  }
  if (body.has(names.regex)) {
    out.push_back(of_text(compiler, ConstraintKind::kRegex, need_text(body, names.regex), field(names.regex)));
  }
  if (body.has(names.choice)) {
    out.push_back(of_choices(compiler, body, names.choice, field(names.choice)));
  }
  if (body.has(names.grammar)) {
    out.push_back(of_text(compiler, ConstraintKind::kGbnf, need_text(body, names.grammar), field(names.grammar)));
  }
}

}  // namespace

ConstraintPtr openai_constraint(text::ConstraintCompiler& compiler, const Body& body) {
  std::vector<ConstraintPtr> all;
  add_guided(compiler, body, {"guided_json", "guided_regex", "guided_choice", "guided_grammar"}, nullptr, all);
  if (const Json* outputs = body.find("structured_outputs")) {
    if (!outputs->is_object()) {
      reject("structured_outputs", "'structured_outputs' must be an object");
    }
    const Body inner(*outputs);
    add_guided(compiler, inner, {"json", "regex", "choice", "grammar"}, "structured_outputs", all);
    if (inner.flag("json_object", false)) {
      all.push_back(of_text(compiler, ConstraintKind::kJsonObject, "", "structured_outputs"));
    }
    if (inner.has("structural_tag")) {
      reject("structured_outputs", "'structural_tag' is not supported");
    }
  }
  if (const Json* format = body.find("response_format")) {
    if (auto constraint = response_format(compiler, *format)) {
      all.push_back(std::move(constraint));
    }
  }
  if (all.size() > 1) {
    reject("response_format",
           "at most one of response_format, structured_outputs and guided_... may say what the answer is");
  }
  return all.empty() ? nullptr : all[0];
}

ConstraintPtr ollama_constraint(text::ConstraintCompiler& compiler, const Body& body) {
  const Json* format = body.find("format");
  if (format == nullptr || *format == "") {
    return nullptr;
  }
  if (*format == "json") {
    return of_text(compiler, ConstraintKind::kJsonObject, "", "format");
  }
  if (!format->is_object()) {
    reject("format", "'format' must be \"json\" or a JSON Schema");
  }
  return of_schema(compiler, *format, "format");
}

ConstraintPtr tgi_constraint(text::ConstraintCompiler& compiler, const Body& parameters) {
  const Json* grammar = parameters.find("grammar");
  if (grammar == nullptr) {
    return nullptr;
  }
  const Json none = Json::object();
  const Body body(grammar->is_object() ? *grammar : none);
  const std::string type = body.text("type").value_or("");
  const Json* value = body.find("value");
  if (value != nullptr && type == "regex") {
    return of_text(compiler, ConstraintKind::kRegex, need_text(body, "value"), "grammar");
  }
  if (value != nullptr && type == "json_schema" && value->is_object()) {
    const Json* schema = Body(*value).find("schema");  // {"name", "schema"}
    return of_schema(compiler, schema != nullptr ? *schema : *value, "grammar");
  }
  if (value == nullptr || type != "json") {
    reject("grammar", "'grammar' is {\"type\": \"json\" or \"regex\", \"value\": a JSON Schema or an expression}");
  }
  return of_schema(compiler, *value, "grammar");
}

}  // namespace slipway::serve
