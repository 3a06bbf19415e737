// slipway models diff | served: how two versions differ; what served at a time.
#include <ctime>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

// "NAME/3" and "NAME@champion" too.
record::ModelVersion version_of(record::Store& store, const std::string& text) {
  return store.registry().resolve(record::is_model_reference(text) ? text : "models:/" + text);
}

// Leaves of a value by their path: "train.epochs".
void flatten(const Json& value, const std::string& path, std::map<std::string, std::string>& out) {
  if (value.is_object() && !value.empty()) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      flatten(it.value(), path.empty() ? it.key() : path + "." + it.key(), out);
    }
  } else if (!value.is_null()) {
    out[path] = value.is_string() ? value.get<std::string>() : base::dump_json(value);
  }
}

std::string metric_text(const Json& metric) {
  if (!metric.is_object() || !metric.contains("value") || !metric["value"].is_number()) {
    return base::dump_json(metric);
  }
  std::string text = fmt::format("{:.6g}", metric["value"].get<double>());
  if (metric.contains("low") && metric["low"].is_number() && metric.contains("high") && metric["high"].is_number()) {
    text += fmt::format(" [{:.6g}, {:.6g}]", metric["low"].get<double>(), metric["high"].get<double>());
  }
  return text;
}

// Section -> key -> text: all that is known of a version and of the run it came from.
using Facts = std::map<std::string, std::map<std::string, std::string>>;

Facts facts_of(record::Store& store, const record::ModelVersion& version) {
  Facts facts;
  if (version.metrics.is_object()) {
    for (auto it = version.metrics.begin(); it != version.metrics.end(); ++it) {
      facts["metric"][it.key()] = metric_text(it.value());
    }
  }
  facts["dataset"]["digest"] = version.dataset;
  for (const auto& [role, digest] : version.artifacts) {
    facts["artifact"][role] = digest;
  }
  flatten(version.meta, "", facts["meta"]);
  if (const auto entry = store.tracking().versions().find(version.model, version.version)) {
    facts["version"]["description"] = entry->description;
    facts["version"]["stage"] = entry->stage;
    facts["version"]["source"] = entry->source;
    for (const record::KeyValue& tag : entry->tags) {
      facts["tag"][tag.key] = tag.value;
    }
  }
  facts["version"]["run"] = version.run_id;
  const auto run = version.run_id.empty() ? std::nullopt : store.tracking().runs().find(version.run_id);
  if (!run) {
    return facts;
  }
  for (const record::KeyValue& param : run->params) {
    facts["parameter"][param.key] = param.value;
  }
  for (const record::MetricPoint& point : run->metrics) {
    facts["run metric"][point.key] = fmt::format("{:.6g}", point.value);
  }
  for (const record::DatasetUse& use : run->datasets) {
    facts["dataset"][use.dataset.name] = use.dataset.digest;
  }
  if (const auto whole = store.runs().find_run(version.run_id)) {
    flatten(whole->config, "", facts["configuration"]);
    for (const auto& [key, value] : whole->tags) {
      if (key.find("commit") != std::string::npos) {
        facts["code"][key] = value;
      }
    }
  }
  return facts;
}

class DiffCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models diff", "what differs between two versions",
            "Metrics with intervals, datasets, parameters and configuration of their runs, artifacts, tags. Only what differs, unless\n"
            "--all. Exit code 0 either way.",
            "slipway models diff movie-sentiment/2 movie-sentiment@champion\nslipway models diff a/1 b/1 --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("A", a_, "NAME/3, NAME@ALIAS or models:/…");
    parameters.positional("B", b_, "the other");
    parameters.flags.add("all", all_, "what is equal too");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const record::ModelVersion a = version_of(store, a_);
    const record::ModelVersion b = version_of(store, b_);
    const Facts of_a = facts_of(store, a);
    const Facts of_b = facts_of(store, b);
    const std::string name_a = fmt::format("{}/{}", a.model, a.version);
    const std::string name_b = fmt::format("{}/{}", b.model, b.version);
    Table table({"WHAT", "KEY", name_a, name_b});
    Json json = {{"a", name_a}, {"b", name_b}, {"differences", Json::array()}};
    std::set<std::string> sections;
    for (const Facts* facts : {&of_a, &of_b}) {
      for (const auto& [section, values] : *facts) {
        sections.insert(section);
      }
    }
    for (const std::string& section : sections) {
      add_section(section, of_a, of_b, table, json["differences"]);
    }
    if (app.json()) {
      app.print_json(json);
    } else if (table.empty()) {
      app.out() << fmt::format("{} and {} do not differ in what is recorded\n", name_a, name_b);
    } else {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  void add_section(const std::string& section, const Facts& of_a, const Facts& of_b, Table& table, Json& list) const {
    static const std::map<std::string, std::string> kNothing;
    const auto in_a = of_a.find(section);
    const auto in_b = of_b.find(section);
    const auto& a = in_a == of_a.end() ? kNothing : in_a->second;
    const auto& b = in_b == of_b.end() ? kNothing : in_b->second;
    std::map<std::string, std::pair<Json, Json>> both;
    for (const auto& [key, value] : a) {
      both[key].first = value;
    }
    for (const auto& [key, value] : b) {
      both[key].second = value;
    }
    for (const auto& [key, values] : both) {
      if (values.first == values.second && !all_) {
        continue;
      }
      list.push_back({{"what", section}, {"key", key}, {"a", values.first}, {"b", values.second}});
      const auto text = [](const Json& value) { return value.is_null() ? std::string("-") : value.get<std::string>(); };
      table.row({section, key, text(values.first), text(values.second)});
    }
  }

  std::string a_;
  std::string b_;
  bool all_ = false;
};

// "2026-11-28", "2026-11-28T12:00:00Z" (UTC), or milliseconds since 1970.
int64_t parse_time(const std::string& text) {
  if (!text.empty() && text.size() > 10 && text.find_first_not_of("0123456789") == std::string::npos && text.size() < 18) {
    return std::stoll(text);
  }
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    std::tm time{};
    const char* end = ::strptime(text.c_str(), format, &time);
    if (end != nullptr && (*end == '\0' || std::string_view(end) == "Z")) {
      return int64_t{::timegm(&time)} * 1000;
    }
  }
  throw Error(Code::kInvalid, fmt::format("'{}' is not a time such as 2026-11-28T12:00:00Z (UTC)", text));
}

class ServedCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models served", "what served at a time: deployments, and the versions that aliases pointed to",
            "A deployment that follows an alias served the version that the alias pointed to; the version that gave the next answer\n"
            "after that time is told too, when answers are logged. An alias that was removed is told as it was last set.",
            "slipway models served 2026-11-28T12:00:00Z\nslipway models served 2026-11-28 --endpoint movie-sentiment --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("TIME", time_, "2026-11-28T12:00:00Z, 2026-11-28 (UTC), or milliseconds since 1970");
    parameters.flags.add("endpoint", endpoint_, "only this endpoint");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const int64_t at = parse_time(time_);
    Table table({"ENDPOINT", "DEPLOYMENT", "MODEL", "VERSION", "ANSWERED", "SINCE"});
    bool any = false;
    for (const record::Deployment& deployment : store.events().list_deployments(kMaxDeployments)) {
      if (deployment.started_ms > at || (deployment.ended_ms != 0 && deployment.ended_ms <= at) ||
          (!endpoint_.empty() && deployment.endpoint != endpoint_)) {
        continue;
      }
      any = true;
      const auto [version, since] = version_at(store, deployment, at);
      // The next answer, if this deployment gave one.
      const auto answers = store.predictions().list(deployment.id, at - 1, 1);
      const std::string answered = answers.empty() ? "" : answers.front().model;
      if (app.json()) {
        app.print_json({{"endpoint", deployment.endpoint},
                        {"deployment", deployment.id},
                        {"model", deployment.model},
                        {"version", version},
                        {"answered", answered},
                        {"since", base::iso8601(since)}});
      } else {
        table.row({deployment.endpoint, deployment.id.substr(0, 8), deployment.model, version.empty() ? "-" : version,
                   answered.empty() ? "-" : answered, base::iso8601(since)});
      }
    }
    if (!any) {
      throw Error(Code::kNotFound, fmt::format("nothing served at {}{}", base::iso8601(at),
                                               endpoint_.empty() ? "" : " at the endpoint '" + endpoint_ + "'"));
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  static constexpr int kMaxDeployments = 100'000;

  // "NAME/3", and since when: the alias' change or the deployment's start, whichever is later.
  static std::pair<std::string, int64_t> version_at(record::Store& store, const record::Deployment& deployment, int64_t at) {
    if (!record::is_model_reference(deployment.model)) {
      return {"", deployment.started_ms};
    }
    const record::ModelReference reference = record::parse_model_reference(deployment.model);
    if (reference.alias.empty()) {
      return {fmt::format("{}/{}", reference.model, reference.version), deployment.started_ms};
    }
    for (const record::Alias& change : store.registry().alias_history(reference.model, reference.alias)) {
      if (change.changed_ms <= at) {
        return {fmt::format("{}/{}", reference.model, change.version), std::max(change.changed_ms, deployment.started_ms)};
      }
    }
    return {"", deployment.started_ms};
  }

  std::string time_;
  std::string endpoint_;
};

}  // namespace

std::unique_ptr<Command> make_models_diff() { return std::make_unique<DiffCommand>(); }
std::unique_ptr<Command> make_models_served() { return std::make_unique<ServedCommand>(); }

}  // namespace slipway::cli
