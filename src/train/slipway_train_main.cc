// slipway-train: runs one job file, or checks how libtorch is set up. Events go to standard output as JSON lines, the
// log to standard error. See launcher.h.
#include <unistd.h>

#include "train/worker.h"

int main(int argc, char** argv) { return slipway::train::worker_main(argc, argv, STDOUT_FILENO, STDERR_FILENO); }
