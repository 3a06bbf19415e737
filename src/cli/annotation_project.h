// The project file of `slipway annotate` (docs/guide/annotate.md): what is asked, where the texts are, what makes suggestions.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/annotation_formats.h"
#include "record/annotation_stores.h"

namespace slipway::cli {

struct AnnotationFile {
  std::string name;  // of the project in the record
  record::AnnotationSettings settings;
  std::vector<std::filesystem::path> tasks;
  data::AnnotationReadOptions reading;
  std::vector<std::string> models;  // of this machine that suggest: folders, files, models:/…, hf://…
  std::string prompt;               // of those that write
};

// A YAML file, or a folder with annotate.yaml. Paths in it are relative to it. Without labels they are those of the answers in its
// tasks. Throws Error(kInvalid) naming file, line and key, Error(kNotFound).
AnnotationFile read_annotation_file(const std::filesystem::path& project);
// Whether PROJECT is such a file or folder; else it is the name of a project of the record.
bool is_annotation_file(const std::filesystem::path& project);

}  // namespace slipway::cli
