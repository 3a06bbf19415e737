#include "base/file.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using record::CachedStep;
using record::FileStamp;

constexpr std::string_view kSelect =
    "SELECT key, project, step, run_id, inputs, outputs, summary, seconds, created_ms FROM steps";

CachedStep read_step(const Statement& row) {
  CachedStep step;
  step.key = row.text(0);
  step.project = row.text(1);
  step.step = row.text(2);
  step.run_id = row.text(3);
  step.inputs = to_value(row.text(4));
  step.outputs = to_map(row.text(5));
  step.summary = to_value(row.text(6));
  step.seconds = row.real(7);
  step.created_ms = row.integer(8);
  return step;
}

}  // namespace

std::optional<CachedStep> SqlSteps::find(const std::string& key) {
  return find_row(*core_.read(), kSelect, "key", key, read_step);
}

std::optional<CachedStep> SqlSteps::latest(const std::string& project, const std::string& step) {
  const auto database = core_.read();
  Statement query = database->prepare(
      fmt::format("{} WHERE project = ? AND step = ? ORDER BY created_ms DESC, number DESC LIMIT 1", kSelect));
  return query.bind(project, step).step() ? std::optional<CachedStep>(read_step(query)) : std::nullopt;
}

void SqlSteps::put(const CachedStep& step) {
  check_name(step.key, "a step's key");
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM steps WHERE key = ?").bind(step.key).run();  // its number is the newest afterwards
    database
        .prepare(
            "INSERT INTO steps(key, project, step, run_id, inputs, outputs, summary, seconds, created_ms) "
            "VALUES(?,?,?,?,?,?,?,?,?)")
        .bind(step.key, step.project, step.step, step.run_id, to_text(step.inputs), to_text(step.outputs),
              to_text(step.summary), step.seconds, step.created_ms)
        .run();
  });
}

void SqlSteps::remove(const std::string& key) {
  core_.write([&](Database& database) { database.prepare("DELETE FROM steps WHERE key = ?").bind(key).run(); });
}

std::vector<FileStamp> SqlSteps::stamps(std::span<const std::string> paths) {
  const auto database = core_.read();
  Statement query =
      database->prepare("SELECT path, size, mtime_ns, ctime_ns, inode, digest FROM file_stamps WHERE path = ?");
  std::vector<FileStamp> stamps;
  for (const std::string& path : paths) {
    if (query.bind(path).step()) {
      stamps.push_back({query.text(0), static_cast<uint64_t>(query.integer(1)), query.integer(2), query.integer(3),
                        static_cast<uint64_t>(query.integer(4)), query.text(5)});
    }
  }
  return stamps;
}

void SqlSteps::put_stamps(std::span<const FileStamp> stamps) {
  if (stamps.empty()) {
    return;
  }
  core_.writer.write(false, [&](Database& database) {
    Statement insert = database.prepare(
        "INSERT INTO file_stamps(path, size, mtime_ns, ctime_ns, inode, digest) VALUES(?,?,?,?,?,?) ON CONFLICT(path) DO "
        "UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, "
        "inode = excluded.inode, digest = excluded.digest");
    for (const FileStamp& stamp : stamps) {
      insert.bind(stamp.path, stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.digest).run();
    }
  });
}

std::filesystem::path SqlSteps::work_folder() {
  std::filesystem::path folder = core_.folder / "work";
  base::make_dirs(folder);
  return folder;
}

}  // namespace slipway::store
