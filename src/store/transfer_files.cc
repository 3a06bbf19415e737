// The two forms of an export: a folder, and a tar file through zstd (libarchive).
#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/libarchive.h"
#include "store/transfer_format.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::libarchive;
using base::Libarchive;

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr const char* kZstdLevel = "3";

void read_pieces(const fs::path& path, const std::function<void(std::string_view)>& piece) {
  const base::MappedFile file(path);
  const std::string_view bytes = file.bytes();
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    piece(bytes.substr(at, kPieceBytes));
  }
}

class FolderSink final : public ExportSink {
 public:
  explicit FolderSink(fs::path folder) : folder_(std::move(folder)) {
    if (fs::exists(folder_) && !fs::is_empty(folder_) && !fs::exists(folder_ / kManifestName)) {
      throw Error(Code::kConflict, fmt::format("'{}' holds something else; name a folder that is not there", folder_.string()));
    }
    base::make_dirs(folder_);
    fs::permissions(folder_, fs::perms::owner_all);  // it may hold hashes of passwords and tokens
    base::remove_temporaries(folder_);
  }
  bool has(const std::string& name, uint64_t size) const override {
    std::error_code none;
    return fs::file_size(folder_ / name, none) == size && !none;
  }
  void add(const std::string& name, const fs::path& content) override {
    base::AtomicFile file(place(name));
    read_pieces(content, [&](std::string_view piece) { file.write(piece); });
    file.commit();
  }
  void add_text(const std::string& name, std::string_view content) override { base::write_file_atomic(place(name), content); }
  void commit() override { base::sync_dir(folder_); }

 private:
  fs::path place(const std::string& name) {
    const fs::path path = folder_ / name;
    if (!fs::exists(path.parent_path())) {
      base::make_dirs(path.parent_path());
    }
    return path;
  }
  const fs::path folder_;
};

struct ArchiveFree {
  void operator()(archive* a) const { libarchive().archive_free(a); }
};
struct EntryFree {
  void operator()(archive_entry* e) const { libarchive().archive_entry_free(e); }
};

class TarSink final : public ExportSink {
 public:
  explicit TarSink(const fs::path& path) : path_(path), temporary_(path.string() + ".part"), archive_(lib_.archive_write_new()) {
    if (fs::exists(path)) {
      throw Error(Code::kConflict, fmt::format("'{}' is there already; name another file, or remove it", path.string()));
    }
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      throw Error(Code::kFailure, fmt::format("cannot create '{}': {}", temporary_.string(), base::errno_text(errno)));
    }
    check(lib_.archive_write_set_format_pax_restricted(archive_.get()));
    check(lib_.archive_write_add_filter_zstd(archive_.get()));
    check(lib_.archive_write_set_filter_option(archive_.get(), "zstd", "compression-level", kZstdLevel));
    check(lib_.archive_write_open_fd(archive_.get(), fd_));
  }
  ~TarSink() override {
    archive_.reset();
    ::close(fd_);
    if (!committed_) {
      ::unlink(temporary_.c_str());
    }
  }
  TarSink(const TarSink&) = delete;
  TarSink& operator=(const TarSink&) = delete;
  bool has(const std::string&, uint64_t) const override { return false; }
  void add(const std::string& name, const fs::path& content) override {
    begin(name, fs::file_size(content));
    read_pieces(content, [&](std::string_view piece) { write(piece); });
  }
  void add_text(const std::string& name, std::string_view content) override {
    begin(name, content.size());
    write(content);
  }
  void commit() override {
    check(lib_.archive_write_close(archive_.get()));
    if (::fsync(fd_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
      throw Error(Code::kFailure, fmt::format("cannot keep '{}': {}", path_.string(), base::errno_text(errno)));
    }
    committed_ = true;
    base::sync_dir(fs::absolute(path_).parent_path());
  }

 private:
  void check(la_ssize_t result) {
    if (result < ARCHIVE_OK) {
      const bool full = lib_.archive_errno(archive_.get()) == ENOSPC || lib_.archive_errno(archive_.get()) == EDQUOT;
      throw Error(full ? Code::kUnavailable : Code::kFailure,
                  fmt::format("cannot write '{}': {}", temporary_.string(), lib_.archive_error_string(archive_.get())));
    }
  }
  void begin(const std::string& name, uint64_t size) {
    const std::unique_ptr<archive_entry, EntryFree> entry(lib_.archive_entry_new());
    lib_.archive_entry_set_pathname(entry.get(), name.c_str());
    lib_.archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    lib_.archive_entry_set_filetype(entry.get(), AE_IFREG);
    lib_.archive_entry_set_perm(entry.get(), 0644);
    lib_.archive_entry_set_mtime(entry.get(), 0, 0);  // the same store gives the same bytes
    check(lib_.archive_write_header(archive_.get(), entry.get()));
  }
  void write(std::string_view bytes) {
    if (!bytes.empty()) {
      check(lib_.archive_write_data(archive_.get(), bytes.data(), bytes.size()));
    }
  }

  const fs::path path_;
  const fs::path temporary_;
  const Libarchive& lib_ = libarchive();
  std::unique_ptr<archive, ArchiveFree> archive_;
  int fd_ = -1;
  bool committed_ = false;
};

[[noreturn]] void strange(const fs::path& source, const std::string& name) {
  throw Error(Code::kInvalid, fmt::format("'{}' is not an export: it has '{}'", source.string(), name));
}

class FolderSource final : public ExportSource {
 public:
  explicit FolderSource(fs::path folder) : folder_(std::move(folder)) {
    if (!base::is_file(folder_ / kManifestName)) {
      throw Error(Code::kInvalid, fmt::format("'{}' is not an export: it has no {}", folder_.string(), kManifestName));
    }
    std::vector<std::string> rest;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = entry.path().lexically_relative(folder_).string();
      if (entry.is_symlink() || (!entry.is_directory() && !is_export_name(name))) {
        strange(folder_, name);
      }
      if (entry.is_regular_file() && name != kManifestName) {
        rest.push_back(name);
      }
    }
    std::sort(rest.begin(), rest.end(), std::greater<>());  // tables before blobs
    names_.push_back(kManifestName);
    names_.insert(names_.end(), rest.begin(), rest.end());
  }
  bool next(Entry& entry) override {
    if (at_ == names_.size()) {
      return false;
    }
    entry = {names_[at_], fs::file_size(folder_ / names_[at_])};
    ++at_;
    return true;
  }
  void read(const std::function<void(std::string_view)>& piece) override { read_pieces(folder_ / names_.at(at_ - 1), piece); }

 private:
  const fs::path folder_;
  std::vector<std::string> names_;
  size_t at_ = 0;
};

class TarSource final : public ExportSource {
 public:
  explicit TarSource(fs::path path) : path_(std::move(path)), archive_(lib_.archive_read_new()) {
    lib_.archive_read_support_format_tar(archive_.get());
    lib_.archive_read_support_filter_zstd(archive_.get());
    if (lib_.archive_read_open_filename(archive_.get(), path_.c_str(), kPieceBytes) != ARCHIVE_OK) {
      fail();
    }
  }
  bool next(Entry& entry) override {
    archive_entry* header = nullptr;
    const int result = lib_.archive_read_next_header(archive_.get(), &header);
    if (result == ARCHIVE_EOF) {
      return false;
    }
    if (result != ARCHIVE_OK) {
      fail();
    }
    const char* name = lib_.archive_entry_pathname(header);
    if (name == nullptr || lib_.archive_entry_filetype(header) != AE_IFREG || lib_.archive_entry_hardlink(header) != nullptr ||
        lib_.archive_entry_size_is_set(header) == 0 || !is_export_name(name)) {
      strange(path_, name == nullptr ? "a file without a name" : name);
    }
    entry = {name, static_cast<uint64_t>(lib_.archive_entry_size(header))};
    left_ = entry.size;
    return true;
  }
  void read(const std::function<void(std::string_view)>& piece) override {
    const void* data = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    uint64_t at = 0;
    while (true) {
      const int result = lib_.archive_read_data_block(archive_.get(), &data, &size, &offset);
      if (result == ARCHIVE_EOF) {
        break;
      }
      if (result != ARCHIVE_OK) {
        fail();
      }
      if (static_cast<uint64_t>(offset) != at || size > left_) {
        throw Error(Code::kInvalid, fmt::format("'{}' is not an export: a file in it has holes", path_.string()));
      }
      at += size;
      left_ -= size;
      piece({static_cast<const char*>(data), size});
    }
    if (left_ > 0) {
      throw Error(Code::kIntegrity, fmt::format("'{}' is cut off", path_.string()));
    }
  }

 private:
  [[noreturn]] void fail() {
    const char* why = lib_.archive_error_string(archive_.get());
    throw Error(fs::exists(path_) ? Code::kIntegrity : Code::kNotFound,
                fmt::format("cannot read '{}': {}", path_.string(), why == nullptr ? "damaged" : why));
  }
  const fs::path path_;
  const Libarchive& lib_ = libarchive();
  std::unique_ptr<archive, ArchiveFree> archive_;
  uint64_t left_ = 0;
};

}  // namespace

std::unique_ptr<ExportSink> make_export_sink(const fs::path& target) {
  if (target.string().ends_with(".tar.zst")) {
    return std::make_unique<TarSink>(target);
  }
  return std::make_unique<FolderSink>(target);
}

std::unique_ptr<ExportSource> open_export(const fs::path& source) {
  if (fs::is_directory(source)) {
    return std::make_unique<FolderSource>(source);
  }
  return std::make_unique<TarSource>(source);
}

}  // namespace slipway::store
