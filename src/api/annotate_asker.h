// Models that suggest answers: those a program plugs in and those that are served elsewhere (record::AnnotationService). They are asked in
// the background by a few threads, so that none of them keeps an annotator waiting; what they said of a task is kept in memory for a while. A
// model that fails is left alone for growing pauses, and says so in the project's state. Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/annotate_model.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/log.h"
#include "record/annotation_stores.h"

namespace slipway::api {

struct AnnotationAskOptions {
  bool allow_private = false;  // also http://, and addresses of this machine and its networks
  void describe(base::FieldTable& table);
};

class AnnotationAsker {
 public:
  // Borrows the log.
  AnnotationAsker(std::vector<AnnotationModel> models, AnnotationAskOptions options, base::Log& log);
  ~AnnotationAsker();  // waits for what is being asked: at most the services' timeouts
  AnnotationAsker(const AnnotationAsker&) = delete;
  AnnotationAsker& operator=(const AnnotationAsker&) = delete;

  struct Said {
    std::vector<record::Suggestion> suggestions;
    bool pending = false;  // somebody is still being asked: ask again
  };
  // What is known of the task; whoever was not asked yet is. Waits for them at most so long.
  Said suggestions(const record::AnnotationProject& project, const record::Task& task, std::chrono::milliseconds wait);
  // Names of those that a project has.
  std::vector<std::string> names(const record::AnnotationProject& project);
  base::Json state(const record::AnnotationProject& project);  // a list of AnnotationSuggester of api/openapi.yaml
  // Throws Error(kInvalid) for settings with a service that this server may not ask.
  void check(const record::AnnotationSettings& settings) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
