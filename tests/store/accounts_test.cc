// Accounts, tokens, and the chain of changes.
#include "record/accounts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "store/fixture.h"
#include "store/sqlite.h"

namespace slipway::store {
namespace {

using base::Code;
using record::Role;

class AccountsTest : public StoreTest {
 protected:
  record::AccountStore& accounts() { return store_->accounts(); }
  record::Accounts all() { return *accounts().read(-1); }
  void add(const std::string& name, std::vector<record::Grant> grants = {}) {
    accounts().add({name, "hash of " + name, false, 0, 0, std::move(grants)});
  }
  record::NewToken token(const std::string& account, record::TokenKind kind = record::TokenKind::kPersonal) {
    record::NewToken made = record::make_token();
    made.token.account = account;
    made.token.kind = kind;
    accounts().add_token(made.token);
    return made;
  }
};

TEST_F(AccountsTest, LiveFromAdditionToRemoval) {
  add("ann", {{"*", Role::kAdmin}});
  add("bob", {{"sentiment", Role::kEditor}, {"other", Role::kViewer}});
  EXPECT_EQ(error_of([&] { add("ann"); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { add("Not A Name"); }).code(), Code::kInvalid);
  accounts().grant("bob", {"other", Role::kApprover});
  accounts().grant("bob", {"sentiment", Role::kNone});
  reopen();
  const record::Accounts now = all();
  ASSERT_EQ(now.accounts.size(), 2U);
  EXPECT_EQ(now.accounts[0].name, "ann");
  EXPECT_EQ(now.accounts[0].password, "hash of ann");
  EXPECT_EQ(now.accounts[1].grants, (std::vector<record::Grant>{{"other", Role::kApprover}}));
  token("bob");
  accounts().remove("bob");
  EXPECT_EQ(all().accounts.size(), 1U);
  EXPECT_TRUE(all().tokens.empty());
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { accounts().remove("bob"); }, [&] { accounts().set_password("bob", "x"); },
           [&] { accounts().grant("bob", {"p", Role::kViewer}); }, [&] { token("bob"); },
           [&] { accounts().remove_token("slw_00000000"); }}) {
    EXPECT_EQ(error_of(action).code(), Code::kNotFound);
  }
}

TEST_F(AccountsTest, TellWhenAnythingChanged) {
  std::set<int64_t> versions = {all().version};
  const auto changed = [&] {
    const int64_t now = all().version;
    EXPECT_EQ(accounts().read(now), std::nullopt);
    return versions.insert(now).second;
  };
  add("ann");
  EXPECT_TRUE(changed());
  accounts().grant("ann", {"*", Role::kViewer});
  EXPECT_TRUE(changed());
  const record::NewToken made = token("ann");
  EXPECT_TRUE(changed());
  accounts().mark_used({{made.token.id, 77}, {"slw_nothing", 78}});
  EXPECT_FALSE(changed());
  EXPECT_EQ(all().tokens.at(0).used_ms, 77);
  accounts().set_password("ann", "other");
  EXPECT_TRUE(changed());
  accounts().remove_token(made.token.id);
  EXPECT_TRUE(changed());
  const auto second = open_store(folder(), options_);  // as another process
  second->accounts().remove("ann");
  EXPECT_TRUE(changed());
}

TEST_F(AccountsTest, ANewPasswordEndsSessionsAlone) {
  add("ann");
  const record::NewToken personal = token("ann");
  token("ann", record::TokenKind::kSession);
  accounts().set_password("ann", "other");
  ASSERT_EQ(all().tokens.size(), 1U);
  EXPECT_EQ(all().tokens[0].id, personal.token.id);
}

TEST_F(AccountsTest, SecretsAreNotInTheFolder) {
  add("ann");
  const record::NewToken made = token("ann");
  EXPECT_TRUE(record::is_token(made.secret));
  EXPECT_EQ(record::token_digest(made.secret), all().tokens[0].digest);
  EXPECT_TRUE(made.secret.starts_with(made.token.id + "_"));
  const std::string hidden = made.secret.substr(made.token.id.size() + 1);
  EXPECT_EQ(hidden.size(), 64U);
  store_.reset();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(base::read_file(entry.path()).find(hidden), std::string::npos) << entry.path();
    }
  }
}

TEST(Projects, CoverTheirNameAndWhatLiesBelow) {
  for (const char* name : {"team", "team/x", "team.x", "team/x/y"}) {
    EXPECT_TRUE(record::covers("team", name)) << name;
    EXPECT_TRUE(record::covers("*", name)) << name;
  }
  for (const char* name : {"", "tea", "team2", "team-x", "team x", "x/team", "Team"}) {
    EXPECT_FALSE(record::covers("team", name)) << name;
    EXPECT_FALSE(record::covers("", name)) << name;
  }
}

class Chain : public StoreTest {
 protected:
  static record::AuditEntry entry(const std::string& subject) {
    record::AuditEntry entry;
    entry.actor = "ann";
    entry.peer = "127.0.0.1";
    entry.action = "POST /x";
    entry.subject = subject;
    return entry;
  }
  void change(const std::string& name, const std::string& outcome = "ok") {
    const auto scope = store_->audit().begin(entry(name));
    store_->runs().create_run(run(name));
    scope->end(outcome);
  }
  std::vector<std::string> problems() { return store_->audit().verify({}).problems; }
  // As somebody who may write to the file.
  void tamper(const char* sql) { database()->exec(sql); }
};

TEST_F(Chain, HoldsEveryChangeOnce) {
  for (int i = 1; i <= 5; ++i) {
    clock_.advance(10);
    change(fmt::format("r{}", i));
  }
  store_->runs().create_run(run("of nobody"));  // no scope
  const auto entries = store_->audit().list(0, 100);
  ASSERT_EQ(entries.size(), 5U);
  EXPECT_EQ(entries[0].previous, std::string(64, '0'));
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(entries[i].id, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(entries[i].subject, fmt::format("r{}", i + 1));
    EXPECT_EQ(entries[i].outcome, "ok");
    EXPECT_EQ(entries[i].hash, record::audit_hash(entries[i]));
    if (i > 0) {
      EXPECT_EQ(entries[i].previous, entries[i - 1].hash);
    }
  }
  EXPECT_EQ(store_->audit().list(3, 1).at(0).subject, "r4");
  EXPECT_EQ(store_->audit().newest(2).at(0).subject, "r4");
  reopen();
  const record::AuditReport report = store_->audit().verify(std::pair{int64_t{2}, entries[1].hash});
  EXPECT_EQ(report.entries, 5);
  EXPECT_EQ(report.head, entries[4].hash);
  EXPECT_TRUE(report.problems.empty());
}

TEST_F(Chain, TellsWhatCameToNothing) {
  change("r1");
  const auto scope = store_->audit().begin(entry("r1 again"));
  EXPECT_EQ(error_of([&] { store_->runs().create_run(run("r1")); }).code(), Code::kConflict);
  scope->end("RESOURCE_ALREADY_EXISTS");
  const auto reading = store_->audit().begin(entry("nothing to write"));
  reading->end("ok");
  const auto entries = store_->audit().list(0, 100);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1].outcome, "RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(entries[2].outcome, "ok");
  EXPECT_TRUE(problems().empty());
}

TEST_F(Chain, KeepsOddTextsShortAndPlain) {
  const auto scope = store_->audit().begin(entry("a\nb\xFF" + std::string(5000, 'x')));
  scope->end("ok");
  const std::string subject = store_->audit().list(0, 1).at(0).subject;
  EXPECT_TRUE(subject.starts_with("a?b?x"));
  EXPECT_EQ(subject.size(), 500U);
  EXPECT_TRUE(problems().empty());
}

TEST_F(Chain, FindsWhatWasAlteredRemovedOrInserted) {
  struct Case {
    const char* sql;
    const char* problem;
  };
  const std::vector<Case> cases = {
      {"UPDATE audit SET actor = 'bob' WHERE id = 3", "entry 3 was altered"},
      {"UPDATE audit SET outcome = 'ko' WHERE id = 5", "entry 5 was altered"},
      {"UPDATE audit SET time_ms = time_ms + 1 WHERE id = 1", "entry 1 was altered"},
      {"UPDATE audit SET previous = hash WHERE id = 2", "entry 2 was altered"},
      {"UPDATE audit SET hash = previous WHERE id = 4", "entry 4 was altered"},
      {"DELETE FROM audit WHERE id = 3", "entry 3 was removed"},
      {"DELETE FROM audit WHERE id IN (2, 3)", "entries 2 to 3 were removed"},
      {"DELETE FROM audit WHERE id = 1", "entry 1 was removed"},
      {"DELETE FROM audit WHERE id = 5", "entry 5 was removed from the end"},
      {"DELETE FROM audit", "entries 1 to 5 were removed from the end"},
      {"INSERT INTO audit SELECT 6, time_ms, actor, credential, peer, action, subject, outcome, request, previous, hash "
       "FROM audit WHERE id = 5",
       "entry 6 was inserted at the end"},
      {"INSERT INTO audit SELECT 0, time_ms, actor, credential, peer, action, subject, outcome, request, previous, hash "
       "FROM audit WHERE id = 5",
       "entry 0 was inserted"},
      {"UPDATE audit SET id = 10 + id WHERE id IN (3, 4); UPDATE audit SET id = 4 WHERE id = 13; "
       "UPDATE audit SET id = 3 WHERE id = 14",
       "entry 3 was altered"},
      {"DELETE FROM audit_head", "the head of the chain was removed"},
  };
  for (int i = 1; i <= 5; ++i) {
    change(fmt::format("r{}", i));
  }
  ASSERT_TRUE(problems().empty());
  for (const Case& c : cases) {
    tamper("CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_head AS SELECT * FROM audit_head");
    tamper(c.sql);
    const auto found = problems();
    ASSERT_FALSE(found.empty()) << c.sql;
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const std::string& p) { return p.starts_with(c.problem); }))
        << c.sql << ": " << fmt::format("{}", found);
    tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept;"
           "DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head; DROP TABLE kept_head");
    ASSERT_TRUE(problems().empty());
  }
}

// Whoever may write to the file may write a whole new chain: only what was kept elsewhere tells.
TEST_F(Chain, AKeptHeadFindsANewChain) {
  change("r1");
  change("r2");
  const record::AuditReport before = store_->audit().verify({});
  tamper("DELETE FROM audit; UPDATE audit_head SET entry = 0, hash = '"
         "0000000000000000000000000000000000000000000000000000000000000000'");
  EXPECT_TRUE(problems().empty());
  const std::pair<int64_t, std::string> kept{2, before.head};
  EXPECT_EQ(store_->audit().verify(kept).problems.size(), 1U);
  change("r3");
  change("r4");
  EXPECT_EQ(store_->audit().verify(kept).problems.at(0), "entry 2 is not the one whose hash was kept");
}

}  // namespace
}  // namespace slipway::store
