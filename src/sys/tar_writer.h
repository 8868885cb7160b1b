// Writes tar archives that every reader takes alike: ustar headers, with a PAX header before what does not fit into one
// (POSIX pax, "ustar Interchange Format").
//
// Owner and group are 0 without names and the time is 0: the archive says what it holds, not who made it when. Equal
// entries in equal order give equal bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sys/byte_sink.h"

namespace windlass {

class TarWriter {
 public:
  // `sink` must outlive it.
  explicit TarWriter(ByteSink& sink) : sink_(sink) {}

  // Names are relative, without a trailing slash.
  Status add_folder(std::string_view name, unsigned mode);
  Status add_link(std::string_view name, std::string_view target);
  // Its bytes follow by data(), in pieces of any size, together exactly `size_bytes`.
  Status begin_file(std::string_view name, unsigned mode, std::uint64_t size_bytes);
  Status data(std::string_view bytes);
  // Kind::invalid when bytes are missing.
  Status end_file();
  // Two blocks of zeros; then finishes the sink.
  Status finish();

 private:
  struct Entry {
    std::string name;
    char type;
    unsigned mode;
    std::uint64_t size_bytes = 0;
    std::string_view link = {};
  };
  Status write_entry(const Entry& entry);

  ByteSink& sink_;
  std::uint64_t left_bytes_ = 0;  // of the file that is being written
  std::uint64_t written_bytes_ = 0;
};

}  // namespace windlass
