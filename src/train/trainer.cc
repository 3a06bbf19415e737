#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "model/predictor.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

AdamWOptions adamw_options(const TrainOptions& options) {
  return {options.adam_beta1, options.adam_beta2, options.adam_epsilon, options.weight_decay, options.max_grad_norm};
}

// A dropout seed of its own for each step, from the step's number alone.
uint64_t dropout_seed(uint64_t seed, int64_t step) { return base::xxh64(fmt::format("dropout {} {}", seed, step)); }

// Rows in the order of falling length: validation batches of similar length.
std::vector<int32_t> by_length(const EncodedSplit& split) {
  std::vector<int32_t> rows(static_cast<size_t>(split.size()));
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) { return split.length(a) > split.length(b); });
  return rows;
}

// -log softmax(row)[label], in double.
double cross_entropy(std::span<const float> row, int32_t label) {
  const double top = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const float score : row) {
    sum += std::exp(static_cast<double>(score) - top);
  }
  return std::log(sum) + top - static_cast<double>(row[static_cast<size_t>(label)]);
}

}  // namespace

Trainer::Trainer(Learner& learner, const TrainerInputs& inputs, base::Context& context)
    : learner_(learner),
      inputs_(inputs),
      options_(inputs.options),
      context_(context),
      optimizer_(learner.parameters(), adamw_options(inputs.options), context.pool) {
  for (int64_t i = 0; i < inputs.train.size(); ++i) {
    lengths_.push_back(inputs.train.length(i));
  }
  batches_per_epoch_ = batches_per_epoch(inputs.train.size(), options_.batch_size);
  total_steps_ = batches_per_epoch_ * options_.epochs;
  if (options_.max_steps > 0) {
    total_steps_ = std::min<int64_t>(total_steps_, options_.max_steps);
  }
  schedule_ = make_schedule(options_, total_steps_);
}

Outcome Trainer::run() {
  const double begin = base::monotonic_seconds();
  start();
  while (!state_.finished) {
    run_epoch();
  }
  if (options_.load_best && state_.best.epoch > 0 && state_.best.epoch != state_.last.epoch) {
    inputs_.files.read(best_weights_path(inputs_.checkpoint, state_.best.epoch));
    outcome_.kept = state_.best;
  } else {
    outcome_.kept = state_.last;
  }
  outcome_.steps = state_.step;
  outcome_.train_loss = state_.train_loss;
  outcome_.has_validation = inputs_.validation != nullptr;
  outcome_.seconds = base::monotonic_seconds() - begin;
  context_.progress.finish(fmt::format("{} steps, loss {:.4f}", state_.step, state_.train_loss));
  return outcome_;
}

void Trainer::start() {
  if (auto loaded = load_checkpoint(inputs_.checkpoint, learner_.parameters(), optimizer_, inputs_.fingerprint)) {
    state_ = std::move(*loaded);
    context_.log.info("resumed", {{"step", state_.step}, {"epoch", state_.epoch + 1}});
  }
  state_.fingerprint = inputs_.fingerprint;
  context_.progress.start("train", total_steps_ * options_.batch_size, "texts");
  Json event = {{"event", "start"}, {"samples", inputs_.train.size()}, {"tokens", inputs_.train.ids.size()}};
  event["validation_samples"] = inputs_.validation == nullptr ? 0 : inputs_.validation->size();
  event["steps"] = total_steps_;
  event["epochs"] = options_.epochs;
  event["resumed_step"] = state_.step;
  event["parameters"] = learner_.parameters().total_count();
  event["trainable_parameters"] = learner_.parameters().trainable_count();
  event["threads"] = context_.pool.size();
  inputs_.event(event);
}

void Trainer::run_epoch() {
  const SamplerOptions sampler = {options_.batch_size, options_.group_by_length, options_.seed};
  const EpochOrder order = epoch_order(lengths_, sampler, state_.epoch);
  while (state_.batch < order.batches() && state_.step < total_steps_) {
    if (context_.stop.stop_requested()) {
      save();
      throw Error(Code::kInterrupted,
                  fmt::format("training was interrupted after step {} of {}; the same command continues "
                              "from there",
                              state_.step, total_steps_));
    }
    train_step(order);
    if (options_.checkpoint_every > 0 && state_.step % options_.checkpoint_every == 0 &&
        state_.batch < order.batches()) {
      save();
    }
  }
  finish_epoch(state_.batch == order.batches());
}

void Trainer::load_batch(std::span<const int32_t> rows, const EncodedSplit& split) {
  batch_.ids.clear();
  batch_.begins.assign(1, 0);
  batch_.labels.clear();
  for (const int32_t row : rows) {
    const auto text = split.text(row);
    batch_.ids.insert(batch_.ids.end(), text.begin(), text.end());
    batch_.begins.push_back(static_cast<int32_t>(batch_.ids.size()));
    batch_.labels.push_back(split.labels[static_cast<size_t>(row)]);
  }
}

void Trainer::train_step(const EpochOrder& order) {
  const double begin = base::monotonic_seconds();
  load_batch(order.batch(state_.batch), inputs_.train);
  for (const int table : learner_.tables()) {
    optimizer_.touch_rows(table, batch_.ids);
  }
  const double learning_rate = schedule_.at(state_.step);
  const double loss = learner_.step(batch_, dropout_seed(options_.seed, state_.step), table_grads_);
  if (!std::isfinite(loss)) {
    fail_not_finite("loss", loss, learning_rate);
  }
  const double norm = optimizer_.step(learning_rate, table_grads_);
  if (!std::isfinite(norm)) {
    fail_not_finite("gradient's norm", norm, learning_rate);
  }
  state_.step += 1;
  state_.batch += 1;
  state_.epoch_loss += loss;
  state_.epoch_batches += 1;
  outcome_.samples += batch_.texts();
  const double seconds = base::monotonic_seconds() - begin;
  outcome_.train_seconds += seconds;
  window_seconds_ += seconds;
  report_step(learning_rate, loss, norm, batch_.texts());
}

void Trainer::report_step(double learning_rate, double loss, double grad_norm, int texts) {
  window_loss_ += loss;
  window_steps_ += 1;
  window_samples_ += texts;
  const bool first = outcome_.samples == texts;
  if (!first && state_.step % options_.logging_steps != 0 && state_.step != total_steps_) {
    return;
  }
  const double mean = window_loss_ / static_cast<double>(window_steps_);
  Json event = {{"event", "step"}, {"step", state_.step}, {"steps", total_steps_}};
  event["epoch"] = static_cast<double>(state_.step) / static_cast<double>(batches_per_epoch_);
  event["loss"] = mean;
  event["learning_rate"] = learning_rate;
  event["grad_norm"] = grad_norm;
  event["samples_per_second"] = window_seconds_ > 0 ? static_cast<double>(window_samples_) / window_seconds_ : 0.0;
  inputs_.event(event);
  context_.progress.update(state_.step * options_.batch_size, fmt::format("loss {:.4f}", mean));
  window_loss_ = 0;
  window_steps_ = 0;
  window_samples_ = 0;
  window_seconds_ = 0;
}

void Trainer::finish_epoch(bool complete) {
  optimizer_.settle();
  state_.train_loss = state_.epoch_batches > 0 ? state_.epoch_loss / static_cast<double>(state_.epoch_batches) : 0.0;
  state_.epoch_loss = 0;
  state_.epoch_batches = 0;
  state_.epoch += 1;
  state_.batch = 0;
  state_.last = {};
  if (inputs_.validation != nullptr) {
    state_.last = validate();
  }
  state_.last.epoch = static_cast<int>(state_.epoch);
  if (inputs_.validation != nullptr) {
    const bool better = improves(state_.last);
    Json event = {{"event", "validation"}, {"epoch", state_.epoch}, {"step", state_.step}};
    event["loss"] = state_.last.loss;
    event["accuracy"] = state_.last.accuracy;
    event["best"] = better;
    inputs_.event(event);
    state_.epochs_without_improvement = better ? 0 : state_.epochs_without_improvement + 1;
    if (better) {
      state_.best = state_.last;
    }
  }
  const bool enough =
      options_.early_stopping_patience > 0 && state_.epochs_without_improvement >= options_.early_stopping_patience;
  state_.finished = !complete || enough || state_.epoch >= options_.epochs || state_.step >= total_steps_;
  keep_best();
  save();
}

BestEpoch Trainer::validate() {
  const EncodedSplit& split = *inputs_.validation;
  const std::vector<int32_t> order = by_length(split);
  const auto labels = static_cast<size_t>(learner_.label_count());
  std::vector<float> logits;
  double loss = 0;
  int64_t right = 0;
  for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(options_.eval_batch_size)) {
    const size_t count = std::min(order.size() - begin, static_cast<size_t>(options_.eval_batch_size));
    load_batch(std::span(order).subspan(begin, count), split);
    logits.resize(count * labels);
    learner_.logits(batch_, logits);
    for (size_t i = 0; i < count; ++i) {
      const std::span<const float> row(logits.data() + i * labels, labels);
      loss += cross_entropy(row, batch_.labels[i]);
      right += model::argmax(row) == batch_.labels[i];
    }
  }
  BestEpoch result;
  result.loss = loss / static_cast<double>(order.size());
  result.accuracy = static_cast<double>(right) / static_cast<double>(order.size());
  return result;
}

bool Trainer::improves(const BestEpoch& result) const {
  if (state_.best.epoch == 0) {
    return true;
  }
  return options_.metric_for_best == "loss" ? result.loss < state_.best.loss : result.accuracy > state_.best.accuracy;
}

void Trainer::keep_best() {
  // The last epoch's weights are in the checkpoint anyway; a file of its own is needed when a later epoch may be worse.
  if (!options_.load_best || state_.finished || state_.best.epoch != static_cast<int>(state_.epoch)) {
    return;
  }
  inputs_.files.write(best_weights_path(inputs_.checkpoint, state_.best.epoch));
}

void Trainer::save() {
  save_checkpoint(inputs_.checkpoint, learner_.parameters(), optimizer_, state_);
  remove_other_best(inputs_.checkpoint, state_.best.epoch);
  inputs_.event({{"event", "checkpoint"}, {"step", state_.step}, {"path", inputs_.checkpoint.string()}});
}

void Trainer::fail_not_finite(const char* what, double value, double learning_rate) const {
  throw Error(
      Code::kFailure,
      fmt::format("the {} is {} at step {} (epoch {}, batch {}, learning rate {:.3g}); the weights were not changed by "
                  "this step. A lower 'learning_rate' or a longer 'warmup_ratio' usually helps",
                  what, value, state_.step + 1, state_.epoch + 1, state_.batch + 1, learning_rate));
}

}  // namespace slipway::train
