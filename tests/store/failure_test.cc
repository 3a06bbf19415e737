// Full disks, read-only folders, damaged databases: clear errors, nothing lost.
#include <fstream>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/fixture.h"
#include "store/sqlite.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using Failure = StoreTest;

TEST_F(Failure, MissingStoreIsNotFoundUnlessItMayBeMade) {
  options_.create = false;
  const auto error = error_of([&] { open_store(dir_.path() / "none", options_); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_FALSE(fs::exists(dir_.path() / "none"));
  EXPECT_EQ(error_of([&] { verify_store(dir_.path() / "none"); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { collect_garbage(dir_.path() / "none", {.retention_ms = {}, .dry_run = true}); }).code(), Code::kNotFound);
}

TEST_F(Failure, AFileThatIsNoDatabaseIsToldWithAdvice) {
  store_.reset();
  base::write_file_atomic(folder() / "slipway.db", std::string(10000, 'x'));
  const auto error = error_of([&] { open(); });
  EXPECT_EQ(error.code(), Code::kIntegrity);
  EXPECT_NE(std::string(error.what()).find(".recover"), std::string::npos);
  EXPECT_FALSE(verify_store(folder()).problems.empty());
}

TEST_F(Failure, ATruncatedDatabaseIsTold) {
  for (int i = 0; i < 200; ++i) {
    store_->events().append("kind", "subject", {{"text", std::string(500, 'x')}});
  }
  store_.reset();
  fs::resize_file(folder() / "slipway.db", fs::file_size(folder() / "slipway.db") / 2);
  const auto error = error_of([&] {
    open();
    store_->events().list("", 0, 1000);
  });
  EXPECT_EQ(error.code(), Code::kIntegrity) << error.what();
  EXPECT_FALSE(verify_store(folder()).problems.empty());
}

TEST_F(Failure, ADatabaseThatReachedItsLimitKeepsWhatItHas) {
  store_.reset();
  options_.max_database_bytes = 400'000;
  open();
  int kept = 0;
  base::Error told{Code::kFailure, "never full"};
  try {
    for (; kept < 1000; ++kept) {
      store_->events().append("kind", "subject", {{"text", std::string(2000, 'x')}});
    }
  } catch (const base::Error& error) {
    told = error;
  }
  EXPECT_EQ(told.code(), Code::kUnavailable);
  EXPECT_NE(std::string(told.what()).find("no space left"), std::string::npos) << told.what();
  EXPECT_EQ(store_->events().list("", 0, 2000).size(), static_cast<size_t>(kept));
  options_.max_database_bytes = 0;
  reopen();
  store_->events().append("kind", "subject", {});
  EXPECT_EQ(store_->events().list("", 0, 2000).size(), static_cast<size_t>(kept) + 1);
}

TEST_F(Failure, ALockHeldByAnotherProcessIsUnavailable) {
  store_.reset();
  options_.busy_timeout_ms = 10;
  open();
  Database other(folder() / "slipway.db", false, 10);
  other.exec("BEGIN IMMEDIATE");
  const auto error = error_of([&] { store_->runs().create_run(run("a")); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_NE(std::string(error.what()).find("locked by another process"), std::string::npos);
  EXPECT_FALSE(store_->runs().find_run("a"));  // reading goes on
  other.exec("ROLLBACK");
  store_->runs().create_run(run("a"));
}

// What a child process says: "CODE message"; it runs in a mount namespace of its own when one can be had.
std::string in_own_mounts(const std::function<void()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) {
    return "skip";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said = "skip";
    if (::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
      try {
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        body();
        said = "nothing";
      } catch (const base::Error& error) {
        said = std::string(base::code_name(error.code())) + " " + error.what();
      } catch (const std::exception& error) {
        said = error.what();
      }
    }
    const ssize_t ignored = ::write(ends[1], said.data(), said.size());
    ::_exit(ignored < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  std::string said(8192, '\0');
  const ssize_t got = ::read(ends[0], said.data(), said.size());
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  said.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return said;
}

struct NoMount : std::exception {
  const char* what() const noexcept override { return "skip"; }
};

TEST_F(Failure, AFullDiskIsUnavailableAndLosesNothing) {
  store_.reset();
  const fs::path disk = dir_.path() / "disk";
  base::make_dirs(disk);
  const std::string said = in_own_mounts([&] {
    if (::mount("none", disk.c_str(), "tmpfs", 0, "size=3m") != 0) {
      throw NoMount();
    }
    const auto store = open_store(disk / ".slipway", options_);
    store->runs().create_run(run("before"));
    std::string told;
    int blobs = 0;
    try {
      for (; blobs < 1000; ++blobs) {
        store->artifacts().put_bytes(std::string(100'000, 'x') + std::to_string(blobs), "file", "f", {});
      }
    } catch (const base::Error& error) {
      told = std::string(base::code_name(error.code())) + " " + error.what();
    }
    std::string records = "never full";
    int events = 0;
    try {
      for (; events < 10000; ++events) {
        store->events().append("kind", "subject", {{"text", std::string(3000, 'x')}});
      }
    } catch (const base::Error& error) {
      records = std::string(base::code_name(error.code())) + " " + error.what();
    }
    const VerifyReport report = verify_store(disk / ".slipway");
    // A blob whose row found no place any more is garbage, not damage.
    const bool whole = report.problems.empty() && report.blobs - blobs >= 0 && report.blobs - blobs <= 1 &&
                       store->runs().find_run("before") &&
                       store->events().list("", 0, 20000).size() == static_cast<size_t>(events);
    throw std::runtime_error(told + " | " + records +
                             (whole ? " | whole" : " | broken: " + std::to_string(report.blobs)));
  });
  if (said == "skip") {
    GTEST_SKIP() << "skipped: this user cannot mount";
  }
  EXPECT_TRUE(said.starts_with("unavailable ")) << said;
  EXPECT_NE(said.find("| unavailable no space left"), std::string::npos) << said;
  EXPECT_TRUE(said.ends_with("| whole")) << said;
}

TEST_F(Failure, AReadOnlyDiskIsTold) {
  store_->runs().create_run(run("a"));
  store_.reset();
  const std::string said = in_own_mounts([&] {
    if (::mount(folder().c_str(), folder().c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        ::mount("none", folder().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
      throw NoMount();
    }
    const auto store = open_store(folder(), options_);
    store->runs().create_run(run("b"));
  });
  if (said == "skip") {
    GTEST_SKIP() << "skipped: this user cannot mount";
  }
  EXPECT_TRUE(said.starts_with("failure ") || said.starts_with("not_allowed ")) << said;
  EXPECT_NE(said.find("must be writable"), std::string::npos) << said;
  open();
  EXPECT_EQ(store_->runs().list_runs("", 9).size(), 1U);
}

TEST_F(Failure, ABlobThatCannotBeWrittenLeavesNothing) {
  store_->runs().create_run(run("before"));
  store_.reset();
  const std::string said = in_own_mounts([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{8192, 8192};
    ::setrlimit(RLIMIT_FSIZE, &limit);  // as a quota would
    const auto store = open_store(folder(), options_);
    store->artifacts().put_bytes(std::string(100'000, 'x'), "file", "f", {});
  });
  if (said == "skip") {
    GTEST_SKIP() << "skipped: no namespace";
  }
  EXPECT_TRUE(said.starts_with("unavailable ")) << said;
  open();
  EXPECT_TRUE(store_->artifacts().list("", 9).empty());
  EXPECT_EQ(collect_garbage(folder(), {.retention_ms = {}, .dry_run = true}).leftovers, 0);
  EXPECT_TRUE(verify_store(folder()).problems.empty());
}

}  // namespace
}  // namespace slipway::store
