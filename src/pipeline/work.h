// Where a project's steps work: a lock that one process holds at a time, and a folder for each step and key, kept while
// the step has not finished.
#pragma once

#include <filesystem>
#include <string>

namespace slipway::pipeline {

// `ROOT/PROJECT.lock`, held with flock: the operating system releases it when the process dies. Throws kConflict naming
// the process that holds it.
class ProjectLock {
 public:
  ProjectLock(const std::filesystem::path& root, const std::string& project);
  ~ProjectLock();
  ProjectLock(const ProjectLock&) = delete;
  ProjectLock& operator=(const ProjectLock&) = delete;

 private:
  int fd_ = -1;
};

// `ROOT/PROJECT/STEP-KEY16`. The project's lock protects them.
class WorkFolders {
 public:
  WorkFolders(const std::filesystem::path& root, const std::string& project) : folder_(root / project) {}
  // The folder for this key, with what an earlier, killed run left in it (but no halves of atomic writes).
  std::filesystem::path open(const std::string& step, const std::string& key) const;
  // The step finished: its folders go, those of other keys too. Never throws: a leftover costs only space.
  void remove_all_of(const std::string& step) const noexcept;
  // The same for one key, cheap when there is none.
  void remove(const std::string& step, const std::string& key) const noexcept;

 private:
  std::filesystem::path folder_;
};

}  // namespace slipway::pipeline
