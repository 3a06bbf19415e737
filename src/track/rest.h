// Asks an MLflow server: addresses, credentials, and what its answers mean. One thread at a time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/client.h"
#include "track/target.h"

namespace slipway::track {

using base::Json;

class MlflowRest {
 public:
  // Throws kInvalid for an address that is not http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX].
  explicit MlflowRest(const TargetOptions& options);

  using Query = std::vector<std::pair<std::string, std::string>>;
  // Under /api/2.0/mlflow/. An answer that is not 200 becomes an Error with the code of target.h and the server's words.
  Json get(const std::string& path, const Query& query);
  Json post(const std::string& path, const Json& body);
  // Any address, body and answer as they are; throws likewise. `expected` bytes up or down give it more time.
  net::Response raw(const std::string& method, const std::string& target, std::string_view body, uint64_t expected,
                    const net::Headers& headers = {});
  // MLflow's error_code of the last refusal, e.g. "RESOURCE_ALREADY_EXISTS".
  const std::string& error_code() const noexcept { return error_code_; }
  // The proxy's address of a file under an artifact_uri; kInvalid when the server does not carry these artifacts.
  static std::string artifact_target(const std::string& artifact_uri, const std::string& path);

 private:
  net::Response ask(net::HttpClient& client, const std::string& method, const std::string& target, std::string_view body,
                    net::Headers headers);
  [[noreturn]] void refuse(const net::Response& response, const std::string& target);

  std::string base_;    // "https://HOST:PORT"
  std::string prefix_;  // "/mlflow" or ""
  std::string authorization_;
  std::string ca_file_;
  net::HttpClient client_;
  std::string error_code_;
};

// A double as MLflow's JSON has it: NaN and infinities are texts.
Json number_json(double value);
double number_from_json(const Json& value, std::string_view source);  // throws kInvalid

}  // namespace slipway::track
