#include "engine/packed_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::engine {
namespace {

namespace fs = std::filesystem;

// Raised when PackedBlocks' layout changes: files of other versions are ignored.
constexpr const char* kVersion = "2";
constexpr const char* kFormat = "slipway-packed";
constexpr const char* kExtension = ".packed";
constexpr const char* kDigestExtension = ".digest";
constexpr size_t kHexDigits = 64;

bool counts(const fs::path& file) {
  static constexpr const char* kExtensions[] = {".safetensors", ".bin", ".json", ".pt", ".pth"};
  const std::string extension = file.extension().string();
  return std::any_of(std::begin(kExtensions), std::end(kExtensions), [&](const char* e) { return extension == e; });
}

// What changes when the file's content does: the kernel sets ctime at every write, and nobody can set it back.
std::string state_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    throw base::Error(base::Code::kFailure,
                      fmt::format("cannot look at '{}': {}", file.string(), std::strerror(errno)));
  }
  return fmt::format("{} {} {} {} {}.{:09} {}.{:09}\n", file.filename().string(), info.st_dev, info.st_ino,
                     info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
                     info.st_ctim.tv_nsec);
}

std::vector<fs::path> files_of(const fs::path& model) {
  std::string name = model.filename().string();
  const bool folder = fs::is_directory(model);
  if (const size_t part = name.rfind("-of-"); !folder && part != std::string::npos && part >= 6) {
    name.resize(part - 6);  // "NAME-00001-of-00003.gguf": all of its parts
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder ? model : model.parent_path())) {
    if (folder ? counts(entry.path()) : entry.path().filename().string().starts_with(name)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Names count where they say which part a file is: in a folder. A file may be renamed.
std::string content_digest(const fs::path& model) {
  const bool folder = fs::is_directory(model);
  std::string all;
  for (const fs::path& file : files_of(model)) {
    all += fmt::format("{} {}\n", base::sha256_file(file), folder ? file.filename().string() : "");
  }
  return base::sha256_hex(all);
}

fs::path digest_file(const fs::path& folder, const fs::path& model) {
  return folder / (base::sha256_hex(fs::weakly_canonical(model).string()) + kDigestExtension);
}

std::string tensor_name(const std::string& name, kernels::BlockType type, int n, int k) {
  return fmt::format("{} {} {} {}", name, kernels::block_type_name(type), n, k);
}

bool is_ours(const fs::path& file) noexcept {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid();
}

// The least recently used files go until the rest is within the limit; `keep` stays.
void make_room(const fs::path& keep, int64_t limit_bytes) {
  struct Old {
    fs::file_time_type used;
    fs::path path;
    int64_t bytes;
  };
  std::vector<Old> all;
  int64_t total = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(keep.parent_path())) {
    if (entry.is_regular_file() && entry.path().extension() == kExtension) {
      all.push_back({entry.last_write_time(), entry.path(), static_cast<int64_t>(entry.file_size())});
      total += all.back().bytes;
    }
  }
  std::sort(all.begin(), all.end(), [](const Old& a, const Old& b) { return a.used < b.used; });
  for (const Old& old : all) {
    if (total <= limit_bytes) {
      return;
    }
    if (old.path != keep && fs::remove(old.path)) {
      total -= old.bytes;
    }
  }
}

}  // namespace

PackedPlace packed_place(const fs::path& folder, const std::string& digest, base::Isa isa,
                         const std::string& weight_type) {
  const std::string key =
      base::sha256_hex(fmt::format("{} {} {} {}\n", kVersion, base::isa_name(isa), weight_type, digest));
  return {folder / (key + kExtension), key};
}

std::string model_state(const fs::path& model) {
  const fs::path whole = fs::weakly_canonical(model);
  std::string all = whole.string() + "\n";
  for (const fs::path& file : files_of(whole)) {
    all += state_of(file);
  }
  return base::sha256_hex(all);
}

std::optional<std::string> known_digest(const fs::path& folder, const fs::path& model,
                                        const std::string& state) noexcept {
  try {
    const fs::path file = digest_file(folder, model);
    if (!is_ours(file) || fs::file_size(file) != 2 * kHexDigits + 2) {
      return std::nullopt;
    }
    const std::string text = base::read_file(file);
    return text.starts_with(state + " ") ? std::optional(text.substr(kHexDigits + 1, kHexDigits)) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<std::string> read_digest(const fs::path& folder, const fs::path& model,
                                       const std::string& state) noexcept {
  try {
    std::string digest = content_digest(fs::weakly_canonical(model));
    if (model_state(model) != state) {
      return std::nullopt;  // what was read may be of another state
    }
    base::make_dirs(folder);
    base::write_file_atomic(digest_file(folder, model), state + " " + digest + "\n");
    return digest;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::unique_ptr<const PackedCache> PackedCache::open(const PackedPlace& place, base::Isa isa) noexcept {
  try {
    if (!is_ours(place.file)) {
      return nullptr;
    }
    auto file = std::make_shared<const model::SafetensorsFile>(place.file);
    const auto says = [&](const char* key, const std::string& value) {
      const auto it = file->metadata().find(key);
      return it != file->metadata().end() && it->second == value;
    };
    if (!says("format", kFormat) || !says("version", kVersion) || !says("key", place.key)) {
      return nullptr;
    }
    std::error_code ignored;
    fs::last_write_time(place.file, fs::file_time_type::clock::now(), ignored);  // used now: it goes last
    return std::unique_ptr<const PackedCache>(
        new PackedCache(std::move(file), isa));  // NOLINT: the constructor is ours
  } catch (const std::exception&) {
    return nullptr;  // whatever is wrong with it, the model's own file is there
  }
}

std::optional<kernels::PackedBlocks> PackedCache::find(const std::string& name, kernels::BlockType type, int n,
                                                       int k) const {
  const model::TensorView* view = file_->find(tensor_name(name, type, n, k));
  if (view == nullptr) {
    return std::nullopt;
  }
  return kernels::PackedBlocks::borrow(isa_, type, n, k, {view->bytes.data(), view->bytes.size()}, file_);
}

Settler::Settler(std::vector<kernels::PackedBlocks*> targets, const PackedCache& cache)
    : targets_(std::move(targets)), file_(cache.file_), ready_(targets_.size()) {
  for (const kernels::PackedBlocks* target : targets_) {
    from_.push_back(*target);
  }
}

void Settler::settle() {
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { copy_all(stop); });
    return;
  }
  for (const size_t count = ready_count_.load(std::memory_order_acquire); taken_ < count; ++taken_) {
    *targets_[taken_] = std::move(ready_[taken_]);
  }
}

void Settler::copy_all(const std::stop_token& stop) {
  constexpr size_t kTogether = 16;  // copies between two drops: the passes read what is not moved yet again each time
  try {
    const auto arena = std::make_shared<kernels::Arena>();
    for (size_t i = 0; i < from_.size() && !stop.stop_requested(); ++i) {
      ready_[i] = from_[i].copy(arena);
      from_[i] = kernels::PackedBlocks();
      ready_count_.store(i + 1, std::memory_order_release);
      if (i % kTogether == kTogether - 1) {
        file_->drop_pages();
      }
    }
  } catch (const std::bad_alloc&) {
    return;  // the rest stays where it is
  }
}

std::string write_packed_cache(const PackedPlace& place, const std::vector<NamedBlocks>& matrices,
                               int64_t limit_bytes) noexcept {
  try {
    std::vector<model::TensorData> tensors;
    int64_t total = 0;
    for (const NamedBlocks& matrix : matrices) {
      const kernels::PackedBlocks& w = matrix.blocks;
      tensors.push_back({tensor_name(matrix.name, w.type(), w.n(), w.k()),
                         model::DType::kU8,
                         {w.bytes()},
                         {reinterpret_cast<const char*>(w.panel(0)), static_cast<size_t>(w.bytes())}});
      total += w.bytes();
    }
    if (total > limit_bytes) {
      return fmt::format("the packed weights take {} bytes, the limit is {}", total, limit_bytes);
    }
    base::make_dirs(place.file.parent_path());
    model::write_safetensors(place.file, tensors, {{"format", kFormat}, {"version", kVersion}, {"key", place.key}});
    make_room(place.file, limit_bytes);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace slipway::engine
