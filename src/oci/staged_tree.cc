#include "oci/staged_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "oci/cipher_text.h"
#include "oci/entry_name.h"
#include "oci/link_rules.h"
#include "sys/content_hash.h"

namespace windlass {
namespace {

tl::unexpected<Error> broken(std::string rule) { return fail(Kind::invalid, std::move(rule)); }

Status write_all_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected(system_error("writing", errno));
    }
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> hash_file(int fd, ContentHash& hash, CipherTextScan& scan) {
  std::string buffer(128 << 10, '\0');
  for (std::uint64_t offset = 0;;) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(system_error("reading back", errno));
    if (got == 0) return hash.finish_hex();
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
    scan.update({buffer.data(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

Result<StagedTree> StagedTree::open(const std::filesystem::path& root, const UnpackLimits& limits,
                                    const Secret& content_key, const Deadline& deadline) {
  FileDescriptor fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return tl::unexpected(system_error("opening " + root.string(), errno));
  return StagedTree(std::move(fd), limits, content_key, deadline);
}

Status StagedTree::count_entry() {
  if (++entries_ > limits_.entries_max)
    return broken(fmt::format("artifact exceeds maximum allowed number of entries: {}", limits_.entries_max));
  return get_place();
}

Status StagedTree::get_place() {
  const bool is_small = entries_ <= limits_.small_entries_max && names_bytes_ <= limits_.small_names_bytes_max;
  if (is_small || large_place_ || limits_.large_places == nullptr) return {};
  auto place = limits_.large_places->take(deadline_);
  if (!place) return tl::unexpected(place.error());
  large_place_ = std::move(*place);
  return {};
}

// Each name is in memory until the release is recorded: once for it, and a second time for the one before (decision
// 160).
Status StagedTree::count_name(const std::string& text) {
  names_bytes_ += text.size();
  if (names_bytes_ > limits_.names_bytes_max)
    return broken(fmt::format("artifact exceeds maximum allowed size of all names: {} bytes", limits_.names_bytes_max));
  return get_place();
}

Result<FileDescriptor> StagedTree::open_parent(const std::string& path) const {
  auto folder = open_without_links(root_.get(), std::string(parent_of(path)), O_RDONLY | O_DIRECTORY);
  if (!folder.valid()) return tl::unexpected(system_error("opening the folder of " + path, errno));
  return folder;
}

// Every folder above an entry is a folder: never a link, never a file (reliability 5, rows 6 to 13, 36, 37).
Status StagedTree::make_parents(const std::string& path) {
  const std::string parent(parent_of(path));
  if (parent.empty()) return {};
  const auto found = nodes_.find(parent);
  if (found == nodes_.end()) {
    // Counted like a folder entry: else 100 000 deep names would make millions of folders.
    if (auto counted = count_entry(); !counted) return counted;
    return add_folder(parent, 0755);
  }
  if (found->second.entry.type == EntryType::link)
    return broken(fmt::format("lies behind the link '{}'", printable(parent, 256)));
  if (found->second.entry.type == EntryType::file)
    return broken(fmt::format("'{}' is a file, not a folder", printable(parent, 256)));
  return {};
}

// Takes away what an earlier layer put at the place of something of another kind.
Status StagedTree::make_room(const std::string& path, EntryType type) {
  if (auto counted = count_name(path); !counted) return counted;
  if (auto made = make_parents(path); !made) return made;
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return {};
  if (found->second.entry.type != type && found->second.layer == layer_)
    return broken("replaces an entry of another kind in the same layer");
  if (type == EntryType::folder && found->second.entry.type == EntryType::folder) return {};
  return remove(path);
}

Status StagedTree::remove(const std::string& path) {
  const auto first = nodes_.find(path);
  if (first == nodes_.end()) return {};
  if (auto there = drain(); !there) return there;
  // Deepest first, so that folders are empty when their turn comes. What is below a folder stands in one run of the map
  // from "path/" on.
  std::vector<std::string> paths = {path};
  const auto below = path + "/";
  for (auto node = nodes_.lower_bound(below); node != nodes_.end() && node->first.starts_with(below); ++node)
    paths.push_back(node->first);
  for (auto each = paths.rbegin(); each != paths.rend(); ++each) {
    const auto type = nodes_.at(*each).entry.type;
    if (type != EntryType::link) {
      auto folder = open_parent(*each);
      if (!folder) return tl::unexpected(folder.error());
      if (::unlinkat(folder->get(), std::string(base_of(*each)).c_str(),
                     type == EntryType::folder ? AT_REMOVEDIR : 0) != 0)
        return tl::unexpected(system_error("removing " + *each, errno));
    }
    nodes_.erase(*each);
  }
  return {};
}

Status StagedTree::add_folder(const std::string& path, unsigned mode) {
  if (path.empty()) return {};  // the root itself, whose mode is ours
  if (auto room = make_room(path, EntryType::folder); !room) return room;
  auto parent = open_parent(path);
  if (!parent) return tl::unexpected(parent.error());
  const std::string name(base_of(path));
  if (!nodes_.contains(path) && ::mkdirat(parent->get(), name.c_str(), 0700) != 0)
    return tl::unexpected(creation_error(path, errno));
  const unsigned kept = (mode & 0777) | 0700;
  if (::fchmodat(parent->get(), name.c_str(), kept, 0) != 0)
    return tl::unexpected(system_error("making folder " + path, errno));
  nodes_[path] = {{.type = EntryType::folder, .mode = kept}, layer_};
  return {};
}

Status StagedTree::make_room_for_file(const std::string& path, std::uint64_t size_bytes) {
  if (path.empty()) return broken("name is empty");
  if (size_bytes > limits_.file_bytes_max)
    return broken(fmt::format("file of {} bytes, limit {}", size_bytes, limits_.file_bytes_max));
  bytes_ += size_bytes;
  if (bytes_ > limits_.bytes_max)
    return broken(fmt::format("artifact exceeds maximum allowed extraction size: {} bytes", limits_.bytes_max));
  return make_room(path, EntryType::file);
}

Result<FileDescriptor> StagedTree::create_file(const std::string& path, std::uint64_t size_bytes) {
  if (auto room = make_room_for_file(path, size_bytes); !room) return tl::unexpected(room.error());
  auto file = open_without_links(root_.get(), path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!file.valid()) return tl::unexpected(creation_error(path, errno));
  return file;
}

Status StagedTree::put_file(const std::string& path, FileDescriptor file, unsigned mode, std::int64_t mtime_unix,
                            Content content) {
  const auto& entry = note_file(path, mode, std::move(content)).second.entry;
  if (::fchmod(file.get(), entry.mode) != 0) return tl::unexpected(system_error("writing " + path, errno));
  const auto time = time_of(mtime_unix, entry.content);
  const timespec times[] = {time, time};
  if (::futimens(file.get(), times) != 0) return tl::unexpected(system_error("writing " + path, errno));
  return {};
}

StagedTree::Nodes::value_type& StagedTree::note_file(const std::string& path, unsigned mode, Content content) {
  auto& noted = *nodes_.try_emplace(path).first;
  noted.second = {{.type = EntryType::file,
                   .mode = (mode & 0777) | 0600,
                   .size_bytes = content.size_bytes,
                   .content = std::move(content.hash),
                   .has_cipher_text = content.has_cipher_text},
                  layer_};
  return noted;
}

Status StagedTree::add_small_file(const std::string& path, const TarEntry& entry, TarReader& reader) {
  if (auto room = make_room_for_file(path, entry.size_bytes); !room) return room;
  std::string bytes;
  bytes.reserve(entry.size_bytes);
  for (;;) {
    auto piece = reader.data();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->bytes.empty()) break;
    bytes += piece->bytes;
  }
  auto& [name, node] = note_file(path, entry.mode, {.size_bytes = entry.size_bytes});
  return writer_->write({name, node.entry, entry.mtime_unix, std::move(bytes)});
}

Status StagedTree::add_file(const std::string& path, const TarEntry& entry, TarReader& reader) {
  if (!entry.sparse && entry.size_bytes <= FileWriter::kFileBytesMax) return add_small_file(path, entry, reader);
  auto file = create_file(path, entry.size_bytes);
  if (!file) return tl::unexpected(file.error());
  ContentHash hash(content_key_);
  CipherTextScan scan;
  for (;;) {
    auto piece = reader.data();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->bytes.empty()) break;
    if (!entry.sparse) {
      hash.update(piece->bytes);
      scan.update(piece->bytes);
    }
    if (auto written = write_all_at(file->get(), piece->bytes, piece->offset); !written)
      return while_doing(path, written.error());
  }
  if (!entry.sparse)
    return put_file(path, std::move(*file), entry.mode, entry.mtime_unix,
                    {entry.size_bytes, hash.finish_hex(), scan.found()});
  if (::ftruncate(file->get(), static_cast<off_t>(entry.size_bytes)) != 0)
    return tl::unexpected(system_error("writing " + path, errno));
  auto whole = hash_file(file->get(), hash, scan);
  if (!whole) return tl::unexpected(whole.error());
  return put_file(path, std::move(*file), entry.mode, entry.mtime_unix,
                  {entry.size_bytes, std::move(*whole), scan.found()});
}

Status StagedTree::add_plain_file(const std::string& path, std::uint64_t size_bytes, ByteStream& bytes) {
  auto file = create_file(path, size_bytes);
  if (!file) return tl::unexpected(file.error());
  ContentHash hash(content_key_);
  CipherTextScan scan;
  for (std::uint64_t offset = 0;;) {
    auto piece = bytes.next();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) break;
    hash.update(*piece);
    scan.update(*piece);
    if (auto written = write_all_at(file->get(), *piece, offset); !written) return while_doing(path, written.error());
    offset += piece->size();
  }
  return put_file(path, std::move(*file), 0644, std::time(nullptr), {size_bytes, hash.finish_hex(), scan.found()});
}

Status StagedTree::add_link(const std::string& path, const std::string& target) {
  if (path.empty()) return broken("name is empty");
  if (auto allowed = check_link_text(target, limits_); !allowed) return allowed;
  if (auto counted = count_name(target); !counted) return counted;
  if (auto room = make_room(path, EntryType::link); !room) return room;
  nodes_[path] = {{.type = EntryType::link, .content = target}, layer_};
  return {};
}

Status StagedTree::add_hard_link(const std::string& path, const std::string& target) {
  const auto found = nodes_.find(target);
  if (found == nodes_.end() || found->second.entry.type != EntryType::file || target == path)
    return broken(
        fmt::format("hard link to '{}', which is not an earlier file of the artifact", printable(target, 256)));
  if (auto there = drain(); !there) return there;
  const TreeEntry original = found->second.entry;
  auto source = open_without_links(root_.get(), target, O_RDONLY);
  if (!source.valid()) return tl::unexpected(system_error("reading " + target, errno));
  struct stat status {};
  if (::fstat(source.get(), &status) != 0) return tl::unexpected(system_error("reading " + target, errno));
  auto file = create_file(path, original.size_bytes);
  if (!file) return tl::unexpected(file.error());
  if (auto copied = copy_bytes(source.get(), file->get(), original.size_bytes); !copied)
    return while_doing(path, copied.error());
  return put_file(path, std::move(*file), original.mode, status.st_mtime,
                  {original.size_bytes, original.content, original.has_cipher_text});
}

Status StagedTree::white_out(const std::string& path) {
  if (auto parents = make_parents(path); !parents) return parents;
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return {};
  const bool is_older = found->second.layer != layer_;
  if (found->second.entry.type == EntryType::folder)
    if (auto hidden = remove_older_below(path); !hidden) return hidden;
  return is_older && !has_entries(path) ? remove(path) : Status();
}

Status StagedTree::white_out_below(const std::string& folder) {
  if (!folder.empty())
    if (auto parents = make_parents(folder + "/x"); !parents) return parents;
  return remove_older_below(folder);
}

// Whiteouts hide what earlier layers brought and nothing of their own layer, wherever in it they stand (OCI image-spec,
// layer.md): a folder of an earlier layer stays when this layer put something in it.
Status StagedTree::remove_older_below(const std::string& folder) {
  std::vector<std::string> older;
  cleared_.clear(folder, nodes_, [&](const Nodes::value_type& node) {
    if (node.second.layer != layer_) older.push_back(node.first);
  });
  for (auto path = older.rbegin(); path != older.rend(); ++path) {
    if (has_entries(*path)) continue;
    if (auto removed = remove(*path); !removed) return removed;
  }
  return {};
}

bool StagedTree::has_entries(const std::string& folder) const {
  const auto prefix = folder + "/";
  const auto node = nodes_.lower_bound(prefix);
  return node != nodes_.end() && node->first.starts_with(prefix);
}

Status StagedTree::check_links() const {
  const auto look_up = [this](std::string_view path) -> const TreeEntry* {
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? nullptr : &found->second.entry;
  };
  LinkFollower links(look_up, limits_);
  for (const auto& [path, node] : nodes_) {
    if (node.entry.type != EntryType::link) continue;
    if (deadline_.passed()) return fail(Kind::unavailable, "the time for pulling the artifact is over");
    if (auto inside = links.follow(parent_of(path), node.entry.content); !inside)
      return while_doing(fmt::format("entry '{}'", printable(path, 256)), inside.error());
  }
  return {};
}

Status StagedTree::make_links() {
  for (const auto& [path, node] : nodes_) {
    if (node.entry.type != EntryType::link) continue;
    auto parent = open_parent(path);
    if (!parent) return tl::unexpected(parent.error());
    if (::symlinkat(node.entry.content.c_str(), parent->get(), std::string(base_of(path)).c_str()) != 0)
      return tl::unexpected(creation_error(path, errno));
  }
  return {};
}

Result<std::vector<TreeEntry>> StagedTree::finish() {
  if (entries_ == 0) return broken("the artifact has no entry at all");
  if (auto there = drain(); !there) return tl::unexpected(there.error());
  if (auto inside = check_links(); !inside) return tl::unexpected(inside.error());
  if (auto made = make_links(); !made) return tl::unexpected(made.error());
  std::vector<TreeEntry> entries;
  entries.reserve(nodes_.size());
  while (!nodes_.empty()) {  // one by one: both forms of a large tree side by side would be the peak of a pull
    auto node = nodes_.extract(nodes_.begin());
    entries.push_back(std::move(node.mapped().entry));
    entries.back().path = std::move(node.key());
  }
  return entries;
}

}  // namespace windlass
