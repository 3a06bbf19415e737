// Uploads in parts, webhooks and logged models over HTTP: limits and refusals that the client's tests do not reach.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "api/errors.h"
#include "api/fixture.h"
#include "api/webhooks.h"
#include "net/address.h"
#include "net/router.h"

namespace slipway::api {
namespace {

class UploadsApi : public ServerTest {
 protected:
  Answer mpu(const std::string& step, const Json& body) {
    return ask("POST", "/api/2.0/mlflow-artifacts/mpu/" + step + "/0/run/artifacts", body.dump());
  }
  Answer put(const std::string& url, const std::string& bytes) {
    return ask("PUT", url.substr(url.find("/api/")), bytes, {{"Content-Type", "application/octet-stream"}});
  }
};

TEST_F(UploadsApi, PartsAreJoined) {
  const Json made = good(mpu("create", {{"path", "/home/me/x.bin"}, {"num_parts", 2}}));
  ASSERT_EQ(made["credentials"].size(), 2U);
  const Answer second = put(made["credentials"][1]["url"], "world");
  const Answer first = put(made["credentials"][0]["url"], "hello ");
  ASSERT_EQ(first.status, 200) << first.text;
  const Json parts = {{{"part_number", 2}, {"etag", second.headers.get("ETag")}},
                      {{"part_number", 1}, {"etag", first.headers.get("ETag")}}};
  const Json complete = {{"path", "/home/me/x.bin"}, {"upload_id", made["upload_id"]}, {"parts", parts}};
  good(mpu("complete", complete));
  EXPECT_EQ(ask("GET", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/x.bin").text, "hello world");
  EXPECT_EQ(mpu("complete", complete).status, 404);
  EXPECT_EQ(put(made["credentials"][0]["url"], "late").status, 404);
}

TEST_F(UploadsApi, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(mpu("create", {{"path", "x"}, {"num_parts", 0}}).status, 400);
  EXPECT_EQ(mpu("create", {{"path", "x"}, {"num_parts", 10'001}}).status, 400);
  EXPECT_EQ(mpu("create", {{"num_parts", 1}}).status, 400);
  EXPECT_EQ(fault(ask("POST", "/api/2.0/mlflow-artifacts/mpu/create/a/%2e%2e/b", R"({"path": "x"})")),
            "400 INVALID_PARAMETER_VALUE: Invalid path");
  const Json made = good(mpu("create", {{"path", "x"}, {"num_parts", 2}}));
  put(made["credentials"][0]["url"], "one");
  const auto complete = [&](const Json& parts) {
    return mpu("complete", {{"path", "x"}, {"upload_id", made["upload_id"]}, {"parts", parts}}).status;
  };
  EXPECT_EQ(complete(Json::array()), 400);
  EXPECT_EQ(complete({{{"part_number", 2}}}), 400);                                        // never came
  EXPECT_EQ(complete({{{"part_number", 1}, {"etag", "\"beef\""}}}), 400);                  // other bytes
  EXPECT_EQ(complete({{{"part_number", 1}}, {{"part_number", 1}}}), 400);                  // twice
  EXPECT_EQ(mpu("abort", {{"path", "y"}, {"upload_id", made["upload_id"]}}).status, 404);  // another's file
  good(mpu("abort", {{"path", "x"}, {"upload_id", made["upload_id"]}}));
  EXPECT_EQ(mpu("abort", {{"path", "x"}, {"upload_id", made["upload_id"]}}).status, 404);
  const std::string part = "/api/2.0/mlflow-artifacts/mpu/part/";
  EXPECT_EQ(put(part + "0123/1", "x").status, 404);
  EXPECT_EQ(put(part + "0123/0", "x").status, 400);
}

TEST_F(UploadsApi, AnUploadOutlivesTheServer) {
  const Json made = good(mpu("create", {{"path", "x"}, {"num_parts", 1}}));
  put(made["credentials"][0]["url"], "kept");
  restart();
  good(mpu("complete", {{"path", "x"}, {"upload_id", made["upload_id"]}, {"parts", {{{"part_number", 1}}}}}));
  EXPECT_EQ(ask("GET", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/x").text, "kept");
}

// A receiver that fails as often as it is told to.
class Receiver {
 public:
  explicit Receiver(base::Log& log) {
    net::Router router;
    router.add("POST", "/hook", [this](const net::Request& request, const net::Responder& responder) {
      const std::lock_guard lock(mutex_);
      if (failures > 0) {
        --failures;
        responder.send(net::text_response("later", 503));
        return;
      }
      bodies_.push_back(request.body);
      taken_.notify_all();
      responder.send(net::text_response("taken"));
    });
    server_ = std::make_unique<net::HttpServer>(net::ServerOptions(), router, log);
    server_->start();
  }
  std::string url() const { return server_->url() + "/hook"; }
  std::vector<std::string> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    taken_.wait_for(lock, std::chrono::seconds(60), [&] { return bodies_.size() >= count; });
    return bodies_;
  }
  int failures = 0;

 private:
  std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<std::string> bodies_;
  std::unique_ptr<net::HttpServer> server_;
};

class WebhooksApi : public ServerTest {
 protected:
  record::Webhook hook(const std::string& url, const std::string& event) {
    record::Webhook webhook;
    webhook.id = record::new_id();
    webhook.name = "w";
    webhook.url = url;
    webhook.events = {event};
    return store_->tracking().server().webhooks().create(webhook);
  }
};

TEST_F(WebhooksApi, ADeliveryIsTriedAgainUntilItIsTaken) {
  Receiver receiver(log_);
  receiver.failures = 2;
  hook(receiver.url(), "registered_model.created");
  WebhookOptions options;
  options.allow_private = true;
  options.backoff = std::chrono::milliseconds(1);
  WebhookSender sender(options, *store_, log_);
  EXPECT_TRUE(sender.wanted());
  sender.tell("model_version.created", {{"name", "other"}});  // nobody asked for it
  sender.tell("registered_model.created", {{"name", "m"}});
  const auto bodies = receiver.wait_for(1);
  ASSERT_EQ(bodies.size(), 1U);
  const Json body = Json::parse(bodies[0]);
  EXPECT_EQ(body["entity"], "registered_model");
  EXPECT_EQ(body["action"], "created");
  EXPECT_EQ(body["data"]["name"], "m");
}

TEST_F(WebhooksApi, PrivateAddressesAreNotConnectedTo) {
  Receiver receiver(log_);
  WebhookSender sender({}, *store_, log_);
  const auto result = sender.test(hook(receiver.url(), "prompt.created"), "prompt.created");
  EXPECT_EQ(result.status, 0);
  EXPECT_NE(result.error.find("no address that may be connected to"), std::string::npos) << result.error;
  for (const char* url :
       {"https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/latest",
        "https://0.0.0.0/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://localhost/"}) {
    EXPECT_THROW(sender.check_url(url), ApiError) << url;
  }
  for (const char* url : {"", "ftp://example.com/", "http://1.1.1.1/", "https://", "https://me@1.1.1.1/",
                          "https://1.1.1.1:x/", "https://a b/"}) {
    EXPECT_THROW(sender.check_url(url), ApiError) << url;
  }
  EXPECT_NO_THROW(sender.check_url("https://1.1.1.1/path?x=1"));
}

TEST_F(WebhooksApi, RequestsThatAreWrongAreRefused) {
  const auto make = [&](const Json& more) {
    Json body = {{"name", "ci"},
                 {"url", "https://1.1.1.1/"},
                 {"events", {{{"entity", "MODEL_VERSION"}, {"action", "CREATED"}}}}};
    body.update(more);
    return fault(post("webhooks", body));
  };
  EXPECT_EQ(make({{"name", "-x"}}).substr(0, 58), "400 INVALID_PARAMETER_VALUE: Webhook name '-x' is invalid.");
  EXPECT_EQ(make({{"url", "https://127.0.0.1/"}}),
            "400 INVALID_PARAMETER_VALUE: Webhook URL must not resolve to a non-public IP address.");
  EXPECT_EQ(make({{"events", {{{"entity", "MODEL_VERSION"}, {"action", "EXCEEDED"}}}}}),
            "400 INVALID_PARAMETER_VALUE: Invalid action 'exceeded' for entity 'model_version'.");
  EXPECT_EQ(make({{"events", Json::array()}}),
            "400 INVALID_PARAMETER_VALUE: Webhook events must be a non-empty list of WebhookEvent objects: [].");
  const Json made = good(post("webhooks", {{"name", "ci"},
                                           {"url", "https://1.1.1.1/"},
                                           {"secret", "shh"},
                                           {"events", {{{"entity", 2}, {"action", 1}}}}}))["webhook"];
  EXPECT_EQ(made["events"][0]["entity"], "MODEL_VERSION");
  EXPECT_EQ(made.dump().find("shh"), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/2.0/mlflow/webhooks/nothing").status, 404);
}

TEST(Webhooks, SignaturesAreThoseOfMLflow) {
  // From Python: base64.b64encode(hmac.new(b"secret", b"id.1700000000.{}", hashlib.sha256).digest())
  EXPECT_EQ(webhook_signature("secret", "id", "1700000000", "{}"), "v1,GBemBzTgbKoVEGKycqyY3615LbdJbhFLE1oQk+zZ+lo=");
}

TEST(Addresses, OnlyThoseOfTheInternetArePublic) {
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "2002:0808:0808::1"}) {
    EXPECT_TRUE(net::is_public_address(address)) << address;
  }
  for (const char* address : {"",
                              "x",
                              "127.0.0.1",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "100.64.0.1",
                              "169.254.1.1",
                              "0.0.0.0",
                              "224.0.0.1",
                              "255.255.255.255",
                              "198.18.0.1",
                              "192.0.2.1",
                              "::",
                              "::1",
                              "fe80::1",
                              "fc00::1",
                              "ff02::1",
                              "2001:db8::1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::a00:1",
                              "2002:a00:1::1",
                              "2001::1"}) {
    EXPECT_FALSE(net::is_public_address(address)) << address;
  }
}

TEST_F(UploadsApi, LoggedModelsRefuseWhatMLflowRefuses) {
  EXPECT_EQ(fault(post("logged-models", {{"experiment_id", "0"}, {"name", "a/b"}})).substr(0, 70),
            "400 INVALID_PARAMETER_VALUE: Invalid model name ('a/b') provided. Mode");
  EXPECT_EQ(fault(post("logged-models/search", {{"experiment_ids", {"0"}}, {"filter", "what.x = 'y'"}})),
            "400 INVALID_PARAMETER_VALUE: Invalid entity type: 'what'. Expected one of ['attributes', 'metrics', "
            "'params', 'tags'].");
  EXPECT_EQ(fault(post("logged-models/search", {{"experiment_ids", {"0"}}, {"filter", "name > 'y'"}})),
            "400 INVALID_PARAMETER_VALUE: Invalid comparison operator for attributes.name: '>'. Expected one of ('=', "
            "'!=', 'LIKE', "
            "'ILIKE', 'IN', 'NOT IN').");
  EXPECT_EQ(fault(post("logged-models/search", {{"experiment_ids", {"0"}}, {"datasets", {{{"dataset_digest", "d"}}}}})),
            "400 INVALID_PARAMETER_VALUE: `dataset_name` in the `datasets` clause must be specified.");
  for (int i = 0; i < 3; ++i) {
    good(post("logged-models", {{"experiment_id", "0"}, {"name", fmt::format("m{}", i)}}));
  }
  const Json page = good(post("logged-models/search", {{"experiment_ids", {"0"}}, {"max_results", 2}}));
  ASSERT_EQ(page["models"].size(), 2U);
  const Json rest =
      good(post("logged-models/search",
                {{"experiment_ids", {"0"}}, {"max_results", 2}, {"page_token", page["next_page_token"]}}));
  EXPECT_EQ(rest["models"].size(), 1U);
  EXPECT_EQ(
      post("logged-models/search", {{"experiment_ids", {"0", "1"}}, {"page_token", page["next_page_token"]}}).status,
      400);
}

}  // namespace
}  // namespace slipway::api
