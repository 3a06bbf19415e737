// Secrets on the disk: sealed, bound to their place and key, and told plainly when they cannot be opened.
#include "store/secrets.h"

#include <fstream>
#include <set>
#include <sys/stat.h>
#include <thread>

#include "store/fixture.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;

class SecretsTest : public ::testing::Test {
 protected:
  base::TempDir dir_;
  fs::path key_ = dir_.path() / "secrets.key";
};

TEST_F(SecretsTest, OpenWhereTheyWereSealedAndNowhereElse) {
  Secrets secrets(key_);
  EXPECT_FALSE(fs::exists(key_));  // not before it is needed
  for (const std::string& text : {std::string("shh"), std::string(), std::string(5000, '\x00')}) {
    const std::string sealed = secrets.seal(text, "webhook:1");
    EXPECT_EQ(secrets.open(sealed, "webhook:1"), text);
    EXPECT_EQ(Secrets(key_).open(sealed, "webhook:1"), text);
    EXPECT_EQ(error_of([&] { secrets.open(sealed, "webhook:2"); }).code(), Code::kIntegrity);
  }
  struct stat status {};
  ASSERT_EQ(::stat(key_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_NE(secrets.seal("shh", "webhook:1"), secrets.seal("shh", "webhook:1"));  // another nonce
}

TEST_F(SecretsTest, EveryAlteredCharacterIsNoticed) {
  Secrets secrets(key_);
  const std::string sealed = secrets.seal("a secret", "webhook:1");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(error_of([&] { secrets.open(altered, "webhook:1"); }).code(), Code::kIntegrity) << i;
    EXPECT_EQ(error_of([&] { secrets.open(sealed.substr(0, i), "webhook:1"); }).code(), Code::kIntegrity) << i;
  }
}

TEST_F(SecretsTest, ALostOrForeignKeyIsSaid) {
  const std::string sealed = Secrets(key_).seal("shh", "webhook:1");
  const auto words = [&] { return std::string(error_of([&] { Secrets(key_).open(sealed, "webhook:1"); }).what()); };
  fs::rename(key_, dir_.path() / "away");
  EXPECT_NE(words().find("cannot be read: No such file"), std::string::npos) << words();
  EXPECT_FALSE(fs::exists(key_));  // reading makes none
  Secrets(key_).seal("other", "webhook:2");
  EXPECT_NE(words().find("bring the right file back"), std::string::npos) << words();
  fs::rename(dir_.path() / "away", key_);
  EXPECT_EQ(Secrets(key_).open(sealed, "webhook:1"), "shh");
  fs::permissions(key_, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(error_of([&] { Secrets(key_).seal("x", "webhook:1"); }).code(), Code::kNotAllowed);
  fs::permissions(key_, fs::perms::owner_read | fs::perms::owner_write);
  std::ofstream(key_) << "no key";
  EXPECT_EQ(error_of([&] { Secrets(key_).seal("x", "webhook:1"); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { Secrets(dir_.path() / "none" / "key").seal("x", "webhook:1"); }).code(), Code::kUnavailable);
}

TEST_F(SecretsTest, ManyThatMakeTheKeyAtOnceHaveOne) {
  std::vector<std::string> sealed(8);
  std::vector<std::thread> threads;
  for (std::string& one : sealed) {
    threads.emplace_back([&] { one = Secrets(key_).seal("shh", "webhook:1"); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::string& one : sealed) {
    EXPECT_EQ(Secrets(key_).open(one, "webhook:1"), "shh");
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 1);  // nothing is left beside it
}

class SealedWebhooks : public StoreTest {
 protected:
  record::WebhookStore& webhooks() { return store_->tracking().server().webhooks(); }
  record::Webhook hook(const std::string& id, const std::string& secret) {
    record::Webhook webhook;
    webhook.id = id;
    webhook.name = "w";
    webhook.url = "https://example.org/";
    webhook.events = {"registered_model.created"};
    webhook.secret = secret;
    return webhook;
  }
  std::string kept(const std::string& id) { return database()->scalar(("SELECT secret FROM webhooks WHERE id = '" + id + "'").c_str()); }
};

TEST_F(SealedWebhooks, TheRowsTellNoSecret) {
  EXPECT_EQ(webhooks().create(hook("a", "shh")).secret, "shh");
  webhooks().create(hook("b", ""));
  EXPECT_EQ(kept("b"), "");
  EXPECT_TRUE(kept("a").starts_with("v1:")) << kept("a");
  reopen();
  EXPECT_EQ(webhooks().find("a")->secret, "shh");
  record::Webhook changed = *webhooks().find("a");
  changed.secret = "another";
  webhooks().replace(changed);
  EXPECT_EQ(webhooks().list(0, 10).items.at(1).secret, "another");
  EXPECT_EQ(webhooks().list(0, 10).items.at(0).secret, "");
  // One row's text is no other's.
  database()->exec("UPDATE webhooks SET sealed = 1, secret = (SELECT w.secret FROM webhooks w WHERE w.id = 'a') WHERE id = 'b'");
  EXPECT_FALSE(webhooks().find("b")->usable());
}

TEST_F(SealedWebhooks, ThoseOfAnOlderVersionAreSealedOnce) {
  webhooks().create(hook("a", "x"));
  database()->exec("UPDATE webhooks SET secret = 'v1:as-it-was-given', sealed = 0");
  EXPECT_EQ(webhooks().find("a")->secret, "v1:as-it-was-given");
  EXPECT_EQ(webhooks().seal_old(), 1);
  EXPECT_EQ(webhooks().seal_old(), 0);
  EXPECT_EQ(webhooks().find("a")->secret, "v1:as-it-was-given");
  EXPECT_EQ(kept("a").find("as-it-was-given"), std::string::npos);
}

TEST_F(SealedWebhooks, AreDisabledWithoutTheirKeyUntilTheyHaveANewSecret) {
  webhooks().create(hook("a", "shh"));
  const std::string before = kept("a");
  fs::remove(folder() / "secrets.key");
  reopen();
  record::Webhook lost = *webhooks().find("a");
  EXPECT_FALSE(lost.usable());
  EXPECT_EQ(lost.secret, "");
  EXPECT_NE(lost.fault.find("secrets.key"), std::string::npos) << lost.fault;
  lost.name = "renamed";
  EXPECT_FALSE(webhooks().replace(lost).usable());
  EXPECT_EQ(kept("a"), before);  // kept for the day when the key is back
  lost.fault.clear();
  lost.secret = "new";
  EXPECT_TRUE(webhooks().replace(lost).usable());
  EXPECT_EQ(webhooks().find("a")->secret, "new");
}

TEST_F(SealedWebhooks, TheKeyMayLieElsewhere) {
  store_.reset();
  options_.secrets_key = dir_.path() / "elsewhere.key";
  open();
  webhooks().create(hook("a", "shh"));
  EXPECT_TRUE(fs::exists(options_.secrets_key));
  EXPECT_FALSE(fs::exists(folder() / "secrets.key"));
}

}  // namespace
}  // namespace slipway::store
