// The training worker: what the program slipway-train does with its command line.
#pragma once

#include <functional>

#include "base/context.h"
#include "train/job.h"

namespace slipway::train {

// Runs the job in this process, telling `event` what happens (launcher.h lists the events). Throws base::Error.
void run_job(const Job& job, base::Context& context, const std::function<void(const base::Json&)>& event);

// {"torch":..., "threads":..., "gflops":..., "warnings":[...]}: is libtorch set up well?
base::Json check_setup();

// The whole program: returns its exit code. SIGINT and SIGTERM end the run with a checkpoint. Writes lines to the two
// descriptors.
int worker_main(int argc, char** argv, int out_fd, int error_fd);

}  // namespace slipway::train
