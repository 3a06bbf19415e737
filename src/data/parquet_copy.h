// Rows of Parquet files copied as they are, levels and values, whatever their types and nesting: what files are made of that lose rows, or
// take some from others of the same schema. A new file has the schema and the metadata of the one it is like, row groups of up to 64 MiB, a
// page of PLAIN values in zstd for each column of each. One thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::data {

// The schema's bytes in the footer: files with equal ones can take rows of one another. Throws BrokenFile.
std::string_view parquet_schema(std::string_view file);

class ParquetCopyReader {
 public:
  explicit ParquetCopyReader(std::string_view file);  // the whole file, borrowed; throws BrokenFile
  ~ParquetCopyReader();
  ParquetCopyReader(const ParquetCopyReader&) = delete;
  ParquetCopyReader& operator=(const ParquetCopyReader&) = delete;
  // The next row into `record` (replaced), as ParquetCopyWriter takes it; false at the end. Throws BrokenFile.
  bool next(std::string& record);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ParquetCopyWriter {
 public:
  // `like`: a whole Parquet file; borrowed for the call. Throws BrokenFile.
  ParquetCopyWriter(const std::filesystem::path& place, std::string_view like);
  ~ParquetCopyWriter();
  ParquetCopyWriter(const ParquetCopyWriter&) = delete;
  ParquetCopyWriter& operator=(const ParquetCopyWriter&) = delete;
  // A record of a file with the same schema; throws BrokenFile for another.
  void write(std::string_view record);
  // Visible from here on. The same rows give the same bytes.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::data
