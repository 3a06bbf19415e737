// Logs a training run of which only the logging is real: parameters, two curves, a file, the end.
//   logging [TRACKING_URI]     an MLflow server or a record's folder; default: $MLFLOW_TRACKING_URI, else .slipway
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

#include "slipway/run.h"

int main(int count, char** words) {
  try {
    slipway::RunOptions options;
    options.tracking_uri = count > 1 ? words[1] : "";
    options.experiment = "logging-example";
    options.name = "first";
    slipway::Run run(options);
    run.log_param("learning_rate", "3e-5");
    run.log_param("epochs", "2");
    for (int step = 0; step < 5000; ++step) {
      run.log_metric("loss", std::exp(-step / 1000.0), step);
      if (step % 100 == 99) {
        run.log_metric("accuracy", 1 - 0.5 * std::exp(-step / 1500.0), step);
      }
    }
    run.log_bytes("notes/result.txt", "it went well\n");
    const bool sent = run.finish();
    const slipway::RunCounts counts = run.counts();
    std::printf("run %s: %llu records logged, %llu sent, %llu dropped, %llu refused\n", run.run_id().c_str(),
                static_cast<unsigned long long>(counts.logged), static_cast<unsigned long long>(counts.sent),
                static_cast<unsigned long long>(counts.dropped), static_cast<unsigned long long>(counts.refused));
    if (!sent) {
      std::printf("the rest waits in the spool for 'slipway runs sync': %s\n", counts.error.c_str());
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
