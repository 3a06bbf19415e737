#include "data/corpus_file.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "data/pages.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 7> kEndings = {".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather", ".ipc"};

bool is_beside_documents(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::filesystem::path folder = path.parent_path();
  if (name == "dataset_info.json" || name == "dataset_infos.json" || name == "dataset_dict.json") {
    return true;
  }
  if (name == "state.json") {
    return base::is_file(folder / "dataset_info.json");
  }
  const std::filesystem::path run = name == "summary.json" ? folder : folder.parent_path();
  const bool ours = name == "summary.json" || folder.filename() == "state" || folder.filename() == "quarantine";
  return ours && (base::is_file(run / "state" / "run.json") || base::is_file(run / ".state.json"));
}

}  // namespace

bool is_corpus_file(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.starts_with('.') || is_beside_documents(path)) {
    return false;
  }
  if (is_page_file(path)) {
    return true;
  }
  for (const std::string_view packed : {std::string_view(".gz"), std::string_view(".zst"), std::string_view(".zstd")}) {
    if (name.ends_with(packed)) {
      name.resize(name.size() - packed.size());
      break;
    }
  }
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace slipway::data
