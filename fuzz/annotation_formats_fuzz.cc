// Files of annotations: the first byte says as what the rest is read, if not by its content. Any bytes are tasks or an Error; what was read can
// be written in its own format and in ours, and ours reads the same again.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/annotation_formats.h"

namespace {

using slipway::data::AnnotationFormat;
using slipway::record::AnnotatedTask;

slipway::data::AnnotationBytes bytes_of(std::string_view text) {
  return [text](char* buffer, size_t capacity) mutable {
    const size_t n = std::min(capacity, text.size());
    std::copy_n(text.begin(), n, buffer);
    text.remove_prefix(n);
    return n;
  };
}

std::vector<AnnotatedTask> read(std::string_view text, const slipway::data::AnnotationReadOptions& options) {
  std::vector<AnnotatedTask> tasks;
  const auto reader = slipway::data::read_annotations(bytes_of(text), "fuzz", options);
  for (AnnotatedTask task; reader->next(task);) {
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::string written(const std::vector<AnnotatedTask>& tasks, AnnotationFormat format) {
  const auto writer = slipway::data::make_annotation_writer(format);
  std::string out;
  for (const AnnotatedTask& task : tasks) {
    writer->write(task, out);
  }
  writer->finish(out);
  return out;
}

void read_brat(std::string_view text) {
  const size_t middle = std::min(text.find('\0'), text.size());
  std::map<std::string, int64_t> notes;
  const AnnotatedTask task = slipway::data::brat_task(text.substr(0, middle), text.substr(std::min(middle + 1, text.size())), "fuzz", notes);
  slipway::data::brat_document(task, notes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.empty()) {
    return 0;
  }
  const int kind = text[0] - '0';
  text.remove_prefix(1);
  try {
    if (kind == static_cast<int>(AnnotationFormat::kBrat)) {
      read_brat(text);
      return 0;
    }
    if (kind == 'x' - '0') {
      slipway::data::label_config_of(slipway::data::scheme_from_label_config(text, "fuzz"));
      return 0;
    }
    slipway::data::AnnotationReadOptions options;
    if (kind >= 0 && kind < 10) {
      options.format = static_cast<AnnotationFormat>(kind);
    }
    const std::vector<AnnotatedTask> tasks = read(text, options);
    const auto reader = slipway::data::read_annotations(bytes_of(text), "fuzz", options);
    written(tasks, reader->format());
    const std::string ours = written(tasks, AnnotationFormat::kJsonl);
    options.format = AnnotationFormat::kJsonl;
    try {
      if (!tasks.empty() && written(read(ours, options), AnnotationFormat::kJsonl) != ours) {
        __builtin_trap();
      }
    } catch (const slipway::base::Error&) {
      // A task of another tool above the limits of ours.
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
