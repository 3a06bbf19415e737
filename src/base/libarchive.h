// libarchive, loaded when a tar or zip file is first written or read: libxml2, ICU and more come with it, which every start of the
// program would pay for. Any thread.
#pragma once

#include <archive.h>
#include <archive_entry.h>

namespace slipway::base {

struct Libarchive {
  decltype(&::archive_entry_filetype) archive_entry_filetype;
  decltype(&::archive_entry_free) archive_entry_free;
  decltype(&::archive_entry_hardlink) archive_entry_hardlink;
  decltype(&::archive_entry_new) archive_entry_new;
  decltype(&::archive_entry_mtime) archive_entry_mtime;
  decltype(&::archive_entry_mtime_is_set) archive_entry_mtime_is_set;
  decltype(&::archive_entry_pathname) archive_entry_pathname;
  decltype(&::archive_entry_set_filetype) archive_entry_set_filetype;
  decltype(&::archive_entry_set_mtime) archive_entry_set_mtime;
  decltype(&::archive_entry_set_pathname) archive_entry_set_pathname;
  decltype(&::archive_entry_set_perm) archive_entry_set_perm;
  decltype(&::archive_entry_set_size) archive_entry_set_size;
  decltype(&::archive_entry_size) archive_entry_size;
  decltype(&::archive_entry_size_is_set) archive_entry_size_is_set;
  decltype(&::archive_errno) archive_errno;
  decltype(&::archive_error_string) archive_error_string;
  decltype(&::archive_free) archive_free;
  decltype(&::archive_read_data_block) archive_read_data_block;
  decltype(&::archive_read_data) archive_read_data;
  decltype(&::archive_read_new) archive_read_new;
  decltype(&::archive_read_next_header) archive_read_next_header;
  decltype(&::archive_read_open_filename) archive_read_open_filename;
  decltype(&::archive_read_support_filter_bzip2) archive_read_support_filter_bzip2;
  decltype(&::archive_read_support_filter_gzip) archive_read_support_filter_gzip;
  decltype(&::archive_read_support_filter_xz) archive_read_support_filter_xz;
  decltype(&::archive_read_support_filter_zstd) archive_read_support_filter_zstd;
  decltype(&::archive_read_support_format_tar) archive_read_support_format_tar;
  decltype(&::archive_read_support_format_zip) archive_read_support_format_zip;
  decltype(&::archive_write_add_filter_zstd) archive_write_add_filter_zstd;
  decltype(&::archive_write_close) archive_write_close;
  decltype(&::archive_write_data) archive_write_data;
  decltype(&::archive_write_header) archive_write_header;
  decltype(&::archive_write_new) archive_write_new;
  decltype(&::archive_write_open_fd) archive_write_open_fd;
  decltype(&::archive_write_set_filter_option) archive_write_set_filter_option;
  decltype(&::archive_write_set_format_pax_restricted) archive_write_set_format_pax_restricted;
};

// Throws Error(kFailure) when it is not installed.
const Libarchive& libarchive();

}  // namespace slipway::base
