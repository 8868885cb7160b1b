// A folder as one layer: a compressed tar archive that depends on nothing but what the folder holds. Equal folders have
// equal digests on every machine, whoever owns the files, whenever they were written, in whatever order the disk lists
// them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "model/digest.h"
#include "oci/packing_list.h"
#include "sys/files.h"

namespace windlass {

enum class LayerCompression { gzip, zstd, none };

struct PackedLayer {
  Digest digest;   // of the blob
  Digest diff_id;  // of the archive without compression
  std::uint64_t size_bytes = 0;
  std::string media_type;  // "application/vnd.oci.image.layer.v1.tar+gzip" and its kin
  FileDescriptor file;     // the blob; without a name, so it goes when this does
};

struct PackingOptions {
  LayerCompression compression = LayerCompression::gzip;
  UnpackLimits limits;
  std::filesystem::path temporary_folder;                              // for the blob
  std::function<void(std::uint64_t bytes)> on_progress = [](auto) {};  // bytes of files read so far
};

// Kind::invalid when a file has changed since it was listed, and when the unpacker would take the blob for a bomb (its
// compressed bytes, its expansion).
Result<PackedLayer> pack_layer(const std::filesystem::path& folder, const PackingList& list,
                               const PackingOptions& options);

}  // namespace windlass
