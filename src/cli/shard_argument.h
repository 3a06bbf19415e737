// --shards: which part of the work a process does. Main thread.
#pragma once

#include <functional>
#include <string>

namespace slipway::cli {

struct WorkShare {
  int shard = 1;  // 1-based
  int shards = 1;
};

// "i/n" as it stands; "auto": the task of a whole Slurm array (SLURM_ARRAY_TASK_*); "auto/n": SLURM_ARRAY_TASK_ID or Kubernetes'
// JOB_COMPLETION_INDEX, counted from 0, of n. `variable` gives an environment variable or null. Throws Error(kInvalid).
WorkShare parse_shards(const std::string& text, const std::function<const char*(const char* name)>& variable);
// The same with the process' environment.
WorkShare parse_shards(const std::string& text);

constexpr const char* kShardsHelp =
    "i/n: this process is the i-th of n; auto: the task of a Slurm array; auto/n: Slurm's or Kubernetes' index, from 0, of n";

}  // namespace slipway::cli
