// The Hugging Face Hub API: what clients go by (headers, words of errors), and what must be refused.
#include "api/fixture.h"
#include "api/hub.h"
#include "api/hub_commit_reader.h"
#include "base/base64.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

namespace fs = std::filesystem;

class HubApi : public ServerTest {
 protected:
  static constexpr const char* kRepo = "/api/models/ns/r";
  void make() { good(ask("POST", "/api/repos/create", R"({"name": "r", "organization": "ns", "type": "model"})")); }
  Answer commit(const std::string& lines, const std::string& branch = "main") {
    return ask("POST", fmt::format("{}/commit/{}", kRepo, branch), lines, {{"Content-Type", "application/x-ndjson"}});
  }
  static std::string header(const std::string& parent = "") {
    Json value = {{"summary", "s"}, {"description", "d"}};
    if (!parent.empty()) {
      value["parentCommit"] = parent;
    }
    return Json{{"key", "header"}, {"value", value}}.dump() + "\n";
  }
  static std::string file(const std::string& path, const std::string& bytes) {
    return Json{{"key", "file"}, {"value", {{"path", path}, {"content", base::base64_encode(bytes)}, {"encoding", "base64"}}}}.dump() + "\n";
  }
  static std::string lfs(const std::string& path, const Json& oid, const Json& size) {
    return Json{{"key", "lfsFile"}, {"value", {{"path", path}, {"algo", "sha256"}, {"oid", oid}, {"size", size}}}}.dump() + "\n";
  }
  std::string head() { return good(ask("GET", kRepo))["sha"].get<std::string>(); }
  // "404 EntryNotFound".
  static std::string word(const Answer& answer) {
    return fmt::format("{} {}", answer.status, answer.headers.get("X-Error-Code"));
  }
};

TEST_F(HubApi, FilesComeWithTheHeadersThatClientsGoBy) {
  make();
  const std::string id = good(commit(header() + file("a b/ü.txt", "hello") + file("README.md", "---\ntags: [x]\nlicense: mit\n---\n")))["commitOid"];
  EXPECT_EQ(id.size(), 40U);
  const Answer got = ask("GET", "/ns/r/resolve/main/a%20b%2F%C3%BC.txt");
  EXPECT_EQ(got.text, "hello");
  EXPECT_EQ(got.headers.get("X-Repo-Commit"), id);
  EXPECT_EQ(got.headers.get("ETag"), "\"" + base::git_blob_id("hello") + "\"");
  EXPECT_EQ(got.headers.get("Accept-Ranges"), "bytes");
  EXPECT_FALSE(got.headers.has("X-Linked-Etag"));
  EXPECT_EQ(got.headers.get("Content-Type"), "application/octet-stream");
  const Answer head = ask("HEAD", "/ns/r/resolve/" + id + "/a%20b/%C3%BC.txt");
  EXPECT_EQ(head.headers.get("Content-Length"), "5");
  EXPECT_EQ(head.text, "");
  EXPECT_EQ(ask("GET", "/ns/r/resolve/main/a%20b/%C3%BC.txt", "", {{"Range", "bytes=1-2"}}).text, "el");
  EXPECT_EQ(ask("GET", "/ns/r/resolve/main/a%20b/%C3%BC.txt", "", {{"If-None-Match", std::string(got.headers.get("ETag"))}}).status, 304);
  const Json info = good(ask("GET", std::string(kRepo) + "?blobs=true"));
  EXPECT_EQ(info["tags"], Json({"x", "license:mit"}));
  EXPECT_EQ(info["siblings"][1]["rfilename"], "a b/ü.txt");
  EXPECT_EQ(info["siblings"][1]["size"], 5);
  restart();
  EXPECT_EQ(ask("GET", "/ns/r/resolve/main/a%20b/%C3%BC.txt").text, "hello");
}

TEST_F(HubApi, AddressesInAnswersAreThoseOfTheProxyInFront) {
  make();
  const std::string oid(64, 'a');
  const Json batch = {{"operation", "upload"}, {"objects", Json::array({Json{{"oid", oid}, {"size", 1}}})}};
  const auto upload = [&](const net::Headers& headers) {
    const Json answer = Json::parse(ask("POST", "/ns/r.git/info/lfs/objects/batch", batch.dump(), headers).text);
    return answer["objects"][0]["actions"]["upload"]["href"].get<std::string>();
  };
  EXPECT_TRUE(upload({}).starts_with("http://127.0.0.1:")) << upload({});
  EXPECT_TRUE(upload({{"X-Forwarded-Proto", "https"}}).starts_with("https://127.0.0.1:"));
  const Json token = good(ask("GET", std::string(kRepo) + "/xet-write-token/main", "", {{"X-Forwarded-Proto", "https"}}));
  EXPECT_TRUE(token["casUrl"].get<std::string>().starts_with("https://"));
}

TEST_F(HubApi, SaysWhichFilesTheIgnoreFileNames) {
  make();
  const auto ignored = [&](const Json& rules) {
    Json asked = {{"files", Json::array()}};
    for (const char* path : {"a.log", "out/a.txt", "out/b/c", "a.txt"}) {
      asked["files"].push_back({{"path", path}, {"size", 1}, {"sample", ""}});
    }
    if (!rules.is_null()) {
      asked["gitIgnore"] = rules;
    }
    std::string out;
    const Json answer = good(ask("POST", std::string(kRepo) + "/preupload/main", asked.dump()));
    for (const Json& file : answer.at("files")) {
      out += file.at("shouldIgnore").get<bool>() ? "x" : "-";
    }
    return out;
  };
  EXPECT_EQ(ignored(nullptr), "----");
  EXPECT_EQ(ignored("*.log\nout/\n"), "xxx-");
  EXPECT_EQ(commit(header() + file(".gitignore", "out/*\n!a.txt\n")).status, 200);
  EXPECT_EQ(ignored(nullptr), "--x-");  // the repository's own
  EXPECT_EQ(ignored("*.log\n"), "x---");
  EXPECT_EQ(ignored(""), "----");
  EXPECT_EQ(ask("POST", std::string(kRepo) + "/preupload/main",
                Json{{"files", Json::array()}, {"gitIgnore", std::string(100'000, 'x')}}.dump()).status, 413);
}

TEST_F(HubApi, SaysWhatIsMissingInTheWordsThatClientsKnow) {
  make();
  const std::string id = head();
  EXPECT_EQ(word(ask("GET", "/api/models/ns/none")), "404 RepoNotFound");
  EXPECT_EQ(word(ask("GET", "/api/datasets/ns/r")), "404 RepoNotFound");
  EXPECT_EQ(word(ask("GET", "/ns/none/resolve/main/x")), "404 RepoNotFound");
  EXPECT_EQ(word(ask("GET", "/gpt2/resolve/main/x")), "404 RepoNotFound");
  EXPECT_EQ(word(ask("GET", "/ns/r/resolve/none/x")), "404 RevisionNotFound");
  EXPECT_EQ(word(ask("GET", std::string(kRepo) + "/tree/refs%2Fpr%2F1")), "404 RevisionNotFound");
  const Answer entry = ask("GET", "/ns/r/resolve/main/x");
  EXPECT_EQ(word(entry), "404 EntryNotFound");
  EXPECT_EQ(entry.headers.get("X-Repo-Commit"), id);
  EXPECT_EQ(word(ask("GET", std::string(kRepo) + "/tree/main/none")), "404 EntryNotFound");
  EXPECT_EQ(ask("POST", std::string(kRepo) + "/commit/main?create_pr=1", header()).status, 501);
  EXPECT_EQ(ask("POST", "/api/repos/create", R"({"name": "p", "type": "space"})").status, 400);
  const Answer again = ask("POST", "/api/repos/create", R"({"name": "r", "organization": "ns"})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body["url"], server_->url() + "/ns/r");
}

TEST_F(HubApi, ABrokenCommitChangesNothing) {
  make();
  const std::string before = head();
  const auto refused = [&](const std::string& lines, const std::string& says, int status = 400) {
    const Answer answer = commit(lines);
    EXPECT_EQ(answer.status, status) << lines.substr(0, 200);
    EXPECT_NE(answer.text.find(says), std::string::npos) << answer.text;
  };
  const std::string oid(64, 'a');
  refused("", "not even a header");
  refused("{", "line 1");
  refused(header() + "nonsense\n", "line 2");
  refused(file("a", "x"), "must be the header");
  refused(header() + header(), "is no operation");
  refused(header() + R"({"key": "file"})", "'value' must be an object");
  refused(header() + R"({"key": "file", "value": {"path": "a", "content": "***", "encoding": "base64"}})", "not base64");
  refused(header() + R"({"key": "file", "value": {"path": "a", "content": "x", "encoding": "rot13"}})", "neither base64");
  refused(header() + R"({"key": "file", "value": {"path": 7, "content": "x"}})", "path");
  refused(header() + std::string(200, '['), "line 2");
  refused(R"({"key": "header", "value": {"summary": ""}})", "summary");
  for (const std::string& path : {std::string("../x"), std::string("/etc/passwd"), std::string("a/../../x"), std::string("a//b"),
                                  std::string("."), std::string(""), std::string("a\0b", 3), std::string("a\nb"),
                                  std::string(300, 'n'), std::string(5000, '/')}) {
    refused(header() + file("good", "x") + file(path, "x"), "path");
  }
  refused(header() + lfs("a", oid, 5), "was not uploaded");
  refused(header() + lfs("a", "../../x", 5), "64 hex digits");
  refused(header() + lfs("a", 7, 5), "oid");
  refused(header() + lfs("a", oid, -5), "not a number of bytes");
  refused(header() + file("a", "x") + file("a/b", "x"), "is a file");
  refused(header() + R"({"key": "deletedFile", "value": {"path": "none"}})", "no 'none'", 404);
  refused(header() + R"({"key": "deletedFolder", "value": {"path": "../.."}})", "no '../..'", 404);
  refused(header(std::string(40, '0')) + file("a", "x"), "a commit happened since", 412);
  EXPECT_EQ(head(), before);
  EXPECT_EQ(good(ask("GET", std::string(kRepo) + "/tree/main")), Json::array());
  std::string outside;
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
    const std::string name = entry.path().lexically_relative(dir_.path()).string();
    outside += name.starts_with("record") ? "" : name;
  }
  EXPECT_EQ(outside, "");
}

TEST_F(HubApi, LargeFilesAreHeldToTheirDigest) {
  make();
  const std::string bytes(100'000, 'x');
  const std::string oid = base::sha256_hex(bytes);
  const Json request = {{"operation", "upload"}, {"transfers", {"basic", "multipart"}}, {"objects", {{{"oid", oid}, {"size", bytes.size()}}}}};
  const auto batch = [&](const Json& body) {
    return ask("POST", "/ns/r.git/info/lfs/objects/batch", body.dump(), {{"Content-Type", "application/vnd.git-lfs+json"}});
  };
  const auto path_of = [&](const Json& href) { return href.get<std::string>().substr(server_->url().size()); };
  Json object = Json::parse(batch(request).text)["objects"][0];
  const std::string place = path_of(object["actions"]["upload"]["href"]);
  const std::string verify = path_of(object["actions"]["verify"]["href"]);
  EXPECT_EQ(ask("PUT", place, "other", {{"Content-Type", "x"}}).status, 400);
  EXPECT_EQ(ask("POST", verify, Json{{"oid", oid}, {"size", bytes.size()}}.dump()).status, 404);
  EXPECT_EQ(commit(header() + lfs("w", oid, bytes.size())).status, 400);
  EXPECT_EQ(ask("PUT", place, bytes, {{"Content-Type", "x"}}).status, 200);
  EXPECT_EQ(ask("POST", verify, Json{{"oid", oid}, {"size", 7}}.dump()).status, 404);
  EXPECT_EQ(ask("POST", verify, Json{{"oid", oid}, {"size", bytes.size()}}.dump()).status, 200);
  EXPECT_EQ(commit(header() + lfs("w", oid, 7)).status, 400);
  EXPECT_EQ(commit(header() + lfs("w", oid, bytes.size())).status, 200);
  object = Json::parse(batch(request).text)["objects"][0];
  EXPECT_FALSE(object.contains("actions"));  // it is there
  const Answer got = ask("GET", "/ns/r/resolve/main/w");
  EXPECT_EQ(got.text, bytes);
  EXPECT_EQ(got.headers.get("X-Linked-Etag"), "\"" + oid + "\"");
  EXPECT_EQ(got.headers.get("X-Linked-Size"), "100000");
  EXPECT_EQ(ask("PUT", "/ns/r.git/info/lfs/objects/..%2F..%2Fx", "x", {{"Content-Type", "x"}}).status, 400);
  EXPECT_EQ(batch({{"operation", "upload"}, {"objects", {{{"oid", "../x"}, {"size", 1}}}}}).status, 422);
  EXPECT_EQ(batch({{"operation", "upload"}, {"objects", 7}}).status, 422);
}

TEST_F(HubApi, PartsArePutTogether) {
  make();
  const std::string one(50'000, '1');
  const std::string two(20'000, '2');
  const std::string oid = base::sha256_hex(one + two);
  const Json large = {{"operation", "upload"}, {"transfers", {"multipart"}}, {"objects", {{{"oid", oid}, {"size", uint64_t{200} << 20}}}}};
  const Answer answer = ask("POST", "/ns/r.git/info/lfs/objects/batch", large.dump());
  const Json upload = Json::parse(answer.text)["objects"][0]["actions"]["upload"];
  EXPECT_EQ(upload["header"]["chunk_size"], "67108864");
  EXPECT_TRUE(upload["header"].contains("00004"));
  EXPECT_FALSE(upload["header"].contains("00005"));
  Json parts = Json::array();
  for (const std::string& part : {one, two}) {
    const Answer put = ask("PUT", fmt::format("/ns/r.git/info/lfs/parts/{}/{}", oid, parts.size() + 1), part, {{"Content-Type", "x"}});
    parts.push_back({{"partNumber", parts.size() + 1}, {"etag", put.headers.get("ETag")}});
  }
  const std::string complete = "/ns/r.git/info/lfs/complete/" + oid;
  EXPECT_EQ(ask("POST", complete, Json{{"oid", oid}, {"parts", {parts[0]}}}.dump()).status, 400);
  EXPECT_EQ(ask("POST", complete, Json{{"oid", oid}, {"parts", {parts[1], parts[0]}}}.dump()).status, 400);
  EXPECT_EQ(ask("POST", complete, Json{{"oid", oid}, {"parts", {{{"partNumber", 1}, {"etag", "../x"}}}}}.dump()).status, 400);
  EXPECT_EQ(ask("POST", complete, Json{{"oid", oid}, {"parts", parts}}.dump()).status, 200);
  EXPECT_EQ(commit(header() + lfs("w", oid, nullptr)).status, 200);
  EXPECT_EQ(ask("GET", "/ns/r/resolve/main/w").text, one + two);
}

TEST_F(HubApi, NamesAreThoseThatTheHubTakes) {
  const auto made = [&](const std::string& space, const std::string& name) {
    return ask("POST", "/api/repos/create", Json{{"organization", space}, {"name", name}}.dump()).status;
  };
  EXPECT_EQ(made("ns", "good-name_1.0"), 200);
  EXPECT_EQ(made("", "mine"), 200);
  EXPECT_EQ(ask("GET", "/api/models/slipway/mine").status, 200);
  for (const char* name : {"", ".", "..", "a/b", "-a", "a.", "a--b", "a..b", "a.git", "ü", "a b", "a%2fb"}) {
    EXPECT_EQ(made("ns", name), 400) << name;
  }
  EXPECT_EQ(made("ns", std::string(97, 'a')), 400);
  for (const char* space : {"api", "datasets", "spaces", "..", "xet"}) {
    EXPECT_EQ(made(space, "a"), 400) << space;
  }
  EXPECT_EQ(ask("POST", "/api/repos/move", R"({"fromRepo": "ns/good-name_1.0", "toRepo": "../x"})").status, 400);
}

TEST_F(HubApi, ListsGoOnByTheLinkHeader) {
  for (int i = 0; i < 5; ++i) {
    good(ask("POST", "/api/repos/create", Json{{"organization", "n"}, {"name", fmt::format("r{}", i)}, {"type", "dataset"}}.dump()));
  }
  std::string path = "/api/datasets?limit=2&search=R";
  std::string seen;
  while (!path.empty()) {
    const Answer page = ask("GET", path);
    for (const Json& repo : page.body) {
      seen += repo["id"].get<std::string>() + " ";
    }
    const std::string link(page.headers.get("Link"));
    const size_t start = link.find(server_->url());
    path = start == std::string::npos ? "" : link.substr(start + server_->url().size(), link.find('>') - start - server_->url().size());
  }
  EXPECT_EQ(seen, "n/r0 n/r1 n/r2 n/r3 n/r4 ");
  EXPECT_EQ(ask("GET", "/api/models?limit=x").status, 400);
  EXPECT_EQ(ask("GET", "/api/models?cursor=-1").status, 400);
}

TEST_F(HubApi, AForeignPageIsRefused) {
  EXPECT_EQ(ask("GET", "/api/whoami-v2", "", {{"Origin", "https://evil.example"}}).status, 403);
}

TEST(HubCard, IsTheMetadataAtTheTop) {
  EXPECT_EQ(hub_card("# no metadata"), nullptr);
  EXPECT_EQ(hub_card("---\nnever closed"), nullptr);
  EXPECT_EQ(hub_card("---\r\nlicense: mit\r\n---\r\ntext")["tags"], Json({"license:mit"}));
  EXPECT_EQ(hub_card("---\n---\n")["tags"], Json::array());
  EXPECT_THROW(hub_card("---\n- a\n---\n"), base::Error);
  EXPECT_THROW(hub_card("---\na: [\n---\n"), base::Error);
}

TEST(HubCommitReader, GivesWhatTheLinesSay) {
  std::string told;
  const HubCommitHeader header = read_hub_commit(
      "{\"key\":\"header\",\"value\":{\"summary\":\"s\",\"parentCommit\":\"p\"}}\r\n\n"
      "{\"key\":\"file\",\"value\":{\"path\":\"a\",\"content\":\"eA==\",\"encoding\":\"base64\"}}\n"
      "{\"key\":\"file\",\"value\":{\"path\":\"b\",\"content\":\"y\"}}\n"
      "{\"key\":\"deletedFolder\",\"value\":{\"path\":\"c/\"}}",
      [&](const HubOperation& operation) {
        told += fmt::format("{} {} {};", static_cast<int>(operation.kind), operation.path, operation.content);
      });
  EXPECT_EQ(told, "0 a x;0 b y;3 c/ ;");
  EXPECT_EQ(header.summary + header.parent, "sp");
}

}  // namespace
}  // namespace slipway::api
