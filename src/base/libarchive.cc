#include "base/libarchive.h"

#include "base/shared_library.h"

namespace slipway::base {
namespace {

Libarchive load_all() {
  const SharedLibrary library({"libarchive.so.13", "a tar or zip file", "libarchive13", "3.3.3"});
  Libarchive all{};
  library.find("archive_entry_filetype", all.archive_entry_filetype);
  library.find("archive_entry_free", all.archive_entry_free);
  library.find("archive_entry_hardlink", all.archive_entry_hardlink);
  library.find("archive_entry_new", all.archive_entry_new);
  library.find("archive_entry_mtime", all.archive_entry_mtime);
  library.find("archive_entry_mtime_is_set", all.archive_entry_mtime_is_set);
  library.find("archive_entry_pathname", all.archive_entry_pathname);
  library.find("archive_entry_set_filetype", all.archive_entry_set_filetype);
  library.find("archive_entry_set_mtime", all.archive_entry_set_mtime);
  library.find("archive_entry_set_pathname", all.archive_entry_set_pathname);
  library.find("archive_entry_set_perm", all.archive_entry_set_perm);
  library.find("archive_entry_set_size", all.archive_entry_set_size);
  library.find("archive_entry_size", all.archive_entry_size);
  library.find("archive_entry_size_is_set", all.archive_entry_size_is_set);
  library.find("archive_errno", all.archive_errno);
  library.find("archive_error_string", all.archive_error_string);
  library.find("archive_free", all.archive_free);
  library.find("archive_read_data_block", all.archive_read_data_block);
  library.find("archive_read_data", all.archive_read_data);
  library.find("archive_read_new", all.archive_read_new);
  library.find("archive_read_next_header", all.archive_read_next_header);
  library.find("archive_read_open_filename", all.archive_read_open_filename);
  library.find("archive_read_support_filter_bzip2", all.archive_read_support_filter_bzip2);
  library.find("archive_read_support_filter_gzip", all.archive_read_support_filter_gzip);
  library.find("archive_read_support_filter_xz", all.archive_read_support_filter_xz);
  library.find("archive_read_support_filter_zstd", all.archive_read_support_filter_zstd);
  library.find("archive_read_support_format_tar", all.archive_read_support_format_tar);
  library.find("archive_read_support_format_zip", all.archive_read_support_format_zip);
  library.find("archive_write_add_filter_zstd", all.archive_write_add_filter_zstd);
  library.find("archive_write_close", all.archive_write_close);
  library.find("archive_write_data", all.archive_write_data);
  library.find("archive_write_header", all.archive_write_header);
  library.find("archive_write_new", all.archive_write_new);
  library.find("archive_write_open_fd", all.archive_write_open_fd);
  library.find("archive_write_set_filter_option", all.archive_write_set_filter_option);
  library.find("archive_write_set_format_pax_restricted", all.archive_write_set_format_pax_restricted);
  return all;
}

}  // namespace

const Libarchive& libarchive() {
  static const Libarchive loaded = load_all();
  return loaded;
}

}  // namespace slipway::base
