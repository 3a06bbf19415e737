#include "data/source.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/libpq.h"
#include "data/rows.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

struct TypeExtensions {
  std::string_view type;
  std::vector<std::string_view> extensions;
};

const std::vector<TypeExtensions>& types() {
  static const std::vector<TypeExtensions> table = {
      {"csv", {".csv"}},
      {"tsv", {".tsv", ".tab"}},
      {"jsonl", {".jsonl", ".ndjson", ".json"}},
      {"text", {".txt", ".text"}},
      {"markdown", {".md", ".markdown"}},
      {"sqlite", {".db", ".sqlite", ".sqlite3"}},
      {"html", {".html", ".htm", ".xhtml"}},
      {"parquet", {".parquet"}},
      {"arrow", {".arrow", ".feather", ".ipc"}},
      {"archive", {".warc", ".arc", ".wet", ".zip", ".tar", ".tgz", ".txz"}},
      {"conll", {".conllu", ".conll"}},
  };
  return table;
}

// The extension that tells the type: that of "a.csv.zst" is ".csv".
std::string content_extension(const fs::path& file) {
  fs::path path = file;
  std::string extension = path.extension().string();
  if (extension == ".zst" || extension == ".gz" || extension == ".zstd" || extension == ".xz" || extension == ".bz2") {
    path.replace_extension();
    extension = path.extension().string();
  }
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

// "" when unknown.
std::string_view type_of(const fs::path& file) {
  const std::string extension = content_extension(file);
  for (const TypeExtensions& entry : types()) {
    if (std::find(entry.extensions.begin(), entry.extensions.end(), extension) != entry.extensions.end()) {
      return entry.type;
    }
  }
  return "";
}

bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Matches pattern components from `at` below `folder`; "**" is any number of folders.
void match(const fs::path& folder, const std::vector<std::string>& parts, size_t at, std::vector<fs::path>& out) {
  std::error_code error;
  if (at == parts.size()) {
    if (fs::is_regular_file(folder, error)) {
      out.push_back(folder);
    }
    return;
  }
  if (!is_pattern(parts[at])) {
    match(folder / parts[at], parts, at + 1, out);
    return;
  }
  if (parts[at] == "**") {
    match(folder, parts, at + 1, out);
  }
  if (!fs::is_directory(folder, error)) {
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (hidden(entry.path())) {
      continue;
    }
    if (parts[at] == "**") {
      if (entry.is_directory() && !entry.is_symlink()) {
        match(entry.path(), parts, at, out);
      }
    } else if (fnmatch(parts[at].c_str(), entry.path().filename().c_str(), FNM_PERIOD) == 0) {
      match(entry.path(), parts, at + 1, out);
    }
  }
}

std::vector<fs::path> expand(const std::string& pattern, const fs::path& root) {
  fs::path start = root;
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(pattern)) {
    if (part.is_absolute()) {
      start = part;
    } else {
      parts.push_back(part.string());
    }
  }
  std::vector<fs::path> files;
  match(start, parts, 0, files);
  return files;
}

std::vector<fs::path> files_below(const fs::path& folder, const std::string& type) {
  std::vector<fs::path> files;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (hidden(it->path())) {
      if (it->is_directory()) {
        it.disable_recursion_pending();
      }
      continue;
    }
    const std::string_view found = type_of(it->path());
    if (it->is_regular_file() && !found.empty() && (type.empty() || found == type)) {
      files.push_back(it->path());
    }
  }
  return files;
}

std::vector<fs::path> find_files(const SourceOptions& options, const fs::path& root) {
  const fs::path path = options.local.empty() ? root / options.path : options.local;
  std::vector<fs::path> files;
  std::string looked_for;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    files = files_below(path, options.type);
    std::vector<std::string_view> extensions;
    for (const TypeExtensions& entry : types()) {
      if (options.type.empty() || entry.type == options.type) {
        extensions.insert(extensions.end(), entry.extensions.begin(), entry.extensions.end());
      }
    }
    looked_for = fmt::format("the folder '{}' has no file ending in {} (or with .zst, .gz behind)", path.string(),
                             fmt::join(extensions, ", "));
  } else if (fs::exists(path, error)) {
    files = {path};
  } else if (is_pattern(options.path)) {
    files = expand(options.path, root);
    looked_for = fmt::format("no file matches '{}'", path.string());
  } else {
    looked_for = fmt::format("no file or folder '{}'", path.string());
  }
  if (files.empty()) {
    throw Error(Code::kNotFound, fmt::format("source '{}': {}", options.id, looked_for));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void read_file(const std::string& type, const SourceOptions& options, const fs::path& file, RowSink& sink) {
  if (type == "csv" || type == "tsv") {
    read_delimited(options, type == "tsv", file, sink);
  } else if (type == "jsonl") {
    read_jsonl(options, file, sink);
  } else if (type == "text") {
    read_text(options, file, sink);
  } else if (type == "html") {
    read_html(options, file, sink);
  } else if (type == "parquet" || type == "arrow") {
    read_table(options, file, sink);
  } else if (type == "archive") {
    read_archive(options, file, sink);
  } else if (type == "markdown") {
    read_markdown(options, file, sink);
  } else if (type == "conll") {
    read_conll(options, file, sink);
  } else {
    read_sql(options, file.string(), time_of_file(file), sink);
  }
}

}  // namespace

std::string shown_name(const SourceOptions& options, const fs::path& file, const fs::path& root) {
  if (!options.local.empty()) {
    const std::string below = file == options.local ? "" : file.lexically_relative(options.local).generic_string();
    return options.path + (below.empty() || options.path.ends_with('/') ? "" : "/") + below;
  }
  const fs::path relative = file.lexically_normal().lexically_relative(root.lexically_normal());
  return relative.empty() || relative.begin()->string() == ".." ? file.filename().string() : relative.generic_string();
}

bool is_source_file(const fs::path& file) { return !type_of(file).empty(); }

std::vector<fs::path> source_files(const SourceOptions& options, const fs::path& root) {
  if (options.type == "postgres") {
    return {};
  }
  try {
    return find_files(options, root);
  } catch (const fs::filesystem_error& error) {  // a folder that may not be read
    throw Error(Code::kFailure, fmt::format("source '{}': {}", options.id, error.what()));
  }
}

void read_source(const SourceOptions& options, const fs::path& root, base::Context& context,
                 const std::function<void(Document&&)>& take, SourceCounts& counts, int64_t progress_base) {
  RowSink sink(options, context, take, counts, progress_base);
  if (options.type == "postgres") {
    sink.begin_file(base::postgres_name(options.path));
    read_sql(options, options.path, base::iso8601(context.clock.unix_ms()), sink);
    sink.end_file(0);
  }
  for (const fs::path& file : source_files(options, root)) {
    if (sink.full()) {
      break;
    }
    const std::string type = options.type.empty() ? std::string(type_of(file)) : options.type;
    if (type.empty()) {
      throw Error(Code::kInvalid,
                  fmt::format("source '{}': the type of '{}' cannot be told by its name; say 'type': csv, "
                              "tsv, jsonl, text, markdown, sqlite, postgres, html, parquet, arrow, archive or conll",
                              options.id, file.string()));
    }
    base::check_stop(context, "collecting '" + options.id + "'");
    sink.begin_file(shown_name(options, file, root));
    read_file(type, options, file, sink);
    std::error_code error;
    const auto size = fs::file_size(file, error);
    sink.end_file(error ? 0 : size);
  }
  sink.finish();
}

}  // namespace slipway::data
