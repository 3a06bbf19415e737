// Starts the training worker as a process of its own and listens to it. The program that trains links libtorch; this
// one does not. The worker prints one JSON object a line on its standard output (docs/formats/train-events.md):
//   {"event":"start","samples":6920,"validation_samples":872,"steps":434,"epochs":2,"resumed_step":0,"parameters":...,
//    "threads":2,"versions":{...}}
//   {"event":"step","step":10,"epoch":0.05,"loss":0.69,"learning_rate":1e-5,"grad_norm":1.2,"samples_per_second":71.3}
//   {"event":"validation","epoch":1,"step":217,"loss":0.31,"accuracy":0.88,"best":true}
//   {"event":"checkpoint","step":200,"path":"..."}
//   {"event":"warning","message":"..."}
//   {"event":"done","step":434,"train_loss":0.25,"loss":0.3,"accuracy":0.89,"best_epoch":2,"seconds":95.1,
//    "samples_per_second":73.0,"first_step_seconds":0.8,"peak_rss_bytes":612345678,"output":"..."}
//   {"event":"error","code":"invalid","message":"..."}   (last line of a run that failed)
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/context.h"
#include "base/json.h"
#include "train/job.h"

namespace slipway::train {

struct TrainResult {
  int64_t steps = 0;
  double train_loss = 0;  // mean over the last epoch
  bool has_validation = false;
  double validation_loss = 0;  // of the model that was kept
  double validation_accuracy = 0;
  int best_epoch = 0;  // 1-based
  double seconds = 0;  // of this process, without earlier parts of a resumed run
  double samples_per_second = 0;
  double first_step_seconds = 0;  // from exec to the end of the first step
  int64_t peak_rss_bytes = 0;     // of the worker
  std::filesystem::path output;
  base::Json done;  // the whole "done" event
};

// Where the worker is: `override_path` when not empty (cli passes $SLIPWAY_TRAIN), else `slipway-train`
// beside the running program. Throws Error(kNotFound) saying what was looked for and how to get it.
std::filesystem::path find_worker(const std::filesystem::path& override_path = {});

// Runs the job in a worker and returns when it is done. `on_event` is called for each event, on this thread, in order;
// progress and log are fed besides. A request to stop (context.stop) is passed on as SIGTERM: the worker writes a
// checkpoint and ends, and Error(kInterrupted) is thrown. The worker's failures are thrown as base::Error with its code
// and message; a crash names the signal and the last lines it wrote on standard error. The worker dies with this
// process and never stays behind as a zombie. The job lies in the checkpoint's folder meanwhile. One call at a time a
// thread.
TrainResult run_worker(const Job& job, base::Context& context,
                       const std::function<void(const base::Json&)>& on_event = {},
                       const std::filesystem::path& worker = find_worker());

// What `slipway-train --check` says:
// {"torch":"1.13.1","threads":2,"gflops":67.7,"instruction_set":"avx512","warnings":[...]}.
base::Json check_worker(base::Context& context, const std::filesystem::path& worker = find_worker());

}  // namespace slipway::train
