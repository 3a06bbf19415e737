// A sample of test texts, explained, for the report.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/random.h"
#include "cli/project/rows.h"
#include "cli/project/steps.h"
#include "engine/engine.h"
#include "explain/explain.h"

namespace slipway::cli {

using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

Step explain_step(Project& project) {
  Step step;
  step.name = "explain";
  step.needs = {"split", "train", "evaluate"};
  step.config = project.config.resolved["explain"];
  step.run = [&project](StepContext& context) {
    const ExplainSection& section = project.config.explain;
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    const auto engine = engine::Engine::load(checkout(context, input(context, "train", "model"), "model"),
                                             {.precision = "float32", .isa = project.app.options().isa}, context.base.pool);
    evaluate::Rows rows = labelled_rows(dataset, data::Split::kTest);
    base::Rng rng(section.seed, "explain");
    rng.shuffle(std::span(rows.texts));
    rows.texts.resize(std::min(rows.texts.size(), static_cast<size_t>(section.sample)));
    Json explanations = Json::array();
    const auto total = static_cast<int64_t>(rows.texts.size() * section.methods.size());
    context.base.progress.start("explain", total, "texts");
    for (const std::string& text : rows.texts) {
      for (const std::string& method : section.methods) {
        base::check_stop(context.base, "explaining");
        explain::ExplainOptions options;
        options.method = method;
        options.seed = section.seed;
        options.num_samples = method == "lime" ? section.num_samples : 0;
        const explain::Explanation explanation = explain::explain(*engine, text, options, context.base);
        Json json = explain::to_json(explanation);
        explanations.push_back(std::move(json));
        context.base.progress.update(static_cast<int64_t>(explanations.size()), "");
      }
    }
    context.base.progress.finish("");
    StepResult result;
    result.outputs["explanations"] = put_json(context, explanations, "file", "explanations.json").digest;
    result.summary = {{"line", fmt::format("{} texts by {}", rows.texts.size(), fmt::join(section.methods, ", "))}};
    return result;
  };
  return step;
}

}  // namespace slipway::cli
