#include <array>
#include <fmt/format.h>
#include <fstream>

#include "base/error.h"
#include "base/path.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Upload;
using record::UploadPart;

constexpr size_t kPieceBytes = size_t{1} << 20;  // read and hashed at a time

class PartWriter final : public record::FileWriter {
 public:
  PartWriter(Core& core, std::string upload, int number)
      : core_(core), upload_(std::move(upload)), number_(number), blob_(core.blobs, Lasting::kNo) {}
  void write(std::string_view bytes) override { blob_.write(bytes); }
  record::TreeFile commit() override {
    const PutLock lock = core_.putting();
    const Blob blob = blob_.commit();
    core_.write([&](Database& database) {
      Statement query = database.prepare("SELECT 1 FROM uploads WHERE id = ?");
      if (!query.bind(upload_).step()) {
        throw Error(Code::kNotFound, fmt::format("there is no upload '{}'; it was completed or given up", upload_));
      }
      database
          .prepare(
              "INSERT INTO upload_parts(upload, part, digest, size) VALUES(?,?,?,?) ON CONFLICT(upload, part) DO "
              "UPDATE SET "
              "digest = excluded.digest, size = excluded.size")
          .bind(upload_, number_, blob.digest, blob.size)
          .run();
    });
    return {{}, blob.digest, blob.size, core_.now()};
  }

 private:
  Core& core_;
  std::string upload_;
  int number_;
  BlobWriter blob_;
};

void copy_part(const std::filesystem::path& from, record::FileWriter& to, const UploadPart& part) {
  std::ifstream in(from, std::ios::binary);
  std::vector<char> piece(kPieceBytes);
  uint64_t copied = 0;
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    to.write({piece.data(), static_cast<size_t>(in.gcount())});
    copied += static_cast<uint64_t>(in.gcount());
  }
  if (copied != part.size || in.bad()) {
    throw Error(Code::kIntegrity,
                fmt::format("part {} has {} bytes in the store, not {}", part.number, copied, part.size));
  }
}

}  // namespace

void SqlUploads::begin(const Upload& upload) {
  base::check_entry_path(upload.path);
  core_.write([&](Database& database) {
    database.prepare("INSERT INTO uploads(id, path, created_ms) VALUES(?,?,?)")
        .bind(upload.id, upload.path, core_.now())
        .run();
  });
}

std::optional<Upload> SqlUploads::find(const std::string& id) {
  return find_row(*core_.read(), "SELECT id, path, created_ms FROM uploads", "id", id, [](const Statement& row) {
    return Upload{row.text(0), row.text(1), row.integer(2)};
  });
}

std::unique_ptr<record::FileWriter> SqlUploads::begin_part(const std::string& id, int number) {
  return std::make_unique<PartWriter>(core_, id, number);
}

std::vector<UploadPart> SqlUploads::parts(const std::string& id) {
  const auto database = core_.read();
  std::vector<UploadPart> parts;
  Statement query = database->prepare("SELECT part, digest, size FROM upload_parts WHERE upload = ? ORDER BY part");
  query.bind(id);
  while (query.step()) {
    parts.push_back({static_cast<int>(query.integer(0)), query.text(1), static_cast<uint64_t>(query.integer(2))});
  }
  return parts;
}

void SqlUploads::complete(const std::string& id, std::span<const UploadPart> parts) {
  const auto upload = find(id);
  if (!upload) {
    throw Error(Code::kNotFound, fmt::format("there is no upload '{}'; it was completed or given up", id));
  }
  const auto writer = files_.begin(upload->path);
  for (const UploadPart& part : parts) {
    copy_part(core_.blobs.fetch(part.digest), *writer, part);
  }
  writer->commit();
  forget(id);
}

void SqlUploads::forget(const std::string& id) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM upload_parts WHERE upload = ?").bind(id).run();
    database.prepare("DELETE FROM uploads WHERE id = ?").bind(id).run();
  });
}

int64_t SqlUploads::forget_before(int64_t time_ms) {
  int64_t forgotten = 0;
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM upload_parts WHERE upload IN (SELECT id FROM uploads WHERE created_ms < ?)")
        .bind(time_ms)
        .run();
    database.prepare("DELETE FROM uploads WHERE created_ms < ?").bind(time_ms).run();
    forgotten = database.changes();
  });
  return forgotten;
}

}  // namespace slipway::store
