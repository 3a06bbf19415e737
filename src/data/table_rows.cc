#include "data/table_rows.h"

#include <utility>

#include "base/file.h"
#include "data/arrow.h"
#include "data/file_head.h"
#include "data/parquet.h"

namespace slipway::data {
namespace {

constexpr size_t kHeadBytes = 16;

// The rows and the file that they are of.
class MappedTable final : public TableRows {
 public:
  explicit MappedTable(base::MappedFile file) : file_(std::move(file)) {
    try {
      if (file_.bytes().starts_with("PAR")) {
        rows_ = std::make_unique<ParquetRows>(file_.bytes());
      } else {
        rows_ = std::make_unique<ArrowRows>(file_.bytes());
      }
    } catch (const BrokenFile& broken) {
      fault_ = broken.what();
    }
  }
  Step next(std::string& line) override {
    if (rows_ != nullptr) {
      return rows_->next(line);
    }
    line = std::exchange(fault_, {});
    return line.empty() ? Step::kEnd : Step::kBroken;
  }
  uint64_t consumed() const noexcept override { return rows_ != nullptr ? rows_->consumed() : file_.bytes().size(); }
  std::vector<std::string> columns() const override { return rows_ != nullptr ? rows_->columns() : std::vector<std::string>{}; }

 private:
  base::MappedFile file_;
  std::unique_ptr<TableRows> rows_;
  std::string fault_;
};

}  // namespace

std::unique_ptr<TableRows> open_table(const std::filesystem::path& path) {
  if (!base::is_file(path)) {  // a pipe: not to be mapped, nor read twice
    return nullptr;
  }
  const std::string head = file_head(path, kHeadBytes);
  if (!head.starts_with("PAR1") && !head.starts_with("PARE") && !looks_like_arrow(head)) {
    return nullptr;
  }
  return std::make_unique<MappedTable>(base::MappedFile(path));
}

}  // namespace slipway::data
