// Artifacts through the server: what goes up comes down, in parts too, and nothing leaves the tree.
#include "api/fixture.h"
#include "api/range.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

namespace fs = std::filesystem;

class Artifacts : public ServerTest {
 protected:
  static constexpr const char* kBase = "/api/2.0/mlflow-artifacts/artifacts/";
  Answer put(const std::string& path, const std::string& bytes) {
    return ask("PUT", kBase + path, bytes, {{"Content-Type", "application/octet-stream"}});
  }
  Answer take(const std::string& path, net::Headers headers = {}) {
    return ask("GET", kBase + path, "", std::move(headers));
  }
  std::string listed(const std::string& folder) {
    std::string text;
    const Json answer = good(ask("GET", "/api/2.0/mlflow-artifacts/artifacts?path=" + folder));
    if (answer.contains("files")) {
      for (const Json& file : answer["files"]) {
        text +=
            file["path"].get<std::string>() + (file["is_dir"] == true ? "/ " : ":" + file["file_size"].dump() + " ");
      }
    }
    return text;
  }
};

TEST_F(Artifacts, GoUpAndComeDown) {
  const std::string run = new_run();
  const std::string root = "0/" + run + "/artifacts/";
  const std::string bytes("some\0bytes\xFF", 11);
  EXPECT_EQ(put(root + "a/b.txt", bytes).status, 200);
  EXPECT_EQ(put(root + "model/MLmodel", "x").status, 200);
  EXPECT_EQ(put(root + "empty", "").status, 200);
  const Answer got = take(root + "a/b.txt");
  EXPECT_EQ(got.text, bytes);
  EXPECT_EQ(got.headers.get("Content-Type"), "text/plain");
  EXPECT_EQ(got.headers.get("Content-Disposition"), "attachment; filename=\"b.txt\"");
  EXPECT_EQ(got.headers.get("ETag"), "\"" + base::sha256_hex(bytes) + "\"");
  EXPECT_EQ(got.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(take(root + "empty").text, "");
  EXPECT_EQ(take(root + "a/b.txt", {{"If-None-Match", std::string(got.headers.get("ETag"))}}).status, 304);
  EXPECT_EQ(fault(take(root + "none")), "404 RESOURCE_DOES_NOT_EXIST: No such artifact: '" + root + "none'");
  EXPECT_EQ(listed(root), "a/ empty:0 model/ ");
  EXPECT_EQ(listed(root + "a/b.txt"), "");
  const Json of_run = good(get("artifacts/list?path=a&run_id=" + run));
  EXPECT_EQ(of_run["root_uri"], "mlflow-artifacts:/0/" + run + "/artifacts");
  EXPECT_EQ(of_run["files"][0]["path"], "a/b.txt");
  EXPECT_EQ(ask("GET", "/get-artifact?path=a/b.txt&run_uuid=" + run).text, bytes);
  restart();
  EXPECT_EQ(take(root + "a/b.txt").text, bytes);
  EXPECT_EQ(ask("DELETE", kBase + root + "a").status, 200);
  EXPECT_EQ(ask("DELETE", kBase + root + "a").status, 200);
  EXPECT_EQ(listed(root), "empty:0 model/ ");
}

TEST_F(Artifacts, LargeOnesStreamAndComeInParts) {
  std::string bytes(size_t{40} << 20, '\0');  // more than a body in memory may have
  for (size_t i = 0; i < bytes.size(); i += 997) {
    bytes[i] = static_cast<char>(i / 997);
  }
  EXPECT_EQ(put("big.bin", bytes).status, 200);
  EXPECT_EQ(base::sha256_hex(take("big.bin").text), base::sha256_hex(bytes));
  const Answer part = take("big.bin", {{"Range", "bytes=1000000-1999999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.text, bytes.substr(1'000'000, 1'000'000));
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 1000000-1999999/41943040");
  EXPECT_EQ(take("big.bin", {{"Range", "bytes=-5"}}).text, bytes.substr(bytes.size() - 5));
  EXPECT_EQ(take("big.bin", {{"Range", "bytes=99999999-"}}).status, 416);
  EXPECT_EQ(take("big.bin", {{"Range", "bytes=0-9"}, {"If-Range", "\"other\""}}).text.size(), bytes.size());
  EXPECT_EQ(ask("HEAD", std::string(kBase) + "big.bin").headers.get("Content-Length"), "41943040");
}

TEST_F(Artifacts, NoPathLeadsOut) {
  const auto snapshot = [&] {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      const std::string name = entry.path().lexically_relative(dir_.path()).string();
      if (!name.starts_with("record/slipway.db")) {
        all += name + "\n";
      }
    }
    return all;
  };
  const std::string before = snapshot();
  const std::vector<std::string> ups = {"..",      "%2e%2e",  "%2E.",  "%252e%252e", "%25252e%25252e",
                                        "..%2f..", "..%5c..", "..%00", "..%23"};
  const std::vector<std::string> places = {"{}", "{}/x", "a/{}", "a/{}/{}/x", "a/b/{}/c", "{}/{}/{}/{}/etc/passwd"};
  int tried = 0;
  for (const std::string& up : ups) {
    for (const std::string& place : places) {
      const std::string path = fmt::format(fmt::runtime(place), up, up, up, up);
      for (const char* method : {"PUT", "GET", "DELETE"}) {
        const Answer answer = ask(method, kBase + path, std::string(method) == "PUT" ? "x" : "");
        EXPECT_EQ(answer.status, 400) << method << " " << path;
        ++tried;
      }
      const Answer listing = ask("GET", "/api/2.0/mlflow-artifacts/artifacts?path=" + path);
      EXPECT_EQ(listing.status, 400) << path;
      ++tried;
    }
  }
  EXPECT_EQ(put("/etc/passwd", "x").status, 404);  // an empty name leads nowhere
  for (const char* path : {"%2fetc/passwd", "C:%5cx", "file:%2f%2f%2fetc", "a%0ab"}) {
    EXPECT_EQ(put(path, "x").status, 400) << path;
    ++tried;
  }
  EXPECT_GE(tried, 200);
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(fault(put("a/../b", "x")), "400 INVALID_PARAMETER_VALUE: Invalid path");
}

TEST(Range, ReadsWhatTheHeaderSays) {
  const auto text = [](std::string_view header) {
    const Range range = parse_range(header, 100);
    return range.kind == Range::Kind::kWhole           ? std::string("whole")
           : range.kind == Range::Kind::kUnsatisfiable ? std::string("none")
                                                       : fmt::format("{}+{}", range.first, range.size);
  };
  EXPECT_EQ(text("bytes=0-0"), "0+1");
  EXPECT_EQ(text("bytes=10-"), "10+90");
  EXPECT_EQ(text("bytes=90-1000"), "90+10");
  EXPECT_EQ(text("bytes=-30"), "70+30");
  EXPECT_EQ(text("bytes=-1000"), "0+100");
  EXPECT_EQ(text("bytes=100-"), "none");
  EXPECT_EQ(text("bytes=-0"), "none");
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,5-6", "lines=0-1",
                             "bytes=18446744073709551616-"}) {
    EXPECT_EQ(text(header), "whole") << header;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Range::Kind::kUnsatisfiable);
}

}  // namespace
}  // namespace slipway::api
