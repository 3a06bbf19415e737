#include "train/dataset.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include "base/error.h"
#include "base/input.h"
#include "base/json.h"
#include "base/suggest.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr size_t kRowsAtOnce = 4096;  // bounds the texts held as strings while a split is read

struct Row {
  std::string text;
  text::Encoding encoding;
};

class SplitReader {
 public:
  SplitReader(const SplitFormat& format, const text::Tokenizer& tokenizer, int vocab_size, base::Pool& pool)
      : format_(format), tokenizer_(tokenizer), vocab_size_(vocab_size), pool_(pool) {
    for (size_t i = 0; i < format.labels.size(); ++i) {
      label_index_[format.labels[i]] = static_cast<int32_t>(i);
    }
  }

  void read(const fs::path& path) {
    base::LineReader reader(path);
    std::string_view line;
    while (reader.next(line)) {
      if (line.find_first_not_of(" \t") == std::string_view::npos) {
        continue;
      }
      add(line, fmt::format("{}:{}", path.string(), reader.line_number()));
      if (rows_.size() == kRowsAtOnce) {
        flush();
      }
    }
  }

  EncodedSplit take() {
    flush();
    return std::move(split_);
  }

 private:
  void add(std::string_view line, const std::string& where) {
    const Json row = base::parse_json(line, where);
    rows_.push_back({base::get<std::string>(row, format_.text_field, where), {}});
    split_.labels.push_back(label_of(row, where));
  }

  int32_t label_of(const Json& row, const std::string& where) const {
    const auto it = row.find(format_.label_field);
    if (it != row.end() && it->is_string()) {
      const std::string& name = it->get_ref<const std::string&>();
      if (const auto found = label_index_.find(name); found != label_index_.end()) {
        return found->second;
      }
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is '{}', which is no label of the job{}", where,
                                              format_.label_field, name, base::suggestion(name, format_.labels)));
    }
    const auto index = base::get<int64_t>(row, format_.label_field, where);
    if (index < 0 || index >= static_cast<int64_t>(format_.labels.size())) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is {}, but the job has {} labels", where, format_.label_field,
                                              index, format_.labels.size()));
    }
    return static_cast<int32_t>(index);
  }

  void flush() {
    text::EncodeOptions options;
    options.max_length = format_.max_length;
    pool_.parallel_chunks(static_cast<int64_t>(rows_.size()), 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Row& row = rows_[static_cast<size_t>(i)];
        tokenizer_.encode(row.text, options, row.encoding);
      }
    });
    for (Row& row : rows_) {
      for (const int32_t id : row.encoding.ids) {
        if (id < 0 || id >= vocab_size_) {
          throw Error(Code::kInvalid,
                      fmt::format("the tokenizer gives id {} but the model's vocabulary has {} entries; "
                                  "tokenizer.json and config.json do not belong together",
                                  id, vocab_size_));
        }
      }
      split_.truncated += static_cast<int>(row.encoding.ids.size()) >= format_.max_length;
      split_.ids.insert(split_.ids.end(), row.encoding.ids.begin(), row.encoding.ids.end());
      split_.begins.push_back(static_cast<int64_t>(split_.ids.size()));
    }
    rows_.clear();
  }

  const SplitFormat& format_;
  const text::Tokenizer& tokenizer_;
  int vocab_size_;
  base::Pool& pool_;
  std::unordered_map<std::string, int32_t> label_index_;
  std::vector<Row> rows_;
  EncodedSplit split_;
};

bool is_jsonl(const std::string& name) {
  return name.ends_with(".jsonl") || name.ends_with(".jsonl.zst") || name.ends_with(".jsonl.gz");
}

}  // namespace

std::vector<fs::path> split_files(const fs::path& folder, const std::string& split) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(Code::kNotFound, fmt::format("the dataset folder {} does not exist", folder.string()));
  }
  for (const char* suffix : {".jsonl", ".jsonl.zst", ".jsonl.gz"}) {
    if (fs::exists(folder / (split + suffix))) {
      return {folder / (split + suffix)};
    }
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.starts_with(split + "-") && is_jsonl(name)) {
      files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("{} has no split '{}': looked for {}.jsonl, {}.jsonl.zst, {}-*.jsonl[.zst]",
                            folder.string(), split, split, split, split));
  }
  std::sort(files.begin(), files.end());
  return files;
}

EncodedSplit load_split(const fs::path& folder, const std::string& split, const SplitFormat& format,
                        const text::Tokenizer& tokenizer, int vocab_size, base::Pool& pool) {
  SplitReader reader(format, tokenizer, vocab_size, pool);
  for (const fs::path& file : split_files(folder, split)) {
    reader.read(file);
  }
  EncodedSplit result = reader.take();
  if (result.size() == 0) {
    throw Error(Code::kInvalid, fmt::format("the split '{}' in {} has no rows", split, folder.string()));
  }
  return result;
}

}  // namespace slipway::train
