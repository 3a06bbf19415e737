// What the classes over the tables of models share. Inside a transaction or on a reader's connection.
#pragma once

#include <cstdint>
#include <string>

#include "store/database.h"

namespace slipway::store {

// The next version's number of a model, which is made when there is none. Numbers are never given twice.
int next_version(Database& database, const std::string& model, int64_t now_ms);
// Throws Error(kNotFound) in MLflow's words.
void check_model(Database& database, const std::string& model);
void check_version(Database& database, const std::string& model, int version);
// The model was changed now.
void touch_model(Database& database, const std::string& model, int64_t now_ms);

}  // namespace slipway::store
