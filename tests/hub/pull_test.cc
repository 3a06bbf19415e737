// Down: verified, resumed, kept within its folder; and addresses as paths of the cache.
#include "base/hash.h"
#include "hub/fixture.h"

namespace slipway::hub {
namespace {

using base::Code;

template <class Action>
base::Error error_of(Action&& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Code::kFailure, "nothing was thrown"};
}

class Pull : public HubTest {
 protected:
  const Contents files_ = {{"config.json", "{}"},
                           {"a b/ü.txt", "text"},
                           {"empty", ""},
                           {"model.safetensors", many_bytes(3'000'001, 1)},
                           {"deep/er/large.bin", many_bytes(2'000'000, 2)}};
};

TEST_F(Pull, BringsWhatIsThere) {
  push_files("hf://ns/r", files_);
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options())), files_);
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options())), files_);  // again: all is there
  const auto error = error_of([&] { pull_all("hf://ns/none", options()); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_NE(std::string(error.what()).find("there is no model repository 'ns/none'"), std::string::npos) << error.what();
  EXPECT_EQ(error_of([&] { pull_all("hf://ns/r@none", options()); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { pull_all("hf://ns/r", options("")); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { pull_all("hf://ns/r", options("http://127.0.0.1:1")); }).code(), Code::kUnavailable);
}

TEST_F(Pull, GoesOnFromWhatIsThere) {
  push_files("hf://ns/r", files_);
  const std::string& bytes = files_.at("model.safetensors");
  const std::string partial = "model.safetensors." + base::sha256_hex(bytes).substr(0, 16) + ".partial";
  for (const std::string& there : {bytes.substr(0, 1'000'000), bytes, std::string(1'000'000, 'x'), bytes + "more"}) {
    const fs::path folder = dir_.path() / "resumed";
    fs::remove_all(folder);
    write_files(folder, {{partial, there}});
    EXPECT_EQ(read_files(pull_all("hf://ns/r", options(), "resumed")), files_);
  }
  write_files(dir_.path() / "resumed", {{"config.json", "damaged"}, {"model.safetensors", std::string(bytes.size(), 'x')}});
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options(), "resumed")), files_);
}

TEST_F(Pull, AsksOnlyForTheRest) {
  const std::string bytes = many_bytes(500'000, 3);
  const std::string sha = base::sha256_hex(bytes);
  FakeHub fake([&](const net::Request& request) -> net::Response {
    if (request.path.find("/revision/") != std::string::npos) {
      return net::json_response({{"sha", std::string(40, 'a')}});
    }
    if (request.path.find("/tree/") != std::string::npos) {
      return net::json_response(base::Json::array(
          {{{"type", "file"}, {"path", "w"}, {"size", bytes.size()}, {"oid", "x"}, {"lfs", {{"oid", sha}}}}}));
    }
    const std::string range(request.headers.get("Range"));
    net::Response response = net::text_response(range.empty() ? bytes : bytes.substr(std::stoul(range.substr(6))));
    response.status = range.empty() ? 200 : 206;
    return response;
  });
  write_files(dir_.path() / "pulled", {{"w." + sha.substr(0, 16) + ".partial", bytes.substr(0, 400'000)}});
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options(fake.url()))), (Contents{{"w", bytes}}));
  EXPECT_EQ(fake.seen().back().headers.get("Range"), "bytes=400000-");
}

// What the endpoint says of its one file, and what it sends.
struct Lie {
  std::string path = "w";
  std::string sends = "bytes";
  uint64_t size = 5;
};

TEST_F(Pull, KeepsNothingOfALie) {
  const auto pulled = [&](const Lie& lie) {
    FakeHub fake([&](const net::Request& request) -> net::Response {
      if (request.path.find("/revision/") != std::string::npos) {
        return net::json_response({{"sha", std::string(40, 'a')}});
      }
      if (request.path.find("/tree/") != std::string::npos) {
        return net::json_response(base::Json::array({{{"type", "file"}, {"path", lie.path}, {"size", lie.size}, {"oid", base::git_blob_id("bytes")}}}));
      }
      return net::text_response(lie.sends);
    });
    const Code code = error_of([&] { pull_all("hf://ns/r", options(fake.url())); }).code();
    const Contents left = fs::exists(dir_.path() / "pulled") ? read_files(dir_.path() / "pulled") : Contents();
    EXPECT_FALSE(left.contains("w"));
    return code;
  };
  EXPECT_EQ(pulled({.sends = "other"}), Code::kIntegrity);
  EXPECT_EQ(pulled({.sends = "bytes and more"}), Code::kIntegrity);
  for (const char* path : {"../w", "/etc/w", "a/../../w", "a//w", "", "a\nw"}) {
    EXPECT_EQ(pulled({.path = path}), Code::kIntegrity) << path;
  }
  EXPECT_FALSE(fs::exists(dir_.path() / "w"));
}

TEST_F(Pull, ATokenStaysWithItsHost) {
  FakeHub other([&](const net::Request&) { return net::text_response("bytes"); });
  FakeHub fake([&](const net::Request& request) -> net::Response {
    if (request.path.find("/revision/") != std::string::npos) {
      return net::json_response({{"sha", std::string(40, 'a')}});
    }
    if (request.path.find("/tree/") != std::string::npos) {
      return net::json_response(base::Json::array({{{"type", "file"}, {"path", "w"}, {"size", 5}, {"oid", base::git_blob_id("bytes")}}}));
    }
    return {302, {{"Location", other.url() + "/signed?x=1"}}, ""};
  });
  ClientOptions how = options(fake.url());
  how.token = "hf_secret";
  EXPECT_EQ(read_files(pull_all("hf://ns/r", how)), (Contents{{"w", "bytes"}}));
  EXPECT_EQ(fake.seen().front().headers.get("Authorization"), "Bearer hf_secret");
  ASSERT_EQ(other.seen().size(), 1U);
  EXPECT_FALSE(other.seen().front().headers.has("Authorization"));
}

TEST_F(Pull, RedirectsWithoutEndAreAnError) {
  FakeHub fake([&](const net::Request& request) { return net::Response{302, {{"Location", request.path}}, ""}; });
  EXPECT_EQ(error_of([&] { pull_all("hf://ns/r", options(fake.url())); }).code(), Code::kUnavailable);
}

TEST_F(Pull, AnAddressIsAFolderForEachCommit) {
  push_files("hf://ns/r", {{"config.json", "1"}, {"model.safetensors", "w"}, {"pytorch_model.bin", "w"}, {"onnx/model.onnx", "w"}});
  const Snapshot first = snapshots(server_->url()).locate("hf://ns/r");
  EXPECT_EQ(read_files(first.path), (Contents{{"config.json", "1"}, {"model.safetensors", "w"}}));
  EXPECT_EQ(snapshots(server_->url()).locate("hf://ns/r/onnx/model.onnx").path, first.path / "onnx/model.onnx");
  push_files("hf://ns/r", {{"config.json", "2"}});
  const Snapshot second = snapshots(server_->url()).locate("hf://ns/r");
  EXPECT_NE(second.commit, first.commit);
  EXPECT_EQ(read_files(second.path).at("config.json"), "2");
  // Nobody answers, or there is nobody to ask: what is here is used.
  for (const std::string& endpoint : {std::string("http://127.0.0.1:1"), std::string()}) {
    EXPECT_EQ(snapshots(endpoint).locate("hf://ns/r").path, second.path);
    EXPECT_EQ(snapshots(endpoint).locate("hf://ns/r@" + first.commit).path, first.path);
  }
  EXPECT_EQ(error_of([&] { snapshots("").locate("hf://ns/other"); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { snapshots(server_->url()).locate("hf://ns/r/none"); }).code(), Code::kNotFound);
}

TEST_F(Pull, OneGgufIsTheModelOfSeveralOneIsNamed) {
  push_files("hf://ns/one", {{"README.md", "x"}, {"m.Q4.gguf", "one"}});
  EXPECT_EQ(snapshots(server_->url()).locate("hf://ns/one").path.filename(), "m.Q4.gguf");
  push_files("hf://ns/two", {{"a.gguf", "one"}, {"b.gguf", "two"}});
  const auto error = error_of([&] { snapshots(server_->url()).locate("hf://ns/two"); });
  EXPECT_NE(std::string(error.what()).find("a.gguf, b.gguf"), std::string::npos);
  EXPECT_EQ(base::read_file(snapshots(server_->url()).locate("hf://ns/two/b.gguf").path), "two");
}

TEST(ModelFiles, AreThoseThatAModelIsRunFrom) {
  const auto names = [](std::vector<std::string> paths) {
    std::vector<RemoteFile> files;
    for (std::string& path : paths) {
      files.push_back({std::move(path), 1, "", ""});
    }
    std::string text;
    for (const RemoteFile& file : model_files(files)) {
      text += file.path + " ";
    }
    return text;
  };
  EXPECT_EQ(names({"config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", ".gitattributes"}), "config.json model.safetensors ");
  EXPECT_EQ(names({"config.json", "pytorch_model.bin"}), "config.json pytorch_model.bin ");
  EXPECT_EQ(names({"logo.png"}), "logo.png ");
}

}  // namespace
}  // namespace slipway::hub
