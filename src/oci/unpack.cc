#include "oci/unpack.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/crash_point.h"
#include "base/text.h"
#include "oci/compose_application.h"
#include "oci/entry_name.h"
#include "oci/layer_stream.h"
#include "oci/staged_tree.h"
#include "sys/files.h"
#include "sys/tar_header.h"

namespace windlass {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::size_t kNotesMax = 20;  // each may hold a long name; the rest is counted
constexpr std::string_view kOpaque = ".wh..wh..opq";

// A `.git` folder would make others take the tree for a clone: left out, with everything below it (oci 8).
bool is_git(std::string_view path) {
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), ".git") != parts.end();
}

class Unpacker {
 public:
  Unpacker(StagedTree& tree, const UnpackLimits& limits, const Deadline& deadline, std::vector<std::string>& notes)
      : tree_(tree), limits_(limits), deadline_(deadline), notes_(notes) {}

  Status unpack_layer(const StoredLayer& layer) {
    tree_.begin_layer();
    auto stream = LayerStream::open(layer, limits_, deadline_);
    if (!stream) return tl::unexpected(stream.error());
    auto first = (*stream)->peek();
    if (!first) return tl::unexpected(first.error());
    const bool is_tar = first->size() == kTarBlockBytes && (is_tar_header(*first) || is_zero_block(*first));
    if (!is_tar) return unpack_plain_file(layer);
    TarReader reader(**stream, limits_.header_bytes_max);
    if (auto taken = unpack_entries(reader); !taken) return taken;
    return (*stream)->check_content_digest();
  }

  void end_notes() {
    if (left_out_ > kNotesMax) notes_.push_back(fmt::format("{} more are left out", left_out_ - kNotesMax));
  }

 private:
  void note_left_out(const std::string& path) {
    if (++left_out_ <= kNotesMax) notes_.push_back(fmt::format("{} is left out", printable(path)));
  }

  Status unpack_entries(TarReader& reader) {
    for (;;) {
      TarEntry entry;
      auto more = reader.next(entry);
      if (!more) return tl::unexpected(more.error());
      if (!*more) return {};
      auto taken = tree_.count_entry();
      if (taken) taken = unpack_entry(entry, reader);
      if (!taken) {
        if (auto earlier = tree_.drain(); !earlier) return earlier;
        return while_doing(fmt::format("entry '{}'", printable(entry.name, 256)), taken.error());
      }
      crash_point("unpack.half");
    }
  }

  Status unpack_entry(const TarEntry& entry, TarReader& reader) {
    auto path = clean_entry_name(entry.name, limits_);
    if (!path) return tl::unexpected(path.error());
    if (path->empty() && entry.type != TarType::folder) return fail(Kind::invalid, "names the artifact's root");
    if (is_git(*path)) {  // before whiteouts, which make the folders that they stand in
      if (base_of(*path) == ".git") note_left_out(*path);
      return {};
    }
    if (base_of(*path).starts_with(kWhiteout)) return apply_whiteout(*path);
    switch (entry.type) {
      case TarType::file:
        if (entry.name.ends_with("/.")) return fail(Kind::invalid, "a file named '.'");
        return tree_.add_file(*path, entry, reader);
      case TarType::folder:
        return tree_.add_folder(*path, entry.mode);
      case TarType::link:
        return tree_.add_link(*path, entry.link);
      case TarType::hard_link: {
        auto target = clean_entry_name(entry.link, limits_);
        if (!target) return while_doing("hard link", target.error());
        return tree_.add_hard_link(*path, *target);
      }
      case TarType::character_device:
      case TarType::block_device:
        return fail(Kind::invalid, "devices are not allowed");
      case TarType::fifo:
        return fail(Kind::invalid, "pipes are not allowed");
    }
    return fail(Kind::internal, "unknown type of entry");
  }

  // OCI image-spec, layer.md, "Whiteouts".
  Status apply_whiteout(const std::string& path) {
    const auto base = base_of(path);
    const std::string folder(parent_of(path));
    if (base == kOpaque) return tree_.white_out_below(folder);
    const auto hidden = base.substr(kWhiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..") return fail(Kind::invalid, "whiteout of nothing");
    if (hidden.starts_with(kWhiteout)) return {};  // bookkeeping of old storage drivers
    return tree_.white_out(folder.empty() ? std::string(hidden) : fmt::format("{}/{}", folder, hidden));
  }

  // ORAS packs single files as they are and names them by an annotation (oci 4).
  Status unpack_plain_file(const StoredLayer& layer) {
    const auto title = layer.annotations.find("org.opencontainers.image.title");
    if (title == layer.annotations.end())
      return fail(Kind::invalid, fmt::format("media type '{}' without a title: neither a tar archive nor a named file",
                                             printable(layer.media_type, 256)));
    auto taken = tree_.count_entry();
    auto path = clean_entry_name(title->second, limits_);
    if (taken && !path) taken = tl::unexpected(path.error());
    if (taken && is_git(*path)) {
      note_left_out(*path);
      return {};
    }
    if (taken) {
      auto file = FileStream::open(layer.file);
      taken = file ? tree_.add_plain_file(*path, layer.size_bytes, **file) : Status(tl::unexpected(file.error()));
    }
    if (!taken) return while_doing(fmt::format("file '{}'", printable(title->second, 256)), taken.error());
    return {};
  }

  StagedTree& tree_;
  const UnpackLimits& limits_;
  const Deadline& deadline_;
  std::vector<std::string>& notes_;
  std::size_t left_out_ = 0;
};

Status check_sizes(const std::vector<StoredLayer>& layers, const UnpackLimits& limits) {
  if (layers.size() > limits.layers_max)
    return fail(Kind::invalid, fmt::format("{} layers, limit {}", layers.size(), limits.layers_max));
  std::uint64_t bytes = 0;
  for (const auto& layer : layers) bytes += layer.size_bytes;
  if (bytes > limits.compressed_bytes_max)
    return fail(Kind::invalid,
                fmt::format("layers of {} bytes together, limit {}", bytes, limits.compressed_bytes_max));
  return {};
}

bool is_before(const TreeEntry& entry, std::string_view path) { return entry.path < path; }

// Fills the tree from the layers.
using Fill = std::function<Status(StagedTree& tree, std::vector<std::string>& notes)>;

Result<UnpackedTree> unpack_into(const std::vector<StoredLayer>& layers, const std::filesystem::path& root,
                                 const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline,
                                 const Fill& fill) {
  if (auto sizes = check_sizes(layers, limits); !sizes) return tl::unexpected(sizes.error());
  UnpackedTree result{.root = root};
  auto tree = StagedTree::open(root, limits, content_key, deadline);
  if (!tree) return tl::unexpected(tree.error());
  if (auto filled = fill(*tree, result.notes); !filled) return tl::unexpected(filled.error());
  auto entries = tree->finish();
  if (!entries) return tl::unexpected(entries.error());
  result.entries = std::move(*entries);
  result.large_place = tree->take_large_place();
  crash_point("unpack.done");
  return result;
}

Result<UnpackedTree> unpack_or_remove(const std::vector<StoredLayer>& layers, const std::filesystem::path& root,
                                      const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline,
                                      const Fill& fill) {
  if (auto made = make_folders(root, 0700); !made) return tl::unexpected(made.error());
  auto tree = unpack_into(layers, root, limits, content_key, deadline, fill);
  if (!tree) (void)remove_tree(root);
  return tree;
}

}  // namespace

const TreeEntry* UnpackedTree::find(std::string_view path) const {
  const auto found = std::lower_bound(entries.begin(), entries.end(), path, is_before);
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

std::span<const TreeEntry> UnpackedTree::below(std::string_view folder) const {
  if (folder.empty()) return entries;
  const std::string bound(folder);
  const auto first = std::lower_bound(entries.begin(), entries.end(), bound + '/', is_before);
  return {first, std::lower_bound(first, entries.end(), bound + '0', is_before)};  // '0' comes after '/'
}

Result<UnpackedTree> unpack(const std::vector<StoredLayer>& layers, const std::filesystem::path& root,
                            const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline) {
  return unpack_or_remove(layers, root, limits, content_key, deadline, [&](StagedTree& tree, auto& notes) -> Status {
    Unpacker unpacker(tree, limits, deadline, notes);
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (auto taken = unpacker.unpack_layer(layers[i]); !taken)
        return while_doing(fmt::format("layer {} of {}", i + 1, layers.size()), taken.error());
    unpacker.end_notes();
    return {};
  });
}

Result<UnpackedTree> unpack(const FetchedArtifact& artifact, const std::filesystem::path& root,
                            const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline) {
  if (!is_compose_application(artifact)) return unpack(artifact.layers, root, limits, content_key, deadline);
  return unpack_or_remove(artifact.layers, root, limits, content_key, deadline, [&](StagedTree& tree, auto& notes) {
    return unpack_compose_application(tree, artifact.layers, limits, notes);
  });
}

}  // namespace windlass
