#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Prediction;

static_assert(std::endian::native == std::endian::little, "scores are stored as little-endian floats");

std::string_view bytes_of(const std::vector<float>& scores) {
  return {reinterpret_cast<const char*>(scores.data()), scores.size() * sizeof(float)};  // NOLINT: bytes of floats
}

constexpr std::string_view kSelect =
    "SELECT id, time_ms, deployment, model, text, label, score, scores, tokens, latency_us FROM predictions";

Prediction read_prediction(const Statement& row) {
  Prediction prediction;
  prediction.id = row.text(0);
  prediction.time_ms = row.integer(1);
  prediction.deployment = row.text(2);
  prediction.model = row.text(3);
  prediction.text = row.text(4);
  prediction.label = row.text(5);
  prediction.score = row.is_null(6) ? std::numeric_limits<double>::quiet_NaN() : row.real(6);
  const std::string scores = row.text(7);
  prediction.scores.resize(scores.size() / sizeof(float));
  if (!prediction.scores.empty()) {
    std::memcpy(prediction.scores.data(), scores.data(), prediction.scores.size() * sizeof(float));
  }
  prediction.tokens = static_cast<int>(row.integer(8));
  prediction.latency_us = row.integer(9);
  return prediction;
}

}  // namespace

void SqlPredictions::append(std::span<const Prediction> predictions) {
  if (predictions.empty()) {
    return;
  }
  for (const Prediction& prediction : predictions) {
    check_name(prediction.id, "a prediction's id");
  }
  core_.write([&](Database& database) {
    Statement insert = database.prepare(
        "INSERT INTO predictions(id, time_ms, deployment, model, text, label, score, scores, tokens, latency_us) "
        "VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING");
    for (const Prediction& p : predictions) {
      // What people type is kept, even where it is no text: else it would take the batch with it.
      const std::string text = database.is_file() ? p.text : base::without_broken(p.text);
      insert
          .bind(p.id, p.time_ms, p.deployment, p.model, text, p.label, p.score, bytes_of(p.scores), p.tokens,
                p.latency_us)
          .run();
    }
  });
}

int64_t SqlPredictions::redact(std::span<const std::string> ids, const std::string& mark) {
  int64_t changed = 0;
  core_.write([&](Database& database) {
    changed = 0;
    if (database.is_file()) {
      database.exec("PRAGMA secure_delete=ON");  // bytes that are no longer part of a row are overwritten with zeros
    }
    Statement update = database.prepare("UPDATE predictions SET text = ? WHERE id = ?");
    for (const std::string& id : ids) {
      update.bind(mark, id).run();
      changed += database.changes();
    }
  });
  if (const auto database = core_.read(); database->is_file()) {
    database->exec("PRAGMA wal_checkpoint(TRUNCATE)");  // the log held the rows as they were; a busy one goes with the next checkpoint
  }
  return changed;
}

std::optional<Prediction> SqlPredictions::find(const std::string& id) {
  return find_row(*core_.read(), kSelect, "id", id, read_prediction);
}

std::vector<Prediction> SqlPredictions::list(const std::string& deployment, int64_t after_ms, int limit) {
  const auto database = core_.read();
  std::vector<Prediction> predictions;
  if (limit <= 0) {
    return predictions;
  }
  // To the end of the millisecond of the last.
  const std::string_view of = deployment.empty() ? "" : " AND deployment = ?3";
  Statement query = database->prepare(fmt::format(
      "{0} WHERE time_ms > ?1{1} AND time_ms <= coalesce((SELECT time_ms FROM predictions WHERE time_ms > ?1{1} ORDER BY "
      "time_ms LIMIT 1 OFFSET ?2), 9223372036854775807) ORDER BY time_ms, number",
      kSelect, of));
  deployment.empty() ? query.bind(after_ms, limit - 1) : query.bind(after_ms, limit - 1, deployment);
  while (query.step()) {
    predictions.push_back(read_prediction(query));
  }
  return predictions;
}

int64_t SqlPredictions::count(const std::string& deployment) {
  const auto database = core_.read();
  Statement query = deployment.empty() ? database->prepare("SELECT count(*) FROM predictions")
                                       : database->prepare("SELECT count(*) FROM predictions WHERE deployment = ?");
  deployment.empty() ? query.bind() : query.bind(deployment);
  query.step();
  return query.integer(0);
}

}  // namespace slipway::store
