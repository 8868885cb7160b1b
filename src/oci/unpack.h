// Unpacking layers into a staging folder, beneath it and nowhere else (oci 4 and 8, reliability 5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/slots.h"
#include "oci/artifact.h"
#include "oci/manifest.h"

namespace windlass {

struct UnpackLimits {
  std::uint64_t bytes_max = 1ull << 30;         // unpacked, all layers (OCI_MAX_EXTRACTED_BYTES)
  std::uint64_t entries_max = 100'000;          // of every type (OCI_MAX_EXTRACTED_ENTRIES)
  std::uint64_t file_bytes_max = 512ull << 20;  // one file (OCI_MAX_FILE_BYTES)
  std::uint64_t compressed_bytes_max = 1ull << 30;
  std::size_t layers_max = kLayersMax;
  std::uint64_t ratio_max = 200;  // expansion, once ratio_free_bytes are out
  std::uint64_t ratio_free_bytes = 64ull << 20;
  std::size_t name_bytes_max = 255, path_bytes_max = 4096, depth_max = 64;
  std::uint64_t names_bytes_max = 8 << 20;   // names and link targets of all entries: they are kept in memory
  std::uint64_t header_bytes_max = 1 << 20;  // one PAX or GNU metadata header
  std::uint64_t link_steps_max = 2'000'000;  // parts of paths that are walked to judge all links

  // A tree that has grown beyond one of these needs one of `large_places`, because its entries are in memory until it
  // is deployed (reliability/P13). Null: it needs none.
  std::uint64_t small_entries_max = 4'000, small_names_bytes_max = 512 << 10;
  Slots* large_places = nullptr;
};

enum class EntryType { file, folder, link };

// One entry of the finished tree, as the live directory will have it.
struct TreeEntry {
  std::string path;  // relative, '/' between parts, no "." or ".."
  EntryType type = EntryType::file;
  unsigned mode = 0;  // permission bits; 0 for links
  std::uint64_t size_bytes = 0;
  std::string content;           // file: content_hash_hex() of its bytes; link: its target; folder: ""
  bool has_cipher_text = false;  // of a file: "ENC[" stands in it, so it may be one that SOPS has encrypted
};

// The finished tree: every entry once, sorted by path in byte order, a folder before what is in it.
struct UnpackedTree {
  std::filesystem::path root;
  std::vector<TreeEntry> entries;
  std::filesystem::path plain_root;  // where files of which the live directory gets the plain text are instead
  std::vector<std::string> notes;    // for the run's log: skipped .git and the like
  Slots::Held large_place;           // of UnpackLimits::large_places, for as long as the tree lives

  const TreeEntry* find(std::string_view path) const;
  // What lies below a folder; "": all.
  std::span<const TreeEntry> below(std::string_view folder) const;
};

// Unpacks all layers, lowest first, into the empty folder `root` (made if absent, mode 0700). On any error the folder
// is removed again and the message names entry, layer and rule or limit. Kind::invalid for a hostile or broken
// archive, Kind::unavailable for a full disk. `content_key`: of this installation, for the hashes of contents.
Result<UnpackedTree> unpack(const std::vector<StoredLayer>& layers, const std::filesystem::path& root,
                            const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline);
// The same for an artifact of any kind: what the layers of a compose application are is said by their types.
Result<UnpackedTree> unpack(const FetchedArtifact& artifact, const std::filesystem::path& root,
                            const UnpackLimits& limits, const Secret& content_key, const Deadline& deadline);

}  // namespace windlass
