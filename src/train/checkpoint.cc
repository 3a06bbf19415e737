#include "train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "model/safetensors.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;
using model::DType;
using model::SafetensorsFile;
using model::TensorData;

constexpr const char* kStateFile = "state.safetensors";  // stored
constexpr const char* kLockFile = "lock";                // stored
constexpr int kStateVersion = 1;                         // stored

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

Json best_to_json(const BestEpoch& best) {
  return {{"epoch", best.epoch}, {"loss", best.loss}, {"accuracy", best.accuracy}};
}

BestEpoch best_from_json(const Json& json, const std::string& source) {
  BestEpoch best;
  best.epoch = base::get<int>(json, "epoch", source);
  best.loss = base::get<double>(json, "loss", source);
  best.accuracy = base::get<double>(json, "accuracy", source);
  return best;
}

Json state_to_json(const RunState& state) {
  Json json = Json::object();
  json["version"] = kStateVersion;
  json["fingerprint"] = state.fingerprint;
  json["step"] = state.step;
  json["epoch"] = state.epoch;
  json["batch"] = state.batch;
  json["epoch_loss"] = state.epoch_loss;
  json["epoch_batches"] = state.epoch_batches;
  json["train_loss"] = state.train_loss;
  json["best"] = best_to_json(state.best);
  json["last"] = best_to_json(state.last);
  json["epochs_without_improvement"] = state.epochs_without_improvement;
  json["finished"] = state.finished;
  return json;
}

RunState state_from_json(const Json& json, const std::string& source) {
  if (base::get<int>(json, "version", source) != kStateVersion) {
    throw Error(Code::kInvalid,
                source + ": the checkpoint was written by another version; remove the folder to start over");
  }
  RunState state;
  state.fingerprint = base::get<std::string>(json, "fingerprint", source);
  state.step = base::get<int64_t>(json, "step", source);
  state.epoch = base::get<int64_t>(json, "epoch", source);
  state.batch = base::get<int64_t>(json, "batch", source);
  state.epoch_loss = base::get<double>(json, "epoch_loss", source);
  state.epoch_batches = base::get<int64_t>(json, "epoch_batches", source);
  state.train_loss = base::get<double>(json, "train_loss", source);
  state.best = best_from_json(base::get<Json>(json, "best", source), source);
  state.last = best_from_json(base::get<Json>(json, "last", source), source);
  state.epochs_without_improvement = base::get<int>(json, "epochs_without_improvement", source);
  state.finished = base::get<bool>(json, "finished", source);
  return state;
}

// The bytes of a tensor that must have this type and count.
std::string_view tensor_bytes(const SafetensorsFile& file, const std::string& source, const std::string& name,
                              DType dtype, int64_t count) {
  const model::TensorView* view = file.find(name);
  if (view == nullptr || view->dtype != dtype || view->count() != count) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: tensor '{}' is missing or has the wrong shape; remove the folder to start over",
                            source, name));
  }
  return view->bytes;
}

void copy_to(std::span<float> target, std::string_view bytes) {
  std::memcpy(target.data(), bytes.data(), bytes.size());
}

// Everything is looked up before anything is changed.
struct LoadedTable {
  int parameter;
  std::string_view rows, first, second;
  double owed_decay;
};

LoadedTable find_table(const SafetensorsFile& file, const std::string& source, const Parameter& p, int index,
                       const Json& owed) {
  const model::TensorView* rows = file.find("rows." + p.name);
  if (rows == nullptr) {
    throw Error(Code::kIntegrity, fmt::format("{}: tensor 'rows.{}' is missing", source, p.name));
  }
  const int64_t slots = rows->count();
  LoadedTable table{};
  table.parameter = index;
  table.rows = tensor_bytes(file, source, "rows." + p.name, DType::kI32, slots);
  table.first = tensor_bytes(file, source, "first." + p.name, DType::kF32, slots * p.row_size());
  table.second = tensor_bytes(file, source, "second." + p.name, DType::kF32, slots * p.row_size());
  table.owed_decay = base::get<double>(owed, p.name, source);
  for (size_t i = 0; i < table.rows.size(); i += sizeof(int32_t)) {
    int32_t row = 0;
    std::memcpy(&row, table.rows.data() + i, sizeof row);
    if (row < 0 || row >= p.rows()) {
      throw Error(Code::kIntegrity, fmt::format("{}: 'rows.{}' names row {} of {}", source, p.name, row, p.rows()));
    }
  }
  return table;
}

void restore_table(const LoadedTable& loaded, RowMoments& moments) {
  moments.rows.resize(loaded.rows.size() / sizeof(int32_t));
  std::memcpy(moments.rows.data(), loaded.rows.data(), loaded.rows.size());
  std::fill(moments.slot_of_row.begin(), moments.slot_of_row.end(), -1);
  for (size_t slot = 0; slot < moments.rows.size(); ++slot) {
    moments.slot_of_row[static_cast<size_t>(moments.rows[slot])] = static_cast<int32_t>(slot);
  }
  moments.first.resize(loaded.first.size() / sizeof(float));
  moments.second.resize(loaded.second.size() / sizeof(float));
  copy_to(moments.first, loaded.first);
  copy_to(moments.second, loaded.second);
  moments.owed_decay = loaded.owed_decay;
}

}  // namespace

CheckpointLock::CheckpointLock(const fs::path& folder, double patience_seconds) {
  base::make_dirs(folder);
  const fs::path path = folder / kLockFile;
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw Error(Code::kFailure, fmt::format("cannot open {}: {}", path.string(), base::errno_text(errno)));
  }
  const double until = base::monotonic_seconds() + patience_seconds;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || base::monotonic_seconds() >= until) {
      ::close(fd_);
      throw Error(
          Code::kConflict,
          fmt::format("another training run uses {}; wait for it or give this one another folder", folder.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

CheckpointLock::~CheckpointLock() {
  ::close(fd_);  // and with it the lock
}

void save_checkpoint(const fs::path& folder, const ParameterSet& parameters, AdamW& optimizer, const RunState& state) {
  std::vector<TensorData> tensors;
  Json owed = Json::object();
  for (int i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    if (!p.trainable) {
      continue;
    }
    tensors.push_back({"value." + p.name, DType::kF32, p.shape, bytes_of(p.value)});
    if (!p.by_row) {
      tensors.push_back({"first." + p.name, DType::kF32, p.shape, bytes_of(optimizer.first_moment(i))});
      tensors.push_back({"second." + p.name, DType::kF32, p.shape, bytes_of(optimizer.second_moment(i))});
      continue;
    }
    const RowMoments& moments = optimizer.row_moments(i);
    const auto slots = static_cast<int64_t>(moments.rows.size());
    owed[p.name] = moments.owed_decay;
    tensors.push_back({"rows." + p.name,
                       DType::kI32,
                       {slots},
                       {reinterpret_cast<const char*>(moments.rows.data()), moments.rows.size() * sizeof(int32_t)}});
    tensors.push_back({"first." + p.name, DType::kF32, {slots, p.row_size()}, bytes_of(moments.first)});
    tensors.push_back({"second." + p.name, DType::kF32, {slots, p.row_size()}, bytes_of(moments.second)});
  }
  Json json = state_to_json(state);
  json["optimizer_steps"] = optimizer.steps_done();
  json["owed_decay"] = owed;
  model::write_safetensors(folder / kStateFile, tensors, {{"state", base::dump_json(json)}});
}

std::optional<RunState> load_checkpoint(const fs::path& folder, ParameterSet& parameters, AdamW& optimizer,
                                        const std::string& fingerprint) {
  const fs::path path = folder / kStateFile;
  if (!fs::exists(path)) {
    return std::nullopt;
  }
  const std::string source = path.string();
  const SafetensorsFile file(path);
  const auto found = file.metadata().find("state");
  if (found == file.metadata().end()) {
    throw Error(Code::kIntegrity, source + ": no 'state' in its metadata; remove the folder to start over");
  }
  const Json json = base::parse_json(found->second, source);
  RunState state = state_from_json(json, source);
  if (state.fingerprint != fingerprint) {
    throw Error(Code::kConflict,
                fmt::format("{} holds the state of another run (other data, model or options); remove it to "
                            "start over, or name another checkpoint folder",
                            folder.string()));
  }
  const auto optimizer_steps = base::get<int64_t>(json, "optimizer_steps", source);
  const Json owed = base::get<Json>(json, "owed_decay", source);
  std::vector<std::pair<std::span<float>, std::string_view>> copies;
  std::vector<LoadedTable> tables;
  for (int i = 0; i < parameters.size(); ++i) {
    Parameter& p = parameters[i];
    if (!p.trainable) {
      continue;
    }
    copies.emplace_back(p.value, tensor_bytes(file, source, "value." + p.name, DType::kF32, p.count));
    if (p.by_row) {
      tables.push_back(find_table(file, source, p, i, owed));
    } else {
      copies.emplace_back(optimizer.first_moment(i),
                          tensor_bytes(file, source, "first." + p.name, DType::kF32, p.count));
      copies.emplace_back(optimizer.second_moment(i),
                          tensor_bytes(file, source, "second." + p.name, DType::kF32, p.count));
    }
  }
  for (const auto& [target, bytes] : copies) {
    copy_to(target, bytes);
  }
  for (const LoadedTable& table : tables) {
    restore_table(table, optimizer.row_moments(table.parameter));
  }
  optimizer.set_steps_done(optimizer_steps);
  return state;
}

fs::path best_weights_path(const fs::path& folder, int epoch) {
  return folder / fmt::format("best-{}.safetensors", epoch);
}

void remove_other_best(const fs::path& folder, int keep_epoch) {
  const std::string keep = best_weights_path(folder, keep_epoch).filename().string();
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("best-") && name.ends_with(".safetensors") && name != keep) {
      old.push_back(entry.path());
    }
  }
  for (const fs::path& path : old) {
    fs::remove(path);
  }
}

void remove_checkpoint(const fs::path& folder) {
  fs::remove(folder / kStateFile);
  base::sync_dir(folder);
  remove_other_best(folder, 0);
}

}  // namespace slipway::train
