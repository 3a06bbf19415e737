#include "engine/text2text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace slipway::engine {
namespace {

using base::Code;
using base::Error;
using base::Json;

struct TaskRow {
  std::string_view task;
  const char* field;  // of the answer
};
constexpr std::array<TaskRow, 3> kTasks = {{{"summarization", "summary_text"},
                                            {"translation", "translation_text"},
                                            {"text2text-generation", "generated_text"}}};

// The row of a task, "translation_XX_to_YY" as "translation"; null for another word.
const TaskRow* row_of(std::string_view task) noexcept {
  if (task.starts_with("translation_") && task.find("_to_") != std::string_view::npos) {
    task = "translation";
  }
  const auto* row = std::find_if(kTasks.begin(), kTasks.end(), [&](const TaskRow& one) { return one.task == task; });
  return row == kTasks.end() ? nullptr : row;
}

// "task_specific_params" of config.json: {task: {generation parameters, "prefix"}}; {} when there are none.
Json task_params(const Seq2SeqInfo& info, const std::string& task) {
  const auto all = info.config.find("task_specific_params");
  if (all == info.config.end() || !all->is_object() || !all->contains(task) || !all->at(task).is_object()) {
    return Json::object();
  }
  return all->at(task);
}

// The translations that task_specific_params has: "translation_en_to_de", ...
std::vector<std::string> known_translations(const Seq2SeqInfo& info) {
  std::vector<std::string> known;
  const auto all = info.config.find("task_specific_params");
  if (all != info.config.end() && all->is_object()) {
    for (const auto& [name, value] : all->items()) {
      if (name.starts_with("translation_") && value.is_object()) {
        known.push_back(name);
      }
    }
  }
  return known;
}

std::string prefix_of(const Seq2SeqInfo& info, const std::string& task) {
  const Json params = task_params(info, task);
  const std::string own = base::get_or(params, "prefix", std::string(), "config.json: task_specific_params");
  const std::string general = base::get_or(info.config, "prefix", std::string(), "config.json");
  return own.empty() ? general : own;
}

// A token that names a language: M2M100's "__en__", NLLB's "eng_Latn", mBART's "en_XX".
bool is_language(std::string_view token) noexcept {
  const auto all = [](std::string_view part, auto test) {
    return std::all_of(part.begin(), part.end(), [&](char c) { return test(static_cast<unsigned char>(c)) != 0; });
  };
  const auto lower = [](unsigned char c) { return std::islower(c); };
  const auto upper = [](unsigned char c) { return std::isupper(c); };
  if (token.size() == 8 && token[3] == '_') {
    return all(token.substr(0, 3), lower) && upper(static_cast<unsigned char>(token[4])) && all(token.substr(5), lower);
  }
  if (token.size() == 5 && token[2] == '_') {
    return all(token.substr(0, 2), lower) && all(token.substr(3), upper);
  }
  return token.size() > 4 && token.starts_with("__") && token.ends_with("__");
}

bool is_language(const text::Tokenizer& tokenizer, int id) {
  return tokenizer.is_special(id) && is_language(tokenizer.id_to_token(id));
}

// The tokens that name languages; they are among the last of a vocabulary.
std::vector<int> languages_of(const text::Tokenizer& tokenizer) {
  constexpr int kLast = 1'000;
  std::vector<int> ids;
  for (int id = std::max(0, tokenizer.vocab_size() - kLast); id < tokenizer.vocab_size(); ++id) {
    if (is_language(tokenizer, id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

// The id of a language: as the model names it ("eng_Latn"), as __NAME__, or by a beginning that only one has ("en" for
// "en_XX"); -1 when there is none.
int language_id(const text::Tokenizer& tokenizer, const std::vector<int>& languages, const std::string& name) {
  for (const std::string& token : {name, "__" + name + "__"}) {
    if (const int id = tokenizer.token_to_id(token); id >= 0 && is_language(tokenizer, id)) {
      return id;
    }
  }
  int found = -1;
  for (const int id : languages) {
    if (tokenizer.id_to_token(id).starts_with(name + "_")) {
      if (found >= 0) {
        return -1;
      }
      found = id;
    }
  }
  return found;
}

[[noreturn]] void refuse_language(const Seq2Seq& model, const std::vector<int>& languages, const std::string& name) {
  std::vector<std::string_view> some;
  for (size_t i = 0; i < std::min<size_t>(languages.size(), 8); ++i) {
    some.push_back(model.tokenizer().id_to_token(languages[i]));
  }
  throw Error(Code::kInvalid, fmt::format("'{}' has no language '{}'; it has, for example, {}", model.info().name, name,
                                          fmt::join(some, ", ")));
}

// The task of a pair of languages. T5 has those that config.json lists, each with a prefix that says it in words; other
// families have languages as tokens, or only one pair.
std::string translation_task(const Seq2SeqInfo& info, const Text2TextOptions& options) {
  const bool by_prefix = info.architecture == "t5" || info.architecture == "mt5";
  const std::vector<std::string> known = by_prefix ? known_translations(info) : std::vector<std::string>();
  if (!options.source_lang.empty() && !options.target_lang.empty()) {
    const std::string wanted = fmt::format("translation_{}_to_{}", options.source_lang, options.target_lang);
    if (known.empty() || std::find(known.begin(), known.end(), wanted) != known.end()) {
      return wanted;
    }
  } else if (known.size() == 1 && options.source_lang.empty() && options.target_lang.empty()) {
    return known.front();
  }
  if (known.empty()) {
    return options.task;
  }
  throw Error(Code::kInvalid, fmt::format("'{}' must be told which translation to make: source and target language; it "
                                          "has {}",
                                          info.name, fmt::join(known, ", ")));
}

void take_text(Json& parameters, const char* key, const std::string& where, std::string& value) {
  const auto it = parameters.find(key);
  if (it == parameters.end()) {
    return;
  }
  if (!it->is_null() && !it->is_string()) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' must be a text", where, key));
  }
  value = it->is_null() ? value : it->get<std::string>();
  parameters.erase(it);
}

// What of `parameters` is no generation parameter; the rest stays.
void take_own_parameters(Json& parameters, const std::string& where, Text2TextOptions& options) {
  take_text(parameters, "src_lang", where, options.source_lang);
  take_text(parameters, "tgt_lang", where, options.target_lang);
  if (const auto it = parameters.find("truncation"); it != parameters.end()) {
    // true, or one of transformers' strategies, which are the same for one text.
    const bool word = it->is_string() && *it != "do_not_truncate";
    if (!it->is_boolean() && !it->is_string() && !it->is_null()) {
      throw Error(Code::kInvalid, fmt::format("{}: 'truncation' must be true, false or a strategy", where));
    }
    options.truncate = word || (it->is_boolean() && it->get<bool>());
    parameters.erase(it);
  }
  for (const auto& [key, only] : {std::pair{"clean_up_tokenization_spaces", false}, std::pair{"return_tensors", false},
                                  std::pair{"return_text", true}}) {
    if (const auto it = parameters.find(key); it != parameters.end()) {
      if (!it->is_null() && *it != only) {
        throw Error(Code::kInvalid, fmt::format("{}: '{}' can only be {}", where, key, only));
      }
      parameters.erase(it);
    }
  }
  for (const char* key : {"generate_parameters", "generate_kwargs"}) {
    if (const auto it = parameters.find(key); it != parameters.end()) {
      const Json inner = *it;
      parameters.erase(it);
      if (!inner.is_object()) {
        throw Error(Code::kInvalid, fmt::format("{}: '{}' must be an object", where, key));
      }
      parameters.update(inner);
    }
  }
}

}  // namespace

bool is_text2text_task(std::string_view task) noexcept { return row_of(task) != nullptr; }

std::string default_text2text_task(const Seq2SeqInfo& info) {
  const std::string& family = info.architecture;
  return family == "bart"                    ? "summarization"
         : family == "t5" || family == "mt5" ? "text2text-generation"
                                             : "translation";
}

Text2TextOptions Text2TextOptions::of(const Seq2SeqInfo& info, const std::string& task, const Json& parameters,
                                      const std::string& where) {
  Text2TextOptions options;
  options.task = task.empty() ? default_text2text_task(info) : task;
  options.params = info.defaults;
  if (!is_text2text_task(options.task)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' does texts from texts: summarization, translation or text2text-generation, not '{}'",
                            info.name, options.task));
  }
  if (!parameters.is_null() && !parameters.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: parameters must be an object", where));
  }
  Json rest = parameters.is_object() ? parameters : Json::object();
  take_own_parameters(rest, where, options);
  // translation_en_to_de says the languages itself.
  if (const size_t to = options.task.find("_to_");
      options.task.starts_with("translation_") && to != std::string::npos) {
    constexpr size_t kStart = std::string_view("translation_").size();
    options.source_lang = options.task.substr(kStart, to - kStart);
    options.target_lang = options.task.substr(to + 4);
  }
  if (row_of(options.task)->task == "translation") {
    options.task = translation_task(info, options);
  }
  options.params.apply(task_params(info, options.task), "config.json: task_specific_params", true);
  if (rest.contains("max_new_tokens") && !rest.contains("max_length")) {
    options.params.max_length = 0;
  } else if (rest.contains("max_length") && !rest.contains("max_new_tokens")) {
    options.params.max_new_tokens = 0;  // what is asked for goes before the model's default
  }
  options.params.apply(rest, where, false);
  return options;
}

Seq2SeqRequest text2text_request(const Seq2Seq& model, std::string_view text, const Text2TextOptions& options) {
  const text::Tokenizer& tokenizer = model.tokenizer();
  Seq2SeqRequest request;
  request.params = options.params;
  std::string source = prefix_of(model.info(), options.task) + std::string(text);
  const bool translation = row_of(options.task)->task == "translation";
  const std::string code = fmt::format(">>{}<<", options.target_lang);
  int source_id = -1;
  const std::vector<int> languages = translation ? languages_of(tokenizer) : std::vector<int>();
  if (translation && !options.target_lang.empty() && tokenizer.token_to_id(code) >= 0) {
    source = code + " " + source;  // Marian: the target before the text
  } else if (!languages.empty()) {
    if (options.target_lang.empty() && !request.params.forced_bos_token_id) {
      throw Error(Code::kInvalid, fmt::format("'{}' must be told the target language", model.info().name));
    }
    const auto id_of = [&](const std::string& name) {
      const int id = language_id(tokenizer, languages, name);
      if (id < 0) {
        refuse_language(model, languages, name);
      }
      return id;
    };
    source_id = options.source_lang.empty() ? -1 : id_of(options.source_lang);
    if (!options.target_lang.empty()) {
      request.params.forced_bos_token_id = id_of(options.target_lang);
    }
  }
  text::Encoding encoding;
  tokenizer.encode(source, {.max_length = options.truncate ? model.info().context_length : 0}, encoding);
  request.ids = std::move(encoding.ids);
  if (source_id >= 0) {
    // The tokenizer's own source language stands first, last, or after the end token: another one takes its place.
    const auto replace = [&](size_t at) {
      const bool there = at < request.ids.size() && is_language(tokenizer, request.ids[at]);
      if (there) {
        request.ids[at] = source_id;
      }
      return there;
    };
    if (!replace(0) && !replace(request.ids.size() - 1)) {
      request.ids.insert(request.ids.begin(), source_id);
    }
  }
  return request;
}

Json text2text_answer(const std::string& task, const Seq2SeqResult& result) {
  Json answer = Json::array();
  for (const Seq2SeqResult::Sequence& one : result.sequences) {
    answer.push_back({{row_of(task)->field, one.text}});
  }
  return answer;
}

}  // namespace slipway::engine
