#include "govern/model_card.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "govern/html.h"

namespace slipway::govern {
namespace {

using base::Json;

constexpr size_t kMaxRows = 40;

// Text inside Markdown: no character of it can begin markup or HTML, and it stays on one line.
std::string plain(std::string_view text, size_t max_characters = 300) {
  std::string out;
  for (const char c : html::shorten(text, max_characters)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      out += ' ';
    } else if (std::string_view("\\`*_[]|#~").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return html::escape(out);
}

std::string code(std::string_view text) {
  std::string safe;
  for (const char c : html::shorten(text, 200)) {
    safe += c == '`' || c == '\n' || c == '\r' ? ' ' : c;
  }
  return safe.empty() ? "–" : "`" + safe + "`";
}

std::string estimate_text(const html::Estimate& e, int decimals = 3) {
  if (!e.known()) {
    return "not measured";
  }
  std::string text = html::fixed(e.value, decimals);
  if (e.has_interval()) {
    text += fmt::format(" (95% interval {})", html::interval(e, decimals));
  }
  return std::isfinite(e.n) ? text + fmt::format(", n = {}", html::count(e.n)) : text;
}

Json list_or(const Json& facts, std::string_view path, Json fallback) {
  const Json& found = html::at(facts, path);
  if (found.is_array() && !found.empty()) {
    return found;
  }
  return found.is_string() ? Json::array({found}) : std::move(fallback);
}

// The "model-index" that the Hub draws results from.
Json model_index(const Json& facts) {
  const Json& measures = html::at(facts, "evaluation.measures");
  Json metrics = Json::array();
  if (measures.is_object()) {
    for (const char* name : {"accuracy", "f1", "precision", "recall", "roc_auc", "ece"}) {
      const auto it = measures.find(name);
      const html::Estimate e = it == measures.end() ? html::Estimate{NAN, NAN, NAN, NAN} : html::estimate_of(*it);
      if (e.known()) {
        metrics.push_back({{"type", name}, {"value", e.value}, {"name", name}});
      }
    }
  }
  if (metrics.empty()) {
    return nullptr;
  }
  const std::string task = html::text_at(facts, "task", "text-classification");
  const std::string project = html::text_at(facts, "project", "dataset");
  Json dataset = {{"type", project}, {"name", project}, {"split", "test"}};
  const std::string digest = html::text_at(facts, "data.dataset_digest");
  if (!digest.empty()) {
    dataset["revision"] = digest;
  }
  const Json result = {{"task", {{"type", task}}}, {"dataset", dataset}, {"metrics", metrics}};
  return Json::array({{{"name", html::text_at(facts, "model.name", project)}, {"results", Json::array({result})}}});
}

// OWNER/NAME or NAME in the letters the Hub allows.
bool is_hub_name(std::string_view name) {
  const size_t slash = name.find('/');
  return !name.empty() && name.size() <= 96 &&
         name.find('/', std::min(slash, name.size() - 1) + 1) == std::string_view::npos && name.back() != '/' &&
         std::string_view("/.-").find(name.front()) == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("/-_.").find(c) != std::string_view::npos;
         });
}

Json front_matter(const Json& facts) {
  Json front = Json::object();
  front["language"] = list_or(facts, "card.language", Json::array());
  front["license"] = html::text_at(facts, "card.license", "other");
  front["library_name"] = "transformers";
  front["pipeline_tag"] = html::text_at(facts, "task", "text-classification");
  front["tags"] = Json::array({"slipway"});
  for (const Json& tag : list_or(facts, "card.tags", Json::array())) {
    if (std::find(front["tags"].begin(), front["tags"].end(), tag) == front["tags"].end()) {
      front["tags"].push_back(tag);
    }
  }
  const Json& sources = html::at(facts, "data.sources");
  if (sources.is_array()) {
    for (const Json& source : sources) {
      const std::string id = html::text_at(source, "id");
      if (!id.empty() && (!front.contains("datasets") || front["datasets"].size() < kMaxRows)) {
        front["datasets"].push_back(id);
      }
    }
  }
  const Json& measures = html::at(facts, "evaluation.measures");
  if (measures.is_object()) {
    for (const char* name : {"accuracy", "f1", "precision", "recall", "roc_auc"}) {
      if (measures.contains(name)) {
        front["metrics"].push_back(name);
      }
    }
  }
  // The Hub refuses a card whose base model is no name of the Hub, such as a folder.
  const std::string base_model =
      html::text_at(facts, html::has(facts, "model.base_id") ? "model.base_id" : "model.base");
  if (is_hub_name(base_model)) {
    front["base_model"] = base_model;
  }
  if (Json index = model_index(facts); !index.is_null()) {
    front["model-index"] = std::move(index);
  }
  if (front["language"].empty()) {
    front.erase("language");
  }
  return front;
}

std::string details(const Json& facts) {
  std::string out = "## Model details\n\n";
  const auto line = [&](const char* title, const std::string& value) {
    if (!value.empty() && value != "–") {
      out += fmt::format("- {}: {}\n", title, value);
    }
  };
  line("Task", plain(html::text_at(facts, "task")));
  line("Started from", plain(html::text_at(facts, "model.base")));
  line("Parameters", html::count(html::number_at(facts, "model.parameters")));
  line("Size", html::bytes(html::number_at(facts, "model.size_f32")) + " in float32, " +
                   html::bytes(html::number_at(facts, "model.size_int8")) + " in int8");
  line("Made", plain(html::text_at(facts, "created")));
  line("Run", html::has(facts, "run_id") ? code(html::text_at(facts, "run_id")) : "");
  line("Contact", plain(html::text_at(facts, "card.contact")));
  const Json& labels = html::at(facts, "evaluation.labels");
  if (labels.is_array() && labels.size() <= kMaxRows) {
    std::string text;
    for (const Json& label : labels) {
      text += (text.empty() ? "" : ", ") + plain(html::text_of(label));
    }
    line("Labels", text);
  }
  return out + "\n";
}

std::string use_and_limits(const Json& facts) {
  std::string out = "## Intended use\n\n" +
                    plain(html::text_at(facts, "card.intended_use", "Not stated by its makers."), 2'000) +
                    "\n\n## Limits\n\n";
  for (const Json& limit : list_or(facts, "card.limits", Json::array())) {
    out += "- " + plain(html::text_of(limit), 1'000) + "\n";
  }
  out += "- Measured on the data described below; on other kinds of text, languages or lengths nothing is known.\n";
  out +=
      "- The bias probe exchanges gender words and first names only; other kinds of unfairness are not measured.\n\n";
  return out;
}

std::string data_part(const Json& facts) {
  std::string out = "## Training and evaluation data\n\n";
  const Json& splits = html::at(facts, "data.splits");
  if (splits.is_object()) {
    out += "| split | texts |\n|---|---:|\n";
    for (const auto& item : splits.items()) {
      const double rows = item.value().is_number() ? item.value().get<double>() : html::number_at(item.value(), "rows");
      out += fmt::format("| {} | {} |\n", plain(item.key()), html::count(rows));
    }
    out += "\n";
  }
  const Json& sources = html::at(facts, "data.sources");
  if (sources.is_array()) {
    for (size_t i = 0; i < sources.size() && i < kMaxRows; ++i) {
      const std::string license =
          html::text_at(sources[i], html::has(sources[i], "license") ? "license" : "licence", "not stated");
      out += fmt::format("- Source {}, licence {}\n", plain(html::text_at(sources[i], "id", "–")), plain(license));
    }
  }
  const Json& drops = html::at(facts, "data.drops");
  if (drops.is_object() && !drops.empty()) {
    out += "- Dropped:";
    for (const auto& item : drops.items()) {
      if (item.value().is_number()) {
        out += fmt::format(" {} ({});", plain(item.key()), html::count(item.value().get<double>()));
      }
    }
    out.back() = '\n';
  }
  const std::string digest = html::text_at(facts, "data.dataset_digest");
  if (!digest.empty()) {
    out += "- Dataset version: " + code(digest) + "\n";
  }
  return out + "\n";
}

std::string evaluation_part(const Json& facts) {
  std::string out = "## Evaluation\n\n";
  const Json& measures = html::at(facts, "evaluation.measures");
  if (!measures.is_object() || measures.empty()) {
    return out + "Not evaluated.\n\n";
  }
  out +=
      "Intervals are 95% bootstrap intervals over the test texts.\n\n| measure | value | 95% interval | n "
      "|\n|---|---:|---:|---:|\n";
  for (const auto& item : measures.items()) {
    const html::Estimate e = html::estimate_of(item.value());
    if (e.known()) {
      out += fmt::format("| {} | {} | {} | {} |\n", plain(item.key()), html::fixed(e.value, 4), html::interval(e, 4),
                         html::count(e.n));
    }
  }
  const Json& slices = html::at(facts, "evaluation.slices");
  if (slices.is_array() && !slices.empty()) {
    out += "\n### Slices\n\n| by | slice | accuracy | 95% interval | n |\n|---|---|---:|---:|---:|\n";
    for (size_t i = 0; i < slices.size() && i < kMaxRows; ++i) {
      const html::Estimate e = html::estimate_at(slices[i], "accuracy");
      out += fmt::format("| {} | {} | {} | {} | {} |\n", plain(html::text_at(slices[i], "by")),
                         plain(html::text_at(slices[i], "name")), html::fixed(e.value, 3), html::interval(e, 3),
                         html::count(html::number_at(slices[i], "n")));
    }
  }
  return out + "\n";
}

std::string trust_part(const Json& facts) {
  std::string out = "## Bias\n\n";
  const html::Estimate flips = html::estimate_at(facts, "bias.flip_rate");
  if (flips.known()) {
    out += fmt::format("Exchanging gender words and names in a text changes the label with rate {}.\n\n",
                       estimate_text(flips, 4));
    const Json& groups = html::at(facts, "bias.groups");
    if (groups.is_array() && !groups.empty()) {
      out += "| group | mean shift of the probability | 95% interval | n |\n|---|---:|---:|---:|\n";
      for (size_t i = 0; i < groups.size() && i < kMaxRows; ++i) {
        const html::Estimate e = html::estimate_at(groups[i], "shift");
        out += fmt::format("| {} | {} | {} | {} |\n", plain(html::text_at(groups[i], "group")),
                           html::signed_fixed(e.value, 4), html::interval(e, 4), html::count(e.n));
      }
      out += "\n";
    }
  } else {
    out += "Not measured.\n\n";
  }
  out += "## Quantisation\n\n";
  const html::Estimate loss = html::estimate_at(facts, "quantization.parity.accuracy_loss");
  out += loss.known()
             ? fmt::format("Accuracy lost in int8: {}. Labels agree on {} of texts.\n\n", estimate_text(loss, 4),
                           html::percent(html::estimate_at(facts, "quantization.parity.agreement").value, 2))
             : "Not quantised, or its loss was not measured.\n\n";
  return out;
}

std::string repeat_part(const Json& facts) {
  std::string out = "## How to repeat it\n\n";
  const Json& commands = html::at(facts, "repeat.commands");
  if (commands.is_array() && !commands.empty()) {
    out += "```\n";
    for (const Json& command : commands) {
      std::string text = html::text_of(command);
      // Nothing in a command may end the block.
      for (size_t at = text.find("```"); at != std::string::npos; at = text.find("```", at)) {
        text.erase(at, 3);
      }
      out += text + "\n";
    }
    out += "```\n\n";
  }
  for (const char* key : {"versions", "seeds", "digests"}) {
    const Json& object = html::at(html::at(facts, "repeat"), key);
    if (object.is_object()) {
      for (const auto& item : object.items()) {
        out += fmt::format("- {} {}: {}\n", key, plain(item.key()), code(html::text_of(item.value())));
      }
    }
  }
  return out;
}

}  // namespace

std::string render_model_card(const Json& facts) {
  if (!facts.is_object()) {
    throw base::Error(base::Code::kInvalid, "the facts of a model card must be a JSON object (docs/formats/report.md)");
  }
  const std::string name = html::text_at(facts, "model.name", html::text_at(facts, "project", "model"));
  std::string card = "---\n" + to_yaml(front_matter(facts)) + "---\n\n# " + plain(name);
  const std::string version = html::text_at(facts, "model.version");
  card += (version.empty() ? "" : ", version " + plain(version)) + "\n\n";
  const std::string summary = html::text_at(facts, "summary");
  card += summary.empty() ? "" : plain(summary, 2'000) + "\n\n";
  return card + details(facts) + use_and_limits(facts) + data_part(facts) + evaluation_part(facts) + trust_part(facts) +
         repeat_part(facts);
}

}  // namespace slipway::govern
