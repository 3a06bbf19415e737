// A fresh store in a temporary folder, or its rows on PostgreSQL (support/postgres.h), and short ways to make records.
#pragma once

#include <gtest/gtest.h>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "record/stores.h"
#include "store/core.h"
#include "store/store.h"
#include "support/postgres.h"

namespace slipway::store {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    options_.clock = &clock_;
    options_.database_url = tests::fresh_database();
    open();
  }
  void open() { store_ = open_store(folder(), options_); }
  void reopen() {
    store_.reset();
    open();
  }
  VerifyReport verify() const { return verify_store(folder(), options_); }
  GarbageReport collect(bool dry_run) const { return collect_garbage(folder(), {.retention_ms = {}, .dry_run = dry_run}, options_); }
  // The rows themselves.
  std::unique_ptr<Database> database() const {
    return DatabasePlace{folder() / "slipway.db", options_.database_url, 1000}.open(true);
  }
  std::filesystem::path folder() const { return dir_.path() / ".slipway"; }

  record::Run run(const std::string& id, const std::string& project = "p", int64_t started_ms = 1) {
    record::Run run;
    run.id = id;
    run.project = project;
    run.started_ms = started_ms;
    return run;
  }
  record::ModelVersion version(const std::string& model) {
    record::ModelVersion version;
    version.model = model;
    return version;
  }
  record::Prediction prediction(const std::string& id, int64_t time_ms, const std::string& deployment = "d",
                                const std::string& model = "m/1") {
    record::Prediction prediction;
    prediction.id = id;
    prediction.time_ms = time_ms;
    prediction.deployment = deployment;
    prediction.model = model;
    return prediction;
  }

  base::FixedClock clock_{1'000'000};
  base::TempDir dir_;
  StoreOptions options_;
  std::unique_ptr<record::Store> store_;
};

// The error that `action` throws; fails the test when it throws none.
template <class Action>
base::Error error_of(Action&& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {base::Code::kFailure, "nothing was thrown"};
}

}  // namespace slipway::store
