// Who is let in and how: tokens, passwords, sessions, limits, TLS; what the audit log tells.
#include <chrono>
#include <cstdlib>
#include <thread>

#include "api/guard.h"
#include "api/secured.h"
#include "base/secret.h"
#include "net/raw_socket.h"

namespace slipway::api {
namespace {

using Security = SecuredTest;
using tests::RawSocket;

constexpr base::PasswordCost kCheap{4, 1, 1};
constexpr const char* kWhoAmI = "/api/slipway/session";
constexpr const char* kSearch = "/api/2.0/mlflow/experiments/search?max_results=5";
// "pat:a password of pat" and "pat:a wrong one of pat"
const std::string kPat = "Basic cGF0OmEgcGFzc3dvcmQgb2YgcGF0";
const std::string kWrongPat = "Basic cGF0OmEgd3Jvbmcgb25lIG9mIHBhdA==";

net::Headers with(const std::string& authorization) { return {{"Authorization", authorization}}; }

TEST_F(Security, AsksOnceThereIsAnAccount) {
  const Answer nobody = ask("GET", kSearch);
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.body["error_code"], "UNAUTHENTICATED");
  EXPECT_EQ(nobody.headers.get("WWW-Authenticate"), "Basic realm=\"slipway\", charset=\"UTF-8\"");
  EXPECT_EQ(ask("GET", kSearch, "", {{"Sec-Fetch-Mode", "cors"}}).headers.get("WWW-Authenticate"),
            "Bearer realm=\"slipway\"");
  EXPECT_EQ(ask("GET", "/health").text, "OK");
  EXPECT_EQ(as("viewer", "GET", kSearch).status, 200);
  const Answer viewer = post_as("viewer", "experiments/create", {{"name", "x"}});
  EXPECT_EQ(viewer.status, 403);
  EXPECT_EQ(viewer.body["error_code"], "PERMISSION_DENIED");
  EXPECT_EQ(good(as("ann", "GET", kWhoAmI)),
            Json::parse(R"({"accounts":true,"account":"ann","roles":[{"project":"mine","role":"admin"}],"csrf_token":null,"oidc":false})"));
  EXPECT_EQ(good(ask("GET", kWhoAmI))["account"], nullptr);
}

TEST_F(ServerTest, AsksNobodyWithoutAccounts) {
  EXPECT_EQ(ask("GET", kSearch).status, 200);
  EXPECT_EQ(ask("GET", kSearch, "", with("Bearer nonsense")).status, 200);
  EXPECT_EQ(good(ask("GET", kWhoAmI))["accounts"], false);
  EXPECT_EQ(good(ask("GET", kWhoAmI))["roles"][0]["role"], "admin");
  new_run();
  EXPECT_TRUE(store_->audit().newest(10).empty());
}

TEST_F(Security, CredentialsThatAreNoneOpenNothing) {
  const std::string good_token = tokens_["admin"];
  std::string other = good_token;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& value :
       {std::string("Bearer"), std::string("Bearer "), "Bearer " + other, "Bearer " + good_token + "0",
        "Bearer " + good_token.substr(0, good_token.size() - 1), "Token " + good_token, good_token, "Basic " + good_token,
        std::string("Basic"), std::string("Basic !!!"), std::string("Basic Og=="), std::string("Basic YWRtaW46"),
        "Bearer " + std::string(10'000, 'x'), std::string("Negotiate x"), "Bearer  slw_00000000_" + std::string(64, '0')}) {
    EXPECT_EQ(ask("GET", kSearch, "", with(value)).status, 401) << value;
  }
  EXPECT_EQ(ask("GET", kSearch, "", {{"Cookie", "slipway_session=" + good_token}}).status, 401);  // it is no session
  EXPECT_EQ(ask("GET", kSearch, "", with("bearer  " + good_token)).status, 200);
  // As git and MLflow may send it: a token in place of the password.
  // "admin:" + token in base64 is made by the client here.
  EXPECT_EQ(ask("GET", kSearch, "", with("BASIC " + std::string("cGF0Og"))).status, 401);
}

TEST_F(Security, TokensAreNarrowedExpireAndAreRevoked) {
  tokens_["reads"] = token("admin", Role::kViewer);
  tokens_["of team"] = token("editor", Role::kAdmin, "team");
  tokens_["old"] = token("admin", Role::kAdmin, "*", clock_.unix_ms() - 1);
  serve({});
  EXPECT_EQ(as("reads", "GET", kSearch).status, 200);
  EXPECT_EQ(post_as("reads", "experiments/create", {{"name", "x"}}).status, 403);
  EXPECT_EQ(post_as("of team", "experiments/create", {{"name", "x"}}).status, 403);
  const std::string id = experiment("team/x", "of team");
  EXPECT_EQ(as("of team", "DELETE", "/api/2.0/mlflow-artifacts/artifacts/" + id + "/y").status, 403);  // an editor's token
  const Answer old = as("old", "GET", kSearch);
  EXPECT_EQ(old.status, 401);
  EXPECT_NE(old.text.find("expired"), std::string::npos);

  const auto other_process = store::open_store(dir_.path() / "record", {.database_url = database_});
  const std::string secret = tokens_["reads"];
  other_process->accounts().remove_token(secret.substr(0, secret.rfind('_')));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);  // it reads again every second
  while (as("reads", "GET", kSearch).status != 401) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
  }
  other_process->accounts().remove("viewer");
  while (as("viewer", "GET", kSearch).status != 401) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
  }
}

TEST_F(Security, TellWhenATokenWasUsed) {
  as("viewer", "GET", kSearch);
  server_.reset();  // written within a minute, or at the end
  const auto all = store_->accounts().read(-1);
  for (const record::Token& token : all->tokens) {
    EXPECT_EQ(token.used_ms > 0, token.account == "viewer") << token.account;
  }
}

TEST_F(Security, PasswordsOpenTheDoorAsMlflowSendsThem) {
  add("pat", {{"*", Role::kEditor}}, base::hash_password("a password of pat", kCheap));
  TrackingServerOptions options;
  options.access.failures_per_minute = 3;
  serve(options);
  // An upload whose head carries a password that was not seen yet: decided later, and the body follows.
  EXPECT_EQ(ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x", std::string(100'000, 'x'), with(kPat)).status, 200);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask("POST", "/api/2.0/mlflow/experiments/search", "{\"max_results\": 5}", with(kPat)).status, 200);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask("GET", kSearch, "", with(kWrongPat)).status, 401) << i;
  }
  const Answer limited = ask("GET", kSearch, "", with(kWrongPat));
  EXPECT_EQ(limited.status, 429) << limited.text;
  EXPECT_FALSE(limited.headers.get("Retry-After").empty());
  EXPECT_EQ(ask("GET", kSearch, "", with(kPat)).status, 200);  // who was known before is not locked out by others
  store_->accounts().set_password("pat", base::hash_password("another of pat's", kCheap));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (ask("GET", kSearch, "", with(kPat)).status == 200) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
  }
}

TEST_F(Security, PagesHaveSessions) {
  add("pat", {{"*", Role::kEditor}}, base::hash_password("a password of pat", kCheap));
  serve({});
  const std::string login = "/api/slipway/login";
  EXPECT_EQ(ask("POST", login, R"({"username": "pat", "password": "a wrong one of pat"})").status, 401);
  EXPECT_EQ(ask("POST", login, R"({"username": "nobody", "password": "a password of pat"})").status, 401);
  EXPECT_EQ(ask("POST", login, R"({"username": "viewer", "password": ""})").status, 400);
  EXPECT_EQ(ask("POST", login, R"({"username": "pat", "password": "a password of pat"})", {{"Content-Type", "text/plain"}}).status,
            400);  // as a foreign page could send it
  const Answer in = ask("POST", login, R"({"username": "pat", "password": "a password of pat"})");
  good(in);
  const std::string set(in.headers.get("Set-Cookie"));
  EXPECT_NE(set.find("; HttpOnly; SameSite=Strict"), std::string::npos) << set;
  EXPECT_EQ(set.find("Secure"), std::string::npos);
  const std::string cookie = "a=b; " + set.substr(0, set.find(';')) + "; c=d";
  const std::string csrf = in.body["csrf_token"];
  EXPECT_EQ(good(ask("GET", kWhoAmI, "", {{"Cookie", cookie}}))["csrf_token"], csrf);
  EXPECT_EQ(ask("GET", kSearch, "", {{"Cookie", cookie}}).status, 200);
  EXPECT_EQ(ask("POST", "/api/2.0/mlflow/experiments/search", "{}", {{"Cookie", cookie}}).status, 200);  // it only reads
  const Answer page = ask("GET", "/login");
  EXPECT_EQ(page.status, 200);
  const std::string policy(page.headers.get("Content-Security-Policy"));
  const std::string nonce = policy.substr(policy.find("nonce-") + 6, 32);
  EXPECT_NE(page.text.find("<script nonce=\"" + nonce + "\">"), std::string::npos) << policy;
  const std::string create = "/api/2.0/mlflow/experiments/create";
  EXPECT_EQ(ask("POST", create, R"({"name": "x"})", {{"Cookie", cookie}}).status, 403);
  EXPECT_EQ(ask("POST", create, R"({"name": "x"})", {{"Cookie", cookie}, {"X-CSRF-Token", std::string(64, '0')}}).status, 403);
  EXPECT_EQ(ask("POST", create, R"({"name": "x"})", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}}).status, 200);
  EXPECT_EQ(ask("POST", create, R"({"name": "y"})",
                {{"Cookie", cookie}, {"X-CSRF-Token", csrf}, {"Origin", "https://evil.example"}})
                .status,
            403);
  const std::string secret = set.substr(set.find('=') + 1, set.find(';') - set.find('=') - 1);
  EXPECT_EQ(ask("GET", kSearch, "", with("Bearer " + secret)).status, 401);  // a session is for the cookie alone
  EXPECT_EQ(ask("POST", "/api/slipway/logout", "", {{"Cookie", cookie}}).status, 401);
  EXPECT_EQ(ask("POST", "/api/slipway/logout", "", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}}).status, 200);
  EXPECT_EQ(ask("GET", kSearch, "", {{"Cookie", cookie}}).status, 401);
  std::vector<std::string> actions;
  for (const record::AuditEntry& entry : store_->audit().newest(10)) {
    actions.push_back(entry.actor + ": " + entry.action + " " + entry.outcome);
  }
  EXPECT_EQ(actions, (std::vector<std::string>{"pat: login ok", "pat: POST /api/2.0/mlflow/experiments/create ok",
                                               "pat: logout ok"}));
}

TEST_F(Security, TicketsAreForAnAddressOfTheServersChoosing) {
  Authority authority({}, *store_, clock_, log_);
  const auto request_of = [&](const std::string& path, const std::string& ticket) {
    net::Request request;
    request.method = "PUT";
    request.path = path;
    request.peer = "127.0.0.1";
    request.query = {{"ticket", ticket}};
    return request;
  };
  const Rule rule{Role::kEditor, false, {}};
  net::Request asking = request_of("/x", "");
  asking.headers = with("Bearer " + tokens_["editor"]);
  asking.identity = authority.admit(asking, &rule).identity;
  ASSERT_NE(asking.identity, nullptr);
  const std::string ticket = authority.ticket(asking, "/lfs/7");
  const auto let_in = [&](const net::Request& request) {
    const net::Admission admission = authority.admit(request, &rule);
    const auto* caller = dynamic_cast<const Caller*>(admission.identity.get());
    return !admission.refusal && caller != nullptr && caller->account == "editor";
  };
  EXPECT_TRUE(let_in(request_of("/lfs/7", ticket)));
  EXPECT_TRUE(let_in(request_of("/lfs/7/part", ticket)));
  net::Request bearer = request_of("/lfs/7", "");
  bearer.headers = with("Bearer " + ticket);
  EXPECT_TRUE(let_in(bearer));
  EXPECT_FALSE(let_in(request_of("/lfs/8", ticket)));
  for (size_t i = 0; i < ticket.size(); ++i) {
    std::string altered = ticket;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(let_in(request_of("/lfs/7", altered))) << i;
  }
  for (const char* none : {"slt_", "slt_.", "slt_x.y", "slt_YQ.YQ", "."}) {
    EXPECT_FALSE(let_in(request_of("/lfs/7", none))) << none;
  }
  EXPECT_FALSE(Authority({}, *store_, clock_, log_).admit(request_of("/lfs/7", ticket), &rule).identity);  // another process
  store_->accounts().remove_token(tokens_["editor"].substr(0, tokens_["editor"].rfind('_')));
  authority.refresh();
  EXPECT_FALSE(let_in(request_of("/lfs/7", ticket)));
}

TEST_F(Security, AnAccountHasARate) {
  TrackingServerOptions options;
  options.access.requests_per_minute = 3;
  serve(options);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(as("viewer", "GET", kSearch).status, 200);
  }
  const Answer over = as("viewer", "GET", kSearch);
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.body["error_code"], "REQUEST_LIMIT_EXCEEDED");
  const int wait = std::stoi(std::string(over.headers.get("Retry-After")));
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 20);
  EXPECT_EQ(as("editor", "GET", kSearch).status, 200);
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

// 401, 403 and 429 on the head of an upload, of which not a byte is sent.
TEST_F(Security, UploadsAreDecidedBeforeTheirBody) {
  const std::string theirs = experiment("theirs");
  const std::string mine = experiment("mine", "ann");
  const auto begin = [&](const std::string& who, const std::string& path, const std::string& framing) {
    RawSocket socket(server_->port());
    socket.send("PUT /api/2.0/mlflow-artifacts/artifacts/" + path + " HTTP/1.1\r\nHost: localhost\r\n" +
                (who.empty() ? "" : "Authorization: Bearer " + tokens_.at(who) + "\r\n") + framing + "\r\n\r\n");
    return std::atoi(socket.read_until("\r\n").substr(9, 3).c_str());  // NOLINT(cert-err34-c)
  };
  for (const char* framing :
       {"Content-Length: 1000000", "Transfer-Encoding: chunked", "Content-Length: 1000000\r\nExpect: 100-continue"}) {
    EXPECT_EQ(begin("", "0/x", framing), 401) << framing;
    EXPECT_EQ(begin("viewer", "0/x", framing), 403) << framing;
    EXPECT_EQ(begin("ann", theirs + "/x", framing), 403) << framing;
  }
  EXPECT_EQ(begin("ann", mine + "/x", "Content-Length: 1000000\r\nExpect: 100-continue"), 100);
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path() / "record" / "blobs")) {
    std::error_code gone;  // the last upload, cut off, is just being removed
    const auto size = std::filesystem::file_size(entry.path(), gone);
    EXPECT_FALSE(entry.path().filename().string().starts_with("up-") && !gone && size > 0) << entry.path();
  }
}

TEST_F(Security, ChangesAreAuditedWithTheirOutcome) {
  const std::string id = experiment("one", "editor");
  post_as("viewer", "experiments/create", {{"name", "two"}});  // refused on its head: nothing was begun
  EXPECT_EQ(post_as("editor", "experiments/create", {{"name", "one"}}).status, 400);
  experiment("mine", "ann");
  EXPECT_EQ(post_as("ann", "experiments/delete", {{"experiment_id", id}}).status, 403);
  as("editor", "GET", kSearch);
  as("editor", "PUT", "/api/2.0/mlflow-artifacts/artifacts/" + id + "/x", "bytes");
  std::vector<std::string> lines;
  for (const record::AuditEntry& entry : store_->audit().newest(100)) {
    EXPECT_EQ(entry.peer, "127.0.0.1");
    EXPECT_EQ(entry.request.size(), 32U);
    EXPECT_TRUE(entry.credential.starts_with("slw_"));
    EXPECT_EQ(tokens_[entry.actor].substr(0, entry.credential.size()), entry.credential);
    lines.push_back(fmt::format("{} {} {} {}", entry.actor, entry.action, entry.subject, entry.outcome));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "editor POST /api/2.0/mlflow/experiments/create one ok",
                       "editor POST /api/2.0/mlflow/experiments/create one RESOURCE_ALREADY_EXISTS",
                       "ann POST /api/2.0/mlflow/experiments/create mine ok",
                       "ann POST /api/2.0/mlflow/experiments/delete experiment:1 PERMISSION_DENIED",
                       "editor PUT /api/2.0/mlflow-artifacts/artifacts/{path...} experiment:1 ok",
                   }));
  EXPECT_TRUE(store_->audit().verify({}).problems.empty());
}

TEST_F(ServerTest, AuditsWithoutAccountsWhenAsked) {
  server_.reset();
  TrackingServerOptions options;
  options.access.audit = true;
  server_ = std::make_unique<TrackingServer>(options, *store_, context_);
  server_->start();
  const std::string run = new_run();
  good(post("runs/log-metric", {{"run_id", run}, {"key", "m"}, {"value", 1}, {"timestamp", 1}}));
  const auto entries = store_->audit().newest(10);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].actor, "anonymous");
  EXPECT_EQ(entries[1].subject, "run:" + run);
}

TEST_F(ServerTest, OtherMachinesNeedAccountsAndTls) {
  const auto refusal = [&](const TrackingServerOptions& options) -> std::string {
    try {
      const TrackingServer server(options, *store_, context_);
      return "";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInvalid);
      return error.what();
    }
  };
  TrackingServerOptions options;
  options.http.address = "0.0.0.0";
  EXPECT_NE(refusal(options).find("--tls-cert"), std::string::npos);
  options.insecure_no_tls = true;
  EXPECT_NE(refusal(options).find("slipway users add NAME --admin"), std::string::npos);
  store_->accounts().add({"ann", "", true, 0, 0, {{"*", Role::kAdmin}}});
  EXPECT_EQ(refusal(options), "");
  options.insecure_no_tls = false;
  EXPECT_NE(refusal(options).find("--insecure-no-tls"), std::string::npos);
}

TEST_F(Security, SpeaksTls) {
  const std::string pem = (dir_.path() / "server.pem").string();
  const std::string key = (dir_.path() / "server.key").string();
  const std::string command = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {} -out {} -subj /CN=test "
      "-addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null",
      key, pem);
  server_.reset();
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
  TrackingServerOptions options;
  options.http.tls_cert = pem;
  options.http.tls_key = key;
  options.http.address = "0.0.0.0";
  add("pat", {{"*", Role::kEditor}}, base::hash_password("a password of pat", kCheap));
  serve(options);
  net::ClientOptions trusting;
  trusting.ca_file = pem;
  const std::string url = fmt::format("https://127.0.0.1:{}", server_->port());
  net::HttpClient client(url, trusting);
  EXPECT_EQ(client.request("GET", kSearch, "", with("Bearer " + tokens_["viewer"])).status, 200);
  const net::Response in = client.request("POST", "/api/slipway/login", R"({"username": "pat", "password": "a password of pat"})",
                                          {{"Content-Type", "application/json"}});
  EXPECT_TRUE(std::string_view(in.headers.get("Set-Cookie")).ends_with("; Secure"));
  server_->reload_tls();
  EXPECT_EQ(net::HttpClient(url, trusting).get("/health").status, 200);
}

TEST_F(Security, AnswersToItsNamesAlone) {
  const auto status = [&](const std::string& host) {
    RawSocket socket(server_->port());
    socket.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return socket.read_until("\r\n").substr(9, 3);
  };
  EXPECT_EQ(status("any.example"), "200");  // a page of another name has no credential to send
  TrackingServerOptions options;
  options.allowed_hosts = {"record.example", "[::1]"};
  serve(options);
  EXPECT_EQ(status("record.example"), "200");
  EXPECT_EQ(status("Record.Example:5000"), "200");
  EXPECT_EQ(status("[::1]:80"), "200");
  EXPECT_EQ(status("127.0.0.1"), "403");
  EXPECT_EQ(status("record.example.evil.example"), "403");
}

// Every escape from a folder that was found in such servers, in every disguise: none is answered with anything that lies
// outside of the tree, none makes, changes or removes a file but blobs.
TEST_F(Security, FiveHundredPathsLeadNowhere) {
  base::write_file_atomic(dir_.path() / "canary", "the canary");
  base::write_file_atomic(dir_.path() / "record" / "canary", "the canary");
  const std::string id = experiment("e", "editor");
  const auto outside = [&] {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
      const std::string path = std::filesystem::relative(entry.path(), dir_.path());
      if (entry.is_regular_file() && !path.starts_with("record/blobs/") && !path.starts_with("record/slipway.db")) {
        files.push_back(path + " " + std::to_string(entry.file_size()));
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  };
  const std::vector<std::string> ups = {"../",        "..%2f",       "%2e%2e/",     "%2e%2e%2f",   "%252e%252e%252f", "%25252e%25252e%25252f",
                                        "..\\",       "..%5c",       "%2e%2e%5c",   "..%255c",     "....//",          "..././",
                                        ".../",       "..;/",        "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/", "..%00/", "..%23/",
                                        "./../",      "x/../../",    "//../",       "%2f..%2f",    "..%2f%2f",        "%uff0e%uff0e/"};
  const std::vector<std::string> starts = {"", id + "/", "file:", "file:///", "/", "%2f", "C:%5c", "%5c%5chost%5cshare%5c"};
  const std::vector<std::string> targets = {"canary", "record/canary", "etc/passwd"};
  int paths = 0;
  const auto before = outside();
  net::HttpClient client(server_->url());
  for (const std::string& start : starts) {
    for (const std::string& up : ups) {
      for (const std::string& target : targets) {
        for (const int depth : {1, 4}) {
          std::string path = start;
          for (int i = 0; i < depth; ++i) {
            path += up;
          }
          path += target;
          ++paths;
          const net::Headers admin = with("Bearer " + tokens_["admin"]);
          const std::string address = "/api/2.0/mlflow-artifacts/artifacts/" + path;
          const net::Response read = client.request("GET", address, "", admin);
          EXPECT_TRUE(read.status == 400 || read.status == 404) << path << " " << read.status << " " << read.body;
          const net::Response listed = client.request("GET", "/api/2.0/mlflow-artifacts/artifacts?path=" + path, "", admin);
          EXPECT_EQ(listed.body.find("canary\""), std::string::npos) << path << listed.body;
          if (depth == 1) {
            const int put = client.request("PUT", address, "x", admin).status;
            EXPECT_TRUE(put == 200 || put == 400 || put == 404) << path << " " << put;
            const int removed = client.request("DELETE", address, "", admin).status;
            EXPECT_TRUE(removed == 200 || removed == 400 || removed == 404) << path << " " << removed;
          }
        }
      }
    }
  }
  EXPECT_GE(paths, 500);
  EXPECT_EQ(outside(), before);
  EXPECT_EQ(base::read_file(dir_.path() / "canary"), "the canary");
}

}  // namespace
}  // namespace slipway::api
