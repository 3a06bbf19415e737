#include "store/store.h"

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "store/annotations.h"
#include "store/core_owner.h"
#include "store/data_versions.h"
#include "store/hub.h"
#include "store/postgres.h"
#include "store/schema.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kPageBytes = 4096;

class FolderStore final : public record::Store, public CoreOwner {
 public:
  FolderStore(fs::path folder, const StoreOptions& options, DatabasePlace place, std::unique_ptr<Database> database)
      : core_(std::move(folder), options, std::move(place), std::move(database)) {}
  record::RunStore& runs() override { return runs_; }
  record::ArtifactStore& artifacts() override { return artifacts_; }
  record::Registry& registry() override { return registry_; }
  record::PredictionLog& predictions() override { return predictions_; }
  record::EventLog& events() override { return events_; }
  record::Lineage& lineage() override { return lineage_; }
  record::StepCache& steps() override { return steps_; }
  record::Tracking& tracking() override { return tracking_; }
  record::AccountStore& accounts() override { return accounts_; }
  record::AuditLog& audit() override { return audit_; }
  record::Hub& hub() override { return hub_; }
  record::ApprovalStore& approvals() override { return approvals_; }
  record::Annotations& annotations() override { return annotations_; }
  record::DataVersions& data() override { return data_; }
  bool rows_are_remote() const noexcept override { return core_.on_server; }
  Core& core() noexcept override { return core_; }

 private:
  Core core_;
  SqlRuns runs_{core_};
  SqlArtifacts artifacts_{core_};
  SqlRegistry registry_{core_};
  SqlPredictions predictions_{core_};
  SqlEvents events_{core_};
  SqlLineage lineage_{core_};
  SqlSteps steps_{core_};
  SqlTracking tracking_{core_};
  SqlAccounts accounts_{core_};
  SqlAudit audit_{core_};
  SqlHub hub_{core_};
  SqlApprovals approvals_{core_};
  SqlAnnotations annotations_{core_};
  SqlDataVersions data_{core_};
};

void make_folder(const fs::path& folder) {
  base::make_dirs(folder / "blobs");
  base::make_dirs(folder / "work");
  base::sync_dir(folder);
  base::sync_dir(folder.parent_path());
}

}  // namespace

void StoreOptions::describe(base::FieldTable& table) {
  table.add("database_url", database_url, "postgresql://…: where the rows are; empty = in the folder");
  table.add("blob_cache_bytes", blob_cache_bytes, "what the folder may hold of blobs that are in an object store", {0, 1e15});
  table.add("busy_timeout_ms", busy_timeout_ms, "how long a write waits for other processes, in milliseconds",
            {0, 3.6e6});
  table.add("max_database_bytes", max_database_bytes, "largest size of SQLite's database; 0 = no limit", {0, 1e15});
}

bool is_database_url(std::string_view text) noexcept { return is_postgres_url(text); }
std::string shown_database(const std::string& url) { return postgres_name(url); }

std::unique_ptr<record::Store> open_store(const fs::path& wanted, const StoreOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  const fs::path path = folder / "slipway.db";
  const bool server = !options.database_url.empty();
  const bool there = fs::exists(server ? folder / "blobs" : path);
  if (!there) {
    if (!options.create) {
      throw Error(Code::kNotFound, fmt::format("there is no store in '{}'; `slipway run` makes one", folder.string()));
    }
    make_folder(folder);
  }
  DatabasePlace place{path, options.database_url, options.busy_timeout_ms};
  auto database = place.open(!there);
  if (checked_version(*database, migrations()) < static_cast<int>(migrations().size())) {
    const base::SystemClock system;
    migrate(*database, migrations(), (options.clock != nullptr ? *options.clock : system).unix_ms());
  }
  if (options.max_database_bytes > 0 && !server) {
    database->exec(fmt::format("PRAGMA max_page_count={}", options.max_database_bytes / kPageBytes).c_str());
  }
  return std::make_unique<FolderStore>(folder, options, std::move(place), std::move(database));
}

}  // namespace slipway::store
