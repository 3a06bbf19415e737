#include "cli/annotation_project.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/yaml.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr const char* kFile = "annotate.yaml";
constexpr size_t kMaxText = size_t{16} << 20;  // of guidelines and dictionaries

const std::vector<std::string> kKeys = {"name",    "questions", "classes",      "spans",        "relations",     "rating_max", "overlapping",
                                        "label_config", "guidelines", "tasks",   "format",       "text_field",    "overlap",    "order",
                                        "keep_minutes", "retrain_every", "dictionaries", "expressions", "model", "prompt", "label_model", "services"};

class Reader {
 public:
  Reader(fs::path file, const Json& root, const base::YamlDocument& document) : file_(std::move(file)), root_(root), document_(document) {
    for (auto it = root.begin(); it != root.end(); ++it) {
      if (std::find(kKeys.begin(), kKeys.end(), it.key()) == kKeys.end()) {
        fail(it.key(), fmt::format("is no key of an annotation project; these are: {}", fmt::join(kKeys, ", ")));
      }
    }
  }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' {}", document_.where(file_.string(), "/annotate/" + key), key, what));
  }
  const Json* find(const char* key) const {
    const auto found = root_.find(key);
    return found == root_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(const char* key) const {
    const Json* value = find(key);
    if (value != nullptr && !value->is_string()) {
      fail(key, "is to be text");
    }
    return value == nullptr ? "" : value->get<std::string>();
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> all;
    if (const Json* value = find(key)) {
      if (value->is_string()) {
        return {value->get<std::string>()};
      }
      if (!value->is_array() || !std::all_of(value->begin(), value->end(), [](const Json& one) { return one.is_string(); })) {
        fail(key, "is to be a text or a list of texts");
      }
      all = value->get<std::vector<std::string>>();
    }
    return all;
  }
  fs::path path(const std::string& written) const { return fs::path(written).is_absolute() ? fs::path(written) : file_.parent_path() / written; }
  const fs::path& file() const { return file_; }

 private:
  fs::path file_;
  const Json& root_;
  const base::YamlDocument& document_;
};

// A term a line; '#' begins a comment.
std::vector<std::string> read_terms(const fs::path& path) {
  std::vector<std::string> terms;
  const std::string content = base::read_file(path, kMaxText);
  std::istringstream lines(content);
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin != std::string::npos && line[begin] != '#') {
      terms.push_back(line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin));
    }
  }
  return terms;
}

Json rules_of(const Reader& reader) {
  Json rules = Json::array();
  if (const Json* dictionaries = reader.find("dictionaries")) {
    if (!dictionaries->is_object()) {
      reader.fail("dictionaries", "is to be an object: LABEL: FILE, or LABEL: [terms]");
    }
    for (auto it = dictionaries->begin(); it != dictionaries->end(); ++it) {
      Json terms = it->is_string() ? Json(read_terms(reader.path(it->get<std::string>()))) : *it;
      rules.push_back({{"label", it.key()}, {"terms", std::move(terms)}});
    }
  }
  if (const Json* expressions = reader.find("expressions")) {
    if (!expressions->is_object()) {
      reader.fail("expressions", "is to be an object: LABEL: EXPRESSION");
    }
    for (auto it = expressions->begin(); it != expressions->end(); ++it) {
      rules.push_back({{"label", it.key()}, {"pattern", *it}});
    }
  }
  return rules;
}

// What the tasks themselves show that is asked for.
record::AnnotationScheme collected(const AnnotationFile& made, const Reader& reader) {
  data::SchemeCollector collector;
  for (const fs::path& path : made.tasks) {
    const auto tasks = data::open_annotations(path, made.reading);
    record::AnnotatedTask task;
    while (tasks->next(task)) {
      collector.see(task);
      task = {};
    }
  }
  record::AnnotationScheme scheme = collector.scheme();
  if (scheme.questions.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: nothing is asked for, and no task has an answer that would tell: give 'questions' and the labels, such as "
                                            "questions: [classification] and classes: [good, bad]",
                                            reader.file().string()));
  }
  return scheme;
}

record::AnnotationScheme scheme_of(const AnnotationFile& made, const Reader& reader) {
  if (const std::string config = reader.text("label_config"); !config.empty()) {
    const fs::path path = reader.path(config);
    return data::scheme_from_label_config(base::read_file(path, kMaxText), path.string());
  }
  Json scheme = Json::object();
  for (const char* key : {"questions", "classes", "spans", "relations", "rating_max", "overlapping"}) {
    if (const Json* value = reader.find(key)) {
      scheme[key] = std::string_view(key) == "questions" && value->is_string() ? Json::array({*value}) : *value;
    }
  }
  return scheme.contains("questions") ? record::scheme_from_json(scheme, reader.file().string()) : collected(made, reader);
}

}  // namespace

bool is_annotation_file(const fs::path& project) {
  std::error_code ignored;
  return fs::is_regular_file(project, ignored) || fs::is_regular_file(project / kFile, ignored);
}

AnnotationFile read_annotation_file(const fs::path& project) {
  const fs::path file = fs::absolute(fs::is_directory(project) ? project / kFile : project);
  const base::YamlDocument document = base::parse_yaml(base::read_file(file, kMaxText), file.string());
  const auto root = document.value.find("annotate");
  if (!document.value.is_object() || root == document.value.end() || !root->is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: an annotation project begins with 'annotate:' and has under it {}", file.string(), fmt::join(kKeys, ", ")));
  }
  const Reader reader(file, *root, document);
  AnnotationFile made;
  made.name = reader.text("name");
  if (made.name.empty()) {
    made.name = file.filename() == kFile ? file.parent_path().filename().string() : file.stem().string();
  }
  for (const std::string& path : reader.texts("tasks")) {
    made.tasks.push_back(reader.path(path));
  }
  if (const std::string format = reader.text("format"); !format.empty()) {
    made.reading.format = data::annotation_format_named(format);
  }
  made.reading.text_field = reader.text("text_field");
  for (const std::string& model : reader.texts("model")) {
    std::error_code ignored;
    const bool here = model.find(":/") == std::string::npos && fs::exists(reader.path(model), ignored);
    made.models.push_back(here ? reader.path(model).string() : model);
  }
  made.prompt = reader.text("prompt");
  Json settings = {{"scheme", record::to_json(scheme_of(made, reader))}, {"rules", rules_of(reader)}};
  for (const char* key : {"overlap", "order", "keep_minutes", "retrain_every", "label_model", "services"}) {
    if (const Json* value = reader.find(key)) {
      settings[key] = *value;
    }
  }
  if (const std::string guidelines = reader.text("guidelines"); !guidelines.empty()) {
    const bool one_line = guidelines.find('\n') == std::string::npos && guidelines.size() < 200;
    std::error_code ignored;
    settings["guidelines"] = one_line && fs::is_regular_file(reader.path(guidelines), ignored) ? base::read_file(reader.path(guidelines), kMaxText) : guidelines;
  }
  made.settings = record::annotation_settings_from_json(settings, file.string());
  return made;
}

}  // namespace slipway::cli
