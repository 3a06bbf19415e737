// Objects in S3: signatures held to AWS's published examples, and what is done when answers go wrong. tests/compat/s3_check.py
// speaks with a real server.
#include "store/s3.h"

#include <map>
#include <mutex>

#include "base/hash.h"
#include "base/random.h"
#include "store/copies.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;

// "Signature Calculations for the Authorization Header", examples of S3's API reference.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr int64_t kMay24 = 1369353600000;  // 2013-05-24T00:00:00Z

std::string signature(const SignedCall& call) {
  const AwsKeys keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const HttpHeaders headers = signed_headers(call, keys, "us-east-1", kMay24);
  const std::string& value = headers.back().second;
  return value.substr(value.find("Signature=") + 10);
}

TEST(SigV4, IsThatOfThePublishedExamples) {
  const HttpHeaders host = {{"Host", "examplebucket.s3.amazonaws.com"}};
  EXPECT_EQ(signature({"GET", "/test.txt", {}, {{"Host", "examplebucket.s3.amazonaws.com"}, {"Range", "bytes=0-9"}}, kEmpty}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signature({"PUT",
                       "/" + uri_encoded("test$file.text", false),
                       {},
                       {{"Host", "examplebucket.s3.amazonaws.com"},
                        {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                       base::sha256_hex("Welcome to Amazon S3.")}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature({"GET", "/", {{"lifecycle", ""}}, host, kEmpty}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature({"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, host, kEmpty}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, EncodesAllButTheUnreserved) {
  EXPECT_EQ(uri_encoded("a b/ü~-_.*", false), "a%20b/%C3%BC~-_.%2A");
  EXPECT_EQ(uri_encoded("a/b", true), "a%2Fb");
}

TEST(S3Xml, FindsElementsAndNothingInWhatIsNone) {
  const std::string_view list =
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Contents><Key>a&amp;b</Key><Size>3</Size></Contents>"
      "<Contents><Key>c</Key><Size>4</Size></Contents><KeyCount>2</KeyCount></ListBucketResult>";
  EXPECT_EQ(xml_elements(list, "Contents").size(), 2U);
  EXPECT_EQ(xml_text(list, "Key"), "a&b");
  EXPECT_EQ(xml_text(list, "KeyCount"), "2");
  EXPECT_EQ(xml_text("<Key", "Key"), "");
  EXPECT_EQ(xml_text("<Key>", "Key"), "");
  EXPECT_EQ(xml_text("</Key><Key>x", "Key"), "");
  EXPECT_EQ(xml_text("<Key>" + std::string(100'000, 'x') + "</Key>", "Key"), "");
}

TEST(S3Options, ComeFromTheAddressAndTheEnvironment) {
  std::map<std::string, std::string> variables = {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "s3cret"}};
  const auto variable = [&](const char* name) { return variables[name]; };
  const S3Options plain = s3_options("s3://bucket/a/b", "", variable);
  EXPECT_EQ(plain.bucket, "bucket");
  EXPECT_EQ(plain.prefix, "a/b/");
  EXPECT_EQ(plain.endpoint, "");
  variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9000/";
  variables["AWS_REGION"] = "eu-central-1";
  EXPECT_EQ(s3_options("s3://bucket", "", variable).endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(s3_options("s3://bucket", "https://h", variable).endpoint, "https://h");
  EXPECT_EQ(s3_options("s3://bucket", "", variable).region, "eu-central-1");
  for (const char* bad : {"s3://", "s3:///x", "s3://UPPER/x", "http://bucket", "s3://a"}) {
    EXPECT_EQ(error_of([&] { s3_options(bad, "", variable); }).code(), Code::kInvalid) << bad;
  }
  variables.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_EQ(error_of([&] { s3_options("s3://bucket", "", variable); }).code(), Code::kInvalid);
}

// A bucket in memory that can be told to go wrong.
class Bucket final : public HttpTransport {
 public:
  HttpAnswer send(const HttpCall& call) override {
    const std::lock_guard lock(mutex_);
    ++calls;
    if (failures > 0) {
      --failures;
      if (failure == 0) {
        throw base::Error(Code::kUnavailable, "no answer");
      }
      return {failure, {}, "<Error><Code>SlowDown</Code><Message>later</Message></Error>"};
    }
    const std::string key = call.target.substr(0, call.target.find('?'));
    const std::string query = call.target.substr(std::min(key.size() + 1, call.target.size()));
    if (call.method == "PUT" && query.starts_with("partNumber=")) {
      parts[std::stoi(query.substr(11))] = call.body;
      return {200, {{"ETag", "\"e\""}}, ""};
    }
    if (call.method == "POST" && query == "uploads=") {
      return {200, {}, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"};
    }
    if (call.method == "POST") {
      if (broken_end) {
        return {200, {}, "<Error><Code>InternalError</Code></Error>"};
      }
      for (const auto& [number, bytes] : parts) {
        objects[key] += bytes;
      }
      parts.clear();
      return {200, {}, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"};
    }
    return simple(call, key, query);
  }

  std::map<std::string, std::string> objects;
  std::map<int, std::string> parts;
  int calls = 0;
  int failures = 0;
  int failure = 503;  // 0: no answer
  bool broken_end = false;
  bool aborted = false;

 private:
  HttpAnswer simple(const HttpCall& call, const std::string& key, const std::string& query) {
    if (call.method == "PUT") {
      objects[key] = call.body;
      return {200, {}, ""};
    }
    if (call.method == "DELETE") {
      aborted = aborted || query.starts_with("uploadId=");
      objects.erase(key);
      return {204, {}, ""};
    }
    if (query.starts_with("list-type=2")) {
      std::string list = "<ListBucketResult><IsTruncated>false</IsTruncated>";
      for (const auto& [name, bytes] : objects) {
        list += fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", name.substr(8), bytes.size());
      }
      return {200, {}, list + "</ListBucketResult>"};
    }
    const auto found = objects.find(key);
    if (found == objects.end()) {
      return {404, {}, "<Error><Code>NoSuchKey</Code></Error>"};
    }
    if (call.method == "HEAD") {
      return {200, {{"Content-Length", std::to_string(found->second.size())}}, ""};
    }
    for (const auto& [name, value] : call.headers) {
      if (name == "Range") {
        const size_t first = std::stoul(value.substr(6));
        const size_t last = std::stoul(value.substr(value.find('-') + 1));
        return {206, {}, found->second.substr(first, last - first + 1)};
      }
    }
    return {200, {}, found->second};
  }

  std::mutex mutex_;
};

class S3Blobs : public ::testing::Test {
 protected:
  S3Blobs() {
    s3_.bucket = "bucket";
    s3_.prefix = "p/";
    s3_.endpoint = "http://127.0.0.1:1";
    s3_.keys = {"id", "s3cret", ""};
    s3_.first_pause_ms = 1;
    s3_.part_bytes = 1000;
    options_.objects = open_s3(s3_, bucket_, clock_);
    store_ = open_store(folder(), options_);
  }
  std::filesystem::path folder() const { return dir_.path() / ".slipway"; }
  record::Artifact put(const std::string& bytes) { return store_->artifacts().put_bytes(bytes, "file", "n", {}); }
  static std::string key(const std::string& digest) { return "/bucket/p/" + digest.substr(7, 2) + "/" + digest.substr(7); }

  Bucket bucket_;
  base::SystemClock clock_;
  base::TempDir dir_;
  S3Options s3_;
  StoreOptions options_;
  std::unique_ptr<record::Store> store_;
};

TEST_F(S3Blobs, AreThereBeforeTheyAreAcknowledgedAndComeBackWithoutTheFolder) {
  const std::string large(2500, 'x');  // in three parts
  const std::string one = put("hello").digest;
  const std::string two = put(large).digest;
  EXPECT_EQ(bucket_.objects.at(key(one)), "hello");
  EXPECT_EQ(bucket_.objects.at(key(two)), large);
  EXPECT_EQ(put("hello").digest, one);
  for (const std::string& digest : {one, two}) {
    std::filesystem::remove(store_->artifacts().path_of(digest));  // the copy
  }
  EXPECT_EQ(base::read_file(store_->artifacts().path_of(two)), large);
  EXPECT_TRUE(verify_store(folder(), options_).problems.empty());
  EXPECT_EQ(verify_store(folder(), options_).blobs, 2);
}

TEST_F(S3Blobs, AreTriedAgainAndThenToldOf) {
  for (const int failure : {503, 500, 0}) {
    bucket_.failure = failure;
    bucket_.failures = 3;
    put("some " + std::to_string(failure));
  }
  bucket_.failures = 1000;
  const auto error = error_of([&] { put("never"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(std::string(error.what()).find("s3cret"), std::string::npos);
  bucket_.failures = 0;
  EXPECT_FALSE(store_->artifacts().find(base::digest_of("never")));
  bucket_.failures = 1000;
  bucket_.failure = 403;
  const int calls = bucket_.calls;
  EXPECT_EQ(error_of([&] { put("not allowed"); }).code(), Code::kNotAllowed);
  EXPECT_EQ(bucket_.calls, calls + 1);
}

TEST_F(S3Blobs, AnUploadThatEndsInAnErrorIsGivenUp) {
  bucket_.broken_end = true;
  const std::string large(5000, 'y');
  EXPECT_THROW(put(large), base::Error);
  EXPECT_TRUE(bucket_.aborted);
  EXPECT_FALSE(store_->artifacts().find(base::digest_of(large)));
}

TEST_F(S3Blobs, DamageAndLossAreFound) {
  const std::string one = put("whole").digest;
  const std::string two = put("lost").digest;
  std::filesystem::remove(store_->artifacts().path_of(one));
  bucket_.objects[key(one)] = "wrong";
  EXPECT_EQ(error_of([&] { store_->artifacts().path_of(one); }).code(), Code::kIntegrity);
  bucket_.objects.erase(key(two));
  std::filesystem::remove(folder() / "blobs" / two.substr(7, 2) / two.substr(7));
  EXPECT_EQ(error_of([&] { store_->artifacts().path_of(two); }).code(), Code::kNotFound);
}

TEST_F(S3Blobs, VersionsShareObjects) {
  s3_.part_bytes = 16 << 20;
  options_.objects = open_s3(s3_, bucket_, clock_);
  store_ = open_store(folder(), options_);
  base::Rng rng(5);
  std::string first;
  while (first.size() < (2U << 20)) {
    first += std::to_string(rng.next());
  }
  const std::string second = first.substr(0, 1 << 20) + "inserted" + first.substr(1 << 20);
  const std::string one = put(first).digest;
  const auto file = [&](const std::string& path, const std::string& bytes) {
    const auto writer = store_->tracking().files().begin(path);
    writer->write(bytes);
    return writer->commit().digest;
  };
  const std::string two = file("0/second", second);
  EXPECT_TRUE(bucket_.objects.contains(key(one)));
  EXPECT_FALSE(bucket_.objects.contains(key(two)));
  EXPECT_TRUE(bucket_.objects.contains(key(two) + ".recipe"));
  uint64_t kept = 0;
  for (const auto& [name, bytes] : bucket_.objects) {
    kept += bytes.size();
  }
  const StoreStats stats = store_stats(folder(), options_);
  EXPECT_EQ(stats.kept_bytes, kept);
  EXPECT_EQ(stats.content_bytes, first.size() + second.size());
  EXPECT_LE(kept, first.size() + (1U << 20));

  // Another machine: the same bucket, and nothing in the folder.
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "blobs")) {
    if (entry.is_directory()) {
      std::filesystem::remove_all(entry);
    }
  }
  EXPECT_EQ(base::read_file(store_->artifacts().path_of(two)), second);
  EXPECT_TRUE(verify_store(folder(), options_).problems.empty());
  EXPECT_EQ(file("0/third", second + "x"), base::digest_of(second + "x"));
  EXPECT_EQ(collect_garbage(folder(), {}, options_).blobs, 0);

  bucket_.objects[key(two) + ".recipe"][40] ^= 1;
  std::filesystem::remove(folder() / "blobs" / two.substr(7, 2) / two.substr(7));
  EXPECT_EQ(error_of([&] { store_->artifacts().path_of(two); }).code(), Code::kIntegrity);
  EXPECT_EQ(error_of([&] { collect_garbage(folder(), {}, options_); }).code(), Code::kIntegrity);
  file("0/second", second);  // heals
  EXPECT_TRUE(verify_store(folder(), options_).problems.empty());

  store_->tracking().files().remove("0/second");
  store_->tracking().files().remove("0/third");
  const uint64_t garbage = store_stats(folder(), options_).garbage_bytes;
  EXPECT_EQ(collect_garbage(folder(), {}, options_).bytes, garbage);
  EXPECT_EQ(bucket_.objects.size(), 1U);
  EXPECT_EQ(base::read_file(store_->artifacts().path_of(one)), first);
}

TEST_F(S3Blobs, CopiesLeaveTheFolderWhenItIsFull) {
  const std::filesystem::path cache = dir_.path() / "cache";
  base::make_dirs(cache / "ab");
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (int i = 0; i < 4; ++i) {
    const auto file = cache / "ab" / std::to_string(i);
    base::write_file_atomic(file, std::string(100, 'x'));
    std::filesystem::last_write_time(file, old + std::chrono::minutes(i));
  }
  Copies copies(cache, 250);
  base::write_file_atomic(cache / "ab" / "new", std::string(100, 'x'));
  copies.used(cache / "ab" / "new", 100);
  EXPECT_FALSE(std::filesystem::exists(cache / "ab" / "2"));
  EXPECT_TRUE(std::filesystem::exists(cache / "ab" / "3"));
  EXPECT_TRUE(std::filesystem::exists(cache / "ab" / "new"));
}

}  // namespace
}  // namespace slipway::store
