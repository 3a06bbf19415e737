// slipway models: the registry's versions and aliases; conversions. A look into files: models_inspect.cc.
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/model_argument.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "convert/onnx.h"
#include "convert/quantize.h"

namespace slipway::cli {
namespace {

std::string metric_text(const base::Json& metrics, const char* name) {
  if (!metrics.is_object() || !metrics.contains(name) || !metrics[name].contains("value") || !metrics[name]["value"].is_number()) {
    return "-";
  }
  const base::Json& metric = metrics[name];
  if (metric.contains("low") && metric["low"].is_number()) {
    return fmt::format("{:.4f} [{:.4f}, {:.4f}]", metric["value"].get<double>(), metric["low"].get<double>(), metric["high"].get<double>());
  }
  return fmt::format("{:.4f}", metric["value"].get<double>());
}

// Aliases that point at this version now.
std::string aliases_of(record::Store& store, const record::ModelVersion& version) {
  std::vector<std::string> names;
  for (const char* alias : {"champion", "candidate"}) {
    const auto found = store.registry().find_alias(version.model, alias);
    if (found && found->version == version.version) {
      names.emplace_back(alias);
    }
  }
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ","));
}

class ModelsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models", "registered model versions, newest first", "", "slipway models\nslipway models movie-sentiment --json"};
  }
  void describe(Parameters& parameters) override { parameters.positional("NAME", name_, "only of this model", false); }
  int run(App& app) override {
    record::Store& store = app.store();
    Table table({"MODEL", "VERSION", "ALIAS", "ACCURACY", "F1", "CREATED", "RUN"});
    for (const record::ModelVersion& version : store.registry().list_versions(name_)) {
      if (app.json()) {
        app.print_json(record::to_json(version));
      } else {
        table.row({version.model, std::to_string(version.version), aliases_of(store, version), metric_text(version.metrics, "accuracy"),
                   metric_text(version.metrics, "f1"), when(version.created_ms), version.run_id.substr(0, 8)});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string name_;
};

class ModelsShowCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models show", "one version: artifacts, metrics with intervals, alias history", "",
            "slipway models show models:/movie-sentiment@champion"};
  }
  void describe(Parameters& parameters) override { parameters.positional("MODEL", model_, "models:/NAME@ALIAS or models:/NAME/3"); }
  int run(App& app) override {
    record::Store& store = app.store();
    const record::ModelVersion version = store.registry().resolve(model_);
    if (app.json()) {
      app.print_json(record::to_json(version));
      return 0;
    }
    app.out() << fmt::format("{} version {} · alias {} · run {} · dataset {}\n\n", version.model, version.version, aliases_of(store, version),
                             version.run_id, version.dataset);
    Table metrics({"METRIC", "VALUE [95 %]"});
    for (const auto& [name, value] : version.metrics.items()) {
      metrics.row({name, metric_text(version.metrics, name.c_str())});
    }
    metrics.print(app.out(), app.color_out());
    app.out() << '\n';
    Table artifacts({"ROLE", "DIGEST", "SIZE"});
    for (const auto& [role, digest] : version.artifacts) {
      const auto found = store.artifacts().find(digest);
      artifacts.row({role, digest, found ? human_count(static_cast<int64_t>(found->size), "bytes") : "missing"});
    }
    artifacts.print(app.out(), app.color_out());
    return 0;
  }

 private:
  std::string model_;
};

class ModelsAliasCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models alias", "point an alias at a version; servers that follow it swap at once",
            "A rollback is this command with the older version. The model's policy (`slipway models policy`) may refuse it: exit code 4 when\n"
            "approvals are missing, 6 when gates did not pass.",
            "slipway models alias movie-sentiment champion 2"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "registered model");
    parameters.positional("ALIAS", alias_, "for example champion");
    parameters.positional("VERSION", version_, "version number; leave it out to see the alias's history", false);
    parameters.flags.add("override", override_, "why it is moved against the model's policy: kept in its history and in the audit log");
  }
  int run(App& app) override {
    record::Registry& registry = app.store().registry();
    if (!version_.empty()) {
      const auto reference = record::parse_model_reference(fmt::format("models:/{}/{}", name_, version_));
      change_locally(app.store(), "models alias", fmt::format("{} {} {}", name_, alias_, reference.version), [&] {
        if (override_.empty()) {
          registry.set_alias(name_, alias_, reference.version, -1);
        } else {
          registry.override_alias(name_, alias_, reference.version, override_);
        }
      });
    }
    const auto history = registry.alias_history(name_, alias_);
    if (history.empty()) {
      throw base::Error(base::Code::kNotFound, fmt::format("model '{}' has no alias '{}'", name_, alias_));
    }
    Table table({"ALIAS", "VERSION", "SINCE", "BY", "OVERRIDE"});
    for (const record::Alias& one : history) {
      if (app.json()) {
        app.print_json(record::to_json(one));
      } else {
        table.row({one.alias, std::to_string(one.version), when(one.changed_ms), one.who.empty() ? "-" : one.who,
                   one.override_reason.empty() ? "-" : one.override_reason});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string name_;
  std::string alias_;
  std::string version_;
  std::string override_;
};

class QuantizeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models quantize", "int8 weights of a float32 model folder",
            "Per-channel symmetric weights, dynamic activations (docs/formats/int8.md).", "slipway models quantize my-model my-model-int8"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder or a reference");
    parameters.positional("OUTPUT", output_, "folder to write");
  }
  int run(App& app) override {
    base::Context context = app.context();
    const base::Json summary = convert::quantize_int8(locate_model(app, model_, "float32").folder, output_, {}, context);
    if (app.json()) {
      app.print_json(summary);
    } else {
      app.out() << fmt::format("{}: {} instead of {}, relative error of the weights {:.4f}\n", output_,
                               human_count(summary["bytes_after"].get<int64_t>(), "bytes"),
                               human_count(summary["bytes_before"].get<int64_t>(), "bytes"), summary["relative_error"].get<double>());
    }
    return 0;
  }

 private:
  std::string model_;
  std::string output_;
};

class ExportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models export", "the float32 model as ONNX", "Inputs input_ids, attention_mask, token_type_ids [batch, sequence]; output logits.",
            "slipway models export models:/movie-sentiment@champion model.onnx"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder or a reference");
    parameters.positional("OUTPUT", output_, "file to write");
  }
  int run(App& app) override {
    convert::export_onnx(locate_model(app, model_, "float32").folder, output_);
    const auto size = static_cast<int64_t>(std::filesystem::file_size(output_));
    if (app.json()) {
      app.print_json({{"path", output_}, {"bytes", size}});
    } else {
      app.out() << fmt::format("{}: {}\n", output_, human_count(size, "bytes"));
    }
    return 0;
  }

 private:
  std::string model_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> make_models() { return std::make_unique<ModelsCommand>(); }
std::unique_ptr<Command> make_models_show() { return std::make_unique<ModelsShowCommand>(); }
std::unique_ptr<Command> make_models_alias() { return std::make_unique<ModelsAliasCommand>(); }
std::unique_ptr<Command> make_models_quantize() { return std::make_unique<QuantizeCommand>(); }
std::unique_ptr<Command> make_models_export() { return std::make_unique<ExportCommand>(); }

}  // namespace slipway::cli
