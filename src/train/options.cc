#include "train/options.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::train {

void TrainOptions::describe(base::FieldTable& table) {
  table.add("objective", objective, "what is learned", {"classification"});
  table.add("epochs", epochs, "passes over the training split", {1, 10000});
  table.add("max_steps", max_steps, "end after this many steps; 0 = by epochs", {0, 1e9});
  table.add("batch_size", batch_size, "texts a step", {1, 65536});
  table.add("eval_batch_size", eval_batch_size, "texts at once when validating", {1, 65536});
  table.add("max_length", max_length, "tokens a text is cut to, special tokens included", {3, 1 << 20});
  table.add("group_by_length", group_by_length, "put texts of similar length into a batch");
  table.add("learning_rate", learning_rate, "the peak learning rate", {0, 10});
  table.add("weight_decay", weight_decay, "of AdamW, not on biases and layer norms", {0, 1});
  table.add("adam_beta1", adam_beta1, "decay of the first moment", {0, 0.999999});
  table.add("adam_beta2", adam_beta2, "decay of the second moment", {0, 0.9999999});
  table.add("adam_epsilon", adam_epsilon, "added to the root of the second moment", {1e-16, 1});
  table.add("max_grad_norm", max_grad_norm, "gradients are scaled to at most this norm; 0 = not", {0, 1e9});
  table.add("scheduler", scheduler, "the learning rate after the warm-up", {"linear", "cosine", "constant"});
  table.add("warmup_ratio", warmup_ratio, "part of the steps with a rising learning rate", {0, 1});
  table.add("dropout", dropout, "hidden and attention dropout; -1 = as in config.json", {-1, 0.95});
  table.add("freeze_layers", freeze_layers, "n: the embeddings and the first n layers are not trained", {0, 1000});
  table.add("from_scratch", from_scratch, "start from random weights instead of the base model's");
  table.add("seed", seed, "of order, dropout and new weights", {0, 9007199254740992.0});
  table.add("checkpoint_every", checkpoint_every, "steps; 0 = at the end of an epoch only", {0, 1e9});
  table.add("logging_steps", logging_steps, "steps from one report of the loss to the next", {1, 1e9});
  table.add("metric_for_best", metric_for_best, "which validation result tells the best epoch", {"accuracy", "loss"});
  table.add("load_best", load_best, "keep the best epoch's model, not the last one's");
  table.add("early_stopping_patience", early_stopping_patience, "epochs without improvement; 0 = never stop early",
            {0, 10000});
  table.add("threads", threads, "0 = all cores this process may use", {0, 4096});
}

TrainOptions options_from_json(const base::Json& object, const std::string& where) {
  TrainOptions options;
  base::FieldTable table;
  options.describe(table);
  table.apply(object, where);
  validate(options, where);
  return options;
}

base::Json options_to_json(const TrainOptions& options) {
  TrainOptions copy = options;
  base::FieldTable table;
  copy.describe(table);
  return table.to_json();
}

void validate(const TrainOptions& options, const std::string& where) {
  const auto wrong = [&](const std::string& what) { throw base::Error(base::Code::kInvalid, where + ": " + what); };
  if (options.dropout < 0 && options.dropout != -1) {
    wrong(fmt::format("'dropout' is {}; it must be -1 (as in config.json) or between 0 and 0.95", options.dropout));
  }
  if (options.from_scratch && options.freeze_layers > 0) {
    wrong("'freeze_layers' with 'from_scratch' would freeze random weights; drop one of the two");
  }
}

}  // namespace slipway::train
