// The tree that layers are unpacked into: what is on disk in the staging folder, and what is known of it.
//
// While layers come in only folders and files are on disk, links are kept in memory, so nothing can be followed out of
// the folder. finish() judges the links against the finished tree and only then makes them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "oci/cleared_folders.h"
#include "oci/file_writer.h"
#include "oci/unpack.h"
#include "sys/files.h"
#include "sys/tar_reader.h"

namespace windlass {

class StagedTree {
 public:
  // `root` exists and is empty. `content_key` as for unpack().
  static Result<StagedTree> open(const std::filesystem::path& root, const UnpackLimits& limits,
                                 const Secret& content_key, const Deadline& deadline);

  // Entries after this belong to the next layer, which may replace and white out what earlier ones brought.
  void begin_layer() {
    ++layer_;
    cleared_.begin_layer();
  }
  // Counts one entry of any kind against the budget; folders that names imply are counted by the tree itself. Waits for
  // a place if the tree becomes a large one.
  Status count_entry();

  Status add_folder(const std::string& path, unsigned mode);
  // Takes the content of the reader's present entry.
  Status add_file(const std::string& path, const TarEntry& entry, TarReader& reader);
  // A file whose bytes come as they are.
  Status add_plain_file(const std::string& path, std::uint64_t size_bytes, ByteStream& bytes);
  Status add_link(const std::string& path, const std::string& target);
  // A copy of an earlier file.
  Status add_hard_link(const std::string& path, const std::string& target);
  // Whiteouts of what earlier layers brought: one entry with all below it, or all that is in a folder.
  Status white_out(const std::string& path);
  Status white_out_below(const std::string& folder);

  // Small files are made behind the back of whoever adds them: after an error, that of an earlier one, if there is one.
  Status drain() { return writer_->drain(); }

  // How many entries whiteouts have looked at: in each layer none twice, however many whiteouts it has.
  std::uint64_t whiteout_steps() const { return cleared_.steps(); }

  // Judges and makes the links; gives the finished entries, of which there must be one.
  Result<std::vector<TreeEntry>> finish();
  Slots::Held take_large_place() { return std::move(large_place_); }

 private:
  struct Node {
    TreeEntry entry;  // without its path, until finish()
    int layer = 0;
  };
  using Nodes = std::map<std::string, Node, std::less<>>;  // by path
  StagedTree(FileDescriptor root, const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline)
      : root_(std::move(root)),
        limits_(limits),
        content_key_(content_key),
        deadline_(deadline),
        writer_(std::make_unique<FileWriter>(root_.get(), content_key)) {}

  Status get_place();
  Status count_name(const std::string& text);
  Status make_room(const std::string& path, EntryType type);
  Status make_parents(const std::string& path);
  Status remove(const std::string& path);
  Status remove_older_below(const std::string& folder);
  bool has_entries(const std::string& folder) const;
  Status make_room_for_file(const std::string& path, std::uint64_t size_bytes);
  Result<FileDescriptor> create_file(const std::string& path, std::uint64_t size_bytes);
  Status add_small_file(const std::string& path, const TarEntry& entry, TarReader& reader);
  // What is known of a file once all its bytes have gone by.
  struct Content {
    std::uint64_t size_bytes = 0;
    std::string hash;
    bool has_cipher_text = false;
  };
  Nodes::value_type& note_file(const std::string& path, unsigned mode, Content content);
  Status put_file(const std::string& path, FileDescriptor file, unsigned mode, std::int64_t mtime_unix,
                  Content content);
  Result<FileDescriptor> open_parent(const std::string& path) const;
  Status check_links() const;
  Status make_links();

  FileDescriptor root_;
  UnpackLimits limits_;
  Secret content_key_;
  Deadline deadline_;
  Nodes nodes_;
  int layer_ = 0;
  ClearedFolders cleared_;  // by whiteouts of this layer
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t names_bytes_ = 0;
  Slots::Held large_place_;
  std::unique_ptr<FileWriter> writer_;  // last: it uses root_
};

}  // namespace windlass
